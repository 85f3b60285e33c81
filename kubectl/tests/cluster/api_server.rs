// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! An API server with nodes, Pods and exec, as far as the plugin asks it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::{Message, WebSocket, accept_hdr};

use crate::node::{RealNode, tool};

/// What an exec in a node's Pod does.
pub(crate) enum Pod {
    /// Runs the tool on this node
    Tool(RealNode),
    /// Runs another program in the tool's place, as an image of another release has
    Program(&'static str),
    /// Cannot run the tool, for which the container runtime has these words
    Refused(&'static str),
    /// Never answers
    Silent,
    /// Is not allowed
    Forbidden,
    /// The Pod is there, and its container does not run
    Waiting,
    /// There is no Pod
    None,
}

/// An API server that ends with the test.
pub(crate) struct ApiServer {
    folder: TempDir,
    state: Arc<State>,
}

struct State {
    nodes: Vec<(String, Pod)>,
    agents: Vec<(String, String)>,
    minor: &'static str,
    exec_verbs: &'static [&'static str],
    running: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl ApiServer {
    /// Starts a server with these nodes, and `AntreaAgentInfo`s with these releases.
    pub(crate) fn start(nodes: Vec<(String, Pod)>, agents: &[(&str, &str)]) -> Self {
        Self::of_version("34", &["create", "get"], nodes, agents)
    }

    /// Starts a server of a minor version, whose user has these verbs of `pods/exec`.
    pub(crate) fn of_version(
        minor: &'static str,
        exec_verbs: &'static [&'static str],
        nodes: Vec<(String, Pod)>,
        agents: &[(&str, &str)],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let agents = agents.iter().map(|(node, it)| ((*node).to_owned(), (*it).to_owned()));
        let state = Arc::new(State {
            nodes,
            agents: agents.collect(),
            minor,
            exec_verbs,
            running: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let folder = TempDir::new().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "desk",
            "clusters": [{"name": "here", "cluster": {"server": server}}],
            "contexts": [{"name": "desk", "context": {"cluster": "here", "user": "me"}}],
            "users": [{"name": "me", "user": {}}],
        });
        fs::write(folder.path().join("config"), kubeconfig.to_string()).unwrap();
        // Weak, for the nodes' folders have to go with the server, and this thread stays.
        let shared = Arc::downgrade(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(state) = shared.upgrade() else { return };
                thread::spawn(move || state.answer(stream));
            }
        });
        Self { folder, state }
    }

    /// The plugin as kubectl starts it.
    pub(crate) fn kubectl(&self, words: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_kubectl-antrea_cni"));
        program.args(words).env("KUBECONFIG", self.folder.path().join("config"));
        program.env_remove("http_proxy").stdin(Stdio::null());
        program
    }

    /// Runs the plugin. Beside other tests a node may need longer than the 10 s that are the default.
    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        let mut command = self.kubectl(words);
        let asks = ["status", "probe", "check-config", "logs", "fleet", "bundle"];
        if asks.contains(&words[0]) && !words.iter().any(|it| it.starts_with("--timeout")) {
            command.arg("--timeout=60s");
        }
        command.output().unwrap().into()
    }

    /// Most execs that ran at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }

    /// Waits until that many tools run in Pods.
    #[track_caller]
    pub(crate) fn until_running(&self, tools: usize) {
        let started = Instant::now();
        while self.state.running.load(Ordering::SeqCst) != tools {
            assert!(started.elapsed() < Duration::from_secs(60), "not {tools}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

/// What the plugin answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let exit = output.status.code().unwrap_or(-1);
        Self { exit, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn assert(&self, exit: i32, says: &[&str]) {
        let text = format!("{}{}", self.out, self.err);
        for says in says {
            assert!(self.exit == exit && text.contains(says), "{exit} {says:?}: {self:#?}");
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl State {
    fn answer(&self, stream: TcpStream) -> Option<()> {
        loop {
            let head = peek_head(&stream)?;
            let target = head.split(' ').nth(1)?.to_owned();
            if head.to_ascii_lowercase().contains("upgrade: websocket") {
                return self.exec(stream, &target);
            }
            let length = head.to_ascii_lowercase();
            let length = length.split_once("content-length: ").map(|(_, rest)| rest.lines().next());
            let length: usize = length.flatten().map_or(0, |it| it.trim().parse().unwrap());
            let mut request = vec![0; head.len() + length];
            (&stream).read_exact(&mut request).ok()?;
            let (status, body) = self.resource(&target, &String::from_utf8_lossy(&request));
            let body = body.to_string();
            write!(
                &stream,
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .ok()?;
        }
    }

    fn resource(&self, target: &str, request: &str) -> (u16, Value) {
        let path = target.split('?').next().unwrap();
        match path {
            "/version" => {
                let text = [
                    "major",
                    "minor",
                    "gitVersion",
                    "gitCommit",
                    "gitTreeState",
                    "buildDate",
                    "goVersion",
                    "compiler",
                    "platform",
                ];
                let version = format!("v1.{}.0", self.minor);
                let mut info: Value =
                    text.map(|it| (it.to_owned(), json!(version))).into_iter().collect();
                info["minor"] = self.minor.into();
                (200, info)
            }
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
                let is_asked = |verb: &&&str| request.contains(&format!("\"verb\":\"{verb}\""));
                let allowed = self.exec_verbs.iter().any(|it| is_asked(&it));
                let reviewed = json!({"allowed": allowed, "reason": ""});
                (
                    201,
                    json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {}, "spec": {}, "status": reviewed}),
                )
            }
            "/api/v1/nodes" => (200, self.list_nodes()),
            "/api/v1/namespaces/kube-system/pods" if target.contains("name%3Dantrea-cni") => {
                (200, self.list_pods())
            }
            "/api/v1/namespaces/forbidden/pods" => {
                let message = "pods is forbidden: User \"me\" cannot list resource \"pods\"";
                (403, failure(403, "Forbidden", message))
            }
            "/apis/crd.antrea.io/v1beta1/antreaagentinfos" if !self.agents.is_empty() => {
                let agents = self.agents.iter().map(|(node, release)| {
                    json!({"metadata": {"name": node}, "version": release, "nodeRef": {"name": node}})
                });
                (200, list("AntreaAgentInfoList", agents.collect()))
            }
            path if path.ends_with("/pods") => (200, list("PodList", Vec::new())),
            _ => {
                (404, failure(404, "NotFound", "the server could not find the requested resource"))
            }
        }
    }

    fn list_nodes(&self) -> Value {
        let node = |name: &str, system: &str| {
            json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                "metadata": {"name": name, "labels": {"kubernetes.io/os": system}}})
        };
        let linux = self.nodes.iter().map(|(name, _)| node(name, "linux"));
        list("PartialObjectMetadataList", linux.chain([node("w1", "windows")]).collect())
    }

    fn list_pods(&self) -> Value {
        let pods = self.nodes.iter().filter(|(_, pod)| !matches!(pod, Pod::None));
        let pods = pods.map(|(name, pod)| {
            let state = match pod {
                Pod::Waiting => json!({"waiting": {"reason": "ImagePullBackOff"}}),
                _ => json!({"running": {}}),
            };
            let arguments = match pod {
                Pod::Tool(node) => node.arguments(),
                _ => Vec::new(),
            };
            json!({
                "metadata": {"name": format!("antrea-cni-{name}"), "namespace": "kube-system"},
                "spec": {"nodeName": name, "containers": [{"name": "antrea-cni", "args": arguments}]},
                "status": {"phase": "Running", "containerStatuses": [{
                    "name": "antrea-cni", "ready": true, "restartCount": 0, "image": "antrea-cni",
                    "imageID": "", "state": state,
                }]},
            })
        });
        list("PodList", pods.collect())
    }

    /// Runs what an exec names, by <https://github.com/kubernetes/design-proposals-archive/blob/main/api-machinery/websocket-exec.md>:
    /// a byte for the channel, and at the end a `Status`.
    fn exec(&self, stream: TcpStream, target: &str) -> Option<()> {
        let (path, query) = target.split_once('?')?;
        let name = path.strip_prefix("/api/v1/namespaces/kube-system/pods/antrea-cni-")?;
        let name = name.strip_suffix("/exec")?;
        let (_, pod) = self.nodes.iter().find(|(node, _)| node == name)?;
        let words = query.split('&').filter_map(|it| it.strip_prefix("command="));
        let words = words
            .map(|it| percent_decode_str(&it.replace('+', " ")).decode_utf8_lossy().into_owned());
        let words: Vec<_> = words.collect();
        let is_forbidden = matches!(pod, Pod::Forbidden);
        #[expect(clippy::result_large_err, reason = "the library's type")]
        let upgrade = |_: &Request, mut response: Response| {
            if is_forbidden {
                let message =
                    "pods \"x\" is forbidden: User \"me\" cannot create resource \"pods/exec\"";
                let mut refused =
                    ErrorResponse::new(Some(failure(403, "Forbidden", message).to_string()));
                *refused.status_mut() = StatusCode::FORBIDDEN;
                return Err(refused);
            }
            let headers = response.headers_mut();
            headers.insert("sec-websocket-protocol", "v4.channel.k8s.io".parse().unwrap());
            Ok(response)
        };
        let mut socket = accept_hdr(stream, upgrade).ok()?;
        let mut program = match pod {
            Pod::Silent => {
                let _ = socket.read();
                return None;
            }
            Pod::Refused(message) => {
                let status = failure(500, "InternalError", message).to_string();
                socket.send(Message::binary([&[3], status.as_bytes()].concat())).ok()?;
                let _ = socket.close(None);
                while socket.read().is_ok() {}
                return Some(());
            }
            Pod::Program(program) => Command::new(program),
            _ => tool(),
        };
        assert_eq!(words[0], "/antrea-cnictl");
        program.args(&words[1..]).stdin(Stdio::null());
        let has_stdin = query.split('&').any(|it| it == "stdin=true");
        if has_stdin {
            program.stdin(Stdio::piped());
        }
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        if let Some(stdin) = child.stdin.take() {
            end_with(socket.get_ref().try_clone().unwrap(), stdin);
        }
        self.running.fetch_add(1, Ordering::SeqCst);
        let status = pass_on(child, &mut socket);
        self.running.fetch_sub(1, Ordering::SeqCst);
        // Before the client knows the status, and with it that it may ask another node.
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        socket.send(Message::binary([&[3], status?.to_string().as_bytes()].concat())).ok()?;
        let _ = socket.close(None);
        while socket.read().is_ok() {}
        Some(())
    }
}

/// Closes a program's standard input when the client has gone, or says something, which is its end.
fn end_with(client: TcpStream, stdin: ChildStdin) {
    thread::spawn(move || {
        let _ = client.peek(&mut [0]);
        drop(stdin);
    });
}

/// Passes what a program writes to the client until one of both ends, and returns the program's status.
fn pass_on(mut child: Child, socket: &mut WebSocket<TcpStream>) -> Option<Value> {
    let mut err = child.stderr.take()?;
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = err.read_to_end(&mut text);
        text
    });
    let mut out = child.stdout.take()?;
    let mut buffer = [0; 8192];
    loop {
        let read = out.read(&mut buffer).ok()?;
        if read == 0 {
            break;
        }
        let message = [&[1], &buffer[..read]].concat();
        // As a container runtime does, it lets the program go on when the client is gone.
        let _ = socket.send(Message::binary(message));
    }
    let status = child.wait().ok()?;
    let errors = errors.join().ok()?;
    socket.send(Message::binary([&[2], &*errors].concat())).ok()?;
    Some(match status.code() {
        Some(0) => json!({"metadata": {}, "status": "Success"}),
        code => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": "command terminated with non-zero exit code",
            "details": {"causes": [{"reason": "ExitCode", "message": code.unwrap_or(-1).to_string()}]},
        }),
    })
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
}

fn list(kind: &str, items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": "1"}, "items": items})
}

/// Returns the head of the request that comes next, which stays to be read.
fn peek_head(stream: &TcpStream) -> Option<String> {
    let mut buffer = [0; 16384];
    loop {
        let seen = stream.peek(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(&buffer[..seen]);
        if let Some(end) = text.find("\r\n\r\n") {
            return Some(text[..end + 4].to_owned());
        }
        if seen == 0 {
            return None;
        }
        thread::yield_now();
    }
}
