// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds the nodes of a cluster, on each the Pod that has `antrea-cnictl`, and the agent's release.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node as KubernetesNode, Pod};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Api, Client, Config};

use crate::cli::Scope;
use crate::error::{Error, explain};

/// Selects the Pods that may have the tool: those of the chart before those of Antrea's DaemonSet,
/// to which a kustomize component adds it.
const SELECTORS: [&str; 2] =
    ["app.kubernetes.io/name=antrea-cni", "app=antrea,component=antrea-agent"];

/// Name of the container with the tool, in the chart and in the components.
const CONTAINER: &str = "antrea-cni";

/// The options that tell the tool where the plugin is. The container's own are passed on.
const PLACE: [&str; 3] = ["--bin-dir=", "--name=", "--conf-dir="];

/// Describes a node of the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Name of the node
    pub(crate) name: String,
    /// The Pod with the tool, or why there is none
    pub(crate) pod: Result<ToolPod, String>,
    /// The agent's release, if its `AntreaAgentInfo` has one
    pub(crate) agent_release: Option<String>,
}

/// Describes a Pod in which the tool can be run.
#[derive(Clone, Debug)]
pub(crate) struct ToolPod {
    /// Name of the Pod
    pub(crate) name: String,
    /// Name of the container
    pub(crate) container: &'static str,
    /// The options that tell the tool where the plugin is
    pub(crate) place: Vec<String>,
}

impl ToolPod {
    /// Returns the value of an option that tells where the plugin is, or the tool's default.
    pub(crate) fn place_value(&self, option: &str, default: &str) -> String {
        let value = self.place.iter().find_map(|it| it.strip_prefix(option));
        value.unwrap_or(default).to_owned()
    }
}

/// Holds the nodes of a cluster, and how their Pods are reached.
pub(crate) struct Cluster {
    /// The Pods of the namespace
    pub(crate) pods: Api<Pod>,
    /// The nodes, by name
    pub(crate) nodes: Vec<Node>,
    /// Why something about all nodes is not known
    pub(crate) warnings: Vec<String>,
}

impl Cluster {
    /// Connects to the cluster, and lists its nodes and their Pods.
    ///
    /// # Errors
    /// There is no kubeconfig, or the API server refuses or does not answer.
    pub(crate) async fn connect(scope: &Scope) -> Result<Self, Error> {
        let config = read_config(scope).await?;
        let client = Client::try_from(config).map_err(Error::Client)?;
        let nodes = list_nodes(&client).await?;
        let pods = Api::namespaced(client.clone(), &scope.namespace);
        let mut tools = find_tools(&pods, &scope.namespace).await?;
        let (mut releases, warnings) = match agent_releases(&client).await {
            Ok(releases) => (releases, Vec::new()),
            Err(why) => {
                (BTreeMap::new(), vec![format!("the agents' releases are not known: {why}")])
            }
        };
        let is_asked = |name: &String| scope.nodes.is_empty() || scope.nodes.contains(name);
        let none = || Err(format!("no Pod of antrea-cni in namespace {}", scope.namespace));
        let mut nodes: Vec<_> = nodes
            .into_iter()
            .filter(is_asked)
            .map(|name| Node {
                pod: tools.remove(&name).unwrap_or_else(none),
                agent_release: releases.remove(&name),
                name,
            })
            .collect();
        let unknown = scope.nodes.iter().filter(|name| nodes.iter().all(|it| it.name != **name));
        let unknown: Vec<_> = unknown.cloned().collect();
        if !unknown.is_empty() {
            return Err(Error::NoNodes(format!(" {}", unknown.join(", "))));
        }
        if nodes.is_empty() {
            return Err(Error::NoNodes(String::new()));
        }
        nodes.sort_by(|one, other| alphanumeric_sort::compare_str(&one.name, &other.name));
        Ok(Self { pods, nodes, warnings })
    }
}

/// Reads the kubeconfig as kubectl does; in a Pod without one, the Pod's service account.
async fn read_config(scope: &Scope) -> Result<Config, Error> {
    let options = KubeConfigOptions { context: scope.context.clone(), ..Default::default() };
    let kubeconfig = match &scope.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    match kubeconfig {
        Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
        Err(error) => {
            let is_named = scope.kubeconfig.is_some() || scope.context.is_some();
            match Config::incluster() {
                Ok(config) if !is_named => Ok(config),
                _ => Err(error),
            }
        }
    }
    .map_err(Error::Kubeconfig)
}

