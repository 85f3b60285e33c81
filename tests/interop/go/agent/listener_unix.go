// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package main

import "net"

func listener(socket string) (net.Listener, error) { return net.Listen("unix", socket) }
