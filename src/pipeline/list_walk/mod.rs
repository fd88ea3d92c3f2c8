//! The walk through the provider's list of orders: which page to ask for next, when the list is had, and what is missing.
//! Pure: pages are handed in.
//!
//! Nobody says how the list is sorted, nor that it stands still while new runs arrive. So a page may repeat what another
//! one had, and an order may slip from a page that was not read yet to one that was. Repeats are taken as they come; a
//! slip shows against the total that the provider gives with each page, and the list is walked again to find it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::listed::{ListedAmounts, ListedOrder};
use crate::provider::{Flaws, ListPage, PAGE_SIZE};

/// So often the list is walked at most.
const PASSES: u32 = 3;
/// So many pages in a row that bring nothing new end a pass, whatever the total says.
const STALE: u32 = 10;
/// So many pages are read past the total at most, while they are full and bring something new.
const BEYOND: u64 = 1_000;
/// So many pages are read in one pass at most, whatever the total says.
const MOST: u64 = 1_000_000;

/// What the list has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The orders by ID, each as it was listed last.
    pub orders: BTreeMap<Arc<str>, ListedOrder>,
    /// How many orders there are in the provider's words: the most it said. `None` where it never said so usably.
    pub total: Option<u64>,
    /// Pages that were read, in all passes.
    pub pages: u64,
    /// How often the list was walked.
    pub passes: u32,
    /// How often an order was listed again in one pass.
    pub repeats: u64,
    /// Orders that were listed with other amounts later.
    pub changed: BTreeSet<Arc<str>>,
    /// Items that name no order, in the pass that had most.
    pub nameless: Flaws,
    /// Fields that can't be read, in the pass that had most.
    pub unreadable: Flaws,
    /// Whether reading was given up although the pages went on and on.
    pub is_endless: bool,
    /// The most items that one pass had, nameless ones included and repeats not.
    items: u64,
}

impl Listing {
    /// How many orders the provider counts and never listed by a usable ID; `None` where there is no telling.
    ///
    /// As long as no order leaves the list meanwhile, 0 proves that none was missed: there are at most as many as the
    /// provider counted on the page that was read last.
    #[must_use]
    pub fn missing(&self) -> Option<u64> {
        let total = self.total.filter(|_| !self.is_endless)?;
        Some(total.max(self.items).saturating_sub(self.orders.len() as u64))
    }

    /// Takes an order, in the place of what was listed of it before; returns its ID.
    fn note(&mut self, mut order: ListedOrder) -> Arc<str> {
        let id = self.orders.get_key_value(&order.run_order_id).map(|(id, _)| Arc::clone(id));
        let id = id.unwrap_or_else(|| Arc::clone(&order.run_order_id));
        order.run_order_id = Arc::clone(&id);
        match self.orders.get_mut(&id) {
            Some(known) => {
                if !known.has_amounts_of(&order) {
                    self.changed.insert(Arc::clone(&id));
                }
                *known = order;
            }
            None => _ = self.orders.insert(Arc::clone(&id), order),
        }
        id
    }
}

/// A walk under way.
#[derive(Debug, Default)]
pub struct Walk {
    listing: Listing,
    texts: Texts,
    pass: Pass,
    has_ended: bool,
}

/// One walk from the first page to the last.
#[derive(Debug, Default)]
struct Pass {
    /// The page that was read last, counted from 1.
    page: u64,
    /// The most items of a page: the provider may give fewer at once than it was asked for.
    longest: u64,
    /// The orders that it had.
    seen: HashSet<Arc<str>>,
    /// How many pages in a row brought nothing new.
    stale: u32,
    nameless: Flaws,
    unreadable: Flaws,
}

impl Walk {
    /// A walk before its first page.
    #[must_use]
    pub fn new() -> Self {
        Self { listing: Listing { passes: 1, ..Listing::default() }, ..Self::default() }
    }

    /// The number of the page to ask for next, counted from 1; `None` where the walk has ended.
    #[must_use]
    pub fn next_page(&self) -> Option<u64> {
        (!self.has_ended).then_some(self.pass.page + 1)
    }

    /// Whether the next page lies past all that the provider counts: that it has no such page means nothing.
    #[must_use]
    pub fn is_past_total(&self) -> bool {
        self.listing.total.is_some_and(|total| self.pass.page >= self.pass.pages_of(total))
    }

