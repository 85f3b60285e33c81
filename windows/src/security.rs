// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Users, as security identifiers.

use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{
    EqualSid, GetTokenInformation, IsWellKnownSid, PSID, TOKEN_USER, TokenUser,
    WinBuiltinAdministratorsSid, WinLocalSystemSid,
};

use crate::token;

/// A security identifier, in memory that it lives in.
pub(crate) struct Sid {
    /// `TOKEN_USER` and what it points to, aligned for it
    memory: Vec<u64>,
}

impl Sid {
    /// The user of a token.
    pub(crate) fn of(token: &OwnedHandle) -> io::Result<Self> {
        let mut length = 0;
        // SAFETY: with no room it only tells the length.
        unsafe {
            GetTokenInformation(token.as_raw_handle(), TokenUser, null_mut(), 0, &raw mut length);
        }
        let mut memory = vec![0_u64; (length as usize).div_ceil(8).max(size_of::<TOKEN_USER>())];
        // SAFETY: there is room for `length` bytes, aligned for `TOKEN_USER`.
        let done = unsafe {
            GetTokenInformation(
                token.as_raw_handle(),
                TokenUser,
                memory.as_mut_ptr().cast(),
                length,
                &raw mut length,
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self { memory }) }
    }

    pub(crate) fn as_ptr(&self) -> PSID {
        // SAFETY: the system wrote a `TOKEN_USER` to the start of the memory.
        unsafe { (*self.memory.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }
}

/// A SID as text.
pub(crate) fn text(sid: PSID) -> io::Result<String> {
    let mut text = null_mut();
    // SAFETY: the SID is valid, and `text` outlives the call.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut units = Vec::new();
    // SAFETY: the system wrote a text that a zero ends.
    unsafe {
        while *text.add(units.len()) != 0 {
            units.push(*text.add(units.len()));
        }
        LocalFree(text.cast());
    }
    Ok(String::from_utf16_lossy(&units))
}

pub(crate) fn is_system(sid: PSID) -> bool {
    // SAFETY: the SID is valid.
    unsafe { IsWellKnownSid(sid, WinLocalSystemSid) != 0 }
}

pub(crate) fn is_administrators(sid: PSID) -> bool {
    // SAFETY: the SID is valid.
    unsafe { IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0 }
}

pub(crate) fn is_ours(sid: PSID) -> io::Result<bool> {
    let ours = Sid::of(&token::own()?)?;
    // SAFETY: both are valid.
    Ok(unsafe { EqualSid(sid, ours.as_ptr()) != 0 })
}
