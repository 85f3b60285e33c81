// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"
)

// chart checks each object of the chart, and prints the container of its DaemonSet.
func chart(path string, objects []runtime.Object) {
	set := daemonSet(path, objects)
	selector := labels.SelectorFromSet(set.Spec.Selector.MatchLabels)
	for _, object := range objects {
		switch object := object.(type) {
		case *appsv1.DaemonSet:
			keeper(path, set)
		case *corev1.ServiceAccount:
			if token := object.AutomountServiceAccountToken; token == nil || *token {
				fail("%s: %s has a token where nobody asks for it", path, object.Name)
			}
		case *corev1.Pod:
			isHook(path, object.Annotations, "test")
			if selector.Matches(labels.Set(object.Labels)) {
				fail("%s: the DaemonSet would take %s for its own", path, object.Name)
			}
			tester(path, &object.Spec)
		case *batchv1.Job:
			isHook(path, object.Annotations, "pre-delete")
			if selector.Matches(labels.Set(object.Spec.Template.Labels)) {
				fail("%s: the DaemonSet would take %s for its own", path, object.Name)
			}
			uninstaller(path, &object.Spec)
		case *rbacv1.Role:
			isHook(path, object.Annotations, "pre-delete")
			least := []rbacv1.PolicyRule{{
				APIGroups: []string{"apps"}, Resources: []string{"daemonsets"}, ResourceNames: []string{set.Name},
				Verbs: []string{"get", "list", "watch", "patch"},
			}}
			if !reflect.DeepEqual(object.Rules, least) {
				fail("%s: the hook may do more than it needs: %v", path, object.Rules)
			}
		case *rbacv1.RoleBinding:
			if object.RoleRef.Name == "system:openshift:scc:privileged" {
				if object.Subjects[0].Name != set.Spec.Template.Spec.ServiceAccountName {
					fail("%s: the right is for %s", path, object.Subjects[0].Name)
				}
			} else {
				isHook(path, object.Annotations, "pre-delete")
			}
		case *corev1.ConfigMap:
			if object.Labels["grafana_dashboard"] != "1" || !sameJSON(object.Data["antrea-cni.json"], "deploy/helm/dashboard.json") {
				fail("%s: not the dashboard", path)
			}
		case *unstructured.Unstructured:
			custom(path, object, set)
		default:
			fail("%s: unexpected %T", path, object)
		}
	}
}

func daemonSet(path string, objects []runtime.Object) *appsv1.DaemonSet {
	sets := []*appsv1.DaemonSet{}
	for _, object := range objects {
		if set, ok := object.(*appsv1.DaemonSet); ok {
			sets = append(sets, set)
		}
	}
	if len(sets) != 1 {
		fail("%s: %d DaemonSets", path, len(sets))
	}
	return sets[0]
}

func keeper(path string, set *appsv1.DaemonSet) {
	spec := &set.Spec.Template.Spec
	if len(spec.Containers) != 1 || spec.HostPID || spec.HostIPC {
		fail("%s: more than it needs", path)
	}
	if token := spec.AutomountServiceAccountToken; token == nil || *token {
		fail("%s: a token of the API server, which nobody needs", path)
	}
	if spec.NodeSelector["kubernetes.io/os"] != "linux" {
		fail("%s: not only Linux nodes", path)
	}
	container := spec.Containers[0]
	listens := ""
	for _, it := range container.Args {
		if address, ok := strings.CutPrefix(it, "--listen="); ok {
			listens = address
		}
	}
	isReachable := listens != "" && !strings.HasPrefix(listens, "127.0.0.1:")
	if isReachable != (len(container.Ports) == 1) {
		fail("%s: it listens on %q, and has the ports %v", path, listens, container.Ports)
	}
	if strings.Contains(listens, "$(NODE_ADDRESS)") && (len(container.Env) != 1 || container.Env[0].Name != "NODE_ADDRESS") {
		fail("%s: nothing has the node's address: %v", path, container.Env)
	}
	check(spec, container)
	printContainer(spec, container)
}

// tester checks the Pod of `helm test`: it reads the node's folders.
func tester(path string, spec *corev1.PodSpec) {
	for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
		check(spec, container)
		for _, it := range mounts(spec, container) {
			if !it.ReadOnly {
				fail("%s: the test can write to %s", path, it.Host)
			}
		}
	}
}

