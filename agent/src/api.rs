//! The names under which agents serve the CNI service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An API under one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// API 1.1.0, which no release serves yet
    V1,
    /// API 1.0.0-beta.1 as v1.1.0 to v2.7.0 serve it
    V1beta1,
    /// The same as v0.3.0 to v1.0.3 serve it
    Vmware,
    /// The same as v0.1.0 to v0.2.0 serve it
    First,
}

impl Api {
    /// All of them, newest first.
    pub const ALL: [Self; 4] = [Self::V1, Self::V1beta1, Self::Vmware, Self::First];

    /// The proto package.
    pub const fn package(self) -> &'static str {
        match self {
            Self::V1 => "antrea_io.antrea.pkg.apis.cni.v1",
            Self::V1beta1 => "antrea_io.antrea.pkg.apis.cni.v1beta1",
            Self::Vmware => "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1",
            Self::First => "antrea.io.pkg.apis.cni.v1beta1",
        }
    }

    /// The API's name in options and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1beta1 => "v1beta1",
            Self::Vmware => "vmware",
            Self::First => "first",
        }
    }

    pub(crate) fn has(self, method: Method) -> bool {
        self == Self::V1 || matches!(method, Method::CmdAdd | Method::CmdCheck | Method::CmdDel)
    }

    /// The path of a method on the wire.
    pub fn path(self, method: Method) -> String {
        format!("/{}.Cni/{method}", self.package())
    }
}

impl FromStr for Api {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|api| api.name() == name);
        found.ok_or_else(|| format!("no API {name}: use v1, v1beta1, vmware or first"))
    }
}

/// A method of the service.
#[expect(missing_docs, reason = "the names are those of the proto")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    CmdAdd,
    CmdCheck,
    CmdDel,
    CmdGC,
    CmdStatus,
    GetCapabilities,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CmdAdd,
        Self::CmdCheck,
        Self::CmdDel,
        Self::CmdGC,
        Self::CmdStatus,
        Self::GetCapabilities,
    ];

    /// The CNI command that the method is for.
    pub const fn command(self) -> &'static str {
        match self {
            Self::CmdAdd => "ADD",
            Self::CmdCheck => "CHECK",
            Self::CmdDel => "DEL",
            Self::CmdGC => "GC",
            Self::CmdStatus => "STATUS",
            Self::GetCapabilities => "",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}
