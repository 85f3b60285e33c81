//! The plugin as its users see it: a process with an environment, standard
//! input and output, and an agent behind a socket.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod agent;
mod agent_process;
mod captures;
mod concurrency;
mod docs;
mod frozen;
mod go_answers;
mod input;
mod ladder;
mod log;
mod output;
mod properties;
mod protos;
mod recorded_agents;
mod recovery;
mod rolling;
mod settings;
mod socket;
mod status;
mod time;
mod trace_context;
mod translation;
mod transport;
mod waiting;