// uninstaller checks the hook's Job: it ends by itself, is nobody on the node, and needs no network of Pods.
func uninstaller(path string, job *batchv1.JobSpec) {
	spec := &job.Template.Spec
	if job.ActiveDeadlineSeconds == nil || job.BackoffLimit == nil || !spec.HostNetwork || len(spec.Volumes) != 0 {
		fail("%s: the hook may never end, or needs what may be broken: %+v", path, job)
	}
	if security := spec.SecurityContext; security == nil || security.RunAsNonRoot == nil || !*security.RunAsNonRoot {
		fail("%s: the hook runs as root", path)
	}
	for _, it := range slices.Concat(spec.InitContainers, spec.Containers) {
		security := it.SecurityContext
		if security == nil || *security.AllowPrivilegeEscalation || !*security.ReadOnlyRootFilesystem || len(security.Capabilities.Add) != 0 {
			fail("%s: %s: not the least privilege", path, it.Name)
		}
	}
}

// uninstalled is the DaemonSet's container after the hook's first container changed it.
func uninstalled(objects []runtime.Object) (*corev1.PodSpec, corev1.Container) {
	for _, object := range objects {
		job, ok := object.(*batchv1.Job)
		if !ok {
			continue
		}
		args := job.Spec.Template.Spec.InitContainers[0].Args
		patch, ok := strings.CutPrefix(args[len(args)-1], "--patch=")
		if !ok {
			fail("the hook does not end with a patch: %v", args)
		}
		// As kubelet passes it on.
		patch = strings.ReplaceAll(patch, "$$", "$")
		before, err := json.Marshal(daemonSet("", objects))
		must(err)
		after, err := strategicpatch.StrategicMergePatch(before, []byte(patch), appsv1.DaemonSet{})
		must(err)
		set := &appsv1.DaemonSet{}
		must(json.Unmarshal(after, set))
		spec := &set.Spec.Template.Spec
		if len(spec.Containers) != 1 || spec.Containers[0].ReadinessProbe != nil {
			fail("not one container without a probe: %v", spec.Containers)
		}
		if most := set.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable; most.String() != "100%" {
			fail("a node that is away keeps others: %v", most)
		}
		check(spec, spec.Containers[0])
		return spec, spec.Containers[0]
	}
	fail("no hook")
	return nil, corev1.Container{}
}

// custom checks what Prometheus' operator reads.
func custom(path string, object *unstructured.Unstructured, set *appsv1.DaemonSet) {
	spec := object.Object["spec"].(map[string]any)
	switch object.GetKind() {
	case "PodMonitor":
		chosen, _, err := unstructured.NestedStringMap(spec, "selector", "matchLabels")
		must(err)
		if !labels.SelectorFromSet(chosen).Matches(labels.Set(set.Spec.Template.Labels)) {
			fail("%s: the PodMonitor chooses %v", path, chosen)
		}
		endpoints := spec["podMetricsEndpoints"].([]any)
		ports := set.Spec.Template.Spec.Containers[0].Ports
		if len(endpoints) != 1 || len(ports) != 1 || endpoints[0].(map[string]any)["port"] != ports[0].Name {
			fail("%s: the PodMonitor scrapes %v of %v", path, endpoints, ports)
		}
	case "PrometheusRule":
		text, err := os.ReadFile("deploy/helm/rules.yaml")
		must(err)
		rules := map[string]any{}
		must(yaml.Unmarshal(text, &rules))
		if !reflect.DeepEqual(spec, rules) {
			fail("%s: other rules than rules.yaml has", path)
		}
	default:
		fail("%s: unexpected %s", path, object.GetKind())
	}
}

func isHook(path string, annotations map[string]string, of string) {
	if annotations["helm.sh/hook"] != of || annotations["helm.sh/hook-delete-policy"] == "" {
		fail("%s: not a hook %s: %v", path, of, annotations)
	}
}

func sameJSON(text, path string) bool {
	other, err := os.ReadFile(path)
	must(err)
	var a, b any
	must(json.Unmarshal([]byte(text), &a))
	must(json.Unmarshal(other, &b))
	return reflect.DeepEqual(a, b)
}
