// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only Linux has: modes, links, devices, and files that are followed by their inode.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, UNIX_EPOCH};

use antrea_cni_agent::Api;
use antrea_cni_test_support::{Call, TestNode};
use serde_json::{Value, json};

use super::{lines, logging};

#[test]
fn nobody_else_reads_a_log() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    assert_eq!(logging(&place, "ADD", "1.1.0").run().exit(), 0);
    assert_eq!(fs::metadata(place.path("log")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_log_that_cannot_be_written_is_not_in_the_way() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let victim = place.path("victim");
    fs::write(&victim, "mine").unwrap();
    let log = place.path("log");
    let prepare: [(&str, &dyn Fn()); 5] = [
        ("a folder", &|| fs::create_dir(&log).unwrap()),
        ("a symbolic link", &|| symlink(&victim, &log).unwrap()),
        ("a hard link", &|| fs::hard_link(&victim, &log).unwrap()),
        ("a pipe without a reader", &|| {
            assert!(std::process::Command::new("mkfifo").arg(&log).status().unwrap().success());
        }),
        ("a full device", &|| symlink("/dev/full", &log).unwrap()),
    ];
    for (what, prepare) in prepare {
        prepare();
        assert_eq!(logging(&place, "DEL", "1.1.0").run().exit(), 0, "{what}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine", "{what}");
        if log.is_dir() { fs::remove_dir(&log).unwrap() } else { fs::remove_file(&log).unwrap() }
    }
    for path in ["/dev/full", "/proc/self/log", "/nowhere/log"] {
        let call = place.call_with("DEL", "1.1.0", json!({"logFile": path}));
        assert_eq!(call.run().exit(), 0, "{path}");
    }
}

/// More than 32 bits hold, of bytes and of seconds.
#[test]
fn a_log_of_five_gib_and_of_the_year_2100_becomes_the_old_one() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1BETA1]);
    let (log, old) = (place.path("log"), place.path("log.1"));
    let file = File::create(&log).unwrap();
    // Nothing is written, so it takes no room.
    file.set_len(5 << 30).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(130 * 365 * 86_400)).unwrap();
    assert_eq!(logging(&place, "ADD", "1.0.0").run().exit(), 0);
    assert_eq!(fs::metadata(&old).unwrap().len(), 5 << 30);
    assert_eq!(lines(&log).len(), 1);
}

/// Writes a line with the container `id`.
fn write_line(configuration: &str, id: &str) {
    // Refused before any agent is asked, and logged.
    let call =
        Call::new("ADD", "").env("CNI_CONTAINERID", id).env("CNI_NETNS", "/proc/self/ns/net");
    let environment = |name: &str| -> Option<OsString> { call.env.get(name).cloned() };
    assert!(!antrea_cni::run(&environment, &mut configuration.as_bytes()).success);
}

/// Keeps every file that there was, whatever it is called by now.
#[derive(Default)]
struct Collector(HashMap<u64, File>);

impl Collector {
    fn look(&mut self, log: &Path) {
        for path in [log.to_owned(), log.with_extension("1")] {
            if let Ok(file) = File::open(path) {
                self.0.entry(file.metadata().unwrap().ino()).or_insert(file);
            }
        }
    }

    fn events(self) -> Vec<Value> {
        let mut events = Vec::new();
        for mut file in self.0.into_values() {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert!(text.ends_with('\n'));
            events.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
        events
    }
}

/// Eight writers, ten thousand lines each, and a rotation every 10 MiB. The
/// phases are short enough for one rotation at most, so that the collector
/// sees every file.
#[test]
fn no_line_of_eight_writers_is_lost_or_torn() {
    const WRITERS: usize = 8;
    const PHASES: usize = 8;
    const LINES_A_PHASE: usize = 1250;
    let place = TestNode::new();
    let log = place.path("log");
    let configuration = place.configuration("1.1.0", json!({"logFile": log}));
    let (barrier, mut collector) = (Barrier::new(WRITERS + 1), Collector::default());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (configuration, barrier) = (&configuration, &barrier);
            scope.spawn(move || {
                for line in 0..PHASES * LINES_A_PHASE {
                    if line % LINES_A_PHASE == 0 {
                        barrier.wait();
                        barrier.wait();
                    }
                    write_line(configuration, &format!("w{writer}-{line}"));
                }
                barrier.wait();
                barrier.wait();
            });
        }
        for _ in 0..=PHASES {
            barrier.wait();
            collector.look(&log);
            barrier.wait();
        }
    });
    assert!(collector.0.len() > 2, "no rotation");
    let mut seen = BTreeMap::<String, usize>::new();
    for event in collector.events() {
        *seen.entry(event["container"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(seen.len(), WRITERS * PHASES * LINES_A_PHASE);
    assert!(seen.values().all(|times| *times == 1));
}

/// Between its opening and the write a file may be rotated away twice, and then nobody sees
/// what is in it.
#[test]
fn no_line_is_lost_in_a_file_that_is_gone_by_then() {
    const WRITERS: usize = 4;
    const LINES: usize = 2500;
    let place = TestNode::new();
    let log = place.path("log");
    let configuration = place.configuration("1.1.0", json!({"logFile": log}));
    let mut seen = BTreeSet::new();
    let mut look = |file: &mut File| {
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        // A line that is being written has no end yet. Its writer sees that the file is gone.
        for line in text.split_inclusive('\n').filter(|it| it.ends_with('\n')) {
            let event: Value = serde_json::from_str(line).unwrap();
            seen.insert(event["container"].as_str().unwrap().to_owned());
        }
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let configuration = &configuration;
                scope.spawn(move || {
                    (0..LINES).for_each(|it| write_line(configuration, &format!("w{writer}-{it}")));
                })
            })
            .collect();
        while writers.iter().any(|it| !it.is_finished()) {
            if let Ok(mut file) = File::open(&log) {
                fs::remove_file(&log).unwrap();
                look(&mut file);
            }
        }
    });
    if let Ok(mut file) = File::open(&log) {
        look(&mut file);
    }
    assert_eq!(seen.len(), WRITERS * LINES);
}
