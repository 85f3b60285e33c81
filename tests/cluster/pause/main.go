// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// The process that holds a Pod's namespaces: it waits until it is ended.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
