// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `bundle`: collects in one archive what a maintainer asks for, without what looks like a
//! secret.

mod secrets;

use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use tar::{Builder, EntryType, Header};

use crate::cli::{Agent, Bundle, CheckConfig, Filter, Follow, Owed, Place, Probe, Status};
use crate::commands::{check_config, install, log, owed, probe, settings, status};
use crate::error::{Error, Exit};
use crate::output::OutputFormat;
use crate::{conflist, files, output};

/// Most bytes of the log, counted from its end.
const MAX_LOG: usize = 2 << 20;

/// Number of commands whose answers are in the archive. Each may take as long as its command.
pub const ANSWERS: u32 = 6;

/// Format of the answers in the archive.
const JSON: OutputFormat = OutputFormat::Json;

pub(crate) fn run(arguments: &Bundle, out: &mut impl Write) -> Result<Exit, Error> {
    let (archive, problems) = collect(&arguments.place)?;
    if arguments.file == Path::new("-") {
        // `out` leaves out what looks like a style, which an archive may contain.
        io::stdout().lock().write_all(&archive).map_err(Error::Output)?;
        return Ok(Exit::Success);
    }
    files::write_answer(&arguments.file, &archive, 0o600)?;
    problems.iter().for_each(output::warn);
    output::say(out, format!("{}: {} bytes", arguments.file.display(), archive.len()))?;
    Ok(Exit::Success)
}

/// Returns the archive, and what could not be collected.
fn collect(place: &Place) -> Result<(Vec<u8>, Vec<String>), Error> {
    let mut archive = Archive { tar: Builder::new(Vec::new()), problems: Vec::new() };
    let version = format!("{} {}\n", env!("CARGO_PKG_VERSION"), install::embedded());
    archive.add("version.txt", version.as_bytes())?;
    let status = Status { place: place.clone(), output: JSON };
    archive.answer("status.json", |out| status::run(&status, out))?;
    archive.answer("settings.json", |out| settings::run(&status, out))?;
    let agent = || Agent { socket: None, place: place.clone() };
    let probe = Probe { agent: agent(), timeout: probe::TIMEOUT, output: JSON };
    archive.answer("probe.json", |out| probe::run(&probe, out))?;
    let owed = Owed { agent: agent(), drop: false, output: JSON };
    archive.answer("owed.json", |out| owed::run(&owed, out))?;
    let check = CheckConfig { files: Vec::new(), place: place.clone(), output: JSON };
    archive.answer("check-config.json", |out| check_config::run(&check, out))?;
    for path in conflist::files(&place.conf_dir()) {
        archive.network_configuration(&path)?;
    }
    let all = Follow {
        place: place.clone(),
        filter: Filter::default(),
        file: None,
        output: JSON,
        until_stdin_ends: false,
    };
    archive.answer("antrea-cni.log", |out| log::follow::show(&all, out))?;
    archive.finish()
}

/// Adds a file to an archive, which its owner alone may read.
///
/// # Errors
/// The archive cannot be written, or the name is absolute or leads out of it.
pub fn append_file(tar: &mut Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    header.set_mtime(now.as_secs());
    tar.append_data(&mut header, name, bytes)
}

/// Holds an archive that is being written.
struct Archive {
    tar: Builder<Vec<u8>>,
    problems: Vec<String>,
}

impl Archive {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        append_file(&mut self.tar, name, bytes).map_err(Error::Output)
    }

    /// Adds the answer of a command. A command without an answer is a problem, not an error,
    /// because a bundle is collected where something does not work.
    fn answer(
        &mut self,
        name: &str,
        run: impl FnOnce(&mut Vec<u8>) -> Result<Exit, Error>,
    ) -> Result<(), Error> {
        let mut answer = Vec::new();
        if let Err(error) = run(&mut answer) {
            self.problems.push(format!("{name}: {error}"));
        }
        let answer = secrets::leave_out_of_answer(&String::from_utf8_lossy(last_lines(&answer)));
        self.add(name, answer.as_bytes())
    }

    /// Adds a network configuration. What is not JSON is not one: it may be a kubeconfig.
    fn network_configuration(&mut self, path: &Path) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = match files::read_regular(path) {
            Ok(bytes) => secrets::leave_out_of_json(&String::from_utf8_lossy(&bytes)),
            Err(error) => {
                self.problems.push(format!("net.d/{name}: {error}"));
                return Ok(());
            }
        };
        match text {
            Some(text) => self.add(&format!("net.d/{name}"), text.as_bytes()),
            None => {
                self.problems.push(format!("net.d/{name}: it is not JSON, so it was left out"));
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<(Vec<u8>, Vec<String>), Error> {
        let problems: String = self.problems.iter().map(|it| format!("{it}\n")).collect();
        let problems = secrets::leave_out_of_text(&problems);
        self.add("problems.txt", problems.as_bytes())?;
        let archive = self.tar.into_inner().map_err(Error::Output)?;
        Ok((archive, self.problems))
    }
}

/// Returns the last whole lines that have [`MAX_LOG`] bytes at most.
fn last_lines(text: &[u8]) -> &[u8] {
    let Some(start) = text.len().checked_sub(MAX_LOG) else { return text };
    let tail = text.get(start..).unwrap_or_default();
    let end_of_line = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |at| at + 1);
    tail.get(end_of_line..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_last_whole_lines() {
        assert_eq!(last_lines(b"a\nb\n"), b"a\nb\n");
        let long = [vec![b'x'; MAX_LOG], b"\nlast\n".to_vec()].concat();
        assert_eq!(last_lines(&long), b"last\n");
        assert_eq!(last_lines(&vec![b'x'; MAX_LOG + 1]), b"");
    }
}
