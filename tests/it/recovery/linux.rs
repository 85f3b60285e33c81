// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only Linux has: interfaces in network namespaces, and a kernel that tells wrongly
//! of a process.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use antrea_cni_agent::{Api, Options};
use antrea_cni_test_support::{Answer, Call, copy_program, eventually};
use serde_json::{Value, json};

use super::Node;
use crate::agent_process::AgentProcess;

/// A network namespace of its own, which goes with it.
struct Netns(String);

impl Netns {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let netns = Self(format!("antrea-cni-test-{}-{number}", std::process::id()));
        netns.ip(&["netns", "add", &netns.0]);
        netns
    }

    fn path(&self) -> String {
        format!("/var/run/netns/{}", self.0)
    }

    fn links(&self) -> Vec<String> {
        let shown = self.ip(&["-n", &self.0, "-o", "link", "show"]);
        let name =
            |line: &str| line.split([' ', '@']).nth(1).unwrap().trim_end_matches(':').to_owned();
        shown.lines().map(name).filter(|name| name != "lo").collect()
    }

    fn ip(&self, arguments: &[&str]) -> String {
        let output = Command::new("ip").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// Starts an ADD whose agent dies with the interface half made, and gives the answer
/// of the plugin when the next agent is there.
fn half_made(netns: &Netns, prev_result: bool) -> (Node, Answer) {
    let (node, answer, _) = Dying { prev_result, ..Dying::default() }.run(&netns.path(), |_, _| ());
    (node, answer)
}

/// An ADD whose agent dies, and what is special about it.
struct Dying {
    prev_result: bool,
    /// The configuration's `type`, and what else it has
    plugin: &'static str,
    /// What the first agent does
    script: Value,
    /// What the second one does
    next: Value,
    /// A program that starts the plugin
    under: Vec<String>,
}

impl Default for Dying {
    fn default() -> Self {
        Self {
            prev_result: false,
            plugin: r#""type":"antrea""#,
            script: json!({"ADD": {"die": "halfMade"}}),
            next: json!({}),
            under: Vec::new(),
        }
    }
}

impl Dying {
    /// Runs the ADD. When its first agent is dead, `between` is done; then the next comes.
    fn run(self, netns: &str, between: impl FnOnce(&Node, u32)) -> (Node, Answer, Vec<String>) {
        let node = Node::new();
        let agent = |script: Value| {
            let options = Options {
                state: Some(node.place.path("state")),
                script: serde_json::from_value(script).unwrap(),
                links: true,
                ..Options::new(node.place.socket(), &[Api::V1BETA1])
            };
            AgentProcess::start(&options, &node.journal())
        };
        let mut first = agent(self.script);
        let settings = json!({"waitForAgentSeconds": 20});
        let configuration = node.place.configuration("1.0.0", settings);
        let mut configuration = configuration.replace(r#""type":"antrea""#, self.plugin);
        if self.prev_result {
            let chained = r#"{"prevResult":{"cniVersion":"1.0.0"},"#;
            configuration = configuration.replacen('{', chained, 1);
        }
        let mut call = Call::new("ADD", configuration).env("CNI_NETNS", netns);
        let own = nix::unistd::geteuid().is_root() && !self.under.is_empty();
        if own {
            call = call.env("CNI_NETNS_OVERRIDE", "1");
        }
        let plugin = antrea_cni_test_support::plugin();
        let mut words = self.under.clone();
        words.push(plugin.to_str().unwrap().to_owned());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .envs(&call.env)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let running = call.start_as(command);
        eventually("the agent died", || first.has_ended());
        between(&node, running.child.id());
        let second = agent(self.next);
        eventually("the plugin is done", || running.has_ended());
        let answer = running.wait();
        let asked = node.asked(&second);
        (node, answer, asked)
    }
}

#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn an_interface_that_a_dead_agent_left_half_made_is_removed() {
    let netns = Netns::new();
    // Neighbours, one of which goes by the name as a second one.
    netns.ip(&["-n", &netns.0, "link", "add", "eth1", "type", "veth", "peer", "name", "eth2"]);
    let (_, answer) = half_made(&netns, false);
    assert_eq!(answer.exit(), 0, "{answer:?}");
    let mut links = netns.links();
    links.sort();
    assert_eq!(links, ["eth0", "eth0-peer", "eth1", "eth2"]);
}

#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn an_interface_of_another_plugin_is_left_alone() {
    let netns = Netns::new();
    let (_, answer) = half_made(&netns, true);
    assert_eq!(answer.code(), 102, "{answer:?}");
    assert_eq!(netns.links(), ["eth0-peer", "eth0"]);
}

