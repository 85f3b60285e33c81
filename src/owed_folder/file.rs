// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Names the file of an owed DEL, and encodes what is in it.

use crate::input::CmdArgs;
use crate::input::environment::is_identifier;

/// Longest file, in bytes.
pub(super) const MAX_BYTES: usize = 64 << 10;

/// Returns container and interface as part of a file name, or their hash (FNV-1a) if they are no
/// valid name.
pub(super) fn key_of(CmdArgs { container_id, ifname, .. }: &CmdArgs) -> String {
    const LONGEST: usize = 200;
    let is_name = is_identifier(container_id) && !ifname.contains(['/', '\\', ':', '\0']);
    let key = format!("{container_id}@{ifname}");
    if is_name && key.len() <= LONGEST {
        return key;
    }
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Encodes a DEL. Returns `None` if it could not be read again.
pub(super) fn encode_args(args: &CmdArgs) -> Option<Vec<u8>> {
    let CmdArgs { container_id, netns, ifname, args, path, stdin_data, .. } = args;
    let values = [container_id, netns, ifname, args, path];
    let mut bytes = Vec::new();
    for value in values {
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(stdin_data);
    let can_be_read = !values.iter().any(|it| it.contains('\0')) && bytes.len() <= MAX_BYTES;
    can_be_read.then_some(bytes)
}

/// Decodes a DEL.
pub(super) fn decode_args(bytes: &[u8]) -> Option<CmdArgs> {
    let mut parts = bytes.splitn(6, |byte| *byte == 0);
    let mut value = || String::from_utf8(parts.next()?.to_vec()).ok();
    let (container_id, netns, ifname, args, path) =
        (value()?, value()?, value()?, value()?, value()?);
    let stdin_data = parts.next()?.to_vec();
    Some(CmdArgs { container_id, netns, ifname, args, path, stdin_data, ..CmdArgs::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(container: &str) -> CmdArgs {
        CmdArgs {
            container_id: container.to_owned(),
            netns: "/n".to_owned(),
            ifname: "eth0".to_owned(),
            stdin_data: b"{\0\xff}".to_vec(),
            ..CmdArgs::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = encode_args(&args("a")).unwrap();
        assert_eq!(decode_args(&bytes), Some(args("a")));
        assert_eq!(decode_args(b"a\0b\0c"), None);
        let long = CmdArgs { stdin_data: vec![b' '; MAX_BYTES], ..args("a") };
        let nul = CmdArgs { netns: "\0".to_owned(), ..args("a") };
        assert_eq!((encode_args(&long), encode_args(&nul)), (None, None));
    }

    #[test]
    fn a_key_is_the_name_of_a_file() {
        assert_eq!(key_of(&args("a.b-c_d")), "a.b-c_d@eth0");
        for container in ["a/b", "", "..", &"x".repeat(300)] {
            assert!(
                key_of(&args(container)).bytes().all(|it| it.is_ascii_hexdigit()),
                "{container}"
            );
        }
        assert_ne!(key_of(&args("a/b")), key_of(&args("a/c")));
    }
}
