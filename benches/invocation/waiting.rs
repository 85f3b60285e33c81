// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What plugins that wait for an agent cost, and how soon they notice it.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::measure::{Bench, percentile};

/// How many wait at once.
pub(crate) const COUNT: usize = 500;

/// How often one plugin is left waiting.
const TIMES: usize = 200;

/// How long idle plugins are looked at.
const IDLE: Duration = Duration::from_secs(20);

/// Plugins that wait.
pub(crate) struct Waiting {
    /// CPU time of [`COUNT`] in percent of a core, while the socket is missing
    pub(crate) missing: f64,
    /// And while nobody listens on it
    pub(crate) refused: f64,
    /// From a socket that is listened on to a connection, in ms: p50 and p99
    pub(crate) noticed_ms: [f64; 2],
    /// From a socket that is there until the last of [`COUNT`] has ended, median of five
    pub(crate) herd_ms: f64,
    /// That they failed
    pub(crate) failed: usize,
}

impl Bench {
    pub(crate) fn waiting(&self) -> Waiting {
        let socket = self.path("waited.sock");
        let [missing, refused] = [false, true].map(|is_refused| {
            if is_refused {
                drop(UnixListener::bind(&socket).unwrap());
            }
            let mut waiting = self.start(&socket, COUNT);
            sleep(Duration::from_secs(3));
            let (started, before) = (Instant::now(), cpu(&waiting));
            sleep(IDLE);
            let share = (cpu(&waiting) - before).as_secs_f64() / started.elapsed().as_secs_f64();
            end(&mut waiting);
            share * 100.0
        });
        fs::remove_file(&socket).unwrap();
        let noticed: Vec<_> = (0..TIMES).map(|_| self.notice(&socket)).collect();

        let mut failed = 0;
        let herds = [(); 5].map(|()| {
            let mut waiting = self.start(&socket, COUNT);
            sleep(Duration::from_secs(3));
            let started = Instant::now();
            fs::rename(self.path("v1.sock"), &socket).unwrap();
            let ends = waiting.iter_mut().map(|it| it.wait().unwrap());
            failed += ends.filter(|it| !it.success()).count();
            let took = started.elapsed().as_secs_f64() * 1e3;
            fs::rename(&socket, self.path("v1.sock")).unwrap();
            took
        });
        let herd_ms = percentile(&herds, 50);
        let noticed_ms = [percentile(&noticed, 50), percentile(&noticed, 99)];
        Waiting { missing, refused, noticed_ms, herd_ms, failed }
    }

    fn start(&self, socket: &str, count: usize) -> Vec<Child> {
        let configuration = format!(
            r#"{{"antreaCni":{{"socket":{socket:?},"waitForAgentSeconds":60}},"cniVersion":"0.3.0","name":"antrea","type":"antrea"}}"#
        );
        let file = self.path("waiting.json");
        fs::write(&file, configuration).unwrap();
        let start = |index: usize| {
            Command::new(self.path("plugin"))
                .env_clear()
                .env("CNI_COMMAND", "ADD")
                .env("CNI_CONTAINERID", format!("c{index}"))
                .env("CNI_NETNS", self.path("netns"))
                .env("CNI_IFNAME", "eth0")
                .env("CNI_PATH", "/opt/cni/bin")
                .stdin(fs::File::open(&file).unwrap())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        (0..count).map(start).collect()
    }

    /// How soon one plugin connects to a socket that comes.
    fn notice(&self, socket: &str) -> f64 {
        let mut waiting = self.start(socket, 1);
        sleep(Duration::from_millis(100));
        let listener = UnixListener::bind(socket).unwrap();
        let started = Instant::now();
        let connection = listener.accept().unwrap();
        let noticed = started.elapsed().as_secs_f64() * 1e3;
        end(&mut waiting);
        drop(connection);
        fs::remove_file(socket).unwrap();
        noticed
    }
}

fn end(plugins: &mut [Child]) {
    for child in plugins {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// CPU time of all of them.
fn cpu(plugins: &[Child]) -> Duration {
    let of = |child: &Child| -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", child.id())).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    Duration::from_nanos(plugins.iter().map(of).sum())
}
