//! Keeps the rate across runs: recent requests count, whichever command sent them.

use std::time::Duration;

use jiff::Timestamp;

use super::session::Session;
use crate::store::{Sends, StoreError};

/// Counts the last requests of earlier runs against the rate.
pub(super) fn remember(session: &mut Session) -> Result<(), StoreError> {
    let rate = usize::try_from(session.rate).unwrap_or(usize::MAX);
    let ago = match session.store.begin_sending(&session.base_url)? {
        Sends::At(times) => {
            let now = Timestamp::now();
            // A time in the future means that the clock was set back.
            times.into_iter().map(|sent| Duration::try_from(now.duration_since(sent)).unwrap_or_default()).collect()
        }
        Sends::Unknown => vec![Duration::ZERO; rate],
    };
    session.provider.remember(&ago);
    Ok(())
}

/// Records when the last requests went out, for the next run.
pub(super) fn note(session: &mut Session) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let ago = session.provider.recent().into_iter();
    let sent: Vec<Timestamp> = ago.filter_map(|ago| now.checked_sub(ago).ok()).collect();
    session.store.end_sending(&session.base_url, &sent)
}
