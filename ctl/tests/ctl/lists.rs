//! Network configuration lists: whose they are, and what a plugin is needed for.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Answer, Node, eventually, mode, tool};

const LIST: &str = r#"{"cniVersion":"1.1.0","name":"antrea","plugins":[{"type":"antrea","antreaCni":{"logLevel":"error"}}]}"#;
const THEIRS: &str = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;

/// A node with a folder of lists.
struct Lists {
    node: Node,
    conf_dir: String,
    written: PathBuf,
}

impl Lists {
    fn new() -> Self {
        let node = Node::new();
        for version in ["one", "two", "theirs"] {
            node.script(version);
        }
        let conf_dir = node.path("net.d").to_str().unwrap().to_owned();
        fs::create_dir(&conf_dir).unwrap();
        let written = Path::new(&conf_dir).join("10-antrea.conflist");
        Self { node, conf_dir, written }
    }

    fn install(&self, version: &str, list: &str, more: &[&str]) -> Answer {
        let list = self.node.conflist(list);
        let arguments = ["--conflist", &list, "--conf-dir", &self.conf_dir];
        self.node.install(version, &[&arguments, more].concat())
    }

    fn run(&self, command: &str, more: &[&str]) -> Answer {
        let mut tool = self.node.command(command);
        tool.args(["--conf-dir", &self.conf_dir]).args(more).output().unwrap().into()
    }

    fn list(&self) -> Option<String> {
        fs::read_to_string(&self.written).ok()
    }

    fn is(&self, version: &str) -> bool {
        fs::read(self.node.target()).ok() == fs::read(self.node.path(version)).ok()
    }
}

#[test]
fn rollback_takes_plugin_and_list_back_to_right_before() {
    let lists = Lists::new();
    let newer = LIST.replace("1.1.0", "1.0.0");
    lists.node.overwrite(&lists.node.target(), &lists.node.path("theirs"));
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    lists.install("two", &newer, &[]).assert(0, "conflist: installed");
    lists.run("rollback", &[]).assert(0, "rolled back");
    assert!(lists.is("one") && lists.list().as_deref() == Some(LIST));
    lists.run("rollback", &[]).assert(0, "no version before");

    // Only what the last one replaced goes back.
    lists.install("one", &newer, &[]).assert(0, "conflist: installed");
    lists.run("rollback", &[]).assert(0, "rolled back");
    assert!(lists.is("one") && lists.list().as_deref() == Some(LIST));
    lists.install("two", LIST, &[]).assert(0, "antrea: installed");
    lists.run("rollback", &[]).assert(0, "rolled back");
    assert!(lists.is("one") && lists.list().as_deref() == Some(LIST));
    lists.run("uninstall", &[]).assert(0, "is back");
    assert!(lists.is("theirs") && lists.list().is_none());
}

#[test]
fn where_there_was_no_list_a_rollback_takes_it_away() {
    let lists = Lists::new();
    lists.node.install("one", &[]).assert(0, "installed");
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    lists.run("rollback", &[]).assert(0, "rolled back");
    assert!(lists.is("one") && lists.list().is_none());
}

/// Both, also where the agent's start rewrote them one after the other.
#[test]
fn after_a_keepers_restore_a_rollback_gives_antreas_own_back() {
    let lists = Lists::new();
    let list = lists.node.conflist(LIST);
    let keeper = lists.node.keeper("one", &["--conflist", &list, "--conf-dir", &lists.conf_dir]);
    eventually(|| lists.list().as_deref() == Some(LIST));
    lists.node.overwrite(&lists.node.target(), &lists.node.path("theirs"));
    eventually(|| lists.is("one"));
    fs::write(&lists.written, THEIRS).unwrap();
    eventually(|| lists.list().as_deref() == Some(LIST));
    lists.run("rollback", &[]).assert(0, "rolled back");
    assert!(lists.is("theirs") && lists.list().as_deref() == Some(THEIRS));
    assert_eq!(keeper.end(), Some(0));
    assert!(lists.is("theirs") && lists.list().as_deref() == Some(THEIRS));
}

#[test]
fn uninstall_keeps_a_plugin_that_a_list_needs() {
    let lists = Lists::new();
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    // Our own list goes with the plugin; another stays.
    let other = lists.written.with_file_name("20-other.conflist");
    fs::write(&other, THEIRS).unwrap();
    lists.run("uninstall", &[]).assert(1, "20-other.conflist names the plugin");
    assert!(lists.is("one") && lists.list().is_some());
    fs::write(&other, THEIRS.replace("\"antrea\"}]", "\"other\"}]")).unwrap();
    lists.run("uninstall", &[]).assert(0, "uninstalled");
    assert!(!lists.node.target().exists() && lists.list().is_none());

    // So does the one that ours replaced.
    fs::write(&lists.written, THEIRS).unwrap();
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    lists.run("uninstall", &[]).assert(1, "names the plugin");
    lists.run("uninstall", &["--force"]).assert(0, "uninstalled");
    assert!(!lists.node.target().exists() && lists.list().as_deref() == Some(THEIRS));
    assert_eq!(fs::read_dir(&lists.conf_dir).unwrap().count(), 2);

    // What stood there before may not work any more.
    fs::write(lists.node.target(), "#!/bin/sh\nexit 1\n").unwrap();
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    lists.run("uninstall", &[]).assert(1, "--force");
    lists.node.overwrite(&lists.node.target(), &lists.node.path("theirs"));
    lists.run("uninstall", &[]).assert(0, "left alone");
    assert!(lists.is("theirs"));
}

