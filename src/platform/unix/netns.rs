// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Identifies network namespaces, and removes interfaces from them.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use nix::fcntl::OFlag;
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// The network namespace of this thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// Identifies a network namespace by the device and inode of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

impl Identity {
    /// Returns the identity of the namespace at `path`, if it can be examined.
    pub(crate) fn at_path(path: &str) -> Option<Self> {
        std::fs::metadata(path).ok().map(|it| Self(it.dev(), it.ino()))
    }

    /// Returns whether the plugin runs in this namespace.
    pub(crate) fn is_own(self) -> bool {
        Self::at_path("/proc/self/ns/net") == Some(self)
    }

    fn of_open_file(file: &File) -> io::Result<Self> {
        file.metadata().map(|it| Self(it.dev(), it.ino()))
    }
}

/// Returns whether there is certainly no file at `path`.
pub(crate) fn is_gone(path: &str) -> bool {
    path.is_empty()
        || std::fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Removes the veth `name` from the namespace at `path`. The path must still lead to the namespace
/// `expected`, and the link must be a veth of exactly that name. Never removes from the plugin's
/// own namespace, to which the thread returns.
///
/// # Errors
/// The kernel does not permit it, or the namespace or the kind of link is another one.
pub(crate) fn remove_veth(path: &str, expected: Identity, name: &str) -> io::Result<()> {
    // The path may be a FIFO by now, on which an open must not block.
    let flags = (OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits();
    let theirs = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let ours = File::open(OWN)?;
    let is_theirs = Identity::of_open_file(&theirs)? == expected;
    if !is_theirs || Identity::of_open_file(&ours)? == expected {
        return Err(ErrorKind::InvalidInput.into());
    }
    setns(&theirs, CloneFlags::CLONE_NEWNET)?;
    let removed = delete_veth(name);
    setns(&ours, CloneFlags::CLONE_NEWNET)?;
    removed
}

/// Asks the kernel what the link is, and deletes it if it is a veth (rtnetlink(7)).
fn delete_veth(name: &str) -> io::Result<()> {
    const RTM_DELLINK: u16 = 17;
    const RTM_GETLINK: u16 = 18;
    let index = if_nametoindex(name)?;
    let (kind, flags) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
    let netlink = socket(AddressFamily::Netlink, kind, flags, SockProtocol::NetlinkRoute)?;
    send(netlink.as_raw_fd(), &request(RTM_GETLINK, index), MsgFlags::empty())?;
    let mut answer = vec![0; 64 << 10];
    let read = recv(netlink.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT)?;
    if !is_veth_named(answer.get(..read).unwrap_or_default(), name) {
        return Err(ErrorKind::InvalidInput.into());
    }
    // The kernel has deleted it when `send` returns.
    send(netlink.as_raw_fd(), &request(RTM_DELLINK, index), MsgFlags::empty())?;
    Ok(())
}

/// Encodes `struct nlmsghdr` and `struct ifinfomsg`.
fn request(message_type: u16, index: u32) -> Vec<u8> {
    const MESSAGE_BYTES: u32 = 32;
    const NLM_F_REQUEST: u16 = 1;
    let mut message = MESSAGE_BYTES.to_ne_bytes().to_vec();
    message.extend(message_type.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence number, port, address family, kind of device
    message.extend([0; 12]);
    message.extend(index.to_ne_bytes());
    // Flags of the device, and which of them to change
    message.extend([0; 8]);
    message
}

/// Returns whether the answer to RTM_GETLINK is about a veth of that name. The kernel also finds a
/// link by its alternative names (ip-link(8), altname).
fn is_veth_named(answer: &[u8], name: &str) -> bool {
    const HEADERS: usize = 32;
    const IFLA_IFNAME: u16 = 3;
    const IFLA_LINKINFO: u16 = 18;
    const IFLA_INFO_KIND: u16 = 1;
    let link = answer.get(HEADERS..).unwrap_or_default();
    let info = attribute(link, IFLA_LINKINFO).unwrap_or_default();
    let text = |value: Option<&[u8]>, is: &str| {
        value.and_then(|it| it.strip_suffix(&[0])) == Some(is.as_bytes())
    };
    text(attribute(link, IFLA_IFNAME), name) && text(attribute(info, IFLA_INFO_KIND), "veth")
}

/// Returns the value of an attribute (`struct rtattr`).
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    /// Flags in the type of an attribute: nested, network byte order
    const FLAGS: u16 = 0xc000;
    while let [a, b, c, d, ..] = *attributes {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        if u16::from_ne_bytes([c, d]) & !FLAGS == wanted {
            return attributes.get(4..length);
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
    None
}
