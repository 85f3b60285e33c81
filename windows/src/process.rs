// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Processes.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Pipes::GetNamedPipeServerProcessId;
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

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
        // SAFETY: no pointer is passed.
        let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, id) };
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
}
