// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Does the CNI commands as recorded releases of the agent do them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use antrea_cni::Action;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::attachment::Attachment;
use crate::journal::{self, Effect, Entry, Journal};
use crate::options::Options;
use crate::proto::CniCmdArgs;
use crate::script::{Die, InBandError};
use crate::{delegate, link, result};

/// Does CNI commands and keeps the attachments of this node.
#[derive(Debug)]
pub(crate) struct Commands {
    cni_versions: Vec<String>,
    chaining: bool,
    links: bool,
    delegate: Option<PathBuf>,
    delegate_conf: Option<Value>,
    network_ready: Instant,
    state: Option<PathBuf>,
    attachments: Mutex<BTreeMap<String, Attachment>>,
    /// Allows one call at a time for each container
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Holds a CNI result or an error.
pub(crate) type CommandResult = Result<Vec<u8>, InBandError>;

impl Commands {
    pub(crate) fn new(options: &Options) -> Self {
        let saved = options.state.as_ref().and_then(|file| std::fs::read(file).ok());
        let attachments = saved.and_then(|json| serde_json::from_slice(&json).ok());
        Self {
            cni_versions: options.cni_versions.clone(),
            chaining: options.chaining,
            links: options.links,
            delegate: options.delegate.clone(),
            delegate_conf: options.delegate_conf.clone(),
            network_ready: Instant::now() + Duration::from_secs(options.network_ready_after),
            state: options.state.clone(),
            attachments: Mutex::new(attachments.unwrap_or_default()),
            turns: Mutex::default(),
        }
    }

    pub(crate) fn cni_versions(&self) -> &[String] {
        &self.cni_versions
    }

    /// Returns the attached containers.
    pub(crate) fn containers(&self) -> Vec<String> {
        self.attachments().keys().cloned().collect()
    }

