//! Times, which are kept to the microsecond.

use jiff::Timestamp;

/// The inverse of [`Timestamp::as_microsecond`]. That of jiff refuses the last second it can represent, and no
/// time that could be written may be unreadable.
#[must_use]
pub fn from_microsecond(microseconds: i64) -> Option<Timestamp> {
    const PER_SECOND: i64 = 1_000_000;
    let nanosecond = i32::try_from(microseconds.rem_euclid(PER_SECOND)).ok()? * 1_000;
    Timestamp::new(microseconds.div_euclid(PER_SECOND), nanosecond).ok()
}
