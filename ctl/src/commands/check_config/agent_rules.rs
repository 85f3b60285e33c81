// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds what agents refuse about a network that the container runtime and the plugin accept. The
//! rules come from the agents' answers and from the source of all releases.

use antrea_cni::Action;
use semver::Version;

use super::checker::Checker;
use crate::json_spans::{Member, Members, Position};

/// Describes one plugin of a network.
pub(super) struct ChainedPlugin<'a> {
    pub(super) plugin: Members<'a>,
    /// Its position in the text
    pub(super) at: Position,
}

impl<'a> Checker<'a> {
    /// Finds what makes the agents of some or of all releases refuse or undo an ADD.
    /// `sends_check` is whether the container runtime may send CHECK.
    pub(super) fn check_agents(
        &mut self,
        chain: &[ChainedPlugin<'a>],
        version: Option<&Version>,
        sends_check: bool,
    ) {
        for (number, link) in chain.iter().enumerate() {
            let before = chain.get(..number).unwrap_or_default();
            if self.is_ours(&link.plugin) {
                self.check_antrea(link, before);
            } else {
                let is_checked = version.is_some_and(|it| *it >= Action::Check.rules().since);
                self.check_ipam_of_another(link, is_checked && sends_check);
            }
        }
    }

    fn check_antrea(
        &mut self,
        ChainedPlugin { plugin, at }: &ChainedPlugin<'a>,
        before: &[ChainedPlugin<'a>],
    ) {
        if before.is_empty() {
            self.check_ipam(plugin, *at);
        }
        if before.iter().any(|it| self.is_ours(&it.plugin)) {
            self.withhold(
                *at,
                "antrea twice: the agent refuses the second ADD of a container, and releases from v2.0 on take the first one's interface away: leave one out",
            );
        }
        for bridge in before.iter().filter_map(|it| azure_bridge(&it.plugin)) {
            self.withhold(
                self.position(bridge.value),
                "azure-vnet with mode \"bridge\" before antrea: packets pass Antrea by; set mode to \"transparent\"",
            );
        }
        for member in plugin.iter() {
            let expected = match &*member.name.to_ascii_lowercase() {
                "args" | "path" | "netns" | "ifname" | "container_id"
                    if member.string().is_none() =>
                {
                    "a text"
                }
                "mtu" if serde_json::from_str::<i64>(member.value.get()).is_err() => {
                    "a whole number"
                }
                _ => continue,
            };
            if !member.is_null() {
                let at = self.position(member.value);
                let name = &member.name;
                self.withhold(
                    at,
                    format!(
                        "every agent refuses {name} that is not {expected} (code 6): leave it out"
                    ),
                );
            }
        }
    }

    /// Checks `ipam` of the plugin outside a chain: the agent gets the address from host-local or
    /// from its own pools.
    fn check_ipam(&mut self, plugin: &Members<'a>, at: Position) {
        let ipam = plugin.get("ipam");
        let kind = ipam.and_then(Member::object).and_then(|it| it.string("type"));
        if !matches!(kind.as_deref(), Some("host-local" | "antrea")) {
            let at = self.position_or(ipam, at);
            self.withhold(
                at,
                "antrea without an ipam that agents know, and no plugin before it: every agent refuses that (code 2); set ipam.type to \"host-local\", or chain it after another plugin",
            );
        }
    }

    /// Checks another plugin whose addresses the agent gives.
    fn check_ipam_of_another(
        &mut self,
        ChainedPlugin { plugin, .. }: &ChainedPlugin<'a>,
        is_checked: bool,
    ) {
        let Some(ipam) = plugin.get("ipam") else { return };
        let kind = ipam.object().and_then(|it| it.string("type"));
        if kind.as_deref() != Some("antrea") {
            return;
        }
        let at = self.position(ipam.value);
        if is_checked {
            self.withhold(
                at,
                "ipam.type \"antrea\" from cniVersion 0.4.0 on: the agent fails each CHECK of such a network; set disableCheck, or cniVersion 0.3.1",
            );
        }
        self.warn(at, "agents before v1.7.0 cannot be another plugin's IPAM plugin");
    }
}

/// Returns the member `mode` of azure-vnet if its bridge handles the Pod's packets.
fn azure_bridge<'a, 'b>(plugin: &'b Members<'a>) -> Option<&'b Member<'a>> {
    let kind = plugin.string("type")?;
    let mode = plugin.get("mode")?;
    let is_bridge = mode.string()?.eq_ignore_ascii_case("bridge");
    (kind.starts_with("azure") && is_bridge).then_some(mode)
}
