//! What this program is, for the records that it leaves.

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that it was built from, with `-dirty` after it if a file had changed; `None` if it is a debug build, or
/// was not built in a checkout.
pub const COMMIT: Option<&str> = option_env!("TIEOUT_COMMIT");

/// Its version and commit, as far as it knows: what another build proved is proved again.
#[must_use]
pub fn build() -> String {
    COMMIT.map_or_else(|| VERSION.to_owned(), |commit| format!("{VERSION} {commit}"))
}
