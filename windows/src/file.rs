// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Files and folders.

use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
    SE_FILE_OBJECT, SE_KERNEL_OBJECT, SetSecurityInfo,
};
use windows_sys::Win32::Security::{OWNER_SECURITY_INFORMATION, SECURITY_ATTRIBUTES};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, CreateDirectoryW, GetFileInformationByHandle,
};

use crate::security::{Sid, is_administrators, is_ours, is_system, text};
use crate::token;

/// What tells a file from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Serial number of the volume
    pub volume: u32,
    /// Number of the file on it
    pub index: u64,
    /// How many names the file has
    pub names: u32,
}

/// Which file a handle is open for.
///
/// # Errors
/// The file system does not tell.
pub fn identity(file: impl AsHandle) -> io::Result<Identity> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and `found` outlives the call.
    let done =
        unsafe { GetFileInformationByHandle(file.as_handle().as_raw_handle(), &raw mut found) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let index = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
    Ok(Identity { volume: found.dwVolumeSerialNumber, index, names: found.nNumberOfLinks })
}

/// The owner of a file, a folder or a named pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Whether it is LocalSystem, the administrators or our own user
    pub is_trusted: bool,
    /// As a SID's text (`S-1-5-18` is LocalSystem), if the system tells it
    pub user: Option<String>,
}

/// Whether a file or folder belongs to LocalSystem, the administrators or our own user.
///
/// # Errors
/// The file may not be looked at.
pub fn owner_is_trusted(file: impl AsHandle) -> io::Result<bool> {
    owner(file).map(|owner| owner.is_trusted)
}

/// Whose a file, a folder or a named pipe is.
///
/// # Errors
/// It may not be looked at.
pub fn owner(file: impl AsHandle) -> io::Result<Owner> {
    let (mut owner, mut descriptor) = (null_mut(), null_mut());
    // SAFETY: the handle is open, and all that is pointed to outlives the call.
    let error = unsafe {
        GetSecurityInfo(
            file.as_handle().as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error.cast_signed()));
    }
    let is_trusted = match is_system(owner) || is_administrators(owner) {
        true => Ok(true),
        false => is_ours(owner),
    };
    let user = text(owner).ok();
    // SAFETY: the system allocated it, and `owner`, which is inside, is not used any more.
    unsafe { LocalFree(descriptor) };
    Ok(Owner { is_trusted: is_trusted?, user })
}

/// Makes our own user the owner of a named pipe, whose handle has the right WRITE_OWNER.
/// Windows does so by itself; wine does not.
///
/// # Errors
/// The owner cannot be set.
pub fn own(pipe: impl AsHandle) -> io::Result<()> {
    let user = Sid::of(&token::own()?)?;
    // SAFETY: the handle is open, and the SID outlives the call.
    let error = unsafe {
        SetSecurityInfo(
            pipe.as_handle().as_raw_handle(),
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            user.as_ptr(),
            null_mut(),
            null_mut(),
            null_mut(),
        )
    };
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}

/// Makes a folder that LocalSystem, the administrators and our own user may use, and nobody
/// else, if it is not there.
///
/// # Errors
/// It cannot be made.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    // Nothing is inherited; all rights, for what is made inside, too: for LocalSystem (SY),
    // administrators (BA) and the owner (OW).
    let text = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)";
    let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let path: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    let mut descriptor = null_mut();
    // SAFETY: the text ends with a zero, and `descriptor` outlives the call.
    let done = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor,
        bInheritHandle: 0,
    };
    // SAFETY: the path ends with a zero, and the attributes outlive the call.
    let done = unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) };
    let error = io::Error::last_os_error();
    // SAFETY: the system allocated it.
    unsafe { LocalFree(descriptor) };
    let is_there = error.raw_os_error() == Some(ERROR_ALREADY_EXISTS.cast_signed());
    if done != 0 || is_there { Ok(()) } else { Err(error) }
}
