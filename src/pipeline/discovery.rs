//! The work of `discover`: the provider's list of orders, walked to its end.

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
    /// The provider, and all that asking it takes.
    pub session: Session,
    /// Which orders are wanted.
    pub query: ListQuery,
}

/// How a discovery ended.
#[derive(Debug)]
pub enum Discovered {
    /// The list was walked to its end.
    Listed(Box<Listing>),
    /// A signal stopped it: there is no list.
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

/// Why a list can't be walked to its end. What was listed before is no list.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A page can't be had.
    #[error("page {number} of the list of orders can't be had: {lack}")]
    Page {
        /// Which one, counted from 1.
        number: u64,
        /// Why not.
        lack: Unavailable,
    },
    /// The provider can't be asked any more.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Walks the list.
///
/// # Errors
/// [`DiscoveryError`] says why there is no list.
pub fn discover(Discovery { session, query }: &mut Discovery) -> Result<Discovered, DiscoveryError> {
    sends::remember(session)?;
    let discovered = list(session, query);
    let noted = sends::note(session);
    let discovered = discovered?;
    noted?;
    Ok(session.signals.first().map_or(discovered, Discovered::Stopped))
}

/// Walks the list until it is had, or a signal comes. Nothing of it is kept then, so nothing is waited for.
pub(super) fn list(session: &Session, query: &ListQuery) -> Result<Discovered, WalkError> {
    session.runtime.block_on(async {
        let mut progress = Progress::listing(session.display);
        let ended = tokio::select! {
            biased;
            signal = session.signals.wait() => Ok(Discovered::Stopped(signal)),
            listing = walk_shown(&session.provider, query, &mut progress) => {
                listing.map(|listing| Discovered::Listed(Box::new(listing)))
            }
        };
        progress.finish();
        ended
    })
}

/// Walks the list, and shows how far it is.
async fn walk_shown(provider: &Provider, query: &ListQuery, progress: &mut Progress) -> Result<Listing, WalkError> {
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

/// Walks the list to its end, one page after the other. `so_far` hears after each page how many orders are listed, and how many
/// the provider counts. Dropping the future gives the list up and holds nothing back.
///
/// # Errors
/// [`WalkError`] says which page can't be had, or why nothing can.
pub async fn walk(
    provider: &Provider,
    query: &ListQuery,
    mut so_far: impl FnMut((u64, u64)),
) -> Result<Listing, WalkError> {
    let mut walk = Walk::new();
    while let Some(number) = walk.next_page() {
        match provider.list(query, number).await {
            Ok(page) => walk.take(page),
            // Past the end some providers have an empty page, and others none.
            Err(ListError::Unavailable(Unavailable::NotFound(_) | Unavailable::Refused(_))) if walk.is_past_total() => {
                walk.take(ListPage::default());
            }
            Err(ListError::Unavailable(lack)) => return Err(WalkError::Page { number, lack }),
            Err(ListError::Stop(stop)) => return Err(stop.into()),
        }
        so_far(walk.progress());
    }
    Ok(walk.finish())
}
