//! Stage 2: who answers. The APIs that agents of all releases speak, and the
//! walk down to the newest one that this agent has.

mod ask;
mod channel;
pub mod delivery;
mod peer;
mod raw;
mod recovery;
mod socket;
mod stream;
mod translation;
mod v1;
mod v1beta1;

use std::time::{Duration, Instant};

use bytes::Bytes;
use semver::Version;
use thiserror::Error;

use self::channel::CallError;
use self::delivery::Trace;
use self::translation::translate;
use crate::Action;
use crate::input::CmdArgs;

pub use self::ask::{ask, capabilities, peer};
pub use self::delivery::{Error, deliver};
pub use self::peer::Peer;
pub use self::v1::Capabilities;

/// Every API that this plugin speaks, newest first.
///
/// # Adding an API version
/// 1. `proto/v2/cni.proto`: the new service. `build.rs` finds it.
/// 2. `src/ladder/v2.rs`: a `RUNG` that says how a [`Request`] and a
///    [`Response`] look in it. If the service can do what no older one can,
///    [`Request`] or [`Response`] grow a field that older rungs leave alone.
/// 3. `v2::RUNG` at the front of this list, and `mod v2;` above.
pub const LADDER: &[Rung] = &[v1::RUNG, v1beta1::RUNG, v1beta1::VMWARE, v1beta1::FIRST];

/// One API under one name, as data.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// Proto package; its last part is the major version
    pub package: &'static str,
    /// Version of the API, as in <https://semver.org>
    pub api_version: &'static str,
    /// The RPCs that the API has
    pub methods: &'static [&'static str],
    /// Writes the request message of the API
    pub encode: fn(&Request<'_>) -> Vec<u8>,
    /// Reads its reply
    pub decode: fn(Bytes) -> Result<Response, prost::DecodeError>,
}

/// What an agent is asked, in no API's own terms.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The command
    pub action: Action,
    /// Its arguments
    pub args: &'a CmdArgs,
    /// The version of the configuration in them, if it has one
    pub cni_version: Option<&'a Version>,
}

/// What an agent answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The CNI result as the agent wrote it
    pub result: Bytes,
    /// Present if the command failed
    pub error: Option<AgentError>,
}

/// An error that the agent returned, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct AgentError {
    /// Code of the CNI specification or of Antrea, also one that is not known
    /// here
    pub code: i32,
    /// What went wrong
    pub message: String,
    /// More about it; only v1 has it
    pub details: String,
}

/// What one API answered during a walk.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Proto package of the API
    pub package: &'static str,
    /// The version of the configuration as it was sent, if it had one
    pub cni_version: Option<Version>,
    /// On which connection of the command, from 1
    pub attempt: u32,
    /// The command that was asked for
    pub action: Action,
    /// What came back
    pub outcome: Outcome,
    /// When that was
    pub asked: Instant,
    /// Time until the answer, or until nobody waited for it any more
    pub elapsed: Duration,
}

/// How one RPC ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A reply, with the code of the error in it, or 0
    Reply(i32),
    /// The gRPC status that ended the call, as code and text, or what the
    /// transport saw instead of one
    Status(String),
    /// No answer in time
    Silence,
}

/// How a walk ended that no rung answered.
#[derive(Debug)]
enum Stop {
    /// The call failed in another way than by UNIMPLEMENTED.
    Failed(CallError),
    /// The reply cannot be decoded.
    Undecodable(prost::DecodeError),
    /// The result cannot be put into the configuration's version.
    Result(String),
    /// Every API that has the command answered UNIMPLEMENTED.
    Exhausted,
}

