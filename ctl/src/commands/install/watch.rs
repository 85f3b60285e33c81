//! Being told when something happens to a file, or to a folder on the way to it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How long whoever creates or removes a file has for what follows, such as writing it.
const GRACE: Duration = Duration::from_millis(20);

/// Tells of changes to some files by inotify, and of mounts. Where there is no inotify,
/// it says every `interval` that there may have been one.
pub(super) struct Watch {
    files: Vec<PathBuf>,
    interval: Duration,
    events: Option<Arc<Events>>,
}

struct Events {
    inotify: Inotify,
    /// Readable with priority when something was mounted or unmounted
    mounts: Option<File>,
    /// What is watched, and the names that matter there
    watched: Vec<(WatchDescriptor, OsString)>,
}

impl Watch {
    /// Begins to watch; what happens from now on is told.
    pub(super) fn new(files: Vec<PathBuf>, interval: Duration) -> Self {
        let events = Events::new(&files).map(Arc::new);
        Self { files, interval, events }
    }

    /// Until something may have changed, or this long. Then the folders that the paths
    /// lead to by now are watched.
    pub(super) async fn changed(&mut self, limit: Option<Duration>) {
        let pause = match &self.events {
            Some(events) => {
                let events = Arc::clone(events);
                // A thread of its own, as it sleeps in the kernel.
                spawn_blocking(move || events.wait(limit)).await.unwrap_or(self.interval)
            }
            None => limit.unwrap_or(self.interval),
        };
        sleep(pause).await;
        self.events = Events::new(&self.files).map(Arc::new);
    }
}

impl Events {
    /// `None` where the system has no inotify, or none left.
    fn new(files: &[PathBuf]) -> Option<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok()?;
        let mut watched = Vec::new();
        for (folder, name) in files.iter().flat_map(|file| ways(file)) {
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
                // The folder above it tells when it comes.
                Err(_) => (),
            }
        }
        Some(Self { inotify, mounts: File::open("/proc/self/mountinfo").ok(), watched })
    }

    /// Waits for an event that matters, and says how long to wait for what follows it.
    fn wait(&self, limit: Option<Duration>) -> Duration {
        // Events of other files do not make it longer.
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            let timeout = end.map_or(PollTimeout::NONE, |end| {
                // Rounded up: a poll of 0 ms would come back at once.
                let left = end.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            });
            let mut files = vec![PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
            files.extend(self.mounts.iter().map(|it| PollFd::new(it.as_fd(), PollFlags::POLLPRI)));
            match poll(&mut files, timeout) {
                Ok(0) => return Duration::ZERO,
                Ok(_) => (),
                Err(Errno::EINTR) => continue,
                Err(_) => return GRACE,
            }
            let is_mount = files.get(1).is_some_and(|it| it.any().unwrap_or_default());
            match self.read() {
                Some(pause) => return pause,
                None if is_mount => return Duration::ZERO,
                // Of other files.
                None => (),
            }
        }
    }

    /// What happened: how long to wait for what follows; `None` if it does not matter.
    fn read(&self) -> Option<Duration> {
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

/// The folders on the way to a file, each with the name in it that leads on; both as the
/// path says it and as links lead it.
fn ways(file: &Path) -> BTreeSet<(PathBuf, OsString)> {
    let mut ways = BTreeSet::new();
    let mut add = |path: &Path| {
        for step in path.ancestors() {
            if let (Some(folder), Some(name)) = (step.parent(), step.file_name()) {
                ways.insert((folder.to_owned(), name.to_owned()));
            }
        }
    };
    add(file);
    for step in file.ancestors() {
        // What a link names may be a link, or be replaced.
        if let (Ok(link), Some(folder)) = (fs::read_link(step), step.parent()) {
            add(&folder.join(link));
        }
    }
    if let Some(real) = file.parent().and_then(|folder| fs::canonicalize(folder).ok()) {
        add(&real.join(file.file_name().unwrap_or_default()));
    }
    ways
}
