//! The walk through the provider's list of orders: which page to ask for next, when the list is complete, and what is
//! missing. Pure: pages are handed in.
//!
//! The API promises no sort order, nor that the list stands still while new orders arrive. So a page may repeat orders
//! of another, and an order may slip from an unread page to one that was read. Repeats do no harm; a slip shows against
//! the total that the provider gives with each page, and the list is walked again to find it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::listed::{ListedAmounts, ListedOrder};
use crate::provider::{Flaws, ListPage, PAGE_SIZE};

/// The most passes through the list.
const MAX_PASSES: u32 = 3;
/// This many pages in a row without anything new end a pass, whatever the total says.
const MAX_STALE_PAGES: u32 = 10;
/// The most pages read past the total, while they are full and bring something new.
const MAX_PAGES_PAST_TOTAL: u64 = 1_000;
/// The most pages read in one pass, whatever the total says.
const MAX_PAGES: u64 = 1_000_000;

/// The result of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The orders by ID, each as it was last listed.
    pub orders: BTreeMap<Arc<str>, ListedOrder>,
    /// The largest total that the provider gave; `None` if it never gave a usable one.
    pub total: Option<u64>,
    /// How many pages were read, in all passes.
    pub pages: u64,
    /// How often the list was walked.
    pub passes: u32,
    /// How often an order was listed again within a pass.
    pub repeats: u64,
    /// Orders that were later listed with different amounts.
    pub changed: BTreeSet<Arc<str>>,
    /// Items without a usable order ID, in the pass with the most.
    pub without_id: Flaws,
    /// Fields that can't be read, in the pass with the most.
    pub unreadable: Flaws,
    /// Whether the walk was given up because the pages had no end.
    pub is_endless: bool,
    /// The most items of one pass, counting items without a usable ID but not repeats.
    items: u64,
}

impl Listing {
    /// How many orders the provider counts but never listed with a usable ID; `None` without a total, or if the pages
    /// had no end.
    ///
    /// As long as no order leaves the list meanwhile, 0 proves that none was missed: there are at most as many as the
    /// provider counted on the last page that was read.
    #[must_use]
    pub fn missing(&self) -> Option<u64> {
        let total = self.total.filter(|_| !self.is_endless)?;
        Some(total.max(self.items).saturating_sub(self.orders.len() as u64))
    }

    /// Takes in an order, replacing its earlier listing. Returns its ID.
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

/// A walk in progress.
#[derive(Debug, Default)]
pub struct Walk {
    listing: Listing,
    texts: Texts,
    pass: Pass,
    has_ended: bool,
}

/// One pass, from the first page to the last.
#[derive(Debug, Default)]
struct Pass {
    /// The last page that was read, counted from 1; 0 before the first.
    page: u64,
    /// The most items on a page: the provider may give fewer per page than it was asked for.
    longest: u64,
    /// The orders that were listed.
    seen: HashSet<Arc<str>>,
    /// How many pages in a row brought nothing new.
    stale: u32,
    without_id: Flaws,
    unreadable: Flaws,
}

impl Walk {
    /// A walk before its first page.
    #[must_use]
    pub fn new() -> Self {
        Self { listing: Listing { passes: 1, ..Listing::default() }, ..Self::default() }
    }

    /// The number of the page to ask for next, counted from 1; `None` once the walk has ended.
    #[must_use]
    pub fn next_page(&self) -> Option<u64> {
        (!self.has_ended).then_some(self.pass.page + 1)
    }

    /// Whether the next page lies past the provider's total, so that it need not exist.
    #[must_use]
    pub fn is_past_total(&self) -> bool {
        self.listing.total.is_some_and(|total| self.pass.page >= self.pass.pages_of(total))
    }

    /// Takes in the page that was asked for.
    pub fn take(&mut self, page: ListPage) {
        let (listing, pass) = (&mut self.listing, &mut self.pass);
        listing.pages += 1;
        pass.page += 1;
        listing.total = listing.total.max(page.total);
        let items = page.len();
        pass.longest = pass.longest.max(items);
        pass.without_id.add(page.without_id, pass.page);
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
        listing.without_id.keep_most(&pass.without_id);
        listing.unreadable.keep_most(&pass.unreadable);
        self.decide_next(items, is_stale);
    }

    /// How many orders are listed so far, and how many the provider counts; 0 without a total.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.listing.orders.len() as u64, self.listing.total.unwrap_or_default())
    }

    /// Ends the walk and returns its result.
    #[must_use]
    pub fn finish(self) -> Listing {
        self.listing
    }

    /// Decides, after a page of `items` items, whether the pass goes on, and whether another one follows.
    fn decide_next(&mut self, items: u64, is_stale: bool) {
        let (listing, pass) = (&mut self.listing, &self.pass);
        let items_so_far = pass.items();
        let due = listing.total.map_or(0, |total| pass.pages_of(total));
        let most = listing.total.map_or(MAX_PAGES, |_| MAX_PAGES.min(due + MAX_PAGES_PAST_TOTAL));
        let is_empty = items == 0 || is_stale;
        // A page that is not full is the last one, unless orders are missing: a provider may leave some out of a page.
        let is_last = is_empty
            || match listing.total {
                Some(total) if items_so_far < total => false,
                Some(_) => items < pass.longest.max(PAGE_SIZE),
                None => items < pass.longest,
            };
        let is_filled = listing.passes > 1 && listing.missing() == Some(0);
        let has_ended = pass.stale >= MAX_STALE_PAGES || (pass.page >= due && is_last) || is_filled;
        listing.is_endless = !has_ended && pass.page >= most;
        if !has_ended && !listing.is_endless {
            return;
        }
        // Without a total, another pass could not tell whether it found what earlier ones missed.
        if listing.passes < MAX_PASSES && listing.missing().is_some_and(|missing| missing > 0) {
            listing.passes += 1;
            self.pass = Pass::default();
        } else {
            self.has_ended = true;
        }
    }
}

impl Pass {
    /// How many items the pass had, counting items without a usable ID but not repeats.
    fn items(&self) -> u64 {
        self.seen.len() as u64 + self.without_id.count
    }

    /// How many pages `total` orders fill, by the longest page so far.
    fn pages_of(&self, total: u64) -> u64 {
        total.div_ceil(if self.longest == 0 { PAGE_SIZE } else { self.longest.min(PAGE_SIZE) })
    }
}

/// Interned texts: each is held once, however many orders have it.
#[derive(Debug, Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// Replaces the texts of an order with shared ones.
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

/// The provider's list of orders, if it was asked for and could be fetched.
#[derive(Debug, Default)]
pub(super) enum OrderList {
    /// It was not asked for.
    #[default]
    NotRequested,
    /// It was walked to its end.
    Available(Box<Listing>),
    /// It could not be fetched, and why.
    Unavailable(String),
}

impl OrderList {
    /// Whether there is no list that could say anything of an order.
    pub(super) const fn is_unknown(&self) -> bool {
        matches!(self, Self::NotRequested | Self::Unavailable(_))
    }

    /// The listed amounts of an order, if it is listed.
    pub(super) fn amounts(&self, run_order_id: &str) -> Option<ListedAmounts> {
        match self {
            Self::Available(listing) => listing.orders.get(run_order_id).map(|order| order.amounts()),
            Self::NotRequested | Self::Unavailable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
