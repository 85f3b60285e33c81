// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Running and measuring.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use antrea_cni_agent::servable;
use tempfile::TempDir;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/invocation");
const RELEASE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/dist-build/x86_64-unknown-linux-musl/release/antrea-cni"
);

/// How many ADDs at once.
pub(crate) const BURSTS: [usize; 4] = [1, 10, 100, 500];

/// The generations of the agent, newest first: a name and the package that it serves.
pub(crate) static GENERATIONS: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| servable().iter().map(|api| (api.name, api.package)).collect());

/// What is measured, and where it runs.
pub(crate) struct Bench {
    folder: TempDir,
    agent: Child,
    /// Version of grpc-go in the agent
    pub(crate) grpc: String,
    /// Names and copies of the plugins, ours first
    plugins: Vec<(String, PathBuf)>,
    /// Size of our binary in bytes
    pub(crate) bytes: u64,
}

/// One process as the kernel saw it.
struct Sample {
    round: usize,
    program: usize,
    wall_ns: f64,
    cpu_us: f64,
    faults: f64,
    rss_kib: f64,
    exit: i32,
}

/// The rounds of one program.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) wall_ms: [f64; 2],
    pub(crate) cpu_ms: [f64; 2],
    pub(crate) faults: [f64; 2],
    pub(crate) rss_kib: [f64; 2],
    /// Wall time over that of the floor in the same round
    pub(crate) ratio: [f64; 2],
    pub(crate) failed: usize,
}

/// A burst of one program, the median of its repetitions.
pub(crate) struct Burst {
    pub(crate) name: String,
    pub(crate) count: usize,
    pub(crate) wall_ms: f64,
    pub(crate) slowest_ms: f64,
    pub(crate) rss_mib: f64,
    /// Wall time over that of the floor's burst just before
    pub(crate) ratio: f64,
    pub(crate) failed: usize,
}

