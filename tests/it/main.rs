//! The plugin as its users see it: a process with an environment, standard
//! input and output, and an agent behind a socket.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod agent;
#[cfg(unix)]
mod agent_process;
mod captures;
mod concurrency;
#[cfg(unix)]
mod docs;
mod frozen;
#[cfg(unix)]
mod go_answers;
#[cfg(unix)]
mod input;
mod ladder;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod output;
#[cfg(unix)]
mod properties;
mod protos;
mod recorded_agents;
#[cfg(unix)]
mod recovery;
#[cfg(unix)]
mod rolling;
#[cfg(unix)]
mod settings;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod status;
#[cfg(unix)]
mod time;
mod trace_context;
mod translation;
#[cfg(unix)]
mod transport;
#[cfg(unix)]
mod waiting;