/// Asks each API for the command, newest first, until one has it. `call` makes
/// one RPC: path and request in, reply out. What was asked goes into `trace`.
fn walk(
    ladder: &[Rung],
    request: &Request<'_>,
    trace: &mut Trace,
    mut call: impl FnMut(String, Bytes) -> Result<Bytes, CallError>,
) -> Result<Response, Stop> {
    let method = request.action.method();
    let mut ask = |rung: &Rung, request: &Request<'_>| {
        let path = format!("/{}.Cni/{method}", rung.package);
        let tried = trace.started(rung, request);
        let response = match call(path, (rung.encode)(request).into()) {
            Ok(reply) => (rung.decode)(reply).map_err(Stop::Undecodable),
            Err(error) => Err(Stop::Failed(error)),
        };
        tried.elapsed = tried.asked.elapsed();
        tried.outcome = match &response {
            Ok(response) => Outcome::Reply(response.error.as_ref().map_or(0, |error| error.code)),
            Err(Stop::Failed(CallError::Deadline)) => Outcome::Silence,
            Err(Stop::Failed(error)) => Outcome::Status(error.to_string()),
            Err(_) => Outcome::Status("a reply that cannot be decoded".to_owned()),
        };
        response
    };
    for rung in ladder.iter().filter(|rung| rung.methods.contains(&method)) {
        match ask(rung, request) {
            Ok(response) => match translate(rung, request, response, &mut ask)? {
                Some(response) => return Ok(response),
                // The agent was replaced between two calls.
                None => continue,
            },
            Err(Stop::Failed(error)) if error.is_unimplemented() => (),
            Err(stop) => return Err(stop),
        }
    }
    Err(Stop::Exhausted)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;
    use tonic::{Code, Status};

    use super::*;

    const ALL: &[&str] = &["CmdAdd"];
    const NONE: &[&str] = &[];
    const NAMES: [&str; 6] = ["a.v6", "a.v5", "a.v4", "a.v3", "a.v2", "a.v1"];

    /// What a rung of the property test does when it is asked.
    #[derive(Clone, Copy, Debug)]
    enum Behaviour {
        Answers,
        Unimplemented,
        LacksCommand,
        Fails,
    }

    fn behaviour() -> impl Strategy<Value = Behaviour> {
        use Behaviour::*;
        prop_oneof![Just(Answers), Just(Unimplemented), Just(LacksCommand), Just(Fails)]
    }

    fn run(behaviours: &[Behaviour]) -> (Result<Response, Stop>, Vec<String>, usize) {
        let ladder: Vec<_> = std::iter::zip(NAMES, behaviours)
            .map(|(package, behaviour)| Rung {
                package,
                methods: if matches!(behaviour, Behaviour::LacksCommand) { NONE } else { ALL },
                ..v1::RUNG
            })
            .collect();
        let args = CmdArgs::default();
        let request = Request { action: Action::Add, args: &args, cni_version: None };
        let asked = RefCell::new(Vec::new());
        let mut trace = Trace::default();
        let call = |path: String, _: Bytes| {
            let rung = NAMES.iter().position(|name| path == format!("/{name}.Cni/CmdAdd")).unwrap();
            asked.borrow_mut().push(NAMES[rung].to_owned());
            match behaviours[rung] {
                Behaviour::Answers => Ok(Bytes::new()),
                Behaviour::Unimplemented => Err(Status::new(Code::Unimplemented, "no").into()),
                _ => Err(Status::new(Code::Internal, "broken").into()),
            }
        };
        let result = walk(&ladder, &request, &mut trace, call);
        let tried = trace.tried.len();
        (result, asked.into_inner(), tried)
    }

    proptest! {
        /// Whatever the versions do: newest first, each once, only past
        /// UNIMPLEMENTED, and no call for a command that a version lacks.
        #[test]
        fn a_walk_stops_at_the_first_answer(behaviours in prop::collection::vec(behaviour(), 0..6)) {
            let (result, asked, tried) = run(&behaviours);
            let mut expected = Vec::new();
            let mut end = None;
            for (name, behaviour) in std::iter::zip(NAMES, &behaviours) {
                if matches!(behaviour, Behaviour::LacksCommand) {
                    continue;
                }
                expected.push(name.to_owned());
                if !matches!(behaviour, Behaviour::Unimplemented) {
                    end = Some(*behaviour);
                    break;
                }
            }
            prop_assert_eq!(tried, expected.len());
            prop_assert_eq!(asked, expected);
            match end {
                Some(Behaviour::Answers) => prop_assert!(result.is_ok()),
                Some(_) => prop_assert!(matches!(result, Err(Stop::Failed(_)))),
                None => prop_assert!(matches!(result, Err(Stop::Exhausted))),
            }
        }
    }

    #[test]
    fn versions_are_newest_first_and_follow_semver() {
        let versions: Vec<Version> =
            LADDER.iter().map(|rung| rung.api_version.parse().unwrap()).collect();
        assert!(versions.is_sorted_by(|newer, older| newer >= older), "{versions:?}");
        assert_eq!(versions.len(), 4);
    }

    #[test]
    fn the_names_are_those_that_agents_serve() {
        let packages: Vec<_> = LADDER.iter().map(|rung| rung.package).collect();
        assert_eq!(
            packages,
            [
                "antrea_io.antrea.pkg.apis.cni.v1",
                "antrea_io.antrea.pkg.apis.cni.v1beta1",
                "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1",
                "antrea.io.pkg.apis.cni.v1beta1",
            ]
        );
    }
}
