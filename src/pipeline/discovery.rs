//! The work of `discover`: walks the provider's list of orders to its end.

use std::cell::Cell;
use std::pin::pin;

use tokio::time::interval;

use super::list_walk::{Listing, Walk};
use super::progress::{Progress, SHOW_EVERY};
use super::sends;
use super::session::Session;
use super::signals::Signal;
use crate::provider::{ListError, ListPage, ListQuery, Provider, Stop, Unavailable};
use crate::store::StoreError;

/// Everything a discovery needs, opened and checked.
pub struct Discovery {
    /// The provider, and everything needed to ask it.
    pub session: Session,
    /// Which orders to list.
    pub query: ListQuery,
}

/// How a discovery ended.
#[derive(Debug)]
pub enum DiscoveryEnd {
    /// The list was walked to its end.
    Listed(Box<Listing>),
    /// A signal stopped the walk: there is no list.
    Stopped(Signal),
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The list can't be walked to its end.
    #[error(transparent)]
    List(#[from] WalkError),
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a list can't be walked to its end. What was listed by then is discarded.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A page can't be fetched.
    #[error("page {number} of the list of orders can't be fetched: {reason}")]
    Page {
        /// The page, counted from 1.
        number: u64,
        /// Why it can't be fetched.
        reason: Unavailable,
    },
    /// The provider can't be asked any more.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Walks the list, and records when its requests went out.
///
/// # Errors
/// [`DiscoveryError`] says why there is no list.
pub fn discover(Discovery { session, query }: &mut Discovery) -> Result<DiscoveryEnd, DiscoveryError> {
    sends::remember(session)?;
    let discovered = list(session, query);
    let noted = sends::note(session);
    let discovered = discovered?;
    noted?;
    Ok(session.signals.first().map_or(discovered, DiscoveryEnd::Stopped))
}

/// Walks the list to its end or until a signal arrives. The signal ends it at once, since half a list is not kept.
pub(super) fn list(session: &Session, query: &ListQuery) -> Result<DiscoveryEnd, WalkError> {
    session.runtime.block_on(async {
        let mut progress = Progress::listing(session.display, session.texts);
        let ended = tokio::select! {
            biased;
            signal = session.signals.wait() => Ok(DiscoveryEnd::Stopped(signal)),
            listing = walk_with_progress(&session.provider, query, &mut progress) => {
                listing.map(|listing| DiscoveryEnd::Listed(Box::new(listing)))
            }
        };
        progress.finish();
        ended
    })
}

/// Walks the list, and shows the progress.
async fn walk_with_progress(
    provider: &Provider,
    query: &ListQuery,
    progress: &mut Progress,
) -> Result<Listing, WalkError> {
    let far = Cell::new((0, 0));
    let mut walk = pin!(walk(provider, query, |so_far| far.set(so_far)));
    let mut show = interval(SHOW_EVERY);
    loop {
        tokio::select! {
            listing = &mut walk => return listing,
            _ = show.tick() => {
                let (orders, total) = far.get();
                progress.listed(orders, total);
                progress.show(&provider.activity());
            }
        }
    }
}

/// Walks the list to its end, one page after the other. After each page `so_far` gets the number of orders listed, and
/// the number that the provider counts. Dropping the future gives up the list.
///
/// # Errors
/// [`WalkError`] says which page can't be fetched, or why the provider can't be asked any more.
pub async fn walk(
    provider: &Provider,
    query: &ListQuery,
    mut so_far: impl FnMut((u64, u64)),
) -> Result<Listing, WalkError> {
    let mut walk = Walk::new();
    while let Some(number) = walk.next_page() {
        match provider.list(query, number).await {
            Ok(page) => walk.take(page),
            // Past the end some providers return an empty page, others an error.
            Err(ListError::Unavailable(Unavailable::NotFound(_) | Unavailable::Refused(_))) if walk.is_past_total() => {
                walk.take(ListPage::default());
            }
            Err(ListError::Unavailable(reason)) => return Err(WalkError::Page { number, reason }),
            Err(ListError::Stop(stop)) => return Err(stop.into()),
        }
        so_far(walk.progress());
    }
    Ok(walk.finish())
}