/// The kinds of configurations under which the interface is another plugin's.
#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn as_an_ipam_plugin_it_removes_no_link() {
    for kind in ["veth", "bridge"] {
        for plugin in [
            r#""type":"host-device","ipamOf":{"type":"antrea"}"#,
            r#""type":"macvlan","TYPE":"bridge""#,
            r#""Type":"antrea","type":"ptp""#,
        ] {
            let netns = Netns::new();
            netns.ip(&["-n", &netns.0, "link", "add", "eth0", "type", kind]);
            let dying =
                Dying { plugin, script: json!({"ADD": {"die": "before"}}), ..Dying::default() };
            let (_, answer, asked) = dying.run(&netns.path(), |_, _| ());
            // It is still undone and done again; the interface is in the next agent's way here.
            assert_eq!(answer.code(), 102, "{answer:?}");
            assert_eq!(asked, ["CmdAdd", "CmdDel", "CmdAdd"]);
            assert!(netns.links().contains(&"eth0".to_owned()), "{kind} {plugin}");
        }
    }
}

#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn only_a_veth_of_that_very_name_is_removed() {
    let dies = || Dying { script: json!({"ADD": {"die": "before"}}), ..Dying::default() };
    let netns = Netns::new();
    netns.ip(&["-n", &netns.0, "link", "add", "eth0", "type", "bridge"]);
    assert_eq!(dies().run(&netns.path(), |_, _| ()).1.code(), 102);
    assert_eq!(netns.links(), ["eth0"]);

    let netns = Netns::new();
    netns.ip(&["-n", &netns.0, "link", "add", "other", "type", "veth", "peer", "name", "peer"]);
    netns.ip(&["-n", &netns.0, "link", "property", "add", "dev", "other", "altname", "eth0"]);
    dies().run(&netns.path(), |_, _| ());
    assert!(netns.links().contains(&"other".to_owned()));
}

/// The number of a process is given to another one, and its namespace is another Pod's.
#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn a_path_that_leads_to_another_namespace_by_then_is_left_alone() {
    let (ours, others) = (Netns::new(), Netns::new());
    others.ip(&["-n", &others.0, "link", "add", "eth0", "type", "veth", "peer", "name", "p"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netns");
    std::os::unix::fs::symlink(ours.path(), &path).unwrap();
    // The next agent makes none: what is there was not removed and made anew.
    let next = json!({"ADD": {"error": {"code": 103}}});
    let dying = Dying { next: next.clone(), ..Dying::default() };
    let (_, answer, asked) = dying.run(path.to_str().unwrap(), |_, _| {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(others.path(), &path).unwrap();
    });
    assert_eq!(answer.code(), 103, "{answer:?}");
    assert_eq!(asked, ["CmdAdd", "CmdDel", "CmdAdd"]);
    assert!(others.links().contains(&"eth0".to_owned()));

    // A FIFO has nobody at its other end.
    let ours = Netns::new();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(ours.path(), &path).unwrap();
    // The next agent does not look at it.
    let dying = Dying { next, ..Dying::default() };
    let (_, answer, _) = dying.run(path.to_str().unwrap(), |_, _| {
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    });
    assert_eq!(answer.code(), 103, "{answer:?}");
}

#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn no_link_is_removed_after_a_del_that_failed() {
    let netns = Netns::new();
    let next = json!({"DEL": {"error": {"code": 101, "message": "no"}}});
    let (_, answer, asked) = Dying { next, ..Dying::default() }.run(&netns.path(), |_, _| ());
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert_eq!(asked, ["CmdAdd", "CmdDel"]);
    assert!(netns.links().contains(&"eth0".to_owned()));
}

#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn no_link_of_the_plugins_own_namespace_is_removed() {
    let netns = Netns::new();
    let enter = ["ip", "netns", "exec", &netns.0].map(str::to_owned).to_vec();
    // The next agent makes none: what is there was not removed and made anew.
    let next = json!({"ADD": {"error": {"code": 103}}});
    let dying = Dying { under: enter, next, ..Dying::default() };
    let (_, answer, asked) = dying.run(&netns.path(), |_, _| ());
    assert_eq!(answer.code(), 103, "{answer:?}");
    assert_eq!(asked, ["CmdAdd", "CmdDel", "CmdAdd"]);
    assert!(netns.links().contains(&"eth0".to_owned()));
}

