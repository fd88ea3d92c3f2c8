//! The log on standard error: as text or as JSON.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::cli::{General, LogFormat};

/// Starts logging this program's own events; those of libraries are left out.
pub(super) fn start(general: &General) {
    let level = match (general.quiet, general.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let layer = match general.log_format {
        LogFormat::Text => {
            fmt::layer().with_writer(io::stderr).with_ansi(false).without_time().with_target(false).boxed()
        }
        LogFormat::Json => fmt::layer().json().with_writer(io::stderr).with_target(false).boxed(),
    };
    let ours = Targets::new().with_target("tieout", level);
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();
}
