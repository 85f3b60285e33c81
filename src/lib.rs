//! The CNI plugin of Antrea, as a library: it asks the node's `antrea-agent`
//! over gRPC to connect Pods, whatever release that agent is.
//!
//! ```text
//! environment ─┐
//!              ├─▶ input ──▶ ladder ──▶ verdict ──▶ output ─▶ one JSON document
//! stdin ───────┘   parsed    who        what it     or nothing
//!                            answers    means
//! ```
//!
//! [`run`] is the whole program. [`Action::request`] is what the Go package
//! `antrea.io/antrea/pkg/cni` offers: one command, asked of the agent.

mod convert;
pub mod error;
pub mod input;
pub mod ladder;
pub mod output;

mod action;
pub mod log;
mod verdict;

use std::sync::LazyLock;
use std::time::Instant;

use semver::Version;

use self::error::Subject;
use self::input::environment::{self, Invocation};
use self::input::{Configuration, Environment, Source, configuration};
use self::ladder::{Request, delivery, delivery::Trace};

pub use self::action::Action;
pub use self::error::{CniError, Error};
pub use self::input::CmdArgs;
pub use self::output::Output;

/// Where `antrea-agent` listens.
#[doc(alias = "AntreaCNISocketAddr")]
pub const SOCKET_PATH: &str = "/var/run/antrea/cni.sock";

/// The versions of the CNI API that are compiled in, newest first.
///
/// The major version is the last part of the proto package's name. An API
/// that is served under several names counts once.
#[doc(alias = "AntreaCNIVersion")]
pub static API_VERSION: LazyLock<Vec<Version>> = LazyLock::new(|| {
    let mut versions: Vec<Version> =
        ladder::LADDER.iter().filter_map(|rung| rung.api_version.parse().ok()).collect();
    versions.dedup();
    versions
});

/// Runs the plugin for one command, from the runtime's input to what goes to
/// standard output. Never panics, never prints.
pub fn run(environment: Environment<'_>, stdin: &mut dyn Source) -> Output {
    let mut subject = Subject::default();
    match answer(environment, stdin, &mut subject) {
        Ok(output) => output,
        Err(error) => Output::failure(&error.document(&subject)),
    }
}

/// The order of checks is the Go skeleton's. `subject` learns on the way what
/// an error document needs to know.
fn answer(
    environment: Environment<'_>,
    stdin: &mut dyn Source,
    subject: &mut Subject,
) -> Result<Output, Error> {
    let started = Instant::now();
    let command = match environment::invocation(environment)? {
        Invocation::About => return Ok(Output::about()),
        Invocation::Version => return Ok(Output::version()),
        Invocation::Command(command) => command,
    };
    subject.is_del = command.action().is_ok_and(|action| action == Action::Del);
    let mut args = environment::cmd_args(environment, &command)?;

    let total = delivery::total(command.action().unwrap_or(Action::Del));
    args.stdin_data = configuration::read(stdin, started + total)?;
    let configuration = Configuration::parse(&args.stdin_data)?;
    subject.cni_version = configuration.label();
    let action = command.action()?;
    let cni_version = configuration.cni_version(action)?;
    let settings = configuration.settings()?;
    if action == Action::Add
        && !environment::own_netns_allowed(environment)
        && input::is_own(&args.netns)
    {
        let refused = Err(input::Error::OwnNetns(args.netns.clone()).into());
        let request = Request { action, args: &args, cni_version: cni_version.as_ref() };
        log::write(&request, &settings, &Trace::default(), &refused);
        return refused.map(Output::success);
    }

    let result = action.perform(args, cni_version, &settings, started)?;
    Ok(Output::success(result))
}

/// What only the fuzzers reach from outside.
#[cfg(fuzzing)]
pub mod fuzzing {
    use super::*;

    /// A configuration in a lower version, and the result of its ADD back if it was
    /// sent.
    pub fn translate(
        configuration: &[u8],
        version: &Version,
        lower: &Version,
        action: Action,
        result: &[u8],
    ) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let Ok(translation) = convert::Translation::new(configuration, version, action) else {
            return (None, None);
        };
        match translation.request(lower) {
            Ok(sent) => (Some(sent), translation.result(lower, result).ok()),
            Err(_) => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_are_newest_first_and_each_is_there_once() {
        assert_eq!(*API_VERSION, ["1.1.0", "1.0.0-beta.1"].map(|text| text.parse().unwrap()));
    }
}