/// The second ADD is sent from the plugin's own namespace again.
#[test]
#[ignore = "needs root and iproute2; make test-release runs it"]
fn the_plugin_comes_back_from_the_containers_namespace() {
    let netns = Netns::new();
    let next = json!({"ADD": {"delayMs": 1500}});
    let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
    let looked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&looked);
    let dying = Dying { next, ..Dying::default() };
    let (_, answer, _) = dying.run(&netns.path(), |node, pid| {
        let journal = node.journal();
        std::thread::spawn(move || {
            eventually("the second ADD came in", || {
                let text = std::fs::read_to_string(&journal).unwrap_or_default();
                text.matches("CmdAdd\",\"served\":true").count() >= 2
                    || text.lines().filter(|it| it.contains("v1beta1.Cni/CmdAdd")).count() >= 2
            });
            seen.lock().unwrap().push(std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap());
        });
    });
    assert_eq!(answer.exit(), 0, "{answer:?}");
    assert_eq!(*looked.lock().unwrap(), [ours]);
}

/// An agent that the kernel tells wrongly of, in Python: a child serves for a parent
/// that ended, or a thread for the first one. It cuts each call off, and lives.
const AGENT: &str = r#"
import ctypes, os, socket, sys, threading, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
def serve():
    print(flush=True)
    while True:
        connection, _ = listener.accept()
        if connection.recv(65536):
            with open(sys.argv[3], "a") as journal:
                journal.write("x")
            if sys.argv[2] == "handover":
                os.write(ended, b"x")
        connection.close()
if sys.argv[2] == "child":
    if os.fork():
        os._exit(0)
    serve()
if sys.argv[2] == "handover":
    # Who listened lives until the first call is cut off, and its child goes on.
    waits, ended = os.pipe()
    if os.fork():
        os.read(waits, 1)
        os._exit(0)
    serve()
if sys.argv[2] == "thread":
    threading.Thread(target=serve).start()
    ctypes.CDLL(None).pthread_exit(0)
serve()
"#;

/// How often a command is sent to such an agent, by a plugin that is started by a script
/// whose `$0` it is.
fn cut_off_by(command: &str, agent: &str, script: &str) -> usize {
    let node = Node::new();
    let journal = node.place.path("cuts");
    let mut running = Command::new("python3")
        .args(["-c", AGENT])
        .arg(node.place.socket())
        .arg(agent)
        .arg(&journal)
        .stdout(std::process::Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut serves = [0];
    std::io::Read::read_exact(running.stdout.as_mut().unwrap(), &mut serves).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(node.place.socket(), open).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(node.place.path(""), open).unwrap();
    let copy = node.place.path("antrea");
    copy_program(antrea_cni_test_support::plugin(), &copy);
    let call = node.place.call(command, "1.0.0");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", script])
        .arg(copy)
        .env_clear()
        .envs(&call.env)
        .env("PATH", "/usr/sbin:/usr/bin:/bin");
    let answer = call.run_as(shell);
    let group = nix::unistd::Pid::from_raw(running.id().cast_signed());
    let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    let _ = running.wait();
    assert_eq!(answer.code(), 11, "{command} {agent} {script}: {answer:?}");
    std::fs::read(journal).unwrap().len()
}

#[test]
#[ignore = "needs root, python3 and util-linux; make test-release runs it"]
fn a_living_agent_is_never_taken_for_dead() {
    let plainly = r#"exec "$0""#;
    let lxcfs = r#"unshare -m sh -c 'f=$(mktemp); echo "1.00 1.00" >$f; mount --bind $f /proc/uptime; exec "$0"' "$0""#;
    let proc_of_ours = r#"unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc; exec setpriv --reuid 65534 --clear-groups "$0"' "$0""#;
    let proc_of_others = r#"unshare -m sh -c 'unshare -p -f sh -c "mount -t proc proc /proc; sleep 0.2" & sleep 0.1; exec "$0"' "$0""#;
    for (agent, script) in [
        ("plain", plainly),
        ("child", plainly),
        ("handover", plainly),
        ("thread", plainly),
        ("plain", lxcfs),
        ("plain", proc_of_ours),
        ("plain", proc_of_others),
    ] {
        assert_eq!(cut_off_by("ADD", agent, script), 1, "{agent} {script}");
    }
}

/// Each may be another process, which the command ended: there is no telling them apart.
#[test]
#[ignore = "needs python3; make test-release runs it"]
fn a_child_that_serves_for_a_process_that_ended_is_not_asked_for_ever() {
    assert_eq!(cut_off_by("DEL", "child", r#"exec "$0""#), 3);
}
