//! Why a document cannot be put into another version.

use thiserror::Error;

/// Why a document cannot be put into another version.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Error {
    /// `prevResult` is there twice; Go merges the two.
    #[error("prevResult is there more than once")]
    Ambiguous,
    /// Not a JSON object, or not the types that a CNI result has.
    #[error("it is not a CNI result")]
    NotAResult,
    /// Its own `cniVersion` is none from 0.3.0 to 1.1.0.
    #[error("its cniVersion is {0:?}")]
    Label(String),
    /// An address that is not in CIDR notation.
    #[error("it has the address {0:?}")]
    Address(String),
}
