// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What Antrea's installer wrote into staging folders, and what of it comes to the node: in whole
//! files, and only if it changed.

mod killed;
mod storm;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Answer, Node, eventually, mode, tool};

const INSTALLER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ctl/install_cni.sh");

const PROGRAMS: [&str; 4] = ["antrea", "bandwidth", "loopback", "portmap"];
const LIST: &str = "net.d/10-antrea.conflist";
const OLDER_LIST: &str = "net.d/10-antrea.conf";

/// A node, the image of an agent's Pod, and the Pod's staging folders.
struct Staging {
    node: Node,
}

impl Staging {
    /// The image is of the release `1`.
    fn new() -> Self {
        Self::of(Node::new())
    }

    fn of(node: Node) -> Self {
        for folder in ["image", "net.d", "staged", "staged/bin", "staged/conf"] {
            fs::create_dir(node.path(folder)).unwrap();
        }
        let staging = Self { node };
        for version in ["one", "two"] {
            staging.node.script(version);
        }
        staging.release("1");
        staging
    }

    fn path(&self, name: &str) -> PathBuf {
        self.node.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Makes the image that of a release.
    fn release(&self, release: &str) {
        for program in PROGRAMS {
            let name = format!("image/{program}");
            let path = self.node.script(&name);
            let text = format!("{}# {release}\n", fs::read_to_string(&path).unwrap());
            fs::write(path, text).unwrap();
        }
        let list = format!(
            r#"{{"cniVersion":"0.3.0","name":"antrea","plugins":[{{"type":"antrea"}}],"x":"{release}"}}"#
        );
        fs::write(self.path("image/antrea-cni.conflist"), list).unwrap();
    }

    /// Runs Antrea's installer, into folders of this node.
    fn installer(&self, bin: &str, conf: &str) {
        let ran = self.installer_that_may_fail(bin, conf);
        assert!(ran.status.success(), "{ran:?}");
    }

    fn installer_that_may_fail(&self, bin: &str, conf: &str) -> Output {
        let paths = ["image", bin, conf].map(|it| self.path(it));
        Command::new("sh").arg(INSTALLER).args(paths).output().unwrap()
    }

    /// Runs our init container.
    fn ours(&self, from: &str, more: &[&str]) -> Answer {
        self.tool(from, more).output().unwrap().into()
    }

    fn tool(&self, from: &str, more: &[&str]) -> Command {
        let mut tool = self.node.command("install");
        tool.arg("--from").arg(self.path(from));
        for (option, folder) in [
            ("--staged-bin", "staged/bin"),
            ("--staged-conf", "staged/conf"),
            ("--host-conf", "net.d"),
        ] {
            tool.arg(option).arg(self.path(folder));
        }
        tool.args(more).stdin(Stdio::null());
        tool
    }

    /// Starts the Pod of an agent.
    fn start(&self, from: &str) -> Answer {
        self.installer("staged/bin", "staged/conf");
        self.ours(from, &["--best-effort"])
    }

    #[track_caller]
    fn assert_is(&self, name: &str, expected: &str) {
        assert_eq!(self.read(name), self.read(expected), "{name}");
    }

    /// The node has the files of the image, and ours in the place of Antrea's plugin.
    #[track_caller]
    fn assert_moved(&self, ours: &str) {
        self.assert_is("bin/antrea", ours);
        for program in ["bandwidth", "loopback", "portmap"] {
            self.assert_is(&format!("bin/{program}"), &format!("image/{program}"));
        }
        for program in PROGRAMS {
            assert_eq!(mode(&self.path(&format!("bin/{program}"))), 0o755, "{program}");
        }
        self.assert_is(LIST, "image/antrea-cni.conflist");
        let net_d: Vec<_> = names(&self.path("net.d")).into_iter().collect();
        assert_eq!(net_d, ["10-antrea.conflist"]);
        let mut expected: BTreeSet<_> = PROGRAMS.map(str::to_owned).into();
        expected.insert(".antrea.cnictl".to_owned());
        let mut bin = names(&self.path("bin"));
        bin.remove(".antrea.json");
        assert_eq!(bin, expected);
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_was_staged_comes_to_the_node_and_antreas_plugin_is_what_is_restored() {
    for back in ["rollback", "uninstall"] {
        let staging = Staging::new();
        fs::write(staging.path(OLDER_LIST), "{}").unwrap();
        staging.start("one").assert(0, "antrea: installed");
        staging.assert_moved("one");
        assert_eq!(mode(&staging.path(LIST)), 0o644);
        staging.node.run(back).assert(0, "antrea: ");
        staging.assert_is("bin/antrea", "image/antrea");
    }
}

#[test]
fn an_upgrade_of_antrea_or_of_ours_is_moved_and_restored() {
    let staging = Staging::new();
    staging.start("one").assert(0, "");
    staging.release("2");
    let answer = staging.start("one");
    answer.assert(0, "portmap: moved here");
    answer.assert(0, "10-antrea.conflist: moved here");
    answer.assert(0, "antrea: is installed already");
    staging.assert_moved("one");
    staging.start("two").assert(0, "antrea: installed");
    staging.assert_moved("two");
    staging.node.run("rollback").assert(0, "rolled back");
    staging.assert_is("bin/antrea", "image/antrea");
    // Whatever comes with the next start, a person does not want ours.
    staging.release("3");
    staging.start("two").assert(0, "not installed again");
    staging.assert_moved("image/antrea");
    staging.ours("two", &[]).assert(0, "installed");
    staging.node.run("uninstall").assert(0, "is back");
    staging.assert_is("bin/antrea", "image/antrea");
}

/// What somebody else wrote, and the keeper replaced, is not what a person goes back to.
#[test]
fn antreas_plugin_is_restored_also_after_a_keeper_replaced_another() {
    let staging = Staging::of(Node::in_a_quiet_place());
    staging.node.script("theirs");
    staging.start("one").assert(0, "installed");
    let keeper = staging.node.keeper("one", &[]);
    staging.node.overwrite(&staging.node.target(), &staging.path("theirs"));
    eventually(|| staging.path("bin/.antrea.cnictl/before-restore").exists());
    assert_eq!(keeper.end(), Some(0));
    staging.start("one").assert(0, "is installed already");
    staging.node.run("rollback").assert(0, "rolled back");
    staging.assert_is("bin/antrea", "image/antrea");
}

#[test]
fn the_list_keeps_the_mode_that_the_installer_gave_it() {
    let staging = Staging::new();
    staging.installer("staged/bin", "staged/conf");
    let list = staging.path("staged/conf/10-antrea.conflist");
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    staging.ours("one", &[]).assert(0, "");
    assert_eq!(mode(&staging.path(LIST)), 0o600);
    // Another mode on the node is a change.
    fs::set_permissions(staging.path(LIST), fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(staging.path("bin/portmap"), fs::Permissions::from_mode(0o600)).unwrap();
    staging.ours("one", &[]).assert(0, "portmap: moved here");
    assert_eq!(mode(&staging.path(LIST)), 0o600);
    assert_eq!(mode(&staging.path("bin/portmap")), 0o755);
}

/// A watch of what happens to the files of folders.
struct Watched(Inotify);

impl Watched {
    fn new(folders: &[PathBuf]) -> Self {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        // All events but those of reading.
        let events = AddWatchFlags::IN_ALL_EVENTS
            - AddWatchFlags::IN_OPEN
            - AddWatchFlags::IN_ACCESS
            - AddWatchFlags::IN_CLOSE_NOWRITE;
        for folder in folders {
            inotify.add_watch(folder, events).unwrap();
        }
        Self(inotify)
    }

    fn events(&self) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(events) = self.0.read_events() {
            all.extend(events.iter().map(|it| format!("{:?} {:?}", it.name, it.mask)));
        }
        all
    }
}

/// Each file below a folder, with what would show that it was written.
fn inodes(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, it) = (entry.path(), entry.metadata().unwrap());
        if it.is_dir() {
            all.extend(inodes(&path));
        }
        all.insert(path, (it.ino(), it.ctime(), it.ctime_nsec()));
    }
    all
}

/// 20 starts of an agent's Pod, the keeper's container among them.
#[test]
fn where_nothing_changed_nothing_is_written() {
    let staging = Staging::of(Node::in_a_quiet_place());
    let folders = ["bin", "net.d"].map(|it| staging.path(it));
    let start = || {
        staging.installer("staged/bin", "staged/conf");
        let mut tool = staging.tool("one", &["--best-effort", "--set", "logLevel=error"]);
        Answer::from(tool.env("ANTREA_CNI_SET_logMaxBytes", "65536").output().unwrap())
    };
    let keeper = || staging.node.keeper("one", &["--best-effort", "--set", "logLevel=error"]);
    start().assert(0, "installed");
    assert_eq!(keeper().end(), Some(0));
    let before = folders.each_ref().map(|it| inodes(it));
    let watched = Watched::new(&folders);
    for _ in 0..20 {
        start().assert(0, "is installed already");
        assert_eq!(keeper().end(), Some(0));
    }
    assert_eq!(watched.events(), Vec::<String>::new());
    assert_eq!(folders.each_ref().map(|it| inodes(it)), before);
    // What did change is one file, and no other.
    let portmap = staging.read("image/portmap");
    fs::write(staging.path("image/portmap"), format!("{portmap}# another\n")).unwrap();
    start().assert(0, "portmap: moved here");
    let events = watched.events();
    assert!(!events.is_empty() && events.iter().all(|it| it.contains("portmap")), "{events:?}");
}

#[test]
fn where_ours_cannot_be_used_antreas_plugin_is_there() {
    let with_broken = || {
        let staging = Staging::new();
        fs::copy(staging.path("one"), staging.path("broken")).unwrap();
        fs::write(staging.path("broken"), "#!/bin/sh\nexit 1\n").unwrap();
        staging
    };
    for (from, before) in
        [("broken", false), ("broken", true), ("nothing", false), ("nothing", true)]
    {
        let staging = with_broken();
        if before {
            staging.start("one").assert(0, "installed");
            staging.release("2");
        }
        staging.start(from).assert(0, "Antrea's plugin is there");
        staging.assert_is("bin/antrea", "image/antrea");
        assert_eq!(mode(&staging.path("bin/antrea")), 0o755);
        staging.assert_is("bin/portmap", "image/portmap");
        staging.assert_is(LIST, "image/antrea-cni.conflist");
        assert_eq!(staging.path("bin/.antrea.cnictl").exists(), before);
    }
    // Without the option it is an error, and no list leads to what is not there.
    let staging = with_broken();
    staging.installer("staged/bin", "staged/conf");
    staging.ours("broken", &[]).assert(1, "no CNI plugin");
    assert!(!staging.path("bin/antrea").exists() && !staging.path(LIST).exists());
}

#[test]
fn a_staging_folder_is_told_from_what_an_installer_leaves() {
    let wrong: [(&str, Break<'_>, &str); 9] = [
        ("bin", &|it| fs::remove_dir_all(it.path("staged/bin")).unwrap(), "cannot read"),
        ("bin", &|it| PROGRAMS.iter().for_each(|name| remove(it, "bin", name)), "it is empty"),
        ("bin", &|it| remove(it, "bin", "antrea"), "there is no antrea in it"),
        ("bin", &|it| fs::write(it.path("staged/bin/portmap"), "").unwrap(), "portmap is empty"),
        (
            "bin",
            &|it| fs::write(it.path("staged/bin/antrea"), "\x7fELF").unwrap(),
            "antrea is empty or cut off",
        ),
        (
            "bin",
            &|it| {
                remove(it, "bin", "portmap");
                mkfifo(&it.path("staged/bin/portmap"), Mode::S_IRWXU).unwrap();
            },
            "portmap is not a regular file",
        ),
        (
            "bin",
            &|it| {
                remove(it, "bin", "portmap");
                symlink("/etc/passwd", it.path("staged/bin/portmap")).unwrap();
            },
            "portmap is not a regular file",
        ),
        ("conf", &|it| remove(it, "conf", "10-antrea.conflist"), "it is empty"),
        (
            "conf",
            &|it| fs::write(it.path("staged/conf/10-antrea.conflist"), "").unwrap(),
            "10-antrea.conflist is empty",
        ),
    ];
    for (folder, break_it, says) in wrong {
        let staging = Staging::new();
        staging.installer("staged/bin", "staged/conf");
        break_it(&staging);
        let answer = staging.ours("one", &["--best-effort"]);
        answer.assert(1, says);
        answer.assert(1, &format!("staged/{folder}"));
        assert!(!staging.path(LIST).exists(), "{says}");
    }
    let staging = Staging::new();
    let mut tool = staging.node.command("install");
    let tool = tool.arg("--staged-bin").arg(staging.path("staged/bin"));
    Answer::from(tool.output().unwrap()).assert(2, "--staged-conf <FOLDER>");
}

/// Makes a staging folder another than an installer leaves.
type Break<'a> = &'a dyn Fn(&Staging);

fn remove(staging: &Staging, folder: &str, name: &str) {
    fs::remove_file(staging.path(&format!("staged/{folder}/{name}"))).unwrap();
}

#[test]
fn status_and_check_config_say_what_is_not_as_it_was_staged() {
    let staging = Staging::new();
    let check = || -> Answer {
        let mut tool = tool();
        tool.arg("check-config").arg("--bin-dir").arg(staging.path("bin"));
        tool.arg(staging.path("net.d")).output().unwrap().into()
    };
    staging.node.install("one", &[]).assert(0, "installed");
    assert!(!staging.node.run("status").out.contains("staged"));
    staging.start("one").assert(0, "");
    staging.node.run("status").assert(0, "staging folders; nothing changed since");
    assert!(!check().out.contains("is not what Antrea's installer wrote"));
    let edited = staging.read(LIST).replace("0.3.0", "0.3.1");
    fs::write(staging.path(LIST), edited).unwrap();
    fs::remove_file(staging.path("bin/portmap")).unwrap();
    let answer = staging.node.run("status");
    answer.assert(0, &format!("changed since: {}, ", staging.path("bin/portmap").display()));
    answer.assert(0, "10-antrea.conflist");
    check().assert(1, "10-antrea.conflist is not what Antrea's installer wrote");
}
