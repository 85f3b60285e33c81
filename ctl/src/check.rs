//! What runtime and plugin would refuse about a configuration, what the other plugins of
//! the list say on this node, and which agents accept the rest.

mod checker;
mod findings;
mod folder;
mod node;
mod report;
mod runtime;

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use antrea_cni::input::settings::Origin;
use antrea_cni::input::{Settings, node_settings};
use semver::Version;
use serde_json::value::RawValue;

use self::checker::is_ours;
use self::folder::Folder;
pub(crate) use self::node::Asked;
use self::report::Report;
use crate::cli::CheckConfig;
use crate::document::Members;
use crate::error::{Error, Exit};
use crate::text::plain;
use crate::{net_d, output, trial};

/// The command `check-config`.
pub(crate) fn run(arguments: &CheckConfig, out: &mut impl Write) -> Result<Exit, Error> {
    let (mut is_safe, mut is_read) = (true, true);
    for path in &arguments.files {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            files = net_d::files(path);
            output::answer(out, arguments.output, &Folder::of(path, &files))?;
        }
        for file in &files {
            match read(file) {
                Ok(bytes) => {
                    let mut report = Report::of(file, &bytes);
                    if let Some(folder) = &arguments.bin_dir {
                        report.ask(&bytes, folder, trial::LIMIT)?;
                    }
                    is_safe &= report.is_safe();
                    output::answer(out, arguments.output, &report)?;
                }
                // The others are checked all the same.
                Err(error) => {
                    output::warn(plain(&Error::file("read", file)(error).to_string()));
                    is_read = false;
                }
            }
        }
    }
    Ok(match (is_read, is_safe) {
        (false, _) => Exit::Unreadable,
        (true, false) => Exit::Failure,
        (true, true) => Exit::Success,
    })
}

/// A file, or standard input for `-`.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What is wrong, each as a line; for the installer. Plugins that are not there may come
/// later.
pub(crate) fn problems(
    path: &Path,
    bytes: &[u8],
    bin_dir: &Path,
    name: &str,
) -> Result<Vec<String>, Error> {
    let mut report = Report::of(path, bytes);
    report.ask(bytes, bin_dir, trial::LIMIT)?;
    let refused = report.findings.iter().filter(|finding| finding.refused);
    let asked = report.plugins.iter().filter(|it| it.is_there && it.name != name);
    let others = asked.filter_map(|it| Some(format!("{}: {}", it.name, it.problem.as_ref()?)));
    Ok(refused
        .map(|it| format!("{}:{}: {}", it.line, it.column, it.message))
        .chain(others)
        .collect())
}

/// The version that a list's plugins are called with, and what they say to it in a folder.
pub(crate) fn on_node(
    path: &Path,
    bytes: &[u8],
    bin_dir: &Path,
    limit: Duration,
) -> Result<(Option<Version>, Vec<Asked>), Error> {
    let mut report = Report::of(path, bytes);
    report.ask(bytes, bin_dir, limit)?;
    Ok((report.cni_version, report.plugins))
}

/// The settings in force with a valid configuration, on a node with this file.
pub(crate) fn settings(bytes: &[u8], node: &Path) -> Settings {
    let mut settings = Settings::default();
    node_settings::read(node, &mut settings);
    let text = String::from_utf8_lossy(bytes);
    if let Some(value) = own_settings(&text) {
        settings.apply(value, Origin::Configuration);
    }
    settings
}

/// The settings in the entry of the plugin.
pub(crate) fn own_settings(text: &str) -> Option<&RawValue> {
    let plugins = net_d::plugins(&Members::read(text).ok()?);
    let plugin = plugins.into_iter().find(is_ours)?;
    plugin.get(Settings::KEY).map(|it| it.value)
}
