// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The bytes of each API, as agents know them: a released API is never edited again.
//! `UPDATE=1 cargo test --test it frozen` writes those of an API that is new.

use std::fmt::Write as _;

use antrea_cni::api::Request;
use antrea_cni::input::{Call, CmdArgs};
use antrea_cni::{Action, Api, Command};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/apis");

/// A reply with a result, and one with an error, in the shape of v1 and v1beta1.
const REPLIES: [&[u8]; 2] =
    [b"\x0a\x16{\"cniVersion\":\"1.1.0\"}", b"\x12\x17\x08\x65\x12\x0cno addresses\x22\x05range"];

/// All that goes over the wire for the API, and what is read of its replies.
fn frozen(api: &Api) -> String {
    let mut text = String::new();
    for action in Action::ALL {
        let args = CmdArgs {
            container_id: "c0ffee".to_owned(),
            netns: "/var/run/netns/x".to_owned(),
            ifname: "eth0".to_owned(),
            args: "IgnoreUnknown=1;K8S_POD_NAME=web-0".to_owned(),
            path: "/opt/cni/bin".to_owned(),
            stdin_data: br#"{"cniVersion":"1.1.0","name":"antrea","type":"antrea"}"#.to_vec(),
            ..CmdArgs::default()
        };
        let call = Call::check(&Command::from(action), args).unwrap();
        let request = Request::from(&call);
        let Some(method) = (api.method)(action) else { continue };
        let bytes = (api.encode)(&request).unwrap();
        let repeated = if method.may_be_repeated { "may be repeated" } else { "once" };
        let _ = writeln!(text, "{} {repeated}\n> {}", api.path(&method), bytes.escape_ascii());
        for reply in REPLIES {
            let response = (api.decode)(&request, reply.into()).unwrap();
            let _ = writeln!(text, "< {}\n  {response:?}", reply.escape_ascii());
        }
    }
    text
}

#[test]
fn a_released_api_is_what_it_was() {
    let mut compared = 0;
    for api in Api::ALL {
        let file = format!("{FOLDER}/{}.txt", api.name);
        if std::env::var_os("UPDATE").is_some() && !std::fs::exists(&file).unwrap() {
            std::fs::write(&file, frozen(api)).unwrap();
        }
        // One that no release serves may still change.
        match std::fs::read_to_string(&file) {
            Ok(there) => assert_eq!(frozen(api), there, "{}", api.package),
            Err(error) => assert_eq!(api.releases, None, "{file}: {error}"),
        }
        compared += usize::from(std::fs::exists(&file).unwrap());
    }
    assert_eq!(compared, std::fs::read_dir(FOLDER).unwrap().count());
}
