//! Messages for people as events of the log, for a log that is all of standard error.

use std::sync::OnceLock;

/// The target of their events.
pub(super) const TARGET: &str = "tieout::messages";

static ARE_LOGGED: OnceLock<bool> = OnceLock::new();

/// Decides, once, whether messages are events of the log instead of text.
pub(super) fn are_logged(are: bool) {
    let _ = ARE_LOGGED.set(are);
}

/// Logs a message, if messages are logged. Returns whether they are.
pub(super) fn log(text: &str) -> bool {
    let are = ARE_LOGGED.get() == Some(&true);
    if are {
        match text.strip_prefix("warning: ") {
            Some(text) => tracing::warn!(target: TARGET, "{text}"),
            None => tracing::error!(target: TARGET, "{}", text.strip_prefix("error: ").unwrap_or(text)),
        }
    }
    are
}
