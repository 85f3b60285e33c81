//! Many plugins that wait for one agent.

use std::collections::BTreeSet;
use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use antrea_cni_agent::{Agent, Api, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use antrea_cni_test_support::{Call, Running, TestNode, eventually};

/// More than a user has inotify instances.
const MANY: usize = 160;

fn pid(running: &Running) -> i32 {
    running.child.id().cast_signed()
}

/// Starts plugins that wait for an agent.
fn start(node: &TestNode, socket: &Path, count: usize) -> Vec<Running> {
    start_for(50, node, socket, count)
}

fn start_for(seconds: u32, node: &TestNode, socket: &Path, count: usize) -> Vec<Running> {
    let configuration = json!({
        "cniVersion": "1.1.0", "name": "antrea", "type": "antrea",
        "antreaCni": {"socket": socket, "waitForAgentSeconds": seconds},
    });
    let call = Call::new("ADD", configuration.to_string()).env("CNI_NETNS", node.netns());
    (0..count)
        .map(|index| call.clone().env("CNI_CONTAINERID", format!("c{index}")).spawn())
        .collect()
}

/// Links of a process's descriptors.
fn descriptors(running: &Running) -> BTreeSet<String> {
    let folder = fs::read_dir(format!("/proc/{}/fd", pid(running))).unwrap();
    folder
        .filter_map(|it| Some(fs::read_link(it.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect()
}

fn watches(running: &Running) -> bool {
    descriptors(running).iter().any(|it| it.contains("inotify"))
}

fn has_socket(running: &Running) -> bool {
    descriptors(running).iter().any(|it| it.starts_with("socket:"))
}

/// Waits until one of them watches the folder, and the others have a connection to it.
fn settle(waiting: &[Running]) {
    eventually("all have their place", || {
        waiting.iter().filter(|it| watches(it)).count() == 1 && waiting.iter().all(has_socket)
    });
}

fn first(waiting: &[Running]) -> usize {
    waiting.iter().position(watches).unwrap()
}

/// How often a process was woken.
fn switches(running: &Running) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", pid(running))).unwrap();
    status.lines().find(|it| it.starts_with("voluntary_ctxt_switches")).unwrap().to_owned()
}

fn agent(node: &TestNode, socket: &str) -> Agent {
    Agent::start(Options::new(node.path(socket), &[Api::V1])).unwrap()
}

fn all_are_done(waiting: Vec<Running>) {
    for running in waiting {
        let answer = running.wait();
        assert_eq!(answer.exit(), 0, "{answer:?}");
    }
}

#[test]
fn one_of_many_watches_and_all_are_answered() {
    let node = TestNode::new();
    let waiting = start(&node, &node.socket(), MANY);
    settle(&waiting);
    let agent = node.agent(&[Api::V1]);
    all_are_done(waiting);
    assert_eq!(agent.served().len(), MANY);
}

#[test]
fn those_that_wait_sleep() {
    let node = TestNode::new();
    let waiting = start(&node, &node.socket(), 20);
    settle(&waiting);
    // The first looks once a second.
    eventually("nobody is woken in 300 ms", || {
        let seen = || -> Vec<_> { waiting.iter().map(switches).collect() };
        let before = seen();
        std::thread::sleep(std::time::Duration::from_millis(300));
        seen() == before
    });
    let _agent = node.agent(&[Api::V1]);
    all_are_done(waiting);
}

#[test]
fn who_waits_for_nobody_gives_up() {
    let node = TestNode::new();
    for socket in [node.socket(), node.path("run/antrea/cni.sock")] {
        let settings = json!({"socket": socket, "waitForAgentSeconds": 2});
        let configuration = json!({"cniVersion": "1.1.0", "name": "antrea", "antreaCni": settings});
        let answer = Call::new("ADD", configuration.to_string()).run();
        assert_eq!(answer.code(), 11, "{answer:?}");
        assert!(answer.elapsed.as_secs() >= 2, "{answer:?}");
    }
}

#[test]
fn another_takes_over_when_the_first_dies() {
    let node = TestNode::new();
    let mut waiting = start(&node, &node.socket(), 20);
    for _ in 0..3 {
        settle(&waiting);
        let first = waiting.swap_remove(first(&waiting));
        kill(Pid::from_raw(pid(&first)), Signal::SIGKILL).unwrap();
        first.wait();
    }
    settle(&waiting);
    let _agent = node.agent(&[Api::V1]);
    all_are_done(waiting);
}

#[test]
fn the_others_look_at_their_end_when_the_first_is_stopped() {
    let node = TestNode::new();
    let mut waiting = start_for(15, &node, &node.socket(), 10);
    settle(&waiting);
    let first = waiting.swap_remove(first(&waiting));
    kill(Pid::from_raw(pid(&first)), Signal::SIGSTOP).unwrap();
    let _agent = node.agent(&[Api::V1]);
    eventually("they look", || waiting.iter().all(Running::has_ended));
    all_are_done(waiting);
    kill(Pid::from_raw(pid(&first)), Signal::SIGCONT).unwrap();
    all_are_done(vec![first]);
}

#[test]
fn a_socket_is_seen_however_it_comes() {
    type Comes = fn(&TestNode) -> Agent;
    let ways: [(&str, Comes); 4] = [
        ("run/antrea/cni.sock", |node| {
            // A folder on the way, that is moved there with the socket in it.
            fs::create_dir_all(node.path("other/antrea")).unwrap();
            let served = agent(node, "other/antrea/cni.sock");
            fs::rename(node.path("other"), node.path("run")).unwrap();
            served
        }),
        ("run/antrea/cni.sock", |node| {
            fs::create_dir(node.path("run")).unwrap();
            fs::create_dir(node.path("run/antrea")).unwrap();
            agent(node, "run/antrea/cni.sock")
        }),
        ("link.sock", |node| {
            fs::create_dir(node.path("there")).unwrap();
            symlink(node.path("there/cni.sock"), node.path("link.sock")).unwrap();
            agent(node, "there/cni.sock")
        }),
        ("linked/cni.sock", |node| {
            fs::create_dir(node.path("there")).unwrap();
            let served = agent(node, "there/cni.sock");
            symlink(node.path("there"), node.path("linked")).unwrap();
            served
        }),
    ];
    for (socket, comes) in ways {
        let node = TestNode::new();
        let waiting = start(&node, &node.path(socket), 3);
        settle(&waiting);
        let agent = comes(&node);
        all_are_done(waiting);
        assert_eq!(agent.served().len(), 3, "{socket}");
    }
}

/// Anybody may have the name. Without a place a plugin looks for itself.
#[test]
#[ignore = "needs root and python3"]
fn another_users_word_is_not_taken() {
    let node = TestNode::new();
    let waiting = start(&node, &node.socket(), 1);
    settle(&waiting);
    let names = fs::read_to_string("/proc/net/unix").unwrap();
    let socket = descriptors(&waiting[0]);
    let inode = |it: &str| it.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned);
    let inodes: Vec<_> = socket.iter().filter_map(|it| inode(it)).collect();
    let name = names.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        inodes
            .iter()
            .any(|it| *it == fields[6])
            .then(|| fields[7].trim_start_matches('@').to_owned())
    });
    let name = name.expect("a name");
    kill(Pid::from_raw(pid(&waiting[0])), Signal::SIGKILL).unwrap();
    for running in waiting {
        running.wait();
    }
    let script = format!(
        "import os, socket, time\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\n\
         s.bind('\\0{name}')\ns.listen(100)\nprint('listens', flush=True)\ntime.sleep(100)"
    );
    let mut foreign = std::process::Command::new("python3")
        .args(["-c", &script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut says = std::io::BufReader::new(foreign.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut says, &mut line).unwrap();
    assert_eq!(line, "listens\n");
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    assert!(UnixListener::bind_addr(&address).is_err(), "the name is taken");
    let waiting = start(&node, &node.socket(), 3);
    eventually("they sleep, and not for the name's holder", || {
        let sleeps = |it: &Running| switches(it) != "voluntary_ctxt_switches:\t0";
        waiting.iter().all(|it| sleeps(it) && !has_socket(it))
    });
    let _agent = node.agent(&[Api::V1]);
    all_are_done(waiting);
    foreign.kill().unwrap();
    foreign.wait().unwrap();
}
