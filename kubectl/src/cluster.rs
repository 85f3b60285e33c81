// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds the nodes of a cluster, on each the Pod that has `antrea-cnictl`, and the agent's release.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::{Container, Node as KubernetesNode, Pod};
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::api::{ApiResource, DynamicObject, ListParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use tokio::time::timeout;

use crate::cli::Scope;
use crate::error::{Error, no_answer};
use crate::kubeconfig;

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
    /// Returns the arguments of a command about the plugin of the Pod's node.
    pub(crate) fn about_plugin<'a>(&'a self, command: &[&'a str]) -> Vec<&'a str> {
        command.iter().copied().chain(self.place.iter().map(String::as_str)).collect()
    }
}

/// Holds the nodes of a cluster, and how their Pods are reached.
pub(crate) struct Cluster {
    /// The Pods of the namespace
    pub(crate) pods: Api<Pod>,
    /// The nodes, by name
    pub(crate) nodes: Vec<Node>,
    /// How long each node may take
    pub(crate) limit: Duration,
    /// Version of the API server
    pub(crate) version: Option<String>,
    /// What is to be known beside the answers
    pub(crate) warnings: Vec<String>,
}

impl Cluster {
    /// Connects to the cluster, and lists its nodes and their Pods.
    ///
    /// # Errors
    /// There is no kubeconfig, or the API server refuses or does not answer.
    pub(crate) async fn connect(scope: &Scope) -> Result<Self, Error> {
        let config = kubeconfig::read(scope).await?;
        let server = Server { address: config.cluster_url.to_string(), limit: scope.timeout };
        let client = Client::try_from(config).map_err(Error::Client)?;
        let nodes = list_nodes(&client, &server).await?;
        let pods = Api::namespaced(client.clone(), &scope.namespace);
        let Tools { mut by_node, mut warnings } = find_tools(&pods, scope, &server).await?;
        let version = server.answer("ask for its version", client.apiserver_version()).await.ok();
        for verb in exec_verbs(version.as_ref()) {
            check_permission(&client, scope, &server, verb).await?;
        }
        let mut releases = match agent_releases(&client, &server).await {
            Ok(releases) => releases,
            Err(why) => {
                warnings.push(format!("the agents' releases are not known: {why}"));
                BTreeMap::new()
            }
        };
        let is_asked = |name: &String| scope.nodes.is_empty() || scope.nodes.contains(name);
        let none = || Err(format!("no Pod of antrea-cni in namespace {}", scope.namespace));
        let mut nodes: Vec<_> = nodes
            .into_iter()
            .filter(is_asked)
            .map(|name| Node {
                pod: by_node.remove(&name).unwrap_or_else(none),
                agent_release: releases.remove(&name),
                name,
            })
            .collect();
        let unknown = scope.nodes.iter().filter(|name| nodes.iter().all(|it| it.name != **name));
        let unknown: Vec<_> = unknown.cloned().collect();
        if !unknown.is_empty() {
            return Err(Error::NoNodes(format!(" {} of Linux", unknown.join(", "))));
        }
        if nodes.is_empty() {
            return Err(Error::NoNodes(" of Linux".to_owned()));
        }
        nodes.sort_by(|one, other| alphanumeric_sort::compare_str(&one.name, &other.name));
        let version = version.map(|it| it.git_version);
        Ok(Self { pods, nodes, limit: scope.timeout, version, warnings })
    }
}

/// Describes the API server, and how long each of its answers may take.
struct Server {
    address: String,
    limit: Duration,
}

impl Server {
    async fn answer<T>(
        &self,
        what: &str,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Error> {
        match timeout(self.limit, request).await {
            Ok(answer) => answer.map_err(|error| Error::request(&self.address, what, &error)),
            Err(_) => Err(Error::ApiServer {
                server: self.address.clone(),
                what: what.to_owned(),
                why: no_answer(self.limit),
            }),
        }
    }
}

/// Returns the verbs of `pods/exec` that a user needs. A WebSocket begins with a GET; since 1.35 it
/// needs `create`, too (kubernetes#134577).
fn exec_verbs(version: Option<&Info>) -> &'static [&'static str] {
    let digits = |it: &Info| {
        let digits: String = it.minor.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    match version.and_then(digits) {
        Some(35..) => &["get", "create"],
        _ => &["get"],
    }
}

/// Ends with an error if the user may not run anything in the Pods: otherwise each node would say
/// so.
async fn check_permission(
    client: &Client,
    scope: &Scope,
    server: &Server,
    verb: &str,
) -> Result<(), Error> {
    let attributes = ResourceAttributes {
        namespace: Some(scope.namespace.clone()),
        verb: Some(verb.to_owned()),
        resource: Some("pods".to_owned()),
        subresource: Some("exec".to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let reviews = Api::<SelfSubjectAccessReview>::all(client.clone());
    let parameters = PostParams::default();
    let what = format!("{verb} pods/exec in {}", scope.namespace);
    // An API server that reviews nothing may allow it.
    match server.answer(&what, reviews.create(&parameters, &review)).await {
        Ok(SelfSubjectAccessReview { status: Some(status), .. }) if !status.allowed => {
            let why = status.reason.filter(|it| !it.is_empty());
            let why = why.unwrap_or_else(|| "no role of yours allows it".to_owned());
            Err(Error::Forbidden { what, why })
        }
        _ => Ok(()),
    }
}

/// Returns the names of the Linux nodes. The chart and the components have no Pod on others.
async fn list_nodes(client: &Client, server: &Server) -> Result<Vec<String>, Error> {
    let nodes = Api::<KubernetesNode>::all(client.clone());
    let parameters = ListParams::default();
    let nodes = server.answer("list nodes", nodes.list_metadata(&parameters)).await?;
    let is_linux = |labels: &BTreeMap<String, String>| {
        labels.get("kubernetes.io/os").is_none_or(|system| system == "linux")
    };
    let nodes = nodes.items.into_iter().map(|node| node.metadata);
    let nodes = nodes.filter(|node| node.labels.as_ref().is_none_or(is_linux));
    Ok(nodes.filter_map(|node| node.name).collect())
}

/// Holds for each node the Pod with the tool, or why it cannot be used.
struct Tools {
    by_node: BTreeMap<String, Result<ToolPod, String>>,
    warnings: Vec<String>,
}

async fn find_tools(pods: &Api<Pod>, scope: &Scope, server: &Server) -> Result<Tools, Error> {
    let release = scope.release.as_ref().map(|it| format!(",app.kubernetes.io/instance={it}"));
    let what = format!("list Pods in {}", scope.namespace);
    let (mut by_node, mut instances) = (BTreeMap::new(), BTreeSet::new());
    for selector in SELECTORS {
        let selector = format!("{selector}{}", release.as_deref().unwrap_or_default());
        let parameters = ListParams::default().labels(&selector);
        let mut listed = server.answer(&what, pods.list(&parameters)).await?.items;
        // While a Pod is replaced there are two: the one that stays counts.
        listed.sort_by_key(|pod| (pod.metadata.deletion_timestamp.is_some(), instance(pod)));
        for pod in listed {
            let Some((node, tool)) = find_tool(&pod) else { continue };
            instances.extend(instance(&pod));
            match by_node.get(&node) {
                Some(Ok(_)) => (),
                Some(Err(_)) if tool.is_err() => (),
                _ => drop(by_node.insert(node, tool)),
            }
        }
    }
    let mut warnings = Vec::new();
    if instances.len() > 1 {
        let instances: Vec<_> = instances.into_iter().collect();
        let first = instances.first().cloned().unwrap_or_default();
        warnings.push(format!(
            "there are several Helm releases: {}; on a node with more than one, {first} is used: choose another with --release",
            instances.join(", ")
        ));
    }
    Ok(Tools { by_node, warnings })
}

/// Returns the Helm release of a Pod.
fn instance(pod: &Pod) -> Option<String> {
    pod.metadata.labels.as_ref()?.get("app.kubernetes.io/instance").cloned()
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
async fn agent_releases(
    client: &Client,
    server: &Server,
) -> Result<BTreeMap<String, String>, String> {
    let kind = GroupVersionKind::gvk("crd.antrea.io", "v1beta1", "AntreaAgentInfo");
    let resource = ApiResource::from_gvk_with_plural(&kind, "antreaagentinfos");
    let agents = Api::<DynamicObject>::all_with(client.clone(), &resource);
    let parameters = ListParams::default();
    let listed = async {
        match agents.list(&parameters).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
            listed => listed.map(|it| it.items),
        }
    };
    let listed = server.answer("list antreaagentinfos", listed).await;
    let listed = listed.map_err(|error| error.to_string())?;
    Ok(listed.into_iter().filter_map(release_of).collect())
}

/// Returns the node and the release of an `AntreaAgentInfo`.
fn release_of(agent: DynamicObject) -> Option<(String, String)> {
    let text = |pointer: &str| agent.data.pointer(pointer)?.as_str().map(ToOwned::to_owned);
    let node = text("/nodeRef/name").or_else(|| agent.metadata.name.clone())?;
    Some((node, text("/version").filter(|it| !it.is_empty())?))
}
