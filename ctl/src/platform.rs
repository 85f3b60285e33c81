//! What differs between systems: modes and owners, links, the identity of a file, what
//! stands in the way of a rename, and how a program is told to end.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::*;
#[cfg(windows)]
pub(crate) use self::windows::*;