    /// Takes the page that was asked for.
    pub fn take(&mut self, page: ListPage) {
        let (listing, pass) = (&mut self.listing, &mut self.pass);
        listing.pages += 1;
        pass.page += 1;
        listing.total = listing.total.max(page.total);
        let items = page.len();
        pass.longest = pass.longest.max(items);
        pass.nameless.add(page.nameless, pass.page);
        pass.unreadable.add(page.unreadable, pass.page);
        let before = pass.seen.len();
        for order in page.orders {
            let order = self.texts.share(order);
            if pass.seen.contains(&order.run_order_id) {
                listing.repeats += 1;
            }
            pass.seen.insert(listing.note(order));
        }
        let is_stale = pass.seen.len() == before;
        pass.stale = if is_stale { pass.stale + 1 } else { 0 };
        listing.items = listing.items.max(pass.items());
        listing.nameless.keep_most(&pass.nameless);
        listing.unreadable.keep_most(&pass.unreadable);
        self.go_on(items, is_stale);
    }

    /// How far it is: orders so far, and how many the provider counts.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.listing.orders.len() as u64, self.listing.total.unwrap_or_default())
    }

    /// What it has come to.
    #[must_use]
    pub fn finish(self) -> Listing {
        self.listing
    }

    /// Decides after a page of so many items whether the pass goes on, and whether another one follows.
    fn go_on(&mut self, items: u64, is_stale: bool) {
        let (listing, pass) = (&mut self.listing, &self.pass);
        let had = pass.items();
        let due = listing.total.map_or(0, |total| pass.pages_of(total));
        let most = listing.total.map_or(MOST, |_| MOST.min(due + BEYOND));
        let is_empty = items == 0 || is_stale;
        // A page that is not full is the last one, unless orders are missing: a provider may leave some out of a page.
        let is_last = is_empty
            || match listing.total {
                Some(total) if had < total => false,
                Some(_) => items < pass.longest.max(PAGE_SIZE),
                None => items < pass.longest,
            };
        let is_filled = listing.passes > 1 && listing.missing() == Some(0);
        let has_ended = pass.stale >= STALE || (pass.page >= due && is_last) || is_filled;
        listing.is_endless = !has_ended && pass.page >= most;
        if !has_ended && !listing.is_endless {
            return;
        }
        // Without a total another pass could not tell that it found what the ones before missed.
        if listing.passes < PASSES && listing.missing().is_some_and(|missing| missing > 0) {
            listing.passes += 1;
            self.pass = Pass::default();
        } else {
            self.has_ended = true;
        }
    }
}

impl Pass {
    /// How many items it had, nameless ones included and repeats not.
    fn items(&self) -> u64 {
        self.seen.len() as u64 + self.nameless.count
    }

    /// How many pages so many orders fill, by the longest page so far.
    fn pages_of(&self, total: u64) -> u64 {
        total.div_ceil(if self.longest == 0 { PAGE_SIZE } else { self.longest.min(PAGE_SIZE) })
    }
}

/// Every text once, however many orders have it.
#[derive(Debug, Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// The order with texts that others have as well.
    fn share(&mut self, mut order: ListedOrder) -> ListedOrder {
        let ListedOrder { workflow_id, revision_id, title, run_status, .. } = &mut order;
        for text in [workflow_id, revision_id, title, run_status].into_iter().flatten() {
            match self.0.get(text) {
                Some(known) => *text = Arc::clone(known),
                None => _ = self.0.insert(Arc::clone(text)),
            }
        }
        order
    }
}

/// What became of the list.
#[derive(Debug, Default)]
pub(super) enum OrderList {
    /// Nobody asked for it.
    #[default]
    Unwanted,
    /// It was walked to its end.
    Had(Box<Listing>),
    /// It could not be had, and why.
    NotHad(String),
}

impl OrderList {
    /// What it says of an order.
    pub(super) fn amounts(&self, run_order_id: &str) -> Option<ListedAmounts> {
        match self {
            Self::Had(listing) => listing.orders.get(run_order_id).map(|order| order.amounts()),
            Self::Unwanted | Self::NotHad(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
