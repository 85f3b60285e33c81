// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// A registry in memory, to push to and pull from: registry ADDRESS.
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	log.Fatal(http.ListenAndServe(os.Args[1], registry.New(quiet)))
}
