package main

import (
	"net"

	"github.com/Microsoft/go-winio"
)

// As antrea-agent does.
func listener(pipe string) (net.Listener, error) { return winio.ListenPipe(pipe, nil) }