    /// Does a command, after all earlier calls for the same container.
    pub(crate) async fn execute(
        &self,
        action: Action,
        args: CniCmdArgs,
        die: Option<Die>,
        journal: &Journal,
    ) -> CommandResult {
        let configuration = self.check_configuration(&args)?;
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(args.container_id.clone()).or_default())
        };
        let _turn = turn.lock().await;
        match action {
            Action::Add => self.add(&args, &configuration, die, journal).await,
            Action::Check => self.check(&args, &configuration).await,
            Action::Del => self.del(&args, &configuration, journal).await,
            Action::Gc => self.gc(&configuration, journal).await,
            Action::Status => Ok(Vec::new()),
        }
    }

    /// Checks what every release checks before a command has an effect.
    fn check_configuration(&self, args: &CniCmdArgs) -> Result<Map<String, Value>, InBandError> {
        let configuration = decode_configuration(&args.network_configuration)
            .map_err(|_| InBandError::new(6, "Failed to decode network config"))?;
        let version = version_of(&configuration);
        if self.cni_versions.iter().any(|accepted| accepted == version) {
            return Ok(configuration);
        }
        let list = self.cni_versions.join(" ");
        Err(InBandError::new(
            1,
            format!("Unsupported CNI version [{version}], supported versions [{list}]"),
        ))
    }

    async fn add(
        &self,
        args: &CniCmdArgs,
        configuration: &Map<String, Value>,
        die: Option<Die>,
        journal: &Journal,
    ) -> CommandResult {
        self.wait_for_network().await?;
        if self.attachments().contains_key(&args.container_id) {
            let text = format!(
                "failed to create veth devices for container {}: container veth name ({:?}) already exists",
                args.container_id, args.ifname
            );
            return Err(InBandError::new(102, text));
        }
        if self.links {
            link::add(&args.netns, &args.ifname).await?;
        }
        if die == Some(Die::HalfMade) {
            std::process::abort();
        }
        let delegated = self.delegated("ADD", args, configuration).await?;
        let attachment = {
            let mut attachments = self.attachments();
            let taken: Vec<_> = attachments.values().map(|attached| attached.host).collect();
            let Some(host) = (2..=254).find(|host| !taken.contains(host)) else {
                return Err(InBandError::new(
                    101,
                    "no IP addresses available in range set: 10.10.0.2-10.10.0.254",
                ));
            };
            let attachment = Attachment {
                ifname: args.ifname.clone(),
                netns: args.netns.clone(),
                host: if self.delegate.is_some() { 0 } else { host },
            };
            attachments.insert(args.container_id.clone(), attachment.clone());
            self.save(&attachments);
            attachment
        };
        record_effect(journal, "ADD", &args.container_id);
        if self.chaining {
            let is_old = !self.cni_versions.iter().any(|version| version == "1.0.0");
            return Ok(result::repeat_prev_result(
                configuration,
                version_of(configuration),
                is_old,
            ));
        }
        Ok(delegated
            .unwrap_or_else(|| result::for_attachment(&attachment, version_of(configuration))))
    }

    /// Waits for the node's network, as released agents do before an ADD has an effect.
    async fn wait_for_network(&self) -> Result<(), InBandError> {
        const AT_MOST: Duration = Duration::from_secs(30);
        let left = self.network_ready.saturating_duration_since(Instant::now());
        tokio::time::sleep(left.min(AT_MOST)).await;
        match left > AT_MOST {
            true => Err(InBandError::new(11, "Server is busy, please retry later")),
            false => Ok(()),
        }
    }

    async fn check(&self, args: &CniCmdArgs, configuration: &Map<String, Value>) -> CommandResult {
        let Some(prev_result) = configuration.get("prevResult").filter(|value| value.is_object())
        else {
            return Err(InBandError::new(2, "Network configuration does not support prevResult="));
        };
        let Some(attachment) = self.attachments().get(&args.container_id).cloned() else {
            let text = format!(
                "host-local: Failed to find address added by container {}",
                args.container_id
            );
            return Err(InBandError::new(101, text));
        };
        if self.delegated("CHECK", args, configuration).await?.is_none() {
            let address = attachment.address();
            let known = prev_result.get("ips").and_then(Value::as_array).is_some_and(|ips| {
                ips.iter().any(|ip| ip.get("address") == Some(&Value::String(address.clone())))
            });
            if !known {
                let text =
                    format!("Failed to match addr {address} on interface {}", attachment.ifname);
                return Err(InBandError::new(103, text));
            }
        }
        Ok(Vec::new())
    }

    async fn del(
        &self,
        args: &CniCmdArgs,
        configuration: &Map<String, Value>,
        journal: &Journal,
    ) -> CommandResult {
        self.delegated("DEL", args, configuration).await?;
        // The agent removes only a link that it knows of.
        if self.links && self.attachments().contains_key(&args.container_id) {
            link::remove(&args.netns, &args.ifname).await?;
        }
        self.detach(|container| container == args.container_id, "DEL", journal);
        Ok(Vec::new())
    }

    async fn gc(&self, configuration: &Map<String, Value>, journal: &Journal) -> CommandResult {
        let valid = ["cni.dev/valid-attachments", "cni.dev/attachments"]
            .into_iter()
            .find_map(|key| configuration.get(key)?.as_array());
        let Some(valid) = valid else { return Ok(Vec::new()) };
        let valid: Vec<_> =
            valid.iter().filter_map(|attachment| attachment.get("containerID")?.as_str()).collect();
        let gone: Vec<_> = {
            let attachments = self.attachments();
            let gone = attachments.iter().filter(|(id, _)| !valid.contains(&id.as_str()));
            gone.map(|(id, attachment)| (id.clone(), attachment.ifname.clone())).collect()
        };
        for (container_id, ifname) in &gone {
            let (container_id, ifname) = (container_id.clone(), ifname.clone());
            let args = CniCmdArgs { container_id, ifname, ..CniCmdArgs::default() };
            self.delegated("DEL", &args, configuration).await?;
        }
        self.detach(|container| gone.iter().any(|(id, _)| id == container), "GC", journal);
        Ok(Vec::new())
    }

    fn detach(&self, which: impl Fn(&str) -> bool, command: &'static str, journal: &Journal) {
        let mut attachments = self.attachments();
        let gone: Vec<_> = attachments.keys().filter(|id| which(id)).cloned().collect();
        for container in gone {
            attachments.remove(&container);
            record_effect(journal, command, &container);
        }
        self.save(&attachments);
    }

    /// Lets the real plugin do the command, if there is one.
    async fn delegated(
        &self,
        command: &str,
        args: &CniCmdArgs,
        configuration: &Map<String, Value>,
    ) -> Result<Option<Vec<u8>>, InBandError> {
        match (&self.delegate, configuration.get("delegate").or(self.delegate_conf.as_ref())) {
            (Some(folder), Some(delegate)) => {
                delegate::run(folder, command, args, configuration, delegate).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    fn attachments(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Attachment>> {
        self.attachments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves the attachments. A real agent keeps them in OVS and in the files of its IPAM.
    fn save(&self, attachments: &BTreeMap<String, Attachment>) {
        if let (Some(file), Ok(json)) = (&self.state, serde_json::to_vec(attachments)) {
            let new = file.with_extension("new");
            let _ = std::fs::write(&new, json).and_then(|()| std::fs::rename(&new, file));
        }
    }
}

/// Decodes the configuration as a Go program does: keys in any case, the last of several, and
/// strings with invalid UTF-8. Values that are nested too deeply are dropped, because the agent
/// does not need them.
fn decode_configuration(json: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    const KEYS: [&str; 4] = ["cniVersion", "prevResult", "name", "runtimeConfig"];
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&String::from_utf8_lossy(json))?;
    let member = |(key, value): (String, Box<RawValue>)| {
        let known = KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(&key));
        Some((known.map_or(key, str::to_owned), serde_json::from_str(value.get()).ok()?))
    };
    Ok(members.into_iter().filter_map(member).collect())
}

fn version_of(configuration: &Map<String, Value>) -> &str {
    configuration.get("cniVersion").and_then(Value::as_str).unwrap_or_default()
}

fn record_effect(journal: &Journal, command: &'static str, container_id: &str) {
    let container_id = container_id.to_owned();
    journal.write(Entry::Effect(Effect { time: journal::unix_seconds(), command, container_id }));
}
