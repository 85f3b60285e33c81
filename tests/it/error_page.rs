// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The page of errors, as the plugin really says them. `UPDATE=1 cargo test --test it page`
//! writes it.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;

use antrea_cni_agent::{Api, Options};
use serde_json::{Value, json};

use antrea_cni_test_support::{Answer, Call, TestNode, check_file};

/// A page of errors that grows.
struct Page(String);

impl Page {
    fn section(&mut self, code: &str, what: &str, todo: &str) {
        let _ = write!(self.0, "\n## {code}\n\n{what}\n\n**What to do:** {todo}\n");
    }

    /// What the plugin said, without what differs from machine to machine.
    fn said(&mut self, place: &TestNode, code: u64, answer: &Answer) {
        assert_eq!(answer.code(), code, "{answer:?}");
        let document = answer.document().unwrap();
        let text = |key: &str| {
            let text = document.get(key).and_then(Value::as_str).unwrap_or_default();
            let text = text.replace(place.socket().to_str().unwrap(), "/var/run/antrea/cni.sock");
            let text = text.replace(place.path("").to_str().unwrap(), "/tmp/").replace("//", "/");
            // Seconds, as a busy machine may need more of them.
            let parts = text.split(", ").map(|part| {
                let time = part.split_once(" in ").map_or(part, |(_, time)| time);
                match time.split_once(" s") {
                    Some((seconds, rest)) if seconds.parse::<f64>().is_ok() => {
                        let before = part.strip_suffix(time).unwrap_or_default();
                        format!("{before}0.0 s{rest}")
                    }
                    _ => part.to_owned(),
                }
            });
            parts.collect::<Vec<_>>().join(", ")
        };
        let (message, details) = (text("msg"), without_newer_than_v1(text("details")));
        let _ = write!(self.0, "\n```text\n{message}\n");
        if !details.is_empty() {
            let _ = writeln!(self.0, "  {details}");
        }
        self.0 += "```\n";
    }
}