#[test]
fn nothing_empty_or_cut_off_comes_back_in_the_place_of_the_original() {
    let lists = Lists::new();
    lists.node.overwrite(&lists.node.target(), &lists.node.path("theirs"));
    fs::write(&lists.written, THEIRS).unwrap();
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    let program = fs::read("/proc/self/exe").unwrap();
    for broken in [&b""[..], &program[..4], &program[..5000]] {
        fs::write(lists.node.target(), broken).unwrap();
        fs::write(&lists.written, &broken[..broken.len().min(1)]).unwrap();
        lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    }
    lists.run("uninstall", &[]).assert(0, "is back");
    assert!(lists.is("theirs") && lists.list().as_deref() == Some(THEIRS));
}

#[test]
fn what_comes_back_is_the_same_file_as_before() {
    let lists = Lists::new();
    let node = &lists.node;
    node.overwrite(&node.target(), &node.path("theirs"));
    fs::set_permissions(node.target(), fs::Permissions::from_mode(0o711)).unwrap();
    let before = fs::metadata(node.target()).unwrap();
    node.install("one", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    let after = fs::metadata(node.target()).unwrap();
    let identity = |it: &fs::Metadata| (it.ino(), it.mode(), it.uid(), it.mtime(), it.mtime_nsec());
    assert_eq!(identity(&before), identity(&after));
    node.install("two", &[]).assert(0, "installed");
    node.run("uninstall").assert(0, "is back");
    assert_eq!(identity(&before), identity(&fs::metadata(node.target()).unwrap()));
}

#[test]
fn a_link_that_somebody_else_put_there_is_left_alone() {
    let lists = Lists::new();
    lists.install("one", LIST, &[]).assert(0, "installed");
    // To the very same bytes.
    for (path, elsewhere) in [(lists.node.target(), "elsewhere"), (lists.written.clone(), "list")] {
        let elsewhere = lists.node.path(elsewhere);
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
    }
    lists.run("uninstall", &[]).assert(0, "left alone");
    assert!(lists.node.target().is_symlink() && lists.written.is_symlink());
}

#[test]
fn the_mode_of_a_list_is_its_sources_and_never_looser_than_the_nodes() {
    let lists = Lists::new();
    let source = PathBuf::from(lists.node.conflist(LIST));
    fs::set_permissions(&source, fs::Permissions::from_mode(0o640)).unwrap();
    lists.install("one", LIST, &[]).assert(0, "conflist: installed");
    assert_eq!(mode(&lists.written), 0o640);
    lists.install("one", LIST, &["--conflist-mode", "0600"]).assert(0, "conflist: installed");
    assert_eq!(mode(&lists.written), 0o600);
    lists.install("one", LIST, &["--conflist-mode", "0644"]).assert(0, "is installed already");
    assert_eq!(mode(&lists.written), 0o600);
    lists.install("one", LIST, &["--conflist-mode", "rw"]).assert(2, "a mode such as 0644");
}

#[test]
fn a_keeper_leaves_what_others_add_to_the_list() {
    let lists = Lists::new();
    let list = lists.node.conflist(LIST);
    let keeper = lists.node.keeper("one", &["--conflist", &list, "--conf-dir", &lists.conf_dir]);
    let with = |antrea: &str| {
        format!(
            r#"{{"cniVersion": "0.3.1", "name": "k8s", "plugins": [{antrea}, {{"type": "istio-cni"}}]}}"#
        )
    };
    let entry = r#"{"type":"antrea","antreaCni":{"logLevel":"error"}}"#;
    let put = |text: &str| {
        fs::write(lists.node.path("new"), text).unwrap();
        fs::rename(lists.node.path("new"), &lists.written).unwrap();
    };
    put(&with(r#"{"type": "antrea"}"#));
    eventually(|| lists.list() == Some(with(entry)));
    // Without additions it is ours again, as a whole.
    put(THEIRS);
    eventually(|| lists.list().as_deref() == Some(LIST));
    assert_eq!(keeper.end(), Some(0));
}

#[test]
fn the_file_that_the_runtime_takes_instead_is_named() {
    let lists = Lists::new();
    fs::write(lists.written.with_file_name("05-cilium.conf"), "{}").unwrap();
    fs::write(lists.written.with_file_name("01-readme.txt"), "").unwrap();
    lists.install("one", LIST, &[]).assert(0, "05-cilium.conf instead");
}

#[test]
fn relative_folders_are_remembered_as_absolute_ones() {
    let lists = Lists::new();
    let list = lists.node.conflist(LIST);
    let mut tool = lists.node.command("install");
    tool.arg("--from").arg(lists.node.path("one")).args(["--conflist", &list]);
    tool.args(["--conf-dir", "net.d"]).current_dir(lists.node.path(""));
    Answer::from(tool.output().unwrap()).assert(0, "conflist: installed");
    lists.run("uninstall", &[]).assert(0, "conflist: uninstalled");
    assert!(lists.list().is_none());
}

#[test]
fn folders_that_are_made_have_the_same_mode_under_any_umask() {
    let node = Node::new();
    node.script("one");
    let list = node.conflist(LIST);
    let (bin, conf) = (node.path("opt/cni/bin"), node.path("etc/cni/net.d"));
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0077; exec \"$@\"", "sh"]).arg(tool().get_program());
    shell.args(["install", "--from"]).arg(node.path("one")).arg("--bin-dir").arg(&bin);
    shell.args(["--conflist", &list, "--conf-dir"]).arg(&conf);
    Answer::from(shell.output().unwrap()).assert(0, "installed");
    for folder in [&bin, &conf, &node.path("opt"), &node.path("etc/cni")] {
        assert_eq!(mode(folder), 0o755, "{}", folder.display());
    }
    assert_eq!(mode(&bin.join(".antrea.cnictl")), 0o700);
}
