//! Showing calls as they happen.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::event::Event;
use super::read::{is_standard_input, read};
use crate::cli::Follow;
use crate::commands::settings;
use crate::error::{Error, Exit};
use crate::output::{OutputFormat, line, say};
use crate::platform;

/// Between two looks at the file.
const PAUSE: Duration = Duration::from_millis(200);

/// The command `log show`: what there is, and the file before.
pub(crate) fn show(arguments: &Follow, out: &mut impl Write) -> Result<Exit, Error> {
    let path = match &arguments.file {
        Some(path) => path,
        None => &settings::log_file(&arguments.place)?,
    };
    each(path, |event| match arguments.output {
        _ if !arguments.filter.accepts(&event) => Ok(()),
        OutputFormat::Text => writeln!(out, "{event}").map_err(Error::Output),
        OutputFormat::Json => line(out, &event),
    })?;
    out.flush().map_err(Error::Output).map(|()| Exit::Success)
}

/// Hands each event of a log to `show`, until one cannot be shown.
fn each(path: &Path, mut show: impl FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
    let mut shown = Ok(());
    read(path, |event| {
        if shown.is_ok() {
            shown = show(event);
        }
    })?;
    shown
}

/// The command `log follow`: ends with a signal, or when nobody reads any more.
pub(crate) fn run(arguments: &Follow, out: &mut impl Write) -> Result<Exit, Error> {
    let mut show = |event: Event| match arguments.output {
        _ if !arguments.filter.accepts(&event) => Ok(()),
        OutputFormat::Text => say(out, event),
        OutputFormat::Json => line(out, &event).and_then(|()| out.flush().map_err(Error::Output)),
    };
    let path = match &arguments.file {
        Some(path) => path,
        None => &settings::log_file(&arguments.place)?,
    };
    if is_standard_input(path) {
        return each(path, show).map(|()| Exit::Success);
    }
    // The plugin makes it at the first call; the folder has to be there.
    let may_come = path.parent().is_some_and(Path::is_dir);
    while may_come && !path.exists() {
        sleep(PAUSE);
    }
    let mut log = Log::open(path)?;
    // Whoever asks for a time wants what is there already.
    if arguments.filter.since.is_none() {
        log.file.seek(SeekFrom::End(0)).map_err(Error::file("read", path))?;
    }
    loop {
        log.rest(path, &mut show)?;
        log.begin_anew_if_cut(path)?;
        if log.is_rotated(path) {
            // Lines that came between the last look and the rotation.
            log.rest(path, &mut show)?;
            log = Log::open(path)?;
        } else {
            sleep(PAUSE);
        }
    }
}

struct Log {
    file: BufReader<File>,
    identity: Option<(u64, u64)>,
    /// A line without its end
    line: Vec<u8>,
}

impl Log {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::file("read", path))?;
        let identity = platform::identity(&file).ok();
        Ok(Self { file: BufReader::new(file), identity, line: Vec::new() })
    }

    fn rest(
        &mut self,
        path: &Path,
        mut show: impl FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while self.file.read_until(b'\n', &mut self.line).map_err(Error::file("read", path))? > 0 {
            if !self.line.ends_with(b"\n") {
                break;
            }
            if let Some((event, _)) = Event::parse(&self.line) {
                show(event)?;
            }
            self.line.clear();
        }
        Ok(())
    }

    /// Reads from the beginning if the file is shorter than what was read, as logrotate's
    /// copytruncate leaves it.
    fn begin_anew_if_cut(&mut self, path: &Path) -> Result<(), Error> {
        let read = self.file.stream_position().map_err(Error::file("read", path))?;
        let there = self.file.get_ref().metadata().map_err(Error::file("read", path))?.len();
        if there < read {
            self.line.clear();
            self.file.seek(SeekFrom::Start(0)).map_err(Error::file("read", path))?;
        }
        Ok(())
    }

    /// Whether there is another file by now.
    fn is_rotated(&self, path: &Path) -> bool {
        let now = File::open(path).and_then(|file| platform::identity(&file));
        now.is_ok_and(|now| Some(now) != self.identity)
    }
}
