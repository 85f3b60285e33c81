//! Processes.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::Security::{
    GetTokenInformation, TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation,
};
use windows_sys::Win32::System::Pipes::GetNamedPipeServerProcessId;
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

use crate::security::Sid;

/// The id of the process that made the instance of a named pipe that `pipe` is connected
/// to.
///
/// # Errors
/// `pipe` is no pipe's end.
pub fn server_process_id(pipe: impl AsHandle) -> io::Result<u32> {
    let mut id = 0;
    // SAFETY: the handle is open, and `id` outlives the call.
    let done =
        unsafe { GetNamedPipeServerProcessId(pipe.as_handle().as_raw_handle(), &raw mut id) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(id) }
}

/// A process. The handle stays that process's, whoever gets its id later.
#[derive(Debug)]
pub struct Process(OwnedHandle);

impl Process {
    /// The process that has an id now.
    ///
    /// # Errors
    /// There is none, or it may not be looked at.
    pub fn open(id: u32) -> io::Result<Self> {
        let access = PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE;
        // SAFETY: no pointer is passed.
        let handle = unsafe { OpenProcess(access, 0, id) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, and nobody else's.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Whether the process has ended.
    pub fn is_gone(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    /// Its user, as a SID's text (`S-1-5-18` is LocalSystem).
    ///
    /// # Errors
    /// The process may not be looked at.
    pub fn user(&self) -> io::Result<String> {
        Sid::of(&token(self.0.as_raw_handle())?)?.text()
    }

    /// Whether it is LocalSystem's, an administrator's with all rights, or our own user's.
    ///
    /// # Errors
    /// The process may not be looked at.
    pub fn is_trusted(&self) -> io::Result<bool> {
        let token = token(self.0.as_raw_handle())?;
        let user = Sid::of(&token)?;
        Ok(user.is_system() || is_elevated(&token)? || user.is_ours()?)
    }
}

/// The access token of this process.
pub(crate) fn own_token() -> io::Result<OwnedHandle> {
    // SAFETY: the pseudo handle is always valid.
    token(unsafe { GetCurrentProcess() })
}

fn token(process: std::os::windows::io::RawHandle) -> io::Result<OwnedHandle> {
    let mut token = null_mut();
    // SAFETY: the handle is open, and `token` outlives the call.
    if unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new, and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

fn is_elevated(token: &OwnedHandle) -> io::Result<bool> {
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
