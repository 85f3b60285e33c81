//! The log file: what a line says, and that no line is lost, torn or in the
//! way.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, UNIX_EPOCH};

use antrea_cni_agent::{Api, Options};
use serde_json::{Value, json};

use antrea_cni_test_support::{Call, TestNode};

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logging(place: &TestNode, command: &str, cni_version: &str) -> Call {
    logging_with(place, command, cni_version, json!({}))
}

fn logging_with(place: &TestNode, command: &str, cni_version: &str, mut settings: Value) -> Call {
    settings["logFile"] = place.path("log").to_str().into();
    settings["waitForAgentSeconds"] = 0.into();
    place.call_with(command, cni_version, settings)
}

#[test]
fn a_call_is_one_line_that_says_what_happened() {
    let place = TestNode::new();
    let options = Options {
        cni_versions: ["0.3.0", "0.4.0"].map(str::to_owned).to_vec(),
        ..Options::new(place.socket(), &[Api::V1BETA1])
    };
    let _agent = antrea_cni_agent::Agent::start(options).unwrap();
    let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=d688d570";
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = logging(&place, "ADD", "1.0.0").env("CNI_ARGS", args).env("TRACEPARENT", parent);
    assert_eq!(call.run().exit(), 0);
    assert_eq!(fs::metadata(place.path("log")).unwrap().permissions().mode() & 0o777, 0o600);

    let mut events = lines(&place.path("log"));
    assert_eq!(events.len(), 1);
    let event = &mut events[0];
    let time = event["time"].take();
    assert!(time.as_str().unwrap().ends_with('Z') && time.as_str().unwrap().len() == 27, "{time}");
    assert!(event["milliseconds"].take().as_f64().unwrap() > 0.0);
    let newer_than_v1 = Api::ALL.iter().take_while(|api| **api != Api::V1).count();
    event["tried"].as_array_mut().unwrap().drain(..newer_than_v1);
    for tried in event["tried"].as_array_mut().unwrap() {
        assert!(tried["milliseconds"].take().as_f64().unwrap() > 0.0);
    }
    let v1beta1 = "antrea_io.antrea.pkg.apis.cni.v1beta1";
    let status = "Unimplemented: unknown service antrea_io.antrea.pkg.apis.cni.v1.Cni";
    assert_eq!(
        *event,
        json!({
            "version": env!("CARGO_PKG_VERSION"), "time": null, "milliseconds": null,
            "command": "ADD", "container": "c0ffee", "podNamespace": "shop", "podName": "web-0",
            "podUid": "d688d570", "interface": "eth0", "netns": place.netns(),
            "cniVersion": "1.0.0", "socket": place.socket(), "attempts": 1, "code": 0,
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "tried": [
                {"attempt": 1, "command": "ADD", "api": "antrea_io.antrea.pkg.apis.cni.v1",
                 "cniVersion": "1.0.0", "status": status, "milliseconds": null},
                {"attempt": 1, "command": "ADD", "api": v1beta1, "cniVersion": "1.0.0", "code": 1,
                 "milliseconds": null},
                {"attempt": 1, "command": "ADD", "api": v1beta1, "cniVersion": "0.4.0", "code": 0,
                 "milliseconds": null},
            ],
        })
    );
}

#[test]
fn failures_are_logged_with_the_code_that_the_runtime_saw() {
    let place = TestNode::new();
    let own = logging(&place, "ADD", "1.1.0").env("CNI_NETNS", "/proc/self/ns/net").run();
    assert_eq!(own.code(), 8);
    assert_eq!(logging(&place, "ADD", "1.1.0").run().code(), 11);
    assert_eq!(logging(&place, "STATUS", "1.1.0").run().code(), 50);
    let agent = place.scripted(
        &[Api::V1],
        json!({"ADD": {"hang": true}, "DEL": {"error": {"code": 103, "message": "no"}}}),
    );
    let hang = logging_with(&place, "ADD", "1.1.0", json!({"addTimeoutSeconds": 35})).spawn();
    assert_eq!(logging(&place, "DEL", "1.1.0").run().code(), 103);
    drop(agent);
    assert_eq!(hang.wait().code(), 11);
    let codes: Vec<_> =
        lines(&place.path("log")).iter().map(|e| e["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [8, 11, 50, 103, 11]);
}

#[test]
fn a_success_without_an_agent_says_so() {
    let place = TestNode::new();
    logging(&place, "DEL", "1.1.0").env("CNI_NETNS", "").run().assert_silent_success();
    let _agent = place.agent(&[Api::V1BETA1]);
    logging(&place, "GC", "1.1.0").run().assert_silent_success();
    logging(&place, "STATUS", "1.1.0").run().assert_silent_success();
    logging(&place, "DEL", "1.1.0").run().assert_silent_success();
    let notes: Vec<_> = lines(&place.path("log")).iter().map(|e| e["note"].to_string()).collect();
    assert!(notes[0].contains("no agent was reached"), "{notes:?}");
    assert!(notes[1].contains("nothing was done"), "{notes:?}");
    assert!(notes[2].contains("has no STATUS"), "{notes:?}");
    assert_eq!(notes[3], "null");
}

#[test]
fn level_error_leaves_successes_out() {
    let place = TestNode::new();
    let quiet = |command| logging_with(&place, command, "1.1.0", json!({"logLevel": "error"}));
    assert_eq!(quiet("CHECK").run().code(), 11);
    let _agent = place.agent(&[Api::V1]);
    assert_eq!(quiet("ADD").run().exit(), 0);
    assert_eq!(lines(&place.path("log")).len(), 1);
}

#[test]
fn the_configuration_and_the_environment_stay_out() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let call = logging(&place, "ADD", "1.1.0")
        .env("CNI_ARGS", "IgnoreUnknown=1;TOKEN=hush;K8S_POD_NAME=p")
        .env("SECRET", "hush");
    assert_eq!(call.run().exit(), 0);
    let text = fs::read_to_string(place.path("log")).unwrap();
    assert!(
        !text.contains("hush") && !text.contains("ipam") && !text.contains("/opt/cni"),
        "{text}"
    );
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

#[test]
fn a_full_log_becomes_the_old_one() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let (log, old) = (place.path("log"), place.path("log.1"));
    let full = "x".repeat(usize::try_from(antrea_cni::log::MAX_BYTES).unwrap() - 10);
    fs::write(&old, "oldest").unwrap();
    fs::write(&log, &full).unwrap();
    assert_eq!(logging(&place, "ADD", "1.1.0").run().exit(), 0);
    assert_eq!(fs::metadata(&old).unwrap().len(), full.len() as u64);
    assert_eq!(lines(&log).len(), 1);
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
                    let id = format!("w{writer}-{line}");
                    // Refused before any agent is asked, and logged.
                    let call = Call::new("ADD", "")
                        .env("CNI_CONTAINERID", &id)
                        .env("CNI_NETNS", "/proc/self/ns/net");
                    let environment =
                        |name: &str| -> Option<OsString> { call.env.get(name).cloned() };
                    assert!(!antrea_cni::run(&environment, &mut configuration.as_bytes()).success);
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

#[test]
fn a_folder_where_the_old_log_should_be_does_not_end_the_log() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let full = "x".repeat(usize::try_from(antrea_cni::log::MAX_BYTES).unwrap() - 10);
    fs::write(place.path("log"), full).unwrap();
    fs::create_dir(place.path("log.1")).unwrap();
    logging(&place, "DEL", "1.1.0").run().assert_silent_success();
    let events = lines(&place.path("log"));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["command"], "DEL");
}
