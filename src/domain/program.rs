//! What this program is, for the records that it leaves.

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
