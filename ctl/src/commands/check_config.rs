//! Implements `check-config`: finds what the container runtime, the plugin, the other plugins of
//! the conflist and the agents would refuse about a configuration.

mod agent;
mod checker;
mod findings;
mod folder;
mod multus;
mod plugins;
mod report;
mod runtime;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::Settings;
use semver::Version;
use serde_json::value::RawValue;

use self::checker::is_ours;
use self::folder::Folder;
pub(crate) use self::plugins::PluginReport;
use self::report::Report;
use crate::cli::CheckConfig;
use crate::error::{Error, Exit};
use crate::network::{self, Network};
use crate::style::plain;
use crate::{output, plugin_check};

pub(crate) fn run(arguments: &CheckConfig, out: &mut impl Write) -> Result<Exit, Error> {
    let (mut fails, mut is_read) = (false, true);
    for path in &arguments.files {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            files = network::files(path);
            output::answer(out, arguments.output, &Folder::new(path, &files))?;
        }
        let mut next = 0;
        while let Some(file) = files.get(next).cloned() {
            next += 1;
            match read_input(&file) {
                Ok(bytes) => {
                    let network = Network::new(&file, &bytes);
                    let mut report = Report::new(&network, &bytes);
                    if !arguments.bin_dir.is_empty() {
                        report.ask_plugins(&network, &arguments.bin_dir, plugin_check::LIMIT)?;
                    }
                    fails |= report.is_failure();
                    output::answer(out, arguments.output, &report)?;
                    let other =
                        network.handed_on_to().filter(|it| !files.iter().any(|is| is == it));
                    files.extend(other.map(Path::to_owned));
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
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Returns the cniVersion that a network's plugins are called with, and their reports on it.
pub(crate) fn ask_plugins(
    network: &Network,
    folders: &[PathBuf],
    limit: Duration,
) -> Result<(Option<Version>, Vec<PluginReport>), Error> {
    let mut report = Report::new(network, network.source.text.as_bytes());
    report.ask_plugins(network, folders, limit)?;
    Ok((report.cni_version, report.plugins))
}

/// Returns the plugin's settings in a network.
pub(crate) fn own_settings(network: &Network) -> Option<&RawValue> {
    let plugin = network.plugins().into_iter().find(is_ours)?;
    plugin.get(Settings::KEY).map(|it| it.value)
}
