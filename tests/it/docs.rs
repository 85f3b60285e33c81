// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Facts of the documentation that other files have, too.

#[test]
fn the_version_is_the_same_everywhere() {
    let read = |path: &str| {
        std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let version = env!("CARGO_PKG_VERSION");
    let changelog = read("CHANGELOG.md");
    let newest = changelog.lines().filter_map(|line| line.strip_prefix("## ")).nth(1).unwrap();
    assert!(newest.starts_with(&format!("{version} - 20")), "CHANGELOG.md: {newest}");
    for (path, before) in [
        ("deploy/helm/Chart.yaml", "\nversion: "),
        ("deploy/helm/Chart.yaml", "appVersion: "),
        ("docs/operations.md", "newTag: "),
        ("docs/operations.md", "example.org/antrea-cni:"),
        ("deploy/kustomize/post-render.sh", "example.org/antrea-cni:"),
    ] {
        let text = read(path);
        let found: Vec<_> = text.split(before).skip(1).collect();
        assert!(!found.is_empty(), "{path}");
        for rest in found {
            assert!(rest.starts_with(version), "{path}: {before}{}", rest.lines().next().unwrap());
        }
    }
}

/// Antrea upgrades by at most four minor releases in one step: see its page on versioning.
#[test]
fn the_readmes_picture_is_an_upgrade_that_antrea_supports() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let picture = readme.split("```").nth(1).unwrap();
    let releases: Vec<(u32, u32)> = picture
        .split_whitespace()
        .filter_map(|word| {
            let mut numbers = word.strip_prefix('v')?.split('.').map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    let [before, after] = releases[..] else { panic!("{releases:?}") };
    assert!(before.0 == after.0 && before.1 < after.1 && after.1 - before.1 <= 4, "{releases:?}");
}
