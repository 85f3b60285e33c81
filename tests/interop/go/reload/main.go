// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// What CRI-O does while Pods wait for an agent and their list is written anew, by the library that
// it calls: a Pod is set up each second, the list is replaced by a rename in the seventh, and
// Status is asked all the time. Prints for how many seconds, at most, Status had no answer.
//
//	reload CONF_DIR CACHE_DIR BIN_DIR NETNS SECONDS
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cri-o/ocicni/pkg/ocicni"
	"github.com/sirupsen/logrus"
)

func main() {
	logrus.SetOutput(io.Discard)
	confDir, cacheDir, binDir, netns := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	total, err := time.ParseDuration(os.Args[5] + "s")
	check(err)
	plugin, err := ocicni.InitCNIWithCache("", confDir, cacheDir, binDir)
	check(err)
	ctx := context.Background()
	lists, err := filepath.Glob(filepath.Join(confDir, "*.conflist"))
	check(err)
	bytes, err := os.ReadFile(lists[0])
	check(err)

	var asked atomic.Int64 // since the start, in milliseconds
	start := time.Now()
	go func() {
		for {
			asked.Store(time.Since(start).Milliseconds())
			_ = plugin.StatusWithContext(ctx) // an error while the list is not there
			time.Sleep(100 * time.Millisecond)
		}
	}()
	var longest int64
	ticks := time.NewTicker(time.Second)
	for second := 0; second < int(total.Seconds()); second++ {
		<-ticks.C
		longest = max(longest, time.Since(start).Milliseconds()-asked.Load())
		if second == 7 {
			// It is created, written and renamed, and then it is there: four times ocicni reads.
			next := filepath.Join(confDir, ".next")
			check(os.WriteFile(next, bytes, 0o644))
			check(os.Rename(next, lists[0]))
		}
		go func() {
			id := fmt.Sprintf("%064d", second)
			pod := ocicni.PodNetwork{Name: "web-" + id, Namespace: "shop", ID: id, UID: id, NetNS: netns}
			_, _ = plugin.SetUpPodWithContext(ctx, pod)
		}()
	}
	fmt.Println(longest / 1000)
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
