// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Handles versions of the CNI specification.

use semver::Version;

use super::error::Error;
use crate::action::Action;

/// Versions that this plugin supports, oldest first.
pub const SUPPORTED: [Version; 7] = [
    Version::new(0, 1, 0),
    Version::new(0, 2, 0),
    Version::new(0, 3, 0),
    Version::new(0, 3, 1),
    Version::new(0, 4, 0),
    Version::new(1, 0, 0),
    Version::new(1, 1, 0),
];

/// The newest supported version.
pub const NEWEST: Version = Version::new(1, 1, 0);

/// Versions in which a command is sent if the agent refuses a later one, in this order. Every agent
/// accepts 0.4.0. 1.0.0 comes first, because only the `cniVersion` changes for it.
pub const LOWER: [Version; 2] = [Version::new(1, 0, 0), Version::new(0, 4, 0)];

/// Parses a supported version. Empty means 0.1.0, as the specification says of a configuration
/// without `cniVersion`.
pub fn parse(text: &str) -> Option<Version> {
    let text = if text.is_empty() { "0.1.0" } else { text };
    Version::parse(text).ok().filter(|version| SUPPORTED.contains(version))
}

/// Does the same as [`parse`], and checks that the version has `action`.
///
/// # Errors
/// [`Error::UnsupportedVersion`]. For commands that are newer than 0.1.0 also
/// [`Error::VersionTooLow`] and, if the Go skeleton cannot compare the version,
/// [`Error::VersionSyntax`].
pub fn for_action(text: &str, action: Action) -> Result<Version, Error> {
    let least = action.rules().since;
    let version = parse(text);
    match &version {
        Some(version) if *version < least => {
            return Err(Error::VersionTooLow { command: action.name(), least });
        }
        None if least > SUPPORTED[0] && !is_numeric(text) => {
            return Err(Error::VersionSyntax(text.to_owned()));
        }
        _ => (),
    }
    version.ok_or_else(|| Error::UnsupportedVersion(text.to_owned()))
}

/// Returns whether the Go skeleton can compare `text`: one to three numbers.
fn is_numeric(text: &str) -> bool {
    text.split('.').count() <= 3 && text.split('.').all(|part| part.parse::<i64>().is_ok())
}

/// Returns the supported versions as text.
pub fn supported_list() -> String {
    SUPPORTED.map(|version| version.to_string()).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_supported() {
        assert_eq!(SUPPORTED.last(), Some(&NEWEST));
        for version in SUPPORTED {
            assert_eq!(parse(&version.to_string()), Some(version));
        }
        for other in ["1.0", "v1.0.0", "1.1.0+build", " 1.0.0", "1.00.0", "1.2.0", "1.0.0-rc1"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn later_commands_need_later_versions() {
        assert!(for_action("0.4.0", Action::Check).is_ok());
        assert!(for_action("1.1.0", Action::Gc).is_ok());
        for (text, action) in
            [("0.3.1", Action::Check), ("1.0.0", Action::Gc), ("", Action::Status)]
        {
            assert!(matches!(for_action(text, action), Err(Error::VersionTooLow { .. })));
        }
        assert!(matches!(for_action("v1", Action::Check), Err(Error::VersionSyntax(_))));
        assert!(matches!(for_action("v1", Action::Add), Err(Error::UnsupportedVersion(_))));
    }
}
