// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Includes the messages of the service.
#![expect(unreachable_pub, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v1.rs"));
