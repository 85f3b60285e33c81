// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"

	"github.com/Microsoft/go-winio"
)

// As antrea-agent does, but for the owner (administrators, BA), whom wine does not set by itself.
func listener(pipe string) (net.Listener, error) {
	return winio.ListenPipe(pipe, &winio.PipeConfig{SecurityDescriptor: "O:BAD:P(A;;GA;;;WD)"})
}
