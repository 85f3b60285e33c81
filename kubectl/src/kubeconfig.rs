// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the kubeconfig as kubectl does; in a Pod without one, the Pod's service account.

mod proxy;

use std::io::ErrorKind;
use std::path::Path;

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
        Some(path) => read_file(path),
        None => read_all(),
    };
    let mut proxy = None;
    let config = match kubeconfig {
        Ok(kubeconfig) => {
            proxy = proxy_url(&kubeconfig, scope.context.as_deref());
            Config::from_custom_kubeconfig(kubeconfig, &options).await
        }
        Err(error) => {
            let is_named = scope.kubeconfig.is_some() || scope.context.is_some();
            match Config::incluster() {
                Ok(config) if !is_named && is_missing(&error) => Ok(config),
                _ => Err(error),
            }
        }
    };
    let mut config = config.map_err(Error::Kubeconfig)?;
    // kube compares NO_PROXY with the proxy, and not with the API server.
    let proxy = proxy.or_else(|| proxy::of_environment(&config.cluster_url));
    config.proxy_url = proxy.as_deref().map(proxy::parse).transpose()?;
    Ok(config)
}

/// Returns the proxy that the kubeconfig has for its cluster. NO_PROXY is not about it.
fn proxy_url(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let name = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|it| it.name == name)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|it| it.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone().filter(|it| !it.is_empty())
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
        return Kubeconfig::read().map(without_empty_context);
    }
    there.try_fold(Kubeconfig::default(), |all, path| all.merge(read_file(&path)?))
}

fn read_file(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    Kubeconfig::read_from(path).map(without_empty_context)
}

/// Removes an empty current context, which kubectl writes where there is none.
fn without_empty_context(mut kubeconfig: Kubeconfig) -> Kubeconfig {
    kubeconfig.current_context.take_if(|it| it.is_empty());
    kubeconfig
}
