#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Adds a setting or a command to the tree in the working folder, as a person would: edit.py setting|command."""
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
         ("    /// STATUS: tell whether", "    /// PAUSE: rehearse a command\n    Pause,\n    /// STATUS: tell whether"),
         ("[Self; 5]", "[Self; 6]"),
         ("Self::Gc, Self::Status];", "Self::Gc, Self::Pause, Self::Status];"),
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


{"setting": setting, "command": command}[sys.argv[1]]()
