//! The commands that an agent does.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use semver::Version;

use crate::error::{CniError, Error, Subject};
use crate::input::{CmdArgs, Configuration, Settings};
use crate::ladder::{self, Request, delivery::Trace};
use crate::{log, verdict};

/// A CNI command that the plugin has the agent do.
#[doc(alias = "ActionAdd")]
#[doc(alias = "ActionCheck")]
#[doc(alias = "ActionDel")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// ADD: connect a container
    Add,
    /// CHECK: verify that it is still connected
    Check,
    /// DEL: disconnect it
    Del,
    /// GC: disconnect all that the configuration does not list
    Gc,
    /// STATUS: say whether an ADD can be expected to succeed
    Status,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Add, Self::Check, Self::Del, Self::Gc, Self::Status];

    /// The value of `CNI_COMMAND`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
            Self::Gc => "GC",
            Self::Status => "STATUS",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The RPC of the CNI service, in every API that has it.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Add => "CmdAdd",
            Self::Check => "CmdCheck",
            Self::Del => "CmdDel",
            Self::Gc => "CmdGC",
            Self::Status => "CmdStatus",
        }
    }

    /// The version of the CNI specification that brought the command.
    pub const fn since(self) -> Version {
        match self {
            Self::Add | Self::Del => Version::new(0, 1, 0),
            Self::Check => Version::new(0, 4, 0),
            Self::Gc | Self::Status => Version::new(1, 1, 0),
        }
    }

    /// Asks the agent to do the command, and gives the bytes for standard
    /// output: the agent's result for ADD, nothing for the others.
    ///
    /// The counterpart of the Go package's `Action.Request`. The configuration
    /// in `args` is checked, the variables are not: a runtime's come through
    /// [`crate::run`]. Blocks until there is an answer, at most for the
    /// command's deadline.
    ///
    /// # Errors
    /// The CNI error document: the agent's own error or one of the plugin's.
    #[doc(alias = "Request")]
    pub fn request(self, args: &CmdArgs) -> Result<Bytes, CniError> {
        let started = Instant::now();
        let mut subject = Subject { is_del: self == Self::Del, ..Subject::default() };
        let result =
            Configuration::parse(&args.stdin_data).map_err(Error::from).and_then(|configuration| {
                subject.cni_version = configuration.label();
                let cni_version = configuration.cni_version(self)?;
                let settings = configuration.settings()?;
                self.perform(args.clone(), cni_version, &settings, started)
            });
        result.map_err(|error| error.document(&subject))
    }

    /// [`Self::request`] after the configuration was checked.
    pub(crate) fn perform(
        self,
        mut args: CmdArgs,
        cni_version: Option<Version>,
        settings: &Settings,
        started: Instant,
    ) -> Result<Bytes, Error> {
        if matches!(self, Self::Gc | Self::Status) {
            // They are about the network, not about a container.
            args = CmdArgs {
                args: args.args,
                path: args.path,
                stdin_data: args.stdin_data,
                trace: args.trace,
                ..CmdArgs::default()
            };
        }
        let mut trace = Trace::default();
        let request = Request { action: self, args: &args, cni_version: cni_version.as_ref() };
        let answer = ladder::deliver(request, settings, started, &mut trace);
        let trace = Arc::new(trace);
        let result = verdict::of(request, settings, answer, &trace);
        log::write(&request, settings, &trace, &result);
        result
    }
}
