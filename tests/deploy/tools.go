// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package deploy pins the programs that check what deploy/ renders to.
package deploy

import (
	_ "github.com/norwoodj/helm-docs/cmd/helm-docs"
	_ "github.com/rhysd/actionlint/cmd/actionlint"
	_ "helm.sh/helm/v3/cmd/helm"
	_ "sigs.k8s.io/kustomize/kustomize/v5"
)
