//! The reference agent as a program.

use std::path::PathBuf;
use std::process::ExitCode;

use antrea_cni_agent::{ALL_CNI_VERSIONS, Agent, Api, Options, Script, named};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Serves antrea-agent's CNI service on a unix socket, until SIGTERM or SIGINT.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Path of the unix socket
    #[arg(long, default_value = "/var/run/antrea/cni.sock")]
    socket: PathBuf,
    /// APIs to serve: v1, v1beta1 (v1.1.0 to v2.7.0), vmware (v0.3.0 to
    /// v1.0.3), first (v0.1.0 to v0.2.0)
    #[arg(long, value_delimiter = ',', value_parser = named, default_value = Api::V1BETA1.name)]
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
}

#[expect(clippy::print_stderr, reason = "this program is for people")]
fn main() -> ExitCode {
    match serve(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("antrea-cni-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let script: Script = match &arguments.script {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => Script::default(),
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
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        Ok(())
    })
}
