// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Watches files and mounts by the events of the kernel.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// Time that another process gets after it created or removed a file, for example to write it.
const GRACE: Duration = Duration::from_millis(20);

/// Reports changes of the watched files.
pub(super) struct Events {
    inotify: Inotify,
    /// `/proc/self/mountinfo`, which polls POLLPRI after a mount or unmount
    mounts: Option<File>,
    /// The watched folders, each with a name that matters in it
    watched: Vec<(WatchDescriptor, OsString)>,
}

impl Events {
    /// Watches all folders on the paths. Returns `None` if the kernel has no inotify, or its limit
    /// is reached.
    pub(super) fn new(files: &[PathBuf]) -> Option<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok()?;
        let mut watched = Vec::new();
        for (folder, name) in files.iter().flat_map(|file| path_steps(file)) {
            let mut flags = AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVE
                | AddWatchFlags::IN_ONLYDIR;
            if files.iter().any(|file| file.file_name() == Some(&name)) {
                flags |= AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_ATTRIB;
            }
            match inotify.add_watch(&folder, flags) {
                Ok(descriptor) => watched.push((descriptor, name)),
                Err(Errno::ENOSPC | Errno::ENOMEM) => return None,
                // The watch of its parent reports when the folder is created.
                Err(_) => (),
            }
        }
        Some(Self { inotify, mounts: File::open("/proc/self/mountinfo").ok(), watched })
    }

    /// Waits for an event that matters. Returns how long to wait for the events that follow it, or
    /// `None` if there was none until `limit`.
    pub(super) fn wait_for_change(&self, limit: Option<Duration>) -> Option<Duration> {
        // Events of other files do not extend the limit.
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            let timeout = end.map_or(PollTimeout::NONE, |end| {
                // Rounded up, because a poll with less than 1 ms left would return at once.
                let left = end.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            });
            let mut files = vec![PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
            files.extend(self.mounts.iter().map(|it| PollFd::new(it.as_fd(), PollFlags::POLLPRI)));
            match poll(&mut files, timeout) {
                Ok(0) => return None,
                Ok(_) => (),
                Err(Errno::EINTR) => continue,
                Err(_) => return Some(GRACE),
            }
            let is_mount = files.get(1).is_some_and(|it| it.any().unwrap_or_default());
            match self.read_events() {
                Some(pause) => return Some(pause),
                None if is_mount => return Some(Duration::ZERO),
                // All events were of other files.
                None => (),
            }
        }
    }

    /// Reads the pending events. Returns how long to wait for what follows, or `None` if no event
    /// matters.
    fn read_events(&self) -> Option<Duration> {
        let immediate = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_Q_OVERFLOW
            | AddWatchFlags::IN_UNMOUNT
            | AddWatchFlags::IN_IGNORED;
        let events = self.inotify.read_events().unwrap_or_default();
        let pauses = events.into_iter().filter_map(|event| {
            let is_of_folder = event.name.is_none();
            let matters = is_of_folder && !event.mask.contains(AddWatchFlags::IN_ATTRIB)
                || self.watched.iter().any(|(descriptor, name)| {
                    *descriptor == event.wd && Some(name) == event.name.as_ref()
                });
            let pause = if event.mask.intersects(immediate) { Duration::ZERO } else { GRACE };
            matters.then_some(pause)
        });
        pauses.min()
    }
}

/// Returns the folders on the path to a file, each with the name of the next step. Symbolic links
/// are both listed and followed.
fn path_steps(file: &Path) -> BTreeSet<(PathBuf, OsString)> {
    let mut steps = BTreeSet::new();
    let mut add = |path: &Path| {
        for step in path.ancestors() {
            if let (Some(folder), Some(name)) = (step.parent(), step.file_name()) {
                steps.insert((folder.to_owned(), name.to_owned()));
            }
        }
    };
    add(file);
    for step in file.ancestors() {
        // The target of a link may be a link itself, or be replaced.
        if let (Ok(link), Some(folder)) = (fs::read_link(step), step.parent()) {
            add(&folder.join(link));
        }
    }
    if let Some(real) = file.parent().and_then(|folder| fs::canonicalize(folder).ok()) {
        add(&real.join(file.file_name().unwrap_or_default()));
    }
    steps
}
