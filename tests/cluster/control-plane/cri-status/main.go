// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// cri-status SOCKET: calls Status of a node's container runtime, as kubelet does, one second after the answer to the
// call before, and prints for each when it began and how many seconds it took. A call has no deadline. Ends when the
// runtime does.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	connection, err := grpc.NewClient("unix://"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	client := cri.NewRuntimeServiceClient(connection)
	for {
		began := time.Now()
		answer, err := client.Status(context.Background(), &cri.StatusRequest{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		ready := "ready"
		for _, condition := range answer.Status.Conditions {
			if !condition.Status {
				ready = condition.Type + " is false: " + condition.Message
			}
		}
		fmt.Printf("%s %.2f %s\n", began.UTC().Format("15:04:05.000"), time.Since(began).Seconds(), ready)
		time.Sleep(time.Second)
	}
}
