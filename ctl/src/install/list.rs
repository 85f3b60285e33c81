//! The network configuration list to install.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::node_settings;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use crate::cli::Install;
use crate::document::{Members, Position};
use crate::error::{Error, Exit};
use crate::output::waiting;
use crate::{check, files, network, platform, probe};

/// Of a list whose source has none.
const MODE: u32 = 0o644;

/// A list that was read and checked.
pub(super) struct List {
    pub(super) target: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) mode: u32,
    source: PathBuf,
    wait_for_agent: Option<Duration>,
}

impl List {
    pub(super) fn read(source: &Path, arguments: &Install) -> Result<Self, Error> {
        let bytes = fs::read(source).map_err(Error::file("read", source))?;
        let problems = check::problems(source, &bytes, &arguments.place)?;
        if !problems.is_empty() {
            return Err(Error::Conflist { path: source.to_owned(), problems: problems.join("\n") });
        }
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let folder = std::path::absolute(&arguments.conf_dir)
            .map_err(Error::file("find", &arguments.conf_dir))?;
        let mode = match arguments.conflist_mode {
            Some(mode) => mode,
            None => {
                let metadata = fs::metadata(source).map_err(Error::file("read", source))?;
                platform::mode(&metadata).map_or(MODE, |mode| mode & 0o777)
            }
        };
        Ok(Self {
            target: files::within(&folder, &name)?,
            bytes,
            mode,
            source: source.to_owned(),
            wait_for_agent: arguments.wait_for_agent,
        })
    }

    /// Another file that the runtime will take instead, as its name comes first.
    pub(super) fn shadowed_by(&self) -> Option<PathBuf> {
        let first = network::files(self.target.parent()?).into_iter().next()?;
        (first != self.target).then_some(first)
    }

    /// Waits until the agent that the list leads to can wire a Pod.
    pub(super) async fn wait_for_agent(&self, plugin: &Path) -> Result<(), Error> {
        let Some(limit) = self.wait_for_agent else { return Ok(()) };
        let settings = check::settings(&self.bytes, &node_settings::beside(plugin));
        let spinner = waiting(format!("waiting for the agent behind {}", settings.socket));
        let deadline = Instant::now() + limit;
        loop {
            let pause = probe::PAUSE.min(limit);
            let (settings, timeout) = (settings.clone(), limit.min(probe::TIMEOUT));
            let probe = move || probe::probe(&settings, timeout);
            let report = tokio::task::spawn_blocking(probe).await;
            let report = report.map_err(|error| Error::Runtime(error.into()))?;
            if report.exit() == Exit::Success {
                spinner.finish_and_clear();
                return Ok(());
            }
            if Instant::now() + pause >= deadline {
                spinner.finish_and_clear();
                let waited = format!("{limit:?} (for {})", self.source.display());
                return Err(Error::NoAgent { waited, last: report.sentence });
            }
            sleep(pause).await;
        }
    }
}

/// What a keeper makes of the list that stands there: ours, but over what others have
/// added to it only our own entry.
pub(super) fn kept(there: Option<&[u8]>, ours: &[u8], name: &str) -> Vec<u8> {
    let is_extended = |there: &[u8]| {
        let [known, there] = [ours, there].map(types);
        there.iter().any(|it| !known.contains(it))
    };
    there
        .filter(|there| is_extended(there))
        .and_then(|there| with_entry(there, ours, name))
        .unwrap_or_else(|| ours.to_vec())
}

/// Returns the `type`s of the plugins in a conflist.
fn types(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let Ok(root) = Members::read(&text) else { return Vec::new() };
    let plugins = network::inlined(&root);
    plugins.iter().filter_map(|plugin| plugin.text("type")).map(Into::into).collect()
}

/// A list with our entry of another in it; the rest stays as it is, byte for byte.
fn with_entry(list: &[u8], ours: &[u8], name: &str) -> Option<Vec<u8>> {
    let (list, ours) = (std::str::from_utf8(list).ok()?, std::str::from_utf8(ours).ok()?);
    let entries = |text| Some(Members::read(text).ok()?.get("plugins")?.elements());
    let is_ours = |entry: &&RawValue| {
        Members::of(entry).is_ok_and(|it| it.text("type").as_deref() == Some(name))
    };
    let entry = entries(ours)?.into_iter().find(is_ours)?.get();
    let there = entries(list)?;
    let insert = |at: usize, text: &str, rest: usize| {
        Some([list.get(..at)?, text, list.get(rest..)?].concat().into_bytes())
    };
    if let Some(old) = there.iter().copied().find(|it| is_ours(it)) {
        let at = Position::of(list, old).offset();
        let value = |text| serde_json::from_str::<Value>(text).ok();
        return match value(old.get()) == value(entry) {
            true => Some(list.into()),
            false => insert(at, entry, at + old.get().len()),
        };
    }
    // As Antrea's own chaining does: at the end.
    let last = there.last()?;
    let end = Position::of(list, last).offset() + last.get().len();
    insert(end, &format!(", {entry}"), end)
}

#[cfg(test)]
mod tests {
    const OURS: &str = r#"{"cniVersion":"1.1.0","name":"antrea","plugins":[{"type":"antrea","antreaCni":{"logLevel":"error"}},{"type":"portmap"}]}"#;

    fn kept(there: &str) -> String {
        let list = super::kept(Some(there.as_bytes()), OURS.as_bytes(), "antrea");
        String::from_utf8(list).unwrap()
    }

    #[test]
    fn a_list_without_additions_becomes_ours() {
        for there in ["", "{", "null", r#"{"plugins":[{"type":"antrea"},{"type":"portmap"}]}"#] {
            assert_eq!(kept(there), OURS, "{there}");
        }
        assert_eq!(super::kept(None, OURS.as_bytes(), "antrea"), OURS.as_bytes());
    }

    #[test]
    fn additions_of_others_stay() {
        let entry = r#"{"type":"antrea","antreaCni":{"logLevel":"error"}}"#;
        let with = |ours: &str| {
            format!("{{\"name\": \"x\",\n \"plugins\": [{ours}{{\"type\": \"istio-cni\"}} ] }}\n")
        };
        assert_eq!(kept(&with("{\"type\": \"antrea\"}, ")), with(&format!("{entry}, ")));
        let same = with(r#"{"antreaCni": {"logLevel": "error"}, "type": "antrea"}, "#);
        assert_eq!(kept(&same), same);
        let without = r#"{"plugins":[{"type":"aws-cni"}]}"#;
        let chained = format!(r#"{{"plugins":[{{"type":"aws-cni"}}, {entry}]}}"#);
        assert_eq!(kept(without), chained);
    }
}
