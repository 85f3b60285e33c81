//! Access tokens: what a process may do.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Security::{
    GetTokenInformation, TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation,
};
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

/// Whether a token has all rights of an administrator.
pub(crate) fn is_elevated(token: &OwnedHandle) -> io::Result<bool> {
    let mut elevation = TOKEN_ELEVATION::default();
    let size = size_of::<TOKEN_ELEVATION>() as u32;
    let mut length = 0;
    // SAFETY: `elevation` has the size that is passed, and outlives the call.
    let done = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenElevation,
            (&raw mut elevation).cast(),
            size,
            &raw mut length,
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(elevation.TokenIsElevated != 0) }
}
