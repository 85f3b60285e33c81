// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Runs the reference agent, or checks whether another agent conforms.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use antrea_cni::SOCKET_PATH;
use antrea_cni_agent::{
    ALL_CNI_VERSIONS, Agent, Api, Options, Question, Script, conformance, named, servable,
};
use clap::{Args, Parser, Subcommand};

/// Serves antrea-agent's CNI service on a unix socket, until SIGTERM or SIGINT
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// What else to do
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    agent: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Ask whether the agent behind a socket keeps the promises that the plugin relies on
    #[command(after_help = "Exit status: 0 all are kept; 1 one is broken; 2 wrong arguments; \
                            3 there is no agent")]
    Conformance(Conformance),
}

#[derive(Args)]
struct Conformance {
    /// Path of the agent's socket
    #[arg(long, default_value = SOCKET_PATH)]
    socket: PathBuf,
    /// Ask also for what has an effect: interfaces are made in the namespace --netns, and
    /// GC removes what the agent made for all other containers. Only on a node without Pods
    #[arg(long, requires = "netns")]
    with_effects: bool,
    /// A network namespace of nobody else's, as from ip netns add scratch
    #[arg(long, value_name = "PATH", requires = "with_effects")]
    netns: Option<PathBuf>,
    /// Seconds to wait for an answer; an agent without its network takes 30
    #[arg(long, default_value_t = 60)]
    timeout: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Serve {
    /// Path of the unix socket
    #[arg(long, default_value = SOCKET_PATH)]
    socket: PathBuf,
    #[arg(long, value_delimiter = ',', value_parser = named, default_value = Api::V1BETA1.name, help = api_help())]
    api: Vec<Api>,
    /// Methods to leave out, such as v1.CmdGC
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// Values of cniVersion to accept
    #[arg(long, value_delimiter = ',', default_value = ALL_CNI_VERSIONS.join(","))]
    cni_versions: Vec<String>,
    /// JSON file with behaviours by method or command, such as
    /// {"ADD": {"error": {"code": 101, "message": "no addresses left"}}}
    #[arg(long)]
    script: Option<PathBuf>,
    /// File that calls and their effects are appended to, as JSON lines
    #[arg(long)]
    journal: Option<PathBuf>,
    /// File that keeps the attachments over a restart
    #[arg(long)]
    state: Option<PathBuf>,
    /// Give prevResult back as the result, as an agent does that is chained
    /// behind another plugin
    #[arg(long)]
    chaining: bool,
    /// Make a real link for each attachment; needs root and iproute2
    #[arg(long)]
    links: bool,
    /// Folder of CNI plugins; the "delegate" object of a configuration names
    /// the one that does the work
    #[arg(long)]
    delegate: Option<PathBuf>,
    /// JSON file with the "delegate" of configurations that name none, as Antrea's own do
    #[arg(long, value_name = "FILE", requires = "delegate")]
    delegate_conf: Option<PathBuf>,
    /// Seconds until the node's network is ready. Until then an ADD waits, 30 s at most, and
    /// is answered with code 11, as released agents do since v0.12
    #[arg(long, default_value_t = 0)]
    network_ready_after: u64,
}

fn api_help() -> String {
    let apis = servable().into_iter().map(|api| match api.releases {
        Some([first, last]) => format!("{} ({first} to {last})", api.name),
        None => api.name.to_owned(),
    });
    format!("APIs to serve: {}", apis.collect::<Vec<_>>().join(", "))
}

#[expect(clippy::print_stderr, reason = "this program is for people")]
fn main() -> ExitCode {
    let Arguments { command, agent } = Arguments::parse();
    let done = match command {
        Some(Command::Conformance(arguments)) => check_conformance(&arguments),
        None => serve(agent).map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("antrea-cni-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check_conformance(arguments: &Conformance) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let report = conformance(&Question {
        socket: arguments.socket.clone(),
        timeout: Duration::from_secs(arguments.timeout),
        netns: arguments.netns.clone(),
    });
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(match (&report.no_agent, report.broken().is_empty()) {
        (Some(_), _) => ExitCode::from(3),
        (None, false) => ExitCode::FAILURE,
        (None, true) => ExitCode::SUCCESS,
    })
}

fn serve(arguments: Serve) -> Result<(), Box<dyn std::error::Error>> {
    let script: Script = match &arguments.script {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => Script::default(),
    };
    let delegate_conf = match &arguments.delegate_conf {
        Some(file) => Some(serde_json::from_slice(&std::fs::read(file)?)?),
        None => None,
    };
    let _agent = Agent::start(Options {
        socket: arguments.socket,
        apis: arguments.api,
        without: arguments.without,
        cni_versions: arguments.cni_versions,
        script,
        journal: arguments.journal,
        state: arguments.state,
        chaining: arguments.chaining,
        links: arguments.links,
        delegate: arguments.delegate,
        delegate_conf,
        network_ready_after: arguments.network_ready_after,
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(wait_for_signal())?)
}

#[cfg(unix)]
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    Ok(())
}

#[cfg(windows)]
async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
