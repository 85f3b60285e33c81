// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// Loads network configurations as a runtime does, and says a line for each: the version
// that its plugins are called with, or why the runtime does not start a Pod with it. The
// oracle of `antrea-cnictl check-config`.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/utils"
	"github.com/containernetworking/cni/pkg/version"
)

func main() {
	for _, file := range os.Args[1:] {
		list, err := load(file)
		if err == nil {
			err = judge(list)
		}
		if err != nil {
			fmt.Printf("refused: %q\n", err.Error())
			continue
		}
		fmt.Printf("accepted: %s\n", list.CNIVersion)
	}
}

// load is what containerd does with a file of its folder.
func load(file string) (*libcni.NetworkConfigList, error) {
	switch filepath.Ext(file) {
	case ".conflist":
		return libcni.ConfListFromFile(file)
	case ".conf", ".json":
		conf, err := libcni.ConfFromFile(file)
		if err != nil {
			return nil, err
		}
		return libcni.ConfListFromConf(conf)
	}
	return nil, errors.New("not read")
}

// judge is what an ADD checks before a plugin of today runs.
func judge(list *libcni.NetworkConfigList) error {
	if len(list.Plugins) == 0 {
		return errors.New("no plugins")
	}
	if err := utils.ValidateNetworkName(list.Name); err != nil {
		return err
	}
	for _, plugin := range list.Plugins {
		values := map[string]any{"name": list.Name, "cniVersion": list.CNIVersion}
		if _, err := libcni.InjectConf(plugin, values); err != nil {
			return err
		}
	}
	if list.CNIVersion != "" && !slices.Contains(version.All.SupportedVersions(), list.CNIVersion) {
		return errors.New("no plugin supports version " + list.CNIVersion)
	}
	return nil
}
