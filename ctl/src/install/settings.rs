//! Writing the settings of the node.

use std::path::Path;

use antrea_cni::input::{Settings, node_settings};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::files;
use crate::set::{Set, wrong};

/// The settings to install: where the network configurations are, if that is not where the
/// plugin looks for them by itself, then those of the environment, then those of the
/// command line.
pub(super) fn of(conf_dir: &Path, set: Vec<Set>) -> Result<Vec<Set>, Error> {
    let mut all = Vec::new();
    let path = std::path::absolute(conf_dir).map_err(Error::file("find", conf_dir))?;
    if path != Path::new(&Settings::default().conf_dir) {
        let value = Value::from(path.to_string_lossy());
        all.push(Set { key: "confDir".to_owned(), value });
    }
    all.extend(of_environment()?);
    all.extend(set);
    Ok(all)
}

/// Settings that the environment of a container brings: `ANTREA_CNI_SET_KEY`.
fn of_environment() -> Result<Vec<Set>, Error> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let key = name.strip_prefix("ANTREA_CNI_SET_")?;
            let set = Set::parse(&format!(
                "{key}={}",
                value.to_string_lossy().trim_end_matches(['\r', '\n'])
            ));
            Some(set.map_err(|wrong| Error::Environment { name, wrong }))
        })
        .collect()
}

/// The file beside a plugin after these changes; `None` without any.
pub(super) fn changed(plugin: &Path, changes: &[Set]) -> Result<Option<Vec<u8>>, Error> {
    if changes.is_empty() {
        return Ok(None);
    }
    let path = node_settings::beside(plugin);
    let there = files::read(&path)?.unwrap_or_default();
    // What is no object has no settings that could be lost.
    let mut members: Map<String, Value> = serde_json::from_slice(&there).unwrap_or_default();
    for Set { key, value } in changes {
        match value {
            Value::Null => members.remove(key),
            value => members.insert(key.clone(), value.clone()),
        };
    }
    let all = Value::Object(members);
    match wrong(&all, &path) {
        Some(wrong) => Err(Error::Settings { wrong }),
        None => Ok(Some(format!("{all:#}\n").into_bytes())),
    }
}
