// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// Loads configurations of Multus as Multus does, and says a line for each: the names of the
// networks that it hands Pods on to, or why it refuses. With two files it says whether
// Multus with the first one's cniVersion starts beside the second. The oracle of
// `antrea-cnictl check-config`.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"gopkg.in/k8snetworkplumbingwg/multus-cni.v4/pkg/logging"
	"gopkg.in/k8snetworkplumbingwg/multus-cni.v4/pkg/server/config"
	"gopkg.in/k8snetworkplumbingwg/multus-cni.v4/pkg/types"
)

func main() {
	logging.SetLogStderr(false)
	for _, argument := range os.Args[1:] {
		said, err := load(strings.Split(argument, ","))
		if err != nil {
			fmt.Printf("refused: %q\n", err.Error())
			continue
		}
		fmt.Printf("accepted: %s\n", said)
	}
}

func load(files []string) (said string, err error) {
	// Multus dies of some delegates.
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("%v", panicked)
		}
	}()
	bytes, err := os.ReadFile(files[0])
	if err != nil {
		return "", err
	}
	if len(files) == 2 {
		return "", beside(bytes, files[1])
	}
	conf, err := types.LoadNetConf(bytes)
	if err != nil {
		return "", err
	}
	names := []string{conf.ClusterNetwork}
	for _, delegate := range conf.Delegates {
		names = append(names, delegate.Name)
	}
	return strings.Join(names, ","), nil
}

func beside(multus []byte, file string) error {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var conf config.MultusConf
	if err := json.Unmarshal(multus, &conf); err != nil {
		return err
	}
	var delegate map[string]interface{}
	if err := json.Unmarshal(bytes, &delegate); err != nil {
		return err
	}
	return config.CheckVersionCompatibility(&conf, delegate)
}
