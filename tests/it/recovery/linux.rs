//! What only Linux has: interfaces in network namespaces, and a kernel that tells wrongly
//! of a process.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use antrea_cni_agent::{Api, Options};
use antrea_cni_test_support::{Answer, Call, eventually};
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
    let mut first = agent(json!({"ADD": {"die": "halfMade"}}));
    let settings = json!({"waitForAgentSeconds": 20});
    let mut call = node.place.call_with("ADD", "1.0.0", settings.clone());
    if prev_result {
        let configuration = node.place.configuration("1.0.0", settings);
        let chained = configuration.replacen('{', r#"{"prevResult":{"cniVersion":"1.0.0"},"#, 1);
        call = Call::new("ADD", chained);
    }
    let running = call.env("CNI_NETNS", netns.path()).spawn();
    eventually("the agent died", || first.has_ended());
    let second = agent(json!({}));
    let answer = running.wait();
    drop(second);
    (node, answer)
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
        connection.recv(65536)
        with open(sys.argv[3], "a") as journal:
            journal.write("x")
        connection.close()
if sys.argv[2] == "child":
    if os.fork():
        os._exit(0)
    serve()
if sys.argv[2] == "thread":
    threading.Thread(target=serve).start()
    ctypes.CDLL(None).pthread_exit(0)
serve()
"#;

/// What the plugin is started under, as a script whose `$0` it is.
fn cut_off_by(agent: &str, script: &str) -> usize {
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
    std::fs::copy(antrea_cni_test_support::plugin(), &copy).unwrap();
    let call = node.place.call("ADD", "1.0.0");
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
    assert_eq!(answer.code(), 11, "{agent} {script}: {answer:?}");
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
        ("thread", plainly),
        ("plain", lxcfs),
        ("plain", proc_of_ours),
        ("plain", proc_of_others),
    ] {
        assert_eq!(cut_off_by(agent, script), 1, "{agent} {script}");
    }
}
