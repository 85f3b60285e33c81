// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
use crate::support::{Answer, run, tool};

/// The commands that the help names.
fn commands(words: &[&str]) -> Vec<String> {
    let help = run(words.iter().chain(&["--help"])).out;
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = rows.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = rows.filter_map(|row| row.split(' ').next()).filter(|it| !it.is_empty());
    names.filter(|it| *it != "help").map(ToOwned::to_owned).collect()
}

#[test]
fn each_command_is_in_the_documentation() {
    run(["--help"]).assert(0, "Exit status");
    let all = commands(&[]);
    assert!(all.len() > 10, "{all:?}");
    for page in ["README.md", "docs/windows.md"] {
        let path = format!("{}/../{page}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        for command in &all {
            let is_named = ["`", " "].iter().any(|end| text.contains(&format!("`{command}{end}")));
            assert!(is_named, "{page} has no {command}");
        }
    }
}

#[test]
fn help_wraps_at_the_width_of_the_terminal() {
    let widest = |columns: &str, command: &[&str]| {
        let mut tool = tool();
        let help = Answer::from(tool.args(command).env("COLUMNS", columns).output().unwrap());
        help.assert(0, "Usage");
        help.out.lines().map(|line| line.chars().count()).max().unwrap_or_default()
    };
    for command in [&["--help"][..], &["install", "--help"], &["log", "show", "--help"]] {
        assert!(widest("50", command) <= 50, "{command:?}");
        // A line that runs over all of a wide screen is hard to read.
        assert!((80..=100).contains(&widest("300", command)), "{command:?}");
    }
}

#[test]
fn wrong_arguments_are_exit_status_2() {
    for wrong in [&[][..], &["nothing"], &["install", "--keep", "5"], &["log", "summary"]] {
        assert_eq!(run(wrong).exit, 2, "{wrong:?}");
    }
}

#[test]
fn man_pages_and_completions_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run([std::ffi::OsStr::new("man"), folder.as_os_str()]).assert(0, "");
    let of_log = commands(&["log"]).into_iter().map(|it| format!("log-{it}"));
    for command in commands(&[]).into_iter().chain(of_log) {
        let page = folder.join(format!("antrea-cnictl-{command}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = run(["completions", shell]);
        commands(&[]).iter().for_each(|it| script.assert(0, it));
    }
}

#[test]
fn there_are_no_colours_without_a_terminal() {
    let probe = run(["probe", "--socket", "/nowhere"]);
    assert!(!probe.out.contains('\u{1b}'), "{probe:?}");
    let wrong = run(["check-config", "/nowhere"]);
    assert!(!wrong.err.contains('\u{1b}'), "{wrong:?}");
}

#[cfg(unix)]
#[test]
fn completion_goes_on_after_a_subcommand() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("completion");
    std::fs::write(&script, run(["completions", "bash"]).out).unwrap();
    let ask = r#"
        source "$0"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        name=$(complete -p antrea-cnictl | sed 's/.*-F \([^ ]*\).*/\1/')
        "$name" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        echo "${COMPREPLY[*]}""#;
    for (words, says) in [
        (&["che"][..], "check-config"),
        (&["check-config", "--bi"], "--bin-dir"),
        (&["probe", "--so"], "--socket"),
        (&["log", "su"], "summary"),
        (&["log", "summary", "--fi"], "--file"),
        (&["completions", "fi"], "fish"),
    ] {
        let mut bash = std::process::Command::new("bash");
        bash.args(["--norc", "-c", ask]).arg(&script).arg("antrea-cnictl").args(words);
        let answer = bash.output().unwrap();
        let text = String::from_utf8_lossy(&answer.stdout);
        assert!(text.split_whitespace().any(|word| word == says), "{words:?}: {answer:?}");
    }
}

#[test]
fn the_version_says_what_is_in_it() {
    run(["version"]).assert(0, concat!("antrea-cnictl ", env!("CARGO_PKG_VERSION"), "; "));
}
