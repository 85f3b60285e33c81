// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the kubeconfig as kubectl does; in a Pod without one, the Pod's service account.

use std::io::ErrorKind;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::cli::Scope;
use crate::error::Error;

/// Returns how the cluster is reached.
///
/// # Errors
/// There is no kubeconfig, or it is not one, or it does not have the context.
pub(crate) async fn read(scope: &Scope) -> Result<Config, Error> {
    let options = KubeConfigOptions { context: scope.context.clone(), ..Default::default() };
    let kubeconfig = match &scope.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => read_all(),
    };
    match kubeconfig {
        Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
        Err(error) => {
            let is_named = scope.kubeconfig.is_some() || scope.context.is_some();
            match Config::incluster() {
                Ok(config) if !is_named && is_missing(&error) => Ok(config),
                _ => Err(error),
            }
        }
    }
    .map_err(Error::Kubeconfig)
}

fn is_missing(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::ReadConfig(error, _) => error.kind() == ErrorKind::NotFound,
        error => matches!(error, KubeconfigError::FindPath),
    }
}

/// Reads the files of KUBECONFIG that are there, or the default one.
fn read_all() -> Result<Kubeconfig, KubeconfigError> {
    let named = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let mut there = std::env::split_paths(&named).filter(|path| path.exists()).peekable();
    if there.peek().is_none() {
        return Kubeconfig::read();
    }
    there.try_fold(Kubeconfig::default(), |all, path| all.merge(Kubeconfig::read_from(path)?))
}
