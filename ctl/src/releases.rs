// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Lists the releases of antrea-agent: their API, and the cniVersions that each accepts.

use std::sync::LazyLock;

use antrea_cni::Api;
use antrea_cni::input::version::LOWER;
use semver::Version;
use serde::Serialize;

/// All releases of antrea-agent, oldest first.
pub(crate) static ALL: LazyLock<Vec<Release>> = LazyLock::new(|| {
    include_str!("../../tests/fixtures/antrea-releases.csv")
        .lines()
        .skip(1)
        .filter_map(Release::parse)
        .collect()
});

pub(crate) struct Release {
    name: &'static str,
    /// Proto package of the service
    pub(crate) package: &'static str,
    pub(crate) cni_versions: Vec<Version>,
}

impl Release {
    fn version(&self) -> Option<Version> {
        self.name.trim_start_matches('v').parse().ok()
    }

    /// Returns the highest cniVersion that `portmap` and `bandwidth` accept, as Antrea installs
    /// them with this release.
    fn highest_version_of_plugins(&self) -> Version {
        let release = self.version().unwrap_or(Version::new(0, 0, 0));
        match release {
            release if release < Version::new(1, 10, 0) => Version::new(0, 4, 0),
            release if release < Version::new(2, 1, 1) => Version::new(1, 0, 0),
            release if release == Version::new(2, 2, 0) => Version::new(1, 0, 0),
            _ => Version::new(1, 1, 0),
        }
    }

    /// Returns whether the agent fails each CHECK with "unknown device type veth" (103).
    fn fails_check(&self) -> bool {
        let range = Version::new(0, 9, 0)..=Version::new(1, 10, 1);
        self.version().is_some_and(|release| range.contains(&release))
    }
}

impl Release {
    /// Parses `release,date,proto_package,libcni,grpc_go,agent_cni_versions`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut columns = line.split(',');
        let (name, package) = (columns.next()?, columns.nth(1)?);
        let versions = columns.nth(2)?.split(' ').map(str::parse);
        Some(Self { name, package, cni_versions: versions.collect::<Result<_, _>>().ok()? })
    }

    /// Returns the cniVersion in which the plugin sends a call of `version` to this release, or
    /// `None` if the release refuses all versions.
    fn accepted_version(&self, version: &Version) -> Option<Version> {
        let lower = LOWER.into_iter().filter(|lower| lower < version);
        std::iter::once(version.clone()).chain(lower).find(|it| self.cni_versions.contains(it))
    }
}

/// Describes consecutive releases with the same behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Range {
    /// First release of antrea-agent
    pub(crate) first: &'static str,
    /// Last release
    pub(crate) last: &'static str,
    /// Number of releases
    pub(crate) releases: usize,
    /// The cniVersion that they are sent; `null`: they refuse
    pub(crate) cni_version: Option<Version>,
}

/// Returns in which cniVersion each release accepts a configuration of `version`.
pub(crate) fn by_accepted_version(version: Option<&Version>) -> Vec<Range> {
    ranges(
        ALL.iter()
            .map(|release| Some((release, version.and_then(|it| release.accepted_version(it))))),
    )
}

/// Returns the releases whose `portmap` and `bandwidth` refuse a conflist of `version`.
pub(crate) fn with_plugins_that_refuse(version: &Version) -> Vec<Range> {
    ranges_of(|release| *version > release.highest_version_of_plugins())
}

/// Returns the releases whose agent fails each CHECK.
pub(crate) fn that_fail_check() -> Vec<Range> {
    ranges_of(Release::fails_check)
}

fn ranges_of(which: impl Fn(&Release) -> bool) -> Vec<Range> {
    ranges(ALL.iter().map(|release| which(release).then_some((release, None))))
}

/// Returns whether a release has a newer API than `package`. An API that no release has yet does
/// not count.
pub(crate) fn is_old(package: &str) -> bool {
    let newest = Api::ALL.iter().position(|api| api.releases.is_some());
    let place = Api::ALL.iter().position(|api| api.package == package);
    matches!((place, newest), (Some(place), Some(newest)) if place > newest)
}

/// Returns the releases that serve `package`, accept `accepted` and refuse all of `refused`.
pub(crate) fn candidates(
    package: &str,
    accepted: Option<&Version>,
    refused: &[Version],
) -> Vec<Range> {
    let fits = |release: &&Release| {
        release.package == package
            && accepted.is_none_or(|version| release.cni_versions.contains(version))
            && refused.iter().all(|version| !release.cni_versions.contains(version))
    };
    let fitting = ALL.iter().filter(fits);
    ranges(fitting.map(|release| Some((release, None))))
}

/// Joins consecutive releases with the same behaviour. `None` separates two ranges.
fn ranges(
    releases: impl Iterator<Item = Option<(&'static Release, Option<Version>)>>,
) -> Vec<Range> {
    let (mut ranges, mut is_next): (Vec<Range>, _) = (Vec::new(), false);
    for release in releases {
        let Some((Release { name, .. }, cni_version)) = release else {
            is_next = false;
            continue;
        };
        match ranges.last_mut() {
            Some(range) if is_next && range.cni_version == cni_version => {
                range.last = name;
                range.releases += 1;
            }
            _ => ranges.push(Range { first: name, last: name, releases: 1, cni_version }),
        }
        is_next = true;
    }
    ranges
}

/// Returns ranges as text for people.
pub(crate) fn range_list(ranges: &[Range]) -> String {
    let texts = ranges.iter().map(|Range { first, last, .. }| {
        if first == last { (*first).to_owned() } else { format!("{first} to {last}") }
    });
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_reaches_every_release() {
        let table = by_accepted_version(Some(&Version::new(1, 1, 0)));
        let seen: Vec<_> = table
            .iter()
            .map(|it| (it.first, it.last, it.releases, it.cni_version.clone()))
            .collect();
        assert_eq!(
            seen,
            [
                ("v0.1.0", "v1.10.1", 67, Some(Version::new(0, 4, 0))),
                ("v1.11.0", "v2.0.1", 23, Some(Version::new(1, 0, 0))),
                ("v2.1.0", "v2.7.0", 24, Some(Version::new(1, 1, 0))),
            ]
        );
    }

    #[test]
    fn no_release_takes_a_configuration_without_a_version() {
        assert!(by_accepted_version(None).iter().all(|range| range.cni_version.is_none()));
    }

    #[test]
    fn refusals_tell_releases_apart() {
        let package = "antrea_io.antrea.pkg.apis.cni.v1beta1";
        let (old, new) = (Version::new(1, 0, 0), Version::new(1, 1, 0));
        let found = candidates(package, Some(&old), &[new]);
        assert_eq!(range_list(&found), "v1.11.0 to v2.0.1");
    }
}