/// The page does not grow with each new API.
fn without_newer_than_v1(details: String) -> String {
    let newer = || Api::ALL.iter().take_while(|api| **api != Api::V1);
    let is_newer = |part: &&str| newer().any(|api| part.starts_with(&format!("{} ", api.package)));
    let gone = details.split("; ").filter(is_newer).count();
    let kept: Vec<_> = details.split("; ").filter(|part| !is_newer(part)).collect();
    // "4 calls on 1 connection"
    let words = kept.join("; ").split(' ').map(str::to_owned).collect::<Vec<_>>();
    let count = |at: usize| words.get(at + 1).filter(|it| it.starts_with("call")).map(|_| gone);
    let words =
        words.iter().enumerate().map(|(at, word)| match (word.parse::<usize>(), count(at)) {
            (Ok(calls), Some(gone)) => (calls - gone).to_string(),
            _ => word.clone(),
        });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_of_errors_is_current() {
    let mut page = Page(String::from(
        "# Errors\n\n\
         One section a code. A runtime shows the message; the second line is the `details` of the\n\
         error document, which a runtime may leave out and the log file does not have. Each was\n\
         said by the plugin: `UPDATE=1 cargo test --test it page` runs the cases and writes this\n\
         page. Codes that are not here come from the agent and are passed on with its words.\n",
    ));
    let place = TestNode::new();
    let configured = |text: &str| Call::new("ADD", text).run();
    let with = |settings: Value| place.call_with("ADD", "1.1.0", settings).run();

    page.section(
        "1: incompatible CNI version",
        "`cniVersion` is not supported by the plugin or by the agent, or is too old for the command. \
         Nothing was done.",
        "set another `cniVersion` in the network configuration; `antrea-cnictl check-config` says \
         which agents accept it.",
    );
    page.said(&place, 1, &place.call("ADD", "1.2.0").run());
    page.said(&place, 1, &place.call("CHECK", "0.3.1").run());
    let agent = place.agent(&[Api::V1BETA1]);
    page.said(&place, 1, &configured(&with_socket(&place, r#""name":"antrea""#)));
    drop(agent);

    page.section(
        "2 and 3: from the agent",
        "2: it does not support a field of the configuration. 3: it does not know the container.",
        "read the message, which is the agent's; for 3 after a restart of the node, delete the Pod.",
    );
    let refused = |code, message| refused_with(&place, code, message);
    page.said(&place, 2, &refused(2, "unsupported network type macvlan"));

    page.section(
        "4: invalid environment variables",
        "What called the plugin did not set a `CNI_*` variable, or not to a valid value.",
        "a container runtime sets all of them: look at what else calls the plugin.",
    );
    page.said(&place, 4, &Call::new("ADD", "{}").without("CNI_NETNS").without("CNI_PATH").run());
    page.said(&place, 4, &Call::new("ADD", "{}").env("CNI_CONTAINERID", "a b").run());
    page.said(&place, 4, &Call::new("ADD", "{}").env("CNI_IFNAME", "a/b").run());
    page.said(&place, 4, &place.call("ADD", "1.1.0").env("CNI_COMMAND", "FOO").run());

    page.section(
        "5: I/O failure",
        "Standard input cannot be read, or whoever listens at the socket's path is not to be \
         trusted. Nothing was sent.",
        "correct the setting `socket`; run `antrea-cnictl probe`, which shows owner and mode of the \
         socket and the user behind it.",
    );
    std::fs::create_dir(place.path("open")).unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(place.path("open"), everybody).unwrap();
    let options = Options::new(place.path("open/s"), &[Api::V1]);
    let agent = antrea_cni_agent::Agent::start(options).unwrap();
    symlink(place.path("open/s"), place.socket()).unwrap();
    page.said(&place, 5, &place.call("ADD", "1.1.0").run());
    assert!(agent.calls().is_empty(), "something was sent");
    std::fs::remove_file(place.socket()).unwrap();

    page.section(
        "6: decoding failure",
        "The network configuration, or the agent's result, is not the JSON that it has to be.",
        "correct the file in the folder of network configurations (`antrea-cnictl check-config` \
         shows line and column); if it is the agent's result, look at the agent's log.",
    );
    page.said(&place, 6, &configured("[]"));
    page.said(&place, 6, &configured(r#"{"name":5}"#));
    let agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": "null"}}));
    page.said(&place, 6, &place.call("ADD", "1.1.0").run());
    drop(agent);

    page.section(
        "7: invalid network configuration",
        "The name of the network, or a setting under `antreaCni`, is not valid. Nothing was sent.",
        "correct the configuration; [settings.md](settings.md) has the settings.",
    );
    page.said(&place, 7, &configured("{}"));
    page.said(&place, 7, &configured(r#"{"name":"a b"}"#));
    for settings in [json!({"addTimeoutSeconds": 5}), json!({"colour": "blue"})] {
        page.said(&place, 7, &with(settings));
    }
    let long = "/s".repeat(60);
    for socket in ["run/cni.sock", "/a\u{0}b", &long] {
        let settings = json!({"antreaCni": {"socket": socket}, "name": "x", "cniVersion": "1.1.0"});
        page.said(&place, 7, &configured(&settings.to_string()));
    }

    page.section(
        "8: invalid network namespace",
        "An ADD for the network namespace that the plugin itself runs in.",
        "give the container a network namespace of its own; a test may set `CNI_NETNS_OVERRIDE=1`.",
    );
    page.said(&place, 8, &place.call("ADD", "1.1.0").env("CNI_NETNS", "/proc/self/ns/net").run());

    page.section(
        "11: try again later",
        "The agent cannot be reached, did not answer in time, went away during the call, or said \
         itself \"try again later\" to the end of the command's time: its node's network is not ready. \
         An ADD waits `waitForAgentSeconds` (60) for an agent that is away and takes \
         `addTimeoutSeconds` (120) at most; the details say how long it took, and how often the agent \
         was asked. An ADD whose outcome is unknown is not sent again: the runtime undoes it with DEL, \
         and a DEL is owed that is sent 60 s later. While the container runtime waits to read its \
         network configuration again, a call ends 20 s after the change in `confDir`: the runtime \
         holds up all other calls of the node until then. A DEL gives 11 where it cannot be owed, where a wrong setting may be `socket` and the list names no valid one, \
         where `delWhenAgentDown` is `\"fail\"`, where each agent goes away during it, and where \
         the agent says so to the end.",
        "nothing, if the agent is being restarted: the runtime tries again. Else look at the \
         agent's Pod on this node: `kubectl -n kube-system get pods -l component=antrea-agent \
         --field-selector spec.nodeName=NODE`, then `antrea-cnictl probe` on the node. If there is \
         no Pod of Antrea on the node, a conflist was left behind: remove it. If connecting is not \
         permitted: the owner and mode of the socket's folder, SELinux, AppArmor.",
    );
    page.said(&place, 11, &place.call("ADD", "1.1.0").run());
    std::fs::write(place.socket(), "").unwrap();
    page.said(&place, 11, &place.call("ADD", "1.1.0").run());
    std::fs::remove_file(place.socket()).unwrap();
    let agent = place.scripted(
        &[Api::V1BETA1],
        json!({"ADD": {"status": {"code": 14, "message": "shutting down"}}}),
    );
    page.said(&place, 11, &place.call("ADD", "1.1.0").run());
    drop(agent);
    let busy = json!({"code": 11, "message": "Server is busy, please retry later"});
    let agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"error": busy}}));
    page.said(&place, 11, &with(json!({"addTimeoutSeconds": 35})));
    drop(agent);

    page.section(
        "50 and 51: not ready",
        "50: STATUS found no agent that could do an ADD now, so the node is NotReady. 51 comes from \
         an agent whose containers would have limited connectivity.",
        "as for 11; a node is Ready again a few seconds after its agent is.",
    );
    page.said(&place, 50, &place.call("STATUS", "1.1.0").run());

    page.section(
        "101, 102 and 103: from the agent",
        "101: IPAM. 102: the container's interface could not be made. 103: CHECK found it changed.",
        "read the message, which is the agent's, and its log on this node. 101 with \"no IP \
         addresses available\" is a node that has more Pods than addresses.",
    );
    page.said(
        &place,
        101,
        &refused(101, "no IP addresses available in range set: 10.10.0.1-10.10.0.254"),
    );
    page.said(
        &place,
        102,
        &refused(102, "failed to Statfs \"/run/netns/x\": no such file or directory"),
    );

    page.section(
        "201: unknown RPC error",
        "The agent answered with a gRPC status, or not as the API says.",
        "look at the agent's log on this node; with network policies only mode (chaining), the \
         message is that of the other plugin.",
    );
    let agent = place.scripted(
        &[Api::V1BETA1],
        json!({"ADD": {"status": {"code": 2, "message": "failed to set up the chained interface"}}}),
    );
    page.said(&place, 201, &place.call("ADD", "1.1.0").run());
    drop(agent);

    page.section(
        "202: incompatible API version",
        "The agent serves none of the API versions that the plugin speaks. The details name each \
         that was tried, and the answer to it.",
        "install a plugin as new as the agent; `antrea-cnictl probe` shows what the agent serves.",
    );
    let agent = place.agent(&[]);
    page.said(&place, 202, &place.call("ADD", "1.1.0").run());
    drop(agent);

    page.section(
        "999: internal error",
        "The plugin itself could not go on, or the agent sent an error without a valid code.",
        "read the message. The container runtime hands its limits on to the plugin: \
         `LimitNOFILE` of its systemd unit, if a socket cannot be made.",
    );
    page.said(&place, 999, &refused_with(&place, 0, "an error whose code the agent forgot"));
    assert_eq!(check_file("docs/errors.md", &page.0), Ok(()));
}

fn refused_with(place: &TestNode, code: u32, message: &str) -> Answer {
    let error = json!({"ADD": {"error": {"code": code, "message": message}}});
    let _agent = place.scripted(&[Api::V1BETA1], error);
    place.call("ADD", "1.1.0").run()
}

fn with_socket(place: &TestNode, members: &str) -> String {
    format!(r#"{{{members},"antreaCni":{{"socket":{:?}}}}}"#, place.socket())
}
