// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Contains the commands, one module each.

mod bundle;
mod check_config;
mod fleet;
mod logs;
mod probe;
mod status;

use std::io::Write;

use antrea_cnictl::{Exit, plain, warn};
use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::cluster::Cluster;
use crate::error::Error;

/// Runs one command and writes its answer to `out`.
pub(crate) async fn run(cli: Cli, out: &mut impl Write) -> Result<Exit, Error> {
    let Cli { scope, command } = cli;
    let connect = async || {
        let cluster = Cluster::connect(&scope).await?;
        cluster.warnings.iter().for_each(|it| warn(plain(it)));
        Ok::<_, Error>(cluster)
    };
    match command {
        Command::Status(output) => status::run(&connect().await?, &output, out).await,
        Command::Probe(output) => probe::run(&connect().await?, &output, out).await,
        Command::CheckConfig(output) => check_config::run(&connect().await?, &output, out).await,
        Command::Logs(logs) if logs.follow => logs::follow(&connect().await?, &logs, out).await,
        Command::Logs(logs) => logs::show(&connect().await?, &logs, out).await,
        Command::Fleet(fleet) => fleet::run(&connect().await?, &fleet, out).await,
        Command::Bundle { file } => bundle::run(&connect().await?, &file, out).await,
        Command::Man { folder } => {
            let written = std::fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), &folder));
            written.map_err(|source| Error::ManPages { folder, source })?;
            Ok(Exit::Success)
        }
    }
}
