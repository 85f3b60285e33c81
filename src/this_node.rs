// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements [`Node`] for the node that the plugin runs on.

use std::fs;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::client::{Connection, Node};
use crate::deadline::{Change, Deadline, LastChange};
use crate::grpc::{self, Channel};
use crate::input::{CmdArgs, Settings, TraceContext};
use crate::moment::Moment;
use crate::owed_folder::OwedFolder;
use crate::platform::{files, netns};

/// The `type` under which Antrea installs its plugin.
pub const TYPE: &str = "antrea";

/// Gives access to the node that the plugin runs on.
#[derive(Clone, Copy, Debug)]
pub struct ThisNode<'a> {
    settings: &'a Settings,
    trace: &'a TraceContext,
    netns: Option<netns::Identity>,
}

impl<'a> ThisNode<'a> {
    /// Describes a node by its settings, which tell where the agent is and whether it is trusted.
    /// RPCs belong to `trace`.
    pub fn new(settings: &'a Settings, trace: &'a TraceContext) -> Self {
        Self { settings, trace, netns: None }
    }

    /// Sets the network namespace of the call.
    pub(crate) fn with_netns(self, netns: Option<netns::Identity>) -> Self {
        Self { netns, ..self }
    }
}

impl<'a> Node for ThisNode<'a> {
    type Connection = AgentConnection<'a>;
    type Netns = netns::Identity;
    type Owed = OwedFolder;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, pause: Duration) {
        sleep(pause);
    }

    fn connect(
        &self,
        deadline: &Rc<Deadline>,
        track_peer: bool,
    ) -> Result<AgentConnection<'a>, grpc::Error> {
        let Settings { socket, require_root_agent, .. } = self.settings;
        let end = deadline.expires_at(Instant::now());
        let connected = grpc::connect(socket, !require_root_agent, track_peer, end)?;
        Ok(AgentConnection { channel: Channel::start(connected, deadline)?, trace: self.trace })
    }

    fn last_conf_change(&self) -> LastChange {
        let Settings { conf_dir, socket, .. } = self.settings;
        let (conf_dir, socket) = (conf_dir.clone(), socket.clone());
        Box::new(move || {
            let age = newest_change(&conf_dir)?;
            Some(Change { age, delay_ended: Moment::DelayEnded.age(&socket) })
        })
    }

    fn record_delay(&self) {
        Moment::DelayEnded.record(&self.settings.socket);
    }

    fn netns(&self) -> Option<netns::Identity> {
        self.netns
    }

    fn netns_is_gone(&self, path: &str) -> bool {
        netns::is_gone(path)
    }

    fn is_own_type(&self, name: &str) -> bool {
        name == TYPE || files::program_name().is_some_and(|ours| ours == name)
    }

    fn remove_veth(&self, path: &str, netns: netns::Identity, ifname: &str) {
        // Best effort: if the interface stays, the next ADD fails with the agent's own error.
        let _ = netns::remove_veth(path, netns, ifname);
    }

    fn store_owed_del(&self, args: &CmdArgs, later: Duration) -> bool {
        OwedFolder::store(&self.settings.socket, args, later)
    }

    fn open_owed_dels(&self) -> io::Result<Option<OwedFolder>> {
        match OwedFolder::open(&self.settings.socket) {
            // A folder that is not trusted counts as absent.
            Err(error) if is_untrusted(error.kind()) => Ok(None),
            opened => opened,
        }
    }

    fn was_seen(&self, within: Duration) -> bool {
        Moment::AgentSeen.age(&self.settings.socket).is_some_and(|age| age < within)
    }
}

/// Returns whether a folder is another user's, or is none.
fn is_untrusted(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Other | ErrorKind::PermissionDenied | ErrorKind::NotADirectory)
}

/// Returns how long ago a folder, or a file in it, last changed. Times in the future are ignored.
fn newest_change(folder: &str) -> Option<Duration> {
    let files = fs::read_dir(folder).ok()?.filter_map(|file| file.ok()?.metadata().ok());
    let all = files.filter(|it| !it.is_dir()).chain(fs::metadata(folder).ok());
    all.filter_map(|it| it.modified().ok()?.elapsed().ok()).min()
}

pub struct AgentConnection<'a> {
    channel: Channel,
    trace: &'a TraceContext,
}

impl Connection for AgentConnection<'_> {
    fn call(&mut self, path: String, message: Bytes) -> Result<Bytes, grpc::Error> {
        self.channel.call(path, message, &mut self.trace.headers())
    }

    fn probe_method(&mut self, path: String) -> Result<Bytes, grpc::Error> {
        self.channel.probe_method(path)
    }

    fn peer_id(&self) -> Option<i32> {
        self.channel.peer().pid
    }

    fn peer_was_gone(&self) -> bool {
        self.channel.peer().was_gone()
    }

    fn peer_is_gone(&self) -> bool {
        self.channel.peer().is_gone()
    }

    fn peer_is_alive(&self) -> bool {
        self.channel.peer().is_alive()
    }
}
