//! What a runtime hands over for one command.

use super::trace_context::TraceContext;

/// What a runtime hands to a plugin for one command.
///
/// The counterpart of `CmdArgs` in the Go skeleton. The fields hold the values
/// of the variables named beside them; one that is not set is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CmdArgs {
    /// `CNI_CONTAINERID`
    pub container_id: String,
    /// `CNI_NETNS`: path of the network namespace
    pub netns: String,
    /// `CNI_IFNAME`
    pub ifname: String,
    /// `CNI_ARGS`: `KEY=VALUE;KEY=VALUE`
    pub args: String,
    /// `CNI_PATH`: folders with plugins, separated by colons
    pub path: String,
    /// Standard input: the network configuration, byte for byte
    pub stdin_data: Vec<u8>,
    /// `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`
    pub trace: TraceContext,
}
