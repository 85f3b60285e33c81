//! The files of an installation: the plugin, and a list if one was installed.

use std::path::{Path, PathBuf};

use antrea_cni::input::node_settings;

use super::slot::{Kind, Slot};
use super::state::State;
use crate::cli::Place;
use crate::error::Error;
use crate::files;

/// The plugin.
pub(super) fn plugin(place: &Place, state: &State) -> Result<Slot, Error> {
    let target = place.plugin()?;
    files::remove_stale(&node_settings::beside(&target))?;
    Slot::open(Kind::Plugin, target, state.folder().to_owned())
}

/// The list that was installed, if one was. It may have another path here: a container
/// sees the folders of its node elsewhere.
pub(super) fn conflist(
    place: &Place,
    state: &State,
    here: Option<&Path>,
) -> Result<Option<Slot>, Error> {
    let Some(remembered) = state.conflist()? else { return Ok(None) };
    let is_here = |here: &&Path| {
        here.file_name() == remembered.file_name()
            && !remembered.parent().is_some_and(|folder| folder.is_dir())
    };
    let target = here.filter(is_here).map(Path::to_owned).unwrap_or(remembered);
    at(place, target).map(Some)
}

/// The list at a path.
pub(super) fn at(place: &Place, target: PathBuf) -> Result<Slot, Error> {
    let folder = target.parent().unwrap_or_else(|| Path::new("/"));
    let folder = folder.join(format!(".{}.cnictl", place.name));
    Slot::open(Kind::Conflist, target, folder)
}
