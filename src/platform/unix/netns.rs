//! Network namespaces.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use nix::net::if_::{if_indextoname, if_nametoindex};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, send, socket};

/// Where the kernel shows the namespace of this thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// Whether `path` names the namespace that the plugin runs in, by the device and
/// inode of its file. A path that cannot be looked at is left to the agent, which says
/// what is wrong with it.
pub(crate) fn is_own(path: &str) -> bool {
    let identity = |path| std::fs::metadata(path).map(identity);
    // Ours only if there is another one: /proc is slow.
    identity(path)
        .is_ok_and(|theirs| identity("/proc/self/ns/net").is_ok_and(|ours| theirs == ours))
}

/// What tells a namespace from another one.
fn identity(file: Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Whether there certainly is no file at `path`, which named a namespace.
pub(crate) fn is_gone(path: &str) -> bool {
    std::fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Removes the link `name` from the namespace at `path`, if it is there; its peer in
/// another namespace goes with it. Never from our own namespace, to which the thread
/// comes back.
///
/// # Errors
/// What the kernel does not permit.
pub(crate) fn remove_link(path: &str, name: &str) -> io::Result<()> {
    let (theirs, ours) = (File::open(path)?, File::open(OWN)?);
    if identity(theirs.metadata()?) == identity(ours.metadata()?) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    setns(&theirs, CloneFlags::CLONE_NEWNET)?;
    let removed = delete(name);
    setns(&ours, CloneFlags::CLONE_NEWNET)?;
    removed
}

/// rtnetlink(7): one RTM_DELLINK, which the kernel has done when `send` returns.
fn delete(name: &str) -> io::Result<()> {
    const MESSAGE_BYTES: u32 = 32;
    const RTM_DELLINK: u16 = 17;
    const NLM_F_REQUEST: u16 = 1;
    let index = if_nametoindex(name)?;
    // A link is also found by its other names (ip-link(8), altname).
    if if_indextoname(index)?.to_bytes() != name.as_bytes() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut message = MESSAGE_BYTES.to_ne_bytes().to_vec();
    message.extend(RTM_DELLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence number, port, address family, kind of device
    message.extend([0; 12]);
    message.extend(index.to_ne_bytes());
    // Flags of the device, and which of them to change
    message.extend([0; 8]);
    let (kind, flags) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
    let netlink = socket(AddressFamily::Netlink, kind, flags, SockProtocol::NetlinkRoute)?;
    send(netlink.as_raw_fd(), &message, MsgFlags::empty())?;
    Ok(())
}
