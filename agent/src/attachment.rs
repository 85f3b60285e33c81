// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
use serde::{Deserialize, Serialize};

/// Describes a container's interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) ifname: String,
    pub(crate) netns: String,
    /// Last byte of the address
    pub(crate) host: u8,
}

impl Attachment {
    pub(crate) fn address(&self) -> String {
        format!("10.10.0.{}/24", self.host)
    }
}
