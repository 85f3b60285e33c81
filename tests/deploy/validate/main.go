// Reads rendered manifests as an API server would, refusing what it does not know,
// and checks what they promise: validate BEFORE AFTER HELM...
//
// BEFORE and AFTER are Antrea's manifest without and with the kustomize component,
// HELM what the chart renders. Prints for each container of ours a line of JSON with
// what is needed to run it.
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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	if len(os.Args) < 4 {
		fail("usage: validate BEFORE AFTER HELM...")
	}
	before, after := read(os.Args[1]), read(os.Args[2])
	component(before, after)
	for _, path := range os.Args[3:] {
		chart(path, read(path))
	}
}

// component checks that the DaemonSet of Linux nodes got one init container, at
// the end, and that nothing else changed.
func component(before, after []runtime.Object) {
	if len(before) != len(after) {
		fail("%d objects became %d", len(before), len(after))
	}
	patched := 0
	for i, object := range after {
		set, ok := object.(*appsv1.DaemonSet)
		if !ok || set.Name != "antrea-agent" {
			if !reflect.DeepEqual(before[i], object) {
				fail("changed: %+v", object)
			}
			continue
		}
		spec := &set.Spec.Template.Spec
		last := len(spec.InitContainers) - 1
		ours := spec.InitContainers[last]
		if spec.InitContainers[last-1].Name != "install-cni" || ours.Name != "install-antrea-cni" {
			fail("init containers in the wrong order")
		}
		check(spec, ours)
		spec.InitContainers = spec.InitContainers[:last]
		if !reflect.DeepEqual(before[i], object) {
			fail("more than an init container was added")
		}
		patched++
	}
	if patched != 1 {
		fail("%d DaemonSets were patched", patched)
	}
}

func chart(path string, objects []runtime.Object) {
	sets := 0
	for _, object := range objects {
		switch object := object.(type) {
		case *appsv1.DaemonSet:
			spec := &object.Spec.Template.Spec
			if len(spec.Containers) != 1 || spec.HostPID || spec.HostIPC {
				fail("%s: more than it needs", path)
			}
			if token := spec.AutomountServiceAccountToken; token == nil || *token {
				fail("%s: a token of the API server, which nobody needs", path)
			}
			if spec.NodeSelector["kubernetes.io/os"] != "linux" {
				fail("%s: not only Linux nodes", path)
			}
			check(spec, spec.Containers[0])
			sets++
		case *corev1.ConfigMap:
		default:
			fail("%s: unexpected %T", path, object)
		}
	}
	if sets != 1 {
		fail("%s: %d DaemonSets", path, sets)
	}
}

// check that a container has the least privilege, and no path of the node but those
// that it writes to (and the agent's socket, to read, if it waits for it).
func check(spec *corev1.PodSpec, container corev1.Container) {
	security := container.SecurityContext
	switch {
	case security == nil,
		security.Privileged != nil && *security.Privileged,
		security.AllowPrivilegeEscalation == nil || *security.AllowPrivilegeEscalation,
		security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem,
		security.Capabilities == nil || len(security.Capabilities.Add) > 0,
		!slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}),
		security.SeccompProfile == nil || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		fail("%s: not the least privilege: %+v", container.Name, security)
	}
	type mount struct {
		Host, Path string
		ReadOnly   bool
	}
	mounts := []mount{}
	for _, it := range container.VolumeMounts {
		for _, volume := range spec.Volumes {
			if volume.Name == it.Name && volume.HostPath != nil {
				mounts = append(mounts, mount{volume.HostPath.Path, it.MountPath, it.ReadOnly})
			}
		}
	}
	for _, it := range mounts {
		written := it.Host == "/opt/cni/bin" || it.Host == "/etc/cni/net.d"
		if !written && !(it.Host == "/var/run/antrea" && it.ReadOnly) {
			fail("%s: mounts %s", container.Name, it.Host)
		}
	}
	line, _ := json.Marshal(map[string]any{"name": container.Name, "args": container.Args, "mounts": mounts})
	fmt.Println(string(line))
}

func read(path string) (objects []runtime.Object) {
	data, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	scheme := runtime.NewScheme()
	must(appsv1.AddToScheme(scheme))
	must(corev1.AddToScheme(scheme))
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		must(err)
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
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