/// Returns the names of the Linux nodes. The chart and the components have no Pod on others.
async fn list_nodes(client: &Client) -> Result<Vec<String>, Error> {
    let nodes = Api::<KubernetesNode>::all(client.clone())
        .list_metadata(&ListParams::default())
        .await
        .map_err(|error| Error::request("list nodes", error))?;
    let is_linux = |labels: &BTreeMap<String, String>| {
        labels.get("kubernetes.io/os").is_none_or(|system| system == "linux")
    };
    let nodes = nodes.items.into_iter().map(|node| node.metadata);
    let nodes = nodes.filter(|node| node.labels.as_ref().is_none_or(is_linux));
    Ok(nodes.filter_map(|node| node.name).collect())
}

/// Returns for each node the Pod with the tool, or why it cannot be used.
async fn find_tools(
    pods: &Api<Pod>,
    namespace: &str,
) -> Result<BTreeMap<String, Result<ToolPod, String>>, Error> {
    let mut found = BTreeMap::new();
    for selector in SELECTORS {
        let listed = pods
            .list(&ListParams::default().labels(selector))
            .await
            .map_err(|error| Error::request(&format!("list Pods in {namespace}"), error))?;
        for pod in listed.items {
            let Some((node, tool)) = find_tool(&pod) else { continue };
            // While a Pod is replaced there are two: the one that runs counts.
            match found.get(&node) {
                Some(Ok(_)) => (),
                Some(Err(_)) if tool.is_err() => (),
                _ => drop(found.insert(node, tool)),
            }
        }
    }
    Ok(found)
}

/// Returns the node of a Pod that has the tool, and how it is run there.
fn find_tool(pod: &Pod) -> Option<(String, Result<ToolPod, String>)> {
    let (spec, name) = (pod.spec.as_ref()?, pod.metadata.name.clone()?);
    let node = spec.node_name.clone()?;
    let container = spec.containers.iter().find(|it| it.name == CONTAINER)?;
    let status = pod.status.as_ref()?;
    let of_container = status.container_statuses.iter().flatten().find(|it| it.name == CONTAINER);
    let state = of_container.and_then(|it| it.state.as_ref());
    let tool = match state {
        Some(state) if state.running.is_some() => {
            Ok(ToolPod { name, container: CONTAINER, place: place_options(container) })
        }
        _ => {
            let phase = status.phase.as_deref().unwrap_or("not known");
            let waiting = state.and_then(|it| it.waiting.as_ref()?.reason.as_deref());
            Err(format!("Pod {name} does not run: {}", waiting.unwrap_or(phase)))
        }
    };
    Some((node, tool))
}

/// Returns the container's options that tell where the plugin is.
fn place_options(container: &Container) -> Vec<String> {
    let words = container.args.iter().flatten();
    let options = words.filter(|word| PLACE.iter().any(|option| word.starts_with(option)));
    // kubelet takes $$ for $.
    options.map(|option| option.replace("$$", "$")).collect()
}

/// Returns the agents' releases by node. There are none where Antrea's resource is not there.
async fn agent_releases(client: &Client) -> Result<BTreeMap<String, String>, String> {
    let kind = GroupVersionKind::gvk("crd.antrea.io", "v1beta1", "AntreaAgentInfo");
    let resource = ApiResource::from_gvk_with_plural(&kind, "antreaagentinfos");
    let agents = Api::<DynamicObject>::all_with(client.clone(), &resource);
    match agents.list(&ListParams::default()).await {
        Ok(agents) => Ok(agents.items.into_iter().filter_map(release_of).collect()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(BTreeMap::new()),
        Err(error) => Err(explain(&error)),
    }
}

/// Returns the node and the release of an `AntreaAgentInfo`.
fn release_of(agent: DynamicObject) -> Option<(String, String)> {
    let text = |pointer: &str| agent.data.pointer(pointer)?.as_str().map(ToOwned::to_owned);
    let node = text("/nodeRef/name").or_else(|| agent.metadata.name.clone())?;
    Some((node, text("/version").filter(|it| !it.is_empty())?))
}
