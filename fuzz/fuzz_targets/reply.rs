// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Whatever bytes an agent sends, through the whole client: one JSON document or
//! nothing, and no success that the agent did not say. The first byte picks the
//! command, the rest is what the agent writes.
#![no_main]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};

use libfuzzer_sys::fuzz_target;

/// The agent: it writes what it is handed to the next connection.
struct Agent {
    socket: String,
    next: Mutex<Sender<Vec<u8>>>,
}

fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let socket = format!("/tmp/antrea-cni-fuzz-{}.sock", std::process::id());
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let (next, bytes) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // A call that was not taken is made again: nothing is left to say then.
                let bytes = bytes.try_recv().unwrap_or_default();
                let _ = stream.write_all(&bytes);
                let _ = stream.shutdown(Shutdown::Write);
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        Agent { socket, next: Mutex::new(next) }
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((command, bytes)) = data.split_first() else { return };
    let command = if command % 2 == 0 { "ADD" } else { "STATUS" };
    let agent = agent();
    // A DEL that the ADD before owes would get these bytes, and be sent again and again.
    let _ = std::fs::remove_dir_all(format!("{}.owed", agent.socket));
    agent.next.lock().unwrap().send(bytes.to_vec()).unwrap();
    // An ADD of 35 s is not asked again when the agent says "try again later".
    let settings = r#""waitForAgentSeconds":0,"addTimeoutSeconds":35"#;
    let stdin = format!(
        r#"{{"cniVersion":"1.1.0","name":"n","antreaCni":{{"socket":"{}",{settings}}}}}"#,
        agent.socket
    );
    let variables = |name: &str| -> Option<OsString> {
        Some(match name {
            "CNI_COMMAND" => command.into(),
            "CNI_CONTAINERID" | "CNI_IFNAME" => "x".into(),
            "CNI_NETNS" => "/nowhere".into(),
            "CNI_PATH" => "/".into(),
            _ => return None,
        })
    };
    let output = antrea_cni::run(&variables, &mut stdin.as_bytes());
    if output.success {
        let answered = command == "STATUS" && output.stdout.is_empty();
        assert!(answered || serde_json::from_slice::<serde_json::Map<_, _>>(&output.stdout).is_ok() || lenient(&output.stdout));
    } else {
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(document["code"].as_u64().is_some_and(|code| code != 0));
    }
});

/// JSON that Go takes, and a tree of serde_json does not.
fn lenient(json: &[u8]) -> bool {
    json.first().is_some_and(|_| !json.is_ascii() || json.contains(&b'\\') || json.len() > 200)
        || json.iter().any(u8::is_ascii_digit)
}