impl Bench {
    pub(crate) fn new(plugin: Option<PathBuf>, peers: &[PathBuf]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        compile(
            "floor.c",
            &path("floor"),
            &["-Os", "-ffreestanding", "-nostdlib", "-Wl,--build-id=none"],
        );
        compile("runner.c", &path("runner"), &["-O2"]);
        let plugin = plugin.unwrap_or_else(|| RELEASE.into());
        assert!(
            plugin.exists(),
            "no {}: run `make release`, or name one with --plugin",
            plugin.display()
        );
        // Copies are alike in how the page cache holds them.
        let mut plugins = vec![("plugin".to_owned(), path("plugin"))];
        std::fs::copy(&plugin, path("plugin")).unwrap();
        for (index, peer) in peers.iter().enumerate() {
            let name = format!("peer{}", index + 1);
            std::fs::copy(peer, path(&name)).unwrap();
            plugins.push((name.clone(), path(&name)));
        }
        let (agent, grpc) = start_agent(folder.path());
        let bytes = std::fs::metadata(&plugin).unwrap().len();
        let bench = Self { folder, agent, grpc, plugins, bytes };
        for (generation, _) in GENERATIONS.iter() {
            bench.configuration(generation, "0.3.0", generation, "");
        }
        bench.configuration("status", "1.1.0", "v1", "");
        let log = format!(r#","logFile":"{}""#, bench.path("log"));
        bench.configuration("logging", "0.3.0", "v1", &log);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// What upstream's configuration looks like to a plugin.
    fn configuration(&self, name: &str, version: &str, generation: &str, more: &str) {
        let socket = self.path(&format!("{generation}.sock"));
        let text = format!(
            r#"{{"antreaCni":{{"socket":"{socket}"{more}}},"cniVersion":"{version}","ipam":{{"type":"host-local"}},"name":"antrea","type":"antrea"}}"#
        );
        std::fs::write(self.path(&format!("{name}.json")), text).unwrap();
    }

    fn block(&self, command: &str, configuration: &str, program: &[&str]) -> String {
        // A file that is there, as a network namespace is.
        let netns = self.path("netns");
        std::fs::write(&netns, "").unwrap();
        let mut lines = vec![self.path(&format!("{configuration}.json"))];
        for (name, value) in [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", "0f2e4d6c8ba1f2e4d6c8ba1f2e4d6c8ba10f2e4d6c8ba1f2e4d6c8ba1f2e4d6c"),
            ("CNI_NETNS", &netns),
            ("CNI_IFNAME", "eth0"),
            (
                "CNI_ARGS",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-7d4b9c6f5-x2x9k;K8S_POD_INFRA_CONTAINER_ID=0f2e4d6c8ba1f2e4d6c8ba1f2e4d6c8ba1;K8S_POD_UID=d688d570-0d1c-4a5b-8a1f-0e2d3c4b5a69",
            ),
            ("CNI_PATH", "/opt/cni/bin"),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ] {
            lines.push(format!("={name}={value}"));
        }
        lines.extend(program.iter().map(|word| (*word).to_owned()));
        lines.join("\n")
    }

    fn floor(&self, generation: usize) -> String {
        let (floor, socket) =
            (self.path("floor"), self.path(&format!("{}.sock", GENERATIONS[generation].0)));
        let mut words = vec![&*floor, &*socket];
        words.extend(GENERATIONS[..=generation].iter().map(|(_, package)| *package));
        self.block("ADD", GENERATIONS[generation].0, &words)
    }

    /// Each program once a round. The floor is the second row.
    pub(crate) fn rounds(&self, rounds: usize) -> Vec<Row> {
        let mut programs = vec![
            ("nothing".to_owned(), self.block("", "v1", &[&self.path("floor")])),
            ("floor, v1".to_owned(), self.floor(0)),
        ];
        for (index, (generation, _)) in GENERATIONS.iter().enumerate().skip(1) {
            programs.push((format!("floor, {generation}"), self.floor(index)));
        }
        for (name, plugin) in &self.plugins {
            let plugin = plugin.to_str().unwrap();
            let is_ours = name == "plugin";
            for (generation, _) in GENERATIONS.iter().filter(|(it, _)| is_ours || *it == "v1beta1")
            {
                programs.push((
                    format!("{name} ADD, {generation}"),
                    self.block("ADD", generation, &[plugin]),
                ));
            }
            programs
                .push((format!("{name} DEL, v1beta1"), self.block("DEL", "v1beta1", &[plugin])));
            if is_ours {
                let add = self.block("ADD", "logging", &[plugin]);
                programs.push((format!("{name} ADD, v1, logFile"), add));
                programs.push((format!("{name} DEL, v1"), self.block("DEL", "v1", &[plugin])));
                programs.push((
                    format!("{name} STATUS, v1"),
                    self.block("STATUS", "status", &[plugin]),
                ));
            }
            programs.push((format!("{name} VERSION"), self.block("VERSION", "status", &[plugin])));
        }
        let (names, blocks): (Vec<_>, Vec<_>) = programs.into_iter().unzip();
        let mut samples = vec![Vec::new(); names.len()];
        // The first rounds warm everything up.
        const WARM: usize = 20;
        for sample in self.run("rounds", rounds + WARM, &blocks) {
            if sample.round >= WARM {
                samples[sample.program].push(std::rc::Rc::new(sample));
            }
        }
        let floor: HashMap<_, _> = samples[1].iter().map(|it| (it.round, it.wall_ns)).collect();
        let row = |(name, samples): (String, &Vec<std::rc::Rc<Sample>>)| {
            let of = |value: &dyn Fn(&Sample) -> f64| {
                let values: Vec<_> = samples.iter().map(|it| value(it)).collect();
                [percentile(&values, 50), percentile(&values, 90)]
            };
            Row {
                name,
                wall_ms: of(&|it| it.wall_ns / 1e6),
                cpu_ms: of(&|it| it.cpu_us / 1e3),
                faults: of(&|it| it.faults),
                rss_kib: of(&|it| it.rss_kib),
                ratio: of(&|it| it.wall_ns / floor[&it.round]),
                failed: samples.iter().filter(|it| it.exit != 0).count(),
            }
        };
        names.into_iter().zip(&samples).map(row).collect()
    }

    /// Many ADDs at once, the floor's and the plugins' by turns.
    pub(crate) fn bursts(&self, times: usize) -> Vec<Burst> {
        let mut programs = vec![("floor".to_owned(), self.floor(0))];
        for (name, plugin) in &self.plugins {
            let generation = if name == "plugin" { "v1" } else { "v1beta1" };
            programs
                .push((name.clone(), self.block("ADD", generation, &[plugin.to_str().unwrap()])));
        }
        let mut bursts = Vec::new();
        for count in BURSTS {
            let mut seen = vec![Vec::new(); programs.len()];
            for _ in 0..times {
                for (index, (_, block)) in programs.iter().enumerate() {
                    let samples = self.run("burst", count, std::slice::from_ref(block));
                    let end = |it: &Sample| it.round as f64 / 1e3 + it.wall_ns / 1e6;
                    let wall = samples.iter().map(end).fold(0.0, f64::max);
                    let slowest = samples.iter().map(|it| it.wall_ns / 1e6).fold(0.0, f64::max);
                    let rss: f64 = samples.iter().map(|it| it.rss_kib / 1024.0).sum();
                    let failed = samples.iter().filter(|it| it.exit != 0).count();
                    seen[index].push((wall, slowest, rss, failed));
                }
            }
            let floor: Vec<f64> = seen[0].iter().map(|it| it.0).collect();
            for ((name, _), seen) in programs.iter().zip(&seen) {
                let median = |value: &dyn Fn(usize) -> f64| {
                    percentile(&(0..seen.len()).map(value).collect::<Vec<_>>(), 50)
                };
                bursts.push(Burst {
                    name: name.clone(),
                    count,
                    wall_ms: median(&|at| seen[at].0),
                    slowest_ms: median(&|at| seen[at].1),
                    rss_mib: median(&|at| seen[at].2),
                    ratio: median(&|at| seen[at].0 / floor[at]),
                    failed: seen.iter().map(|it| it.3).sum(),
                });
            }
        }
        bursts
    }

    fn run(&self, what: &str, times: usize, blocks: &[String]) -> Vec<Sample> {
        let file = self.path("programs");
        std::fs::write(&file, blocks.join("\n\n") + "\n").unwrap();
        let output = Command::new(self.path("runner"))
            .args([what, &times.to_string(), &file])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "runner: {text}");
        let samples: Vec<_> = text.lines().map(Sample::read).collect();
        assert_eq!(samples.len(), if what == "burst" { times } else { times * blocks.len() });
        samples
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

impl Sample {
    fn read(line: &str) -> Self {
        let fields: Vec<f64> = line.split(' ').map(|it| it.parse().expect("a number")).collect();
        let [round, program, wall_ns, cpu_us, faults, rss_kib, exit] = fields[..] else {
            panic!("{line}")
        };
        Self {
            round: round as usize,
            program: program as usize,
            wall_ns,
            cpu_us,
            faults,
            rss_kib,
            exit: exit as i32,
        }
    }
}

/// The smallest value that `percent` of all do not exceed.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

fn compile(source: &str, program: &Path, flags: &[&str]) {
    let status = Command::new("gcc")
        .args(["-Wall", "-static", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"])
        .args(flags)
        .arg("-o")
        .arg(program)
        .arg(format!("{SOURCES}/{source}"))
        .status();
    assert!(status.is_ok_and(|it| it.success()), "gcc cannot compile {source}: install gcc");
}

/// One process that serves each generation on a socket of its own.
fn start_agent(folder: &Path) -> (Child, String) {
    let program = folder.join("agent");
    let built = Command::new("go")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/go"))
        .env("CGO_ENABLED", "0")
        .args(["build", "-o"])
        .arg(&program)
        .arg("./agent")
        .status();
    assert!(built.is_ok_and(|it| it.success()), "the agent is in grpc-go: install Go");
    let mut command = Command::new(&program);
    for (index, (name, package)) in GENERATIONS.iter().enumerate() {
        command.arg(folder.join(format!("{name}.sock"))).arg(package);
        if index == 0 {
            command.arg("/dev/null");
        }
    }
    let mut agent = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut version = String::new();
    BufReader::new(agent.stdout.take().unwrap()).read_line(&mut version).unwrap();
    let listens =
        || GENERATIONS.iter().all(|(name, _)| folder.join(format!("{name}.sock")).exists());
    while !listens() {
        assert!(agent.try_wait().unwrap().is_none(), "the agent does not start");
        std::thread::yield_now();
    }
    (agent, version.trim().to_owned())
}
