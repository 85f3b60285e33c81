// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds what Multus refuses about its own configuration (`LoadNetConf` of v4), and about the
//! network that it hands Pods on to.

use semver::Version;

use super::checker::Checker;
use crate::json_spans::{Member, Members, Position};
use crate::network::{HandedOn, Network};
use crate::{conflist, multus};

impl<'a> Checker<'a> {
    /// Checks a configuration of Multus. `handed_on` is the source of the Pods' network.
    pub(super) fn check_multus(
        &mut self,
        multus: &Members<'a>,
        at: Position,
        handed_on: &HandedOn<Box<Network>>,
    ) {
        for member in multus.iter().filter(|it| !it.is_null()) {
            let is_right = match &*member.name.to_ascii_lowercase() {
                "confdir"
                | "cnidir"
                | "bindir"
                | "clusternetwork"
                | "kubeconfig"
                | "logfile"
                | "loglevel"
                | "readinessindicatorfile"
                | "globalnamespaces"
                | "auxiliarycnichainname"
                | "multusnamespace" => member.string().is_some(),
                "logtostderr" | "namespaceisolation" | "retrydeleteonerror" => {
                    member.bool().is_some()
                }
                "defaultnetworks" | "systemnamespaces" => {
                    serde_json::from_str::<Vec<Option<String>>>(member.value.get()).is_ok()
                }
                "delegates" => member.array().is_some_and(|all| {
                    all.iter().all(|it| it.get() == "null" || Members::parse_value(it).is_ok())
                }),
                "logoptions" | "runtimeconfig" => member.object().is_some(),
                _ => continue,
            };
            if !is_right {
                let at = self.position(member.value);
                self.refuse(
                    at,
                    format!("Multus cannot read {}: it is of the wrong type", member.name),
                );
            }
        }
        match handed_on {
            HandedOn::No => self.refuse(
                at,
                "Multus without clusterNetwork and delegates: it refuses every Pod; set one of them",
            ),
            HandedOn::Delegates => self.check_delegates(multus),
            HandedOn::To(_) => (),
            HandedOn::Broken(why) => {
                let at = self.position_or(multus.get("clusterNetwork"), at);
                self.refuse(at, format!("Multus fails for each Pod: {why}"));
            }
            HandedOn::Unseen(why) => {
                let at = self.position_or(multus.get("clusterNetwork"), at);
                self.warn(
                    at,
                    format!("Multus decides which network Pods get, and it cannot be seen here: {why}"),
                );
            }
        }
        self.check_readiness_file(multus);
    }

    /// Checks the delegates. A delegate with a `type` is a plugin; without one it is a conflist.
    fn check_delegates(&mut self, multus: &Members<'a>) {
        let delegates = multus::delegates(multus);
        let leads = |it: &Members<'_>| conflist::inlined(it).iter().any(|it| self.is_ours(it));
        if let Some((first, others)) = delegates.split_first()
            && !leads(first)
            && others.iter().any(leads)
        {
            let at = self.position_or(multus.get("delegates"), Position::START);
            self.withhold(at, "Pods do not get antrea: for Multus the first delegate is their network, and the others are additional interfaces");
        }
        for delegate in multus.get("delegates").map(Member::elements).unwrap_or_default() {
            let at = self.position(delegate);
            let Ok(members) = Members::parse_value(delegate) else {
                self.refuse(at, "a delegate that is not an object");
                continue;
            };
            let members = members.as_map();
            if members.string("type").is_some_and(|it| !it.is_empty()) {
                self.check_plugin(delegate, true);
            } else if members.get("plugins").is_some_and(|it| !it.is_null()) {
                self.check_conflist(&members, &[]);
            } else {
                self.refuse(at, "a delegate without type and without plugins: Multus refuses it");
            }
        }
    }

    /// Warns if the file is absent that Multus waits for before each call.
    fn check_readiness_file(&mut self, multus: &Members<'a>) {
        let Some(member) = multus.get("readinessindicatorfile") else { return };
        let Some(file) = member.string().filter(|it| !it.is_empty()) else { return };
        let here = self.source.path.parent();
        let beside = std::path::Path::new(&*file).file_name().zip(here);
        let is_there = std::path::Path::new(&*file).exists()
            || beside.is_some_and(|(name, here)| here.join(name).exists());
        if !is_there {
            let at = self.position(member.value);
            self.warn(
                at,
                format!("Multus starts no Pod until {file} is there, its readinessindicatorfile"),
            );
        }
    }

    /// Checks cniVersions: Multus of 0.4.0 or later does not start with a network of an earlier one
    /// (`CheckVersionCompatibility`).
    pub(super) fn check_multus_version(
        &mut self,
        multus: &Members<'a>,
        network: &Network,
        pods: &Version,
    ) {
        const SINCE: Version = Version::new(0, 4, 0);
        let Some(member) = multus.get("cniVersion") else { return };
        let own = member.string().and_then(|it| it.parse::<Version>().ok());
        let Some(own) = own.filter(|own| *own >= SINCE && *pods < SINCE) else { return };
        let of = network.source.path.display();
        let at = self.position(member.value);
        self.withhold(
            at,
            format!("Multus of cniVersion {own} does not start with a network of {pods} ({of}): set the same in both"),
        );
    }
}
