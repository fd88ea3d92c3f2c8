//! What this program is, for the records that it leaves.

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that it was built from, with `-dirty` after it if a file had changed; `None` if it is a debug build, or
/// was not built in a checkout.
pub const COMMIT: Option<&str> = option_env!("TIEOUT_COMMIT");
