// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads rendered manifests as an API server would, refusing what it does not know,
// and checks what they promise:
//
//	validate encap|encap-without-keeper|network-policy-only|network-policy-only-init BEFORE AFTER
//	validate chart FILE...
//	validate uninstalled FILE
//	validate mode FILE
//	validate conflist FILE
//	validate settings FILE
//
// BEFORE and AFTER are Antrea's manifest without and with the kustomize component, FILE
// what the chart renders. `uninstalled` is about its DaemonSet as the hook of `helm uninstall` changes it. `mode` says which component a manifest is for, `conflist` prints the list
// in the ConfigMap that the DaemonSet's volume names, as docs/operations.md finds it, `settings` the
// settings in its ConfigMap as JSON. The others print a line of JSON for each container of ours,
// with what is needed to run it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	if len(os.Args) < 3 {
		fail("usage: validate MODE FILE...")
	}
	mode, files := os.Args[1], os.Args[2:]
	switch mode {
	case "mode":
		fmt.Println(componentFor(read(files[0])))
		return
	case "conflist":
		fmt.Println(conflist(read(files[0])))
		return
	case "settings":
		for _, object := range read(files[0]) {
			if isSettings(object) {
				must(json.NewEncoder(os.Stdout).Encode(object.(*corev1.ConfigMap).Data))
			}
		}
		return
	case "uninstalled":
		printContainer(uninstalled(read(files[0])))
		return
	case "encap", "encap-without-keeper", "network-policy-only", "network-policy-only-init":
		component(mode, read(files[0]), read(files[1]))
		return
	}
	for _, path := range files {
		chart(path, read(path))
	}
}

// componentFor looks where Antrea's installer is.
func componentFor(manifest []runtime.Object) string {
	for _, object := range manifest {
		if set, ok := object.(*appsv1.DaemonSet); ok && set.Name == "antrea-agent" {
			for _, it := range set.Spec.Template.Spec.InitContainers {
				if it.Name == "install-cni" && slices.Equal(it.Command, []string{"install_cni_chaining"}) {
					return "network-policy-only-init"
				}
				if it.Name == "install-cni" {
					return "encap"
				}
			}
		}
	}
	return "network-policy-only"
}

// conflist finds the ConfigMap by the DaemonSet's volume: its name ends in a hash in old releases.
func conflist(manifest []runtime.Object) string {
	name := ""
	for _, object := range manifest {
		if set, ok := object.(*appsv1.DaemonSet); ok && set.Name == "antrea-agent" {
			for _, it := range set.Spec.Template.Spec.Volumes {
				if it.Name == "antrea-config" && it.ConfigMap != nil {
					name = it.ConfigMap.Name
				}
			}
		}
	}
	for _, object := range manifest {
		if config, ok := object.(*corev1.ConfigMap); ok && config.Name == name {
			return config.Data["antrea-cni.conflist"]
		}
	}
	return ""
}

func isSettings(object runtime.Object) bool {
	config, ok := object.(*corev1.ConfigMap)
	return ok && strings.HasPrefix(config.Name, "antrea-cni-settings")
}

// component checks that the DaemonSet of Linux nodes got its containers, each after all
// others, and that nothing else changed.
func component(mode string, before, after []runtime.Object) {
	after = slices.DeleteFunc(after, isSettings)
	if len(before) != len(after) {
		fail("%d objects became %d", len(before), len(after))
	}
	patched, expected := 0, 0
	for _, object := range before {
		// A manifest for Windows nodes has none.
		if set, ok := object.(*appsv1.DaemonSet); ok && set.Name == "antrea-agent" {
			expected++
		}
	}
	for i, object := range after {
		set, ok := object.(*appsv1.DaemonSet)
		if !ok || set.Name != "antrea-agent" {
			if !reflect.DeepEqual(before[i], object) {
				fail("changed: %+v", object)
			}
			continue
		}
		was := before[i].(*appsv1.DaemonSet).Spec.Template.Spec
		spec := &set.Spec.Template.Spec
		isStaged := strings.HasPrefix(mode, "encap")
		if isStaged || mode == "network-policy-only-init" {
			spec.InitContainers = without(spec, was.InitContainers, spec.InitContainers, "install-antrea-cni")
		}
		if mode != "encap-without-keeper" {
			spec.Containers = without(spec, was.Containers, spec.Containers, "antrea-cni")
		}
		if isStaged {
			unstage(spec)
			for _, it := range []*corev1.PodSpec{spec, &was} {
				sortMounts(it)
			}
		}
		if len(spec.InitContainers) == 0 {
			// null and [] are the same.
			spec.InitContainers = was.InitContainers
		}
		names := func(containers []corev1.Container) (names []string) {
			for _, it := range containers {
				names = append(names, it.Name)
			}
			return names
		}
		installer := names(was.InitContainers)
		if mode == "network-policy-only" {
			installer = names(was.Containers)
		}
		if !slices.Contains(installer, "install-cni") {
			fail("%s: Antrea's installer is not where this component expects it: %v", mode, installer)
		}
		if !reflect.DeepEqual(before[i], object) {
			fail("more than the containers was added")
		}
		patched++
	}
	if patched != expected || expected > 1 {
		fail("%d DaemonSets of %d were patched", patched, expected)
	}
}

// The paths at which Antrea's installer has the node's folders, the volumes that take their place,
// and Antrea's own volumes.
var staged = []struct{ path, volume, node string }{
	{"/host/opt/cni/bin", "antrea-cni-staged-bin", "host-cni-bin"},
	{"/host/etc/cni/net.d", "antrea-cni-staged-conf", "host-cni-conf"},
}

