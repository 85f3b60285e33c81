//! What the plugins of a list say on this node.

use std::env::consts::EXE_SUFFIX;
use std::path::Path;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::error::Error;
use crate::trial;

/// What one plugin of a list says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    #[serde(rename = "type")]
    pub(crate) name: String,
    /// What it knows; empty where it says nothing
    pub(crate) versions: Vec<String>,
    /// Why it cannot do its part; `null` if it can
    pub(crate) problem: Option<String>,
    /// Whether there is such a file at all
    pub(crate) is_there: bool,
}

/// Asks each plugin for its versions, all at once: one that hangs costs no more than
/// several.
pub(super) fn ask(
    types: &[String],
    folder: &Path,
    version: Option<&Version>,
    limit: Duration,
) -> Result<Vec<Asked>, Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let wanted = version.map(ToString::to_string);
    let mut asked = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (number, name) in types.iter().cloned().enumerate() {
            let path = folder.join(format!("{name}{EXE_SUFFIX}"));
            let wanted = wanted.clone();
            tasks.spawn(async move { (number, one(name, &path, wanted.as_deref(), limit).await) });
        }
        tasks.join_all().await
    });
    asked.sort_by_key(|(number, _)| *number);
    Ok(asked.into_iter().map(|(_, asked)| asked).collect())
}

async fn one(name: String, path: &Path, wanted: Option<&str>, limit: Duration) -> Asked {
    // Such a program is never run: libcni does not, either.
    if is_path(&name) {
        let problem = Some(format!("invalid plugin name {name:?}: a type has no path in it"));
        return Asked { name, versions: Vec::new(), problem, is_there: false };
    }
    let is_there = path.exists();
    if !is_there {
        let problem = Some(format!("there is no {}", path.display()));
        return Asked { name, versions: Vec::new(), problem, is_there };
    }
    match trial::versions(path, limit).await {
        Ok(versions) => {
            let knows = wanted.is_none_or(|wanted| versions.iter().any(|it| it == wanted));
            let problem = (!knows).then(|| {
                let (wanted, known) = (wanted.unwrap_or_default(), versions.join(", "));
                format!("it takes {known}, and refuses {wanted}: STATUS, ADD and DEL of the list fail in it")
            });
            Asked { name, versions, problem, is_there }
        }
        Err(why) => Asked { name, versions: Vec::new(), problem: Some(why), is_there },
    }
}

/// Whether a `type` leads out of the folders of plugins (libcni, `invoke.FindInPath`).
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}

/// The highest version that all of them know.
pub(super) fn common(asked: &[Asked]) -> Option<Version> {
    let known = |one: &Asked| -> Vec<Version> {
        one.versions.iter().filter_map(|it| it.parse().ok()).collect()
    };
    let (first, rest) = asked.split_first()?;
    let in_all = |version: &Version| rest.iter().all(|it| known(it).contains(version));
    known(first).into_iter().filter(in_all).max()
}
