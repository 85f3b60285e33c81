//! The plugins of a node, which are scripts here.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{CHAIN, check};

/// A folder of plugins that know some versions.
fn plugins(versions: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, versions) in versions {
        let path = folder.path().join(name);
        let answer = format!(r#"{{"cniVersion":"1.0.0","supportedVersions":[{versions}]}}"#);
        fs::write(&path, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn the_plugins_of_a_node_are_asked() {
    let (old, new) = (r#""0.3.1","0.4.0","1.0.0""#, r#""0.4.0","1.0.0","1.1.0""#);
    let folder = plugins(&[("antrea", new), ("portmap", old)]);
    let check = |version: &str| {
        let arguments = ["--bin-dir", folder.path().to_str().unwrap()];
        check(&CHAIN.replace("VERSION", version), &arguments)
    };
    check("1.0.0").assert(0, "Safe on this node.");
    check("1.1.0").assert(1, "portmap: it takes 0.3.1, 0.4.0, 1.0.0, and refuses 1.1.0");
    check("1.1.0").assert(1, "set cniVersion to 1.0.0, which all of them take, or replace portmap");
    let portmap = folder.path().join("portmap");
    fs::write(&portmap, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    check("1.0.0").assert(1, "portmap: no answer to VERSION within 10s");
    fs::write(&portmap, b"\x7fELF").unwrap();
    check("1.0.0").assert(1, "is it built for this machine?");
    fs::set_permissions(&portmap, PermissionsExt::from_mode(0o644)).unwrap();
    check("1.0.0").assert(1, "Not safe on this node because of portmap");
    fs::remove_file(&portmap).unwrap();
    check("1.0.0").assert(1, "there is no ");
}
