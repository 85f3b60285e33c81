//! What a keeper tells node-exporter: the installation, and the log.

use std::path::Path;
use std::time::Duration;

use super::installation::Installation;
use super::state::sha256;
use crate::cli::Whose;
use crate::error::Error;
use crate::files;
use crate::log::{self, prometheus::family};
use crate::settings;

/// How often the metrics are written.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// The file of metrics, which goes with the keeper that writes it: what a keeper said that
/// ended is not true any more.
pub(super) struct Written<'a>(pub(super) &'a Path);

impl Drop for Written<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

/// Writes them; `is_kept`: what was installed stands there, `is_off`: a rollback holds it
/// off.
pub(super) fn write(
    installation: &Installation,
    to: &Path,
    is_kept: bool,
    is_off: bool,
) -> Result<(), Error> {
    let plugin = files::read(&installation.plugin_path()?)?.unwrap_or_default();
    let (version, sum) = (env!("CARGO_PKG_VERSION"), sha256(&plugin));
    let number = |is: bool| f64::from(u8::from(is));
    let mut text = String::new();
    family(
        &mut text,
        "antrea_cni_info",
        "The version of the keeper, and the plugin that stands there.",
        vec![(vec![("version", version), ("sha256", &*sum)], 1.0)],
    );
    family(
        &mut text,
        "antrea_cni_installed",
        "1 if the plugin that was installed stands there.",
        vec![(Vec::new(), number(is_kept))],
    );
    family(
        &mut text,
        "antrea_cni_rolled_back",
        "1 if a rollback holds the plugin off.",
        vec![(Vec::new(), number(is_off))],
    );
    let whose =
        Whose { place: installation.place.clone(), conf_dir: installation.conf_dir.clone() };
    if let Ok(path) = settings::log_file(&whose) {
        text += &log::metrics(&path);
    }
    log::write_textfile(to, &text)
}
