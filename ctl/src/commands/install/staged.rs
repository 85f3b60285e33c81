// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Moves to the node what Antrea's installer wrote into staging folders.
//!
//! At each start of an agent Antrea's installer removes its programs and its list, and writes them
//! anew in place, whether they changed or not. Meanwhile a container runtime finds no program, or
//! one that may not be run. Where the installer writes into staging folders, [`Staged`] moves to
//! the node only what changed, each file by one rename. A killed process leaves whole files, old
//! or new, and the next one goes on.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use antrea_cni::TYPE;

use super::installation::PLUGIN_MODE;
use super::state;
use crate::cli::{Place, StagedFolders};
use crate::error::Error;
use crate::output::{say, warn};
use crate::staged_record::{MOST, StagedRecord};
use crate::{files, platform, plugin_check};

/// File names of Antrea's list, and of the older one that a runtime would take before it.
const LIST: &str = "10-antrea.conflist";
const OLDER_LIST: &str = "10-antrea.conf";

/// Mode of a list where files have none.
const LIST_MODE: u32 = 0o644;

/// Describes what Antrea's installer wrote into staging folders.
pub(super) struct Staged {
    folders: StagedFolders,
    place: Place,
    /// Antrea's plugin. On the node, this plugin has its file name
    plugin: Option<Vec<u8>>,
    programs: Vec<OsString>,
    lists: Vec<OsString>,
    record: StagedRecord,
}

impl Staged {
    /// Reads the names of the files in the staging folders, and Antrea's plugin.
    ///
    /// # Errors
    /// A folder cannot be read, or an installer did not finish there.
    pub(super) fn read(folders: &StagedFolders, place: &Place) -> Result<Self, Error> {
        let mut programs = regular_files(&folders.bin)?;
        // Without Antrea's plugin no installer ran.
        if !programs.iter().any(|it| it == TYPE) {
            let why = format!("there is no {TYPE} in it");
            return Err(Error::Staged { folder: folders.bin.clone(), why });
        }
        let lists = regular_files(&folders.conf)?;
        if is_same_folder(&folders.bin, place.bin_dir()) {
            let why = "it is the folder of plugins itself".to_owned();
            return Err(Error::Staged { folder: folders.bin.clone(), why });
        }
        // Before anything is moved.
        for (folder, names) in [(&folders.bin, &programs), (&folders.conf, &lists)] {
            names.iter().try_for_each(|name| read_whole(folder, name).map(drop))?;
        }
        let ours = place.plugin()?.file_name().map(OsString::from);
        let at = programs.iter().position(|it| Some(it) == ours.as_ref());
        let plugin = at.map(|at| read_whole(&folders.bin, &programs.remove(at))).transpose()?;
        let (folders, place) = (folders.clone(), place.clone());
        Ok(Self { folders, place, plugin, programs, lists, record: StagedRecord::default() })
    }

    /// Takes Antrea's plugin, unless ours has another name.
    pub(super) fn take_plugin(&mut self) -> Option<Vec<u8>> {
        self.plugin.take()
    }

    /// Moves the other programs to the node, before a list needs them. With `best_effort` one that
    /// cannot be moved stays what it was, with a warning.
    pub(super) fn move_programs(
        &mut self,
        best_effort: bool,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        let to = self.place.bin_dir();
        files::create_folder(to, 0o755)?;
        let _lock = lock_folder(to);
        for name in &self.programs {
            let bytes = read_whole(&self.folders.bin, name)?;
            put(&to.join(name), &bytes, PLUGIN_MODE, best_effort, out)?;
            self.record.add_program(name, &bytes);
        }
        Ok(())
    }

    /// Moves the lists to the node as they are, and removes the list that would come before them.
    /// With `best_effort` one that cannot be moved stays what it was, with a warning.
    pub(super) fn move_lists(
        &mut self,
        best_effort: bool,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        let to = &self.folders.host_conf;
        files::create_folder(to, 0o755)?;
        let _lock = lock_folder(to);
        for name in &self.lists {
            let bytes = read_whole(&self.folders.conf, name)?;
            // The installer has a setting for the mode.
            let metadata = fs::metadata(self.folders.conf.join(name)).ok();
            let mode = metadata.and_then(|it| platform::mode(&it)).unwrap_or(LIST_MODE);
            put(&to.join(name), &bytes, mode & 0o777, best_effort, out)?;
            self.record.add_list(name, &bytes);
        }
        let has = |name: &str| self.lists.iter().any(|it| it == name);
        let older = to.join(OLDER_LIST);
        // As `rm -f`, which removes no folder.
        if has(LIST) && !has(OLDER_LIST) && !older.is_dir() && files::remove(&older)? {
            say(out, format!("{}: removed, as {LIST} takes its place", older.display()))?;
        }
        // Only `status` and `check-config` read it.
        if let Err(error) = self.record.write(&state::folder(&self.place)?) {
            warn(format!("what was staged is not recorded: {error}"));
        }
        Ok(())
    }
}

/// Locks a folder of the node until the file is closed, so that two installs do not remove each
/// other's temporary files. A folder that cannot be locked is used all the same.
fn lock_folder(folder: &Path) -> Option<File> {
    File::open(folder).ok().filter(|it| it.lock().is_ok())
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Returns the names of the files in a staging folder, without hidden ones.
fn regular_files(folder: &Path) -> Result<Vec<OsString>, Error> {
    let wrong = |why: String| Error::Staged { folder: folder.to_owned(), why };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::file("read", folder))? {
        let entry = entry.map_err(Error::file("read", folder))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(Error::file("read", folder))?;
        if !kind.is_file() {
            return Err(wrong(format!("{} is not a regular file", name.display())));
        }
        names.push(name);
    }
    names.sort();
    match names.is_empty() {
        true => Err(wrong("it is empty, so nothing ran that wrote into it".to_owned())),
        false => Ok(names),
    }
}

/// Reads a file of a staging folder. Fails if it is a program whose end is missing.
fn read_whole(folder: &Path, name: &OsString) -> Result<Vec<u8>, Error> {
    let path = folder.join(name);
    let bytes = files::read_at_most(&path, MOST).map_err(Error::file("read", &path))?;
    match plugin_check::is_cut_off(&bytes) {
        true => {
            let why = format!("{} is empty or cut off", name.display());
            Err(Error::Staged { folder: folder.to_owned(), why })
        }
        false => Ok(bytes),
    }
}

/// Writes a file of the node by rename, unless it is the same already.
fn put(
    to: &Path,
    bytes: &[u8],
    mode: u32,
    best_effort: bool,
    out: &mut impl Write,
) -> Result<(), Error> {
    if files::is_same(to, bytes, mode) {
        return files::remove_stale(to);
    }
    match files::remove_stale(to).and_then(|()| files::write(to, bytes, mode)) {
        Err(error) if best_effort && to.is_file() => {
            warn(format!("{}: left as it is: {error}", to.display()));
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => say(out, format!("{}: moved here", to.display())),
    }
}
