// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `check-config`: finds what the container runtime, the plugin, the other plugins of
//! the conflist and the agents would refuse about a configuration.

mod agent_rules;
mod checker;
mod folder;
mod multus_rules;
mod plugins;
mod refusals;
mod report;
mod runtime_rules;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::Settings;
use antrea_cni::input::stdin::MAX_BYTES;
use semver::Version;
use serde_json::value::RawValue;

use self::folder::Folder;
pub(crate) use self::plugins::PluginReport;
use self::report::ConfigReport;
use crate::cli::CheckConfig;
use crate::conflist;
use crate::error::{Error, Exit};
use crate::network::Network;
use crate::style::plain;
use crate::{files, output, plugin_check};

pub(crate) fn run(arguments: &CheckConfig, out: &mut impl Write) -> Result<Exit, Error> {
    let place = &arguments.place;
    let (files, bin_dirs) = match (&*arguments.files, place.named_bin_dirs()) {
        ([], _) => (&[place.conf_dir()][..], place.bin_dirs()),
        (files, named) => (files, named.unwrap_or_default().to_vec()),
    };
    let (mut fails, mut is_read) = (false, true);
    for path in files {
        let mut paths = vec![path.clone()];
        if path.is_dir() {
            paths = conflist::files(path);
            let folder = Folder::new(path, &bin_dirs, &place.name);
            fails |= folder.is_bypassed();
            output::answer(out, arguments.output, &folder)?;
        }
        let mut next = 0;
        while let Some(file) = paths.get(next).cloned() {
            next += 1;
            // A person may name a pipe.
            let read = if file == *path { read_input(&file) } else { files::read_regular(&file) };
            match read {
                Ok(bytes) => {
                    let network = Network::new(&file, &bytes);
                    let mut report = ConfigReport::new(&network, &bytes, &place.name);
                    if !bin_dirs.is_empty() {
                        report.ask_plugins(
                            &network,
                            &place.name,
                            &bin_dirs,
                            plugin_check::LIMIT,
                        )?;
                    }
                    fails |= !report.is_safe();
                    output::answer(out, arguments.output, &report)?;
                    let real =
                        |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
                    let is_new = |it: &&Path| !paths.iter().any(|file| real(file) == real(it));
                    let other = network.handed_on_to().filter(is_new);
                    paths.extend(other.map(Path::to_owned));
                }
                // The other files are still checked.
                Err(error) => {
                    output::warn(plain(&Error::file("read", &file)(error).to_string()));
                    is_read = false;
                }
            }
        }
    }
    Ok(match (is_read, fails) {
        (false, _) => Exit::Unreadable,
        (true, true) => Exit::Failure,
        (true, false) => Exit::Success,
    })
}

/// Reads a file, or standard input for `-`.
fn read_input(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than the plugin reads, so that a longer input is refused.
    let most = MAX_BYTES + 1;
    if path == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Describes the network that a container runtime takes on a node.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// The cniVersion that its plugins are called with
    pub(crate) cni_version: Option<Version>,
    pub(crate) plugins: Vec<PluginReport>,
    /// Why no Pod starts with it, whatever its plugins are
    pub(crate) problems: Vec<String>,
}

/// Judges a network on a node for the plugin `name`, and asks its plugins.
pub(crate) fn judge(
    network: &Network,
    name: &str,
    folders: &[PathBuf],
    limit: Duration,
) -> Result<Judgement, Error> {
    let mut report = ConfigReport::new(network, network.source.text.as_bytes(), name);
    report.ask_plugins(network, name, folders, limit)?;
    let problems = report.problems();
    let ConfigReport { cni_version, plugins, .. } = report;
    Ok(Judgement { cni_version, plugins, problems })
}

/// Returns why no Pod starts with a network, whatever its plugins are.
pub(crate) fn problems(network: &Network, name: &str) -> Vec<String> {
    ConfigReport::new(network, network.source.text.as_bytes(), name).problems()
}

/// Returns the settings in a network of the plugin called `name`.
pub(crate) fn own_settings<'a>(network: &'a Network, name: &str) -> Option<&'a RawValue> {
    network.plugin(name)?.get(Settings::KEY).map(|it| it.value)
}
