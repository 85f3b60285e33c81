#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Adds something to the tree in the working folder, as a person would: edit.py setting|command|subcommand|key."""
import pathlib
import sys


def edit(path, *pairs):
    """Puts each text before, after or in the place of one that is there once: (there, instead)."""
    file = pathlib.Path(path)
    text = file.read_text()
    for there, instead in pairs:
        if text.count(there) != 1:
            sys.exit(f"{path} has {text.count(there)} times: {there}")
        text = text.replace(there, instead)
    file.write_text(text)


def setting():
    """A boolean setting: its field, its default and its row; its test."""
    edit("src/input/settings.rs",
         ("    pub require_root_agent: bool,\n}", "    pub require_root_agent: bool,\n    pub rehearsed: bool,\n}"),
         ("            require_root_agent: true,\n", "            require_root_agent: true,\n            rehearsed: false,\n"),
         ("        Setting {\n            name: \"requireRootAgent\",", """        Setting {
            name: "rehearsed",
            kind: Kind::Bool(|it| &mut it.rehearsed),
            help: "a setting that is rehearsed",
        },
        Setting {
            name: "requireRootAgent","""))
    edit("tests/it/settings.rs",
         ('"requireRootAgent":false}"#;\n    let expected', '"requireRootAgent":false,"rehearsed":true}"#;\n    let expected'),
         ("        require_root_agent: false,\n    };", "        require_root_agent: false,\n        rehearsed: true,\n    };"))


def command():
    """A command of a later specification, which no API of the agent has yet."""
    edit("src/action.rs",
         ("        /// STATUS: tell whether", "        /// PAUSE: rehearse a command\n        Pause,\n        /// STATUS: tell whether"),
         ("            Self::Status => Rules {", """            Self::Pause => Rules {
                name: "PAUSE",
                since: Version::new(1, 1, 0),
                has_container: true,
                requires_netns: true,
                timeout: s(45),
                wait_for_agent: s(5),
                refuses_wrong_settings: true,
                retry_if_left: Some(Duration::ZERO),
            },
            Self::Status => Rules {"""))
    edit("src/api/v1.rs", ("        Action::Status => proto::CMD_STATUS,", "        Action::Pause => return None,\n        Action::Status => proto::CMD_STATUS,"))
    edit("src/api/v1beta1.rs", ("Action::Gc | Action::Status => None", "Action::Gc | Action::Pause | Action::Status => None"))
    edit("src/client.rs", ("Action::Check | Action::Del | Action::Gc => {", "Action::Check | Action::Del | Action::Gc | Action::Pause => {"))
    edit("src/input/timeouts.rs", ("Action::Check | Action::Gc => 5", "Action::Check | Action::Gc | Action::Pause => 5"))
    edit("agent/src/commands.rs", ("            Action::Status => Ok(Vec::new()),", "            Action::Pause | Action::Status => Ok(Vec::new()),"))
    edit("tests/matrix.rs",
         ('"GC" | "STATUS" => "1.1.0"', '"GC" | "PAUSE" | "STATUS" => "1.1.0"'),
         ('["ADD", "CHECK", "DEL"].contains(&command)', '["ADD", "CHECK", "DEL", "PAUSE"].contains(&command)'))


def subcommand():
    """A subcommand of the tool."""
    edit("ctl/src/cli.rs", ("    /// Show the version, and which plugin is embedded\n", """    /// Say that it was rehearsed
    #[command(after_help = EXIT_STATUS)]
    Rehearsed,
    /// Show the version, and which plugin is embedded
"""))
    edit("ctl/src/commands.rs", ("pub(crate) mod settings;", "pub(crate) mod rehearsed;\npub(crate) mod settings;"))
    pathlib.Path("ctl/src/commands/rehearsed.rs").write_text("""// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `rehearsed`: says that it was rehearsed.

use std::io::Write;

use crate::error::{Error, Exit};
use crate::output;

pub(crate) fn run(out: &mut impl Write) -> Result<Exit, Error> {
    output::say(out, "rehearsed").map(|()| Exit::Success)
}
""")
    edit("ctl/src/lib.rs",
         ("owed, probe, settings, status};", "owed, probe, rehearsed, settings, status};"),
         ("        Command::Version => {", "        Command::Rehearsed => rehearsed::run(out),\n        Command::Version => {"))
    edit("README.md", ("| `version`, `man`, `completions` |", "| `rehearsed` | that it was rehearsed |\n| `version`, `man`, `completions` |"))
    edit("docs/windows.md", ("`bundle`, `version`,", "`bundle`, `rehearsed`, `version`,"))


def key():
    """A key of the log's line: how often the agent was asked again."""
    edit("src/log/event.rs",
         ("    /// Code of the CNI error, 0 for success\n    pub code: u32,", """    /// How often the agent answered "try again later" and was asked again
    #[serde(default)]
    pub rehearsed: u32,
    /// Code of the CNI error, 0 for success
    pub code: u32,"""),
         ("        code: error.map_or(0, Error::code),", "        rehearsed: call_log.busy_retries,\n        code: error.map_or(0, Error::code),"))
    edit("tests/it/log.rs", ('"attempts": 1, "code": 0,\n            "ips"', '"attempts": 1, "code": 0, "rehearsed": 0,\n            "ips"'))


{"setting": setting, "command": command, "subcommand": subcommand, "key": key}[sys.argv[1]]()
