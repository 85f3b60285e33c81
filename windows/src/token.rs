// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Access tokens: who a process is.

use std::io;
use std::os::windows::io::{FromRawHandle, OwnedHandle, RawHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Security::TOKEN_QUERY;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// The access token of this process.
pub(crate) fn own() -> io::Result<OwnedHandle> {
    // SAFETY: the pseudo handle is always valid.
    of(unsafe { GetCurrentProcess() })
}

/// The access token of a process, by a handle of it that is open.
pub(crate) fn of(process: RawHandle) -> io::Result<OwnedHandle> {
    let mut token = null_mut();
    // SAFETY: the handle is open, and `token` outlives the call.
    if unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new, and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}