// unstage checks that Antrea's installer writes into empty folders, and into nothing of the node's
// folders of plugins and lists, and gives it those back. Our container was taken off already.
func unstage(spec *corev1.PodSpec) {
	for _, it := range staged {
		volumes := len(spec.Volumes)
		spec.Volumes = slices.DeleteFunc(spec.Volumes, func(volume corev1.Volume) bool {
			return volume.Name == it.volume && volume.EmptyDir != nil
		})
		if len(spec.Volumes) != volumes-1 {
			fail("%s is not one empty folder", it.volume)
		}
		mounts := 0
		for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
			for at, mount := range container.VolumeMounts {
				if container.Name == "install-cni" && mount.Name == it.node {
					fail("install-cni still writes to the node: %s", mount.MountPath)
				}
				if mount.Name == it.volume {
					if container.Name != "install-cni" || mount.MountPath != it.path || mount.ReadOnly {
						fail("%s has %s at %s", container.Name, mount.Name, mount.MountPath)
					}
					container.VolumeMounts[at].Name = it.node
					mounts++
				}
			}
		}
		if mounts != 1 {
			fail("install-cni has %d mounts of %s", mounts, it.volume)
		}
	}
}

// sortMounts brings mounts into one order: a patch changes it.
func sortMounts(spec *corev1.PodSpec) {
	for _, container := range spec.InitContainers {
		slices.SortFunc(container.VolumeMounts, func(a, b corev1.VolumeMount) int {
			return strings.Compare(a.MountPath, b.MountPath)
		})
	}
}

// without checks our container at the end of a list, and takes it off.
func without(spec *corev1.PodSpec, was, is []corev1.Container, name string) []corev1.Container {
	last := len(is) - 1
	if last != len(was) || is[last].Name != name {
		fail("%s is not one container after the others: %d were %d", name, last+1, len(was))
	}
	if !slices.Contains(is[last].Args, "--best-effort") {
		fail("%s could keep the agent from starting", name)
	}
	check(spec, is[last])
	printContainer(spec, is[last])
	if last == 0 {
		return nil
	}
	return is[:last]
}

// check that a container has the least privilege, and no path of the node but the folders of
// plugins and metrics, and, to read, those of conflists, of the agent's socket and of the log. The
// init container writes lists, too, that Antrea's installer staged.
func check(spec *corev1.PodSpec, container corev1.Container) {
	security := container.SecurityContext
	switch {
	case security == nil,
		security.Privileged != nil && *security.Privileged,
		security.AllowPrivilegeEscalation == nil || *security.AllowPrivilegeEscalation,
		security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem,
		security.Capabilities == nil || !slices.Equal(security.Capabilities.Add, []corev1.Capability{"DAC_OVERRIDE"}),
		!slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}),
		security.SeccompProfile == nil || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		fail("%s: not the least privilege: %+v", container.Name, security)
	}
	for _, it := range mounts(spec, container) {
		isBin := strings.Contains(it.Path, "bin") || strings.HasPrefix(it.Path, "/var/lib/rancher") || strings.HasPrefix(it.Path, "/var/snap")
		isStaged := strings.HasPrefix(it.Host, "/emptydir/") && it.ReadOnly
		isMoved := container.Name == "install-antrea-cni" && it.Host == "/etc/cni/net.d"
		isList := (strings.Contains(it.Path, "net.d") || strings.Contains(it.Path, "cni-network")) && it.ReadOnly
		isRead := (it.Host == "/var/run/antrea" || it.Host == "/var/log/antrea") && it.ReadOnly
		if !isBin && !isStaged && !isMoved && !isList && !isRead && it.Host != "/var/lib/node_exporter" {
			fail("%s: mounts %s", container.Name, it.Host)
		}
	}
}

type mount struct {
	Host, Path string
	ReadOnly   bool
}

func mounts(spec *corev1.PodSpec, container corev1.Container) []mount {
	mounts := []mount{}
	for _, it := range container.VolumeMounts {
		for _, volume := range spec.Volumes {
			if volume.Name == it.Name && volume.HostPath != nil {
				mounts = append(mounts, mount{volume.HostPath.Path, it.MountPath, it.ReadOnly})
			}
			if volume.Name == it.Name && volume.EmptyDir != nil {
				mounts = append(mounts, mount{"/emptydir/" + volume.Name, it.MountPath, it.ReadOnly})
			}
		}
	}
	return mounts
}

func printContainer(spec *corev1.PodSpec, container corev1.Container) {
	line, _ := json.Marshal(map[string]any{"name": container.Name, "args": container.Args, "mounts": mounts(spec, container)})
	fmt.Println(string(line))
}

func read(path string) (objects []runtime.Object) {
	data, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	scheme := runtime.NewScheme()
	must(appsv1.AddToScheme(scheme))
	must(batchv1.AddToScheme(scheme))
	must(corev1.AddToScheme(scheme))
	must(rbacv1.AddToScheme(scheme))
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		must(err)
		if plain, err := yaml.ToJSON(document); err == nil && string(plain) == "null" {
			// Nothing but comments.
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			// Such as a webhook of Antrea's: only whether it is still the same matters.
			plain, err := yaml.ToJSON(document)
			must(err)
			object, _, err = unstructured.UnstructuredJSONScheme.Decode(plain, nil, nil)
			must(err)
			objects = append(objects, object)
			continue
		}
		if err != nil {
			fail("%s: %v", path, err)
		}
		objects = append(objects, object)
	}
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
