//! The rate across runs: requests that went out just now count, whichever command sent them.

use std::time::Duration;

use jiff::Timestamp;

use crate::provider::Provider;
use crate::store::{Sends, Store, StoreError};

/// Makes the requests of a run that ended just now count against the rate, in requests per second.
pub(super) fn remember(store: &mut Store, base_url: &str, provider: &Provider, rate: u32) -> Result<(), StoreError> {
    let rate = usize::try_from(rate).unwrap_or(usize::MAX);
    let ago = match store.begin_sending(base_url)? {
        Sends::At(times) => {
            let now = Timestamp::now();
            // A time to come tells of a clock that was set back.
            times.into_iter().map(|sent| Duration::try_from(now.duration_since(sent)).unwrap_or_default()).collect()
        }
        Sends::Unknown => vec![Duration::ZERO; rate],
    };
    provider.remember(&ago);
    Ok(())
}

/// Notes when the last requests went out, for the run that follows.
pub(super) fn note(store: &mut Store, base_url: &str, provider: &Provider) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let sent: Vec<Timestamp> = provider.recent().into_iter().filter_map(|ago| now.checked_sub(ago).ok()).collect();
    store.end_sending(base_url, &sent)
}
