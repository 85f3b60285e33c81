//go:build !windows

package main

import "net"

func listener(socket string) (net.Listener, error) { return net.Listen("unix", socket) }
