// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What the README says of agents, held against answers of real ones: the CNI servers of
//! v0.1.0, v1.0.3 (also as a chained plugin) and v2.7.0 (also without its network) were
//! asked, and `tests/fixtures/agent-answers.jsonl` has what they said.

use antrea_cni_agent::{Agent, Api, Options};
use semver::Version;
use serde_json::{Value, json};

use antrea_cni_test_support::TestNode;

const README: &str = include_str!("../../README.md");
const ANSWERS: &str = include_str!("../fixtures/agent-answers.jsonl");
const ORDINARY: [(&str, Version); 3] = [
    ("v0.1.0", Version::new(0, 1, 0)),
    ("v1.0.3", Version::new(1, 0, 3)),
    ("v2.7.0", Version::new(2, 7, 0)),
];

/// Whether the README has these words, wherever its lines end.
fn readme_says(words: &str) -> bool {
    README.split_whitespace().collect::<Vec<_>>().join(" ").contains(words)
}

/// The answers of an agent about something, in the order in which it was asked.
fn answers(agent: &str, about: &str) -> Vec<Value> {
    let all = ANSWERS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: Vec<_> =
        all.filter(|answer| answer["agent"] == agent && answer["about"] == about).collect();
    assert!(!found.is_empty(), "nothing was recorded of {agent} about {about}");
    found
}

/// The cniVersions in which an agent did an ADD.
fn accepted(agent: &str) -> Vec<String> {
    let asked = answers(agent, "versions").into_iter();
    let done = asked.filter(|answer| answer["method"] == "CmdAdd" && answer["code"] == 0);
    done.map(|answer| answer["question"].as_str().unwrap()[9..14].to_owned()).collect()
}

/// What an agent said to a CHECK with the `prevResult` of its own ADD.
fn check(agent: &str, question: &str, about: &str) -> Value {
    answers(agent, about).into_iter().find(|answer| answer["question"] == question).unwrap()
}

/// The row of the README's table of agents that has `release`: what it accepts, and what
/// the plugin sends with a list of 1.1.0.
fn row(release: &Version) -> (String, String) {
    let mut rows = README.lines().filter(|line| line.starts_with("| v")).filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (agents, accepts, sends) = (cells.next()?, cells.next()?, cells.next()?);
        let (first, last) = agents.split_once(" (")?.0.split_once(" to ")?;
        let number = |text: &str| text.trim_start_matches('v').parse::<Version>().ok();
        (number(first)? <= *release && *release <= number(last)?)
            .then(|| (accepts.to_owned(), sends.to_owned()))
    });
    rows.next_back().expect("a row for each release")
}

#[test]
fn agents_accept_what_the_readme_says() {
    for (agent, release) in ORDINARY {
        let (versions, (accepts, _)) = (accepted(agent), row(&release));
        let (first, last) = (versions.first().unwrap(), versions.last().unwrap());
        assert_eq!(accepts, format!("{first} to {last}"), "{agent}");
    }
}

#[test]
fn a_list_of_the_newest_version_is_sent_as_the_readme_says() {
    for (agent, release) in ORDINARY {
        let service = answers(agent, "methods")[0]["service"].as_str().unwrap().to_owned();
        let package = service.trim_end_matches(".Cni");
        let api = Api::ALL.iter().find(|api| api.package == package).unwrap();
        let node = TestNode::new();
        let options = Options::new(node.socket(), &[*api]);
        let running = Agent::start(Options { cni_versions: accepted(agent), ..options }).unwrap();
        assert_eq!(node.call("ADD", "1.1.0").run().exit(), 0, "{agent}");
        let sent = running.served().into_iter().map(|call| {
            let sent: Value = serde_json::from_slice(&call.network_configuration).unwrap();
            let version = sent["cniVersion"].as_str().unwrap().to_owned();
            if accepted(agent).contains(&version) { version } else { format!("{version}, refused") }
        });
        assert_eq!(sent.collect::<Vec<_>>().join("; "), row(&release).1, "{agent}");
        // An agent without GC has nothing to do for it.
        node.call("GC", "1.1.0").run().assert_silent_success();
    }
}

#[test]
fn a_refused_version_is_code_1_before_anything_else() {
    for (agent, _) in ORDINARY {
        let asked = answers(agent, "versions").into_iter();
        let refused = asked.filter(|answer| {
            let question = answer["question"].as_str().unwrap();
            !accepted(agent).iter().any(|version| question.contains(&format!("'{version}'")))
        });
        let refused: Vec<_> = refused.collect();
        assert!(refused.iter().any(|answer| answer["question"] == "version None"), "{agent}");
        for answer in refused {
            assert_eq!(answer["code"], 1, "{answer}");
            assert!(answer["text"].as_str().unwrap().starts_with("Unsupported CNI version ["));
        }
    }
    let silent = check("v2.7.0-network-not-ready", "notready wrong version", "not ready");
    assert_eq!((&silent["code"], &silent["seconds"]), (&json!(1), &json!(0)));
}

#[test]
fn no_release_has_v1_or_status_or_gc() {
    for (agent, _) in ORDINARY {
        for answer in answers(agent, "methods") {
            assert_eq!(answer["status"], "UNIMPLEMENTED", "{answer}");
            let (service, method) = (answer["service"].as_str().unwrap(), &answer["method"]);
            let unknown = if service.ends_with(".v1.Cni") {
                format!("unknown service {service}")
            } else {
                format!("unknown method {} for service {service}", method.as_str().unwrap())
            };
            assert_eq!(answer["text"], unknown);
        }
    }
}

#[test]
fn check_fails_where_the_readme_says() {
    let right = "version '0.4.0' prevResult";
    assert!(readme_says("agents v0.9.0 to v1.10.1 always fail (103)"));
    assert_eq!(check("v1.0.3", right, "versions")["code"], 103);
    assert!(readme_says("but for chained ones"));
    assert_eq!(check("v1.0.3-chaining", "chain 0.4.0 check", "chaining")["code"], 0);
    for agent in ["v0.1.0", "v2.7.0"] {
        assert_eq!(check(agent, right, "versions")["code"], 0, "{agent}");
    }
}

#[test]
fn without_its_network_an_agent_refuses_an_add_after_30_s() {
    assert!(readme_says("ADD is answered with code 11 after 30 s"));
    let add = check("v2.7.0-network-not-ready", "notready ADD", "not ready");
    assert_eq!((&add["code"], &add["seconds"]), (&json!(11), &json!(30)));
}

#[test]
fn a_chained_agent_gives_another_label_or_shape() {
    for version in ["0.3.0", "0.3.1", "0.4.0"] {
        let add = check("v1.0.3-chaining", &format!("chain {version}"), "chaining");
        assert_eq!(add["resultVersion"], "0.4.0", "{version}");
    }
}

#[test]
fn each_api_knows_which_releases_have_it() {
    let table: Vec<_> = include_str!("../fixtures/antrea-releases.csv").lines().skip(1).collect();
    for api in Api::ALL {
        let of = table.iter().filter(|line| line.split(',').nth(2) == Some(api.package));
        let names: Vec<_> = of.map(|line| line.split(',').next().unwrap()).collect();
        let range = names.first().zip(names.last()).map(|(first, last)| [*first, *last]);
        assert_eq!(api.releases, range, "{}", api.package);
    }
}
