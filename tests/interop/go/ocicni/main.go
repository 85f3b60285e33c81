// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// What CRI-O does with a Pod's network, by the library that it calls: set up, and the
// CHECK that follows it, status, garbage collection, tear down, and a tear down of what is
// gone. Says each step; ends with 1 at the first that fails.
//
//	ocicni CONF_DIR CACHE_DIR BIN_DIR NETNS
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/cri-o/ocicni/pkg/ocicni"
	"github.com/sirupsen/logrus"
)

func main() {
	logrus.SetOutput(io.Discard)
	confDir, cacheDir, binDir, netns := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	plugin, err := ocicni.InitCNINoInotify("", confDir, cacheDir, binDir)
	step("init", err)
	ctx := context.Background()
	pod := ocicni.PodNetwork{Name: "web-0", Namespace: "shop", ID: "c0ffee", UID: "d688d570", NetNS: netns}
	step("status", plugin.StatusWithContext(ctx))
	_, err = plugin.SetUpPodWithContext(ctx, pod)
	step("set up", err)
	// With a list of 0.4.0 or later this is a CHECK.
	_, err = plugin.GetPodNetworkStatusWithContext(ctx, pod)
	step("check", err)
	step("gc", plugin.GC(ctx, []*ocicni.PodNetwork{&pod}))
	_, err = plugin.GetPodNetworkStatusWithContext(ctx, pod)
	step("check after gc", err)
	step("tear down", plugin.TearDownPodWithContext(ctx, pod))
	step("tear down again", plugin.TearDownPodWithContext(ctx, pod))
}

func step(what string, err error) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
	fmt.Println(what)
}
