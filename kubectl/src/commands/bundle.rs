// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `bundle`: collects from each node what `antrea-cnictl bundle` collects there. What looks
//! like a secret is left out on the node already.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

use antrea_cnictl::{ANSWERS, Exit, Fleet, Inputs, plain, warn};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use tar::{Archive, Builder};

use crate::ask::each_node;
use crate::cluster::{Cluster, ToolPod};
use crate::error::Error;
use crate::exec;

/// The folder in the archive.
const FOLDER: &str = "antrea-cni";

pub(super) async fn run(
    cluster: &Cluster,
    file: &Path,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let mut bundle = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let (mut inputs, mut problems) = (BTreeMap::new(), Vec::new());
    {
        // Each command of a node has the time limit.
        let answers =
            each_node(cluster, cluster.limit * ANSWERS, async |pod| of_node(cluster, pod).await);
        pin_mut!(answers);
        while let Some((node, archive)) = answers.next().await {
            let mut of_node = Inputs::of_release(node.agent_release.clone());
            let added = match archive {
                Ok(archive) => add(&mut bundle, &node.name, &archive, &mut of_node)
                    .map_err(|error| format!("its bundle cannot be read: {error}")),
                Err(why) => Err(why),
            };
            if let Err(why) = added {
                problems.push(format!("{}: {why}", node.name));
                of_node.add_problem(why);
            }
            inputs.insert(node.name.clone(), of_node);
        }
    }
    let fleet = Fleet::new(inputs);
    let problem_lines: String = problems.iter().map(|it| format!("{it}\n")).collect();
    let rows = serde_json::to_vec(&fleet).unwrap_or_default();
    let kubernetes = cluster.version.as_deref().unwrap_or("not known");
    let version = format!(
        "{}\nKubernetes {kubernetes}\n{:.0}\n",
        env!("CARGO_PKG_VERSION"),
        Timestamp::now()
    );
    for (name, bytes) in [
        ("fleet.json", rows.as_slice()),
        ("problems.txt", problem_lines.as_bytes()),
        ("version.txt", version.as_bytes()),
    ] {
        append(&mut bundle, name, bytes)?;
    }
    let bytes = bundle.into_inner().and_then(GzEncoder::finish)?;
    let exit = if problems.is_empty() { Exit::Success } else { Exit::Failure };
    if file == Path::new("-") {
        // `out` leaves out what looks like a style, which an archive may contain.
        io::stdout().lock().write_all(&bytes)?;
        problems.iter().for_each(|it| warn(plain(it)));
        return Ok(exit);
    }
    antrea_cnictl::write_answer(file, &bytes, 0o600)?;
    let nodes = cluster.nodes.len();
    problems.iter().try_for_each(|it| writeln!(out, "{}", plain(it)))?;
    writeln!(
        out,
        "{}: {} of {nodes} nodes, {} bytes; look into it before you give it away",
        file.display(),
        nodes - problems.len(),
        bytes.len()
    )?;
    Ok(exit)
}

/// Returns the archive that a node's tool writes.
async fn of_node(cluster: &Cluster, pod: &ToolPod) -> Result<Vec<u8>, String> {
    let answer = exec::run(&cluster.pods, pod, &pod.about_plugin(&["bundle", "-"])).await?;
    match answer.exit {
        0 => Ok(answer.out),
        2 if answer.err.contains("unrecognized subcommand") => {
            Err("its antrea-cnictl has no bundle yet: upgrade it".to_owned())
        }
        _ => Err(answer.why()),
    }
}

/// Adds the files of a node's archive below the node's name.
fn add(
    bundle: &mut Builder<impl Write>,
    node: &str,
    archive: &[u8],
    inputs: &mut Inputs,
) -> io::Result<()> {
    for entry in Archive::new(archive).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        append(bundle, &format!("{node}/{name}"), &bytes)?;
        if matches!(&*name, "status.json" | "probe.json" | "antrea-cni.log") {
            inputs.add_file(&name, &bytes);
        }
    }
    Ok(())
}

fn append(bundle: &mut Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    antrea_cnictl::append_file(bundle, &format!("{FOLDER}/{name}"), bytes)
}
