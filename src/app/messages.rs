//! Messages for people as events of the log, for a log that is all of standard error.

use std::sync::OnceLock;

/// The target of their events.
pub(super) const TARGET: &str = "tieout::messages";

/// How errors and warnings begin.
const LEADS: [&str; 4] = ["error: ", "warning: ", "错误：", "警告："];

static ARE_LOGGED: OnceLock<bool> = OnceLock::new();

/// Decides, once, whether messages are events of the log instead of text.
pub(super) fn are_logged(are: bool) {
    let _ = ARE_LOGGED.set(are);
}

/// Whether messages are logged.
pub(super) fn are() -> bool {
    ARE_LOGGED.get() == Some(&true)
}

/// Logs a message, if messages are logged. Returns whether they are.
pub(super) fn log(is_warning: bool, text: &str) -> bool {
    if are() {
        // The level says it instead.
        let text = LEADS.iter().find_map(|lead| text.strip_prefix(lead)).unwrap_or(text);
        if is_warning {
            tracing::warn!(target: TARGET, "{text}");
        } else {
            tracing::error!(target: TARGET, "{text}");
        }
    }
    are()
}
