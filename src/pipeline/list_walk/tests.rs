//! Walks of lists that stand still, shift, repeat, lie, and never end.

use proptest::prelude::*;

use super::*;
use crate::domain::money::Amount;
use crate::domain::outcome::Reason;

const SIZE: usize = PAGE_SIZE as usize;

fn order(id: &str) -> ListedOrder {
    ListedOrder { workflow_id: Some("wf_1".into()), ..ListedOrder::bare(id) }
}

fn page(ids: impl IntoIterator<Item = u32>, total: Option<u64>) -> ListPage {
    let orders = ids.into_iter().map(|id| order(&id.to_string())).collect();
    ListPage { orders, total, ..ListPage::default() }
}

/// Page `number` of a list.
fn cut(list: &[u32], number: u64) -> ListPage {
    let before = usize::try_from(number - 1).expect("a number") * SIZE;
    page(list.iter().copied().skip(before).take(SIZE), Some(list.len() as u64))
}

/// Walks a list whose pages come from `source`, by number.
fn walk(mut source: impl FnMut(u64) -> ListPage) -> Listing {
    let mut walk = Walk::new();
    while let Some(number) = walk.next_page() {
        walk.take(source(number));
    }
    walk.finish()
}

fn ids(listing: &Listing) -> BTreeSet<u32> {
    listing.orders.keys().map(|id| id.parse().expect("a number")).collect()
}

#[test]
fn a_list_that_stands_still_is_read_once() {
    for (count, pages) in [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (480, 5), (500, 6)] {
        let list: Vec<u32> = (0..count).collect();
        let mut asked = Vec::new();
        let listing = walk(|number| {
            asked.push(number);
            cut(&list, number)
        });
        assert_eq!(asked, (1..=pages).collect::<Vec<u64>>(), "{count} orders");
        assert_eq!(ids(&listing), list.iter().copied().collect(), "{count} orders");
        assert_eq!((listing.total, listing.pages, listing.passes), (Some(u64::from(count)), pages, 1));
        assert_eq!((listing.missing(), listing.repeats, listing.changed.len()), (Some(0), 0, 0));
    }
}

#[test]
fn an_order_that_slipped_to_a_page_already_read_is_found_by_walking_again() {
    // Before page 2 is read, the list rotates by one: the first order on page 2 becomes the last on page 1, and the
    // first order of all becomes the last.
    let mut list: Vec<u32> = (0..300).collect();
    let mut asked = Vec::new();
    let listing = walk(|number| {
        if asked.len() == 1 {
            list.rotate_left(1);
        }
        asked.push(number);
        cut(&list, number)
    });
    // 100 slipped to page 1, 0 is repeated on page 3; the second pass finds everything with its first page.
    assert_eq!(asked, [1, 2, 3, 4, 1]);
    assert_eq!((listing.missing(), listing.orders.len(), listing.repeats, listing.passes), (Some(0), 300, 1, 2));
}

#[test]
fn new_orders_at_the_front_repeat_what_was_read_and_are_found_on_page_1() {
    let mut list: Vec<u32> = (0..250).collect();
    let mut next = 1_000;
    let mut asked = Vec::new();
    let listing = walk(|number| {
        if asked.len() < 3 {
            list.insert(0, next);
            next += 1;
        }
        asked.push(number);
        cut(&list, number)
    });
    // Two arrived after the first page was read: as these are missing, page 3 is not taken for the last one.
    assert_eq!(asked, [1, 2, 3, 4, 1]);
    assert_eq!((listing.total, listing.missing(), listing.orders.len()), (Some(253), Some(0), 253));
    assert_eq!(listing.repeats, 2);
}

#[test]
fn orders_that_stay_missing_are_counted_after_three_passes() {
    let list: Vec<u32> = (0..300).collect();
    let mut asked = Vec::new();
    let listing = walk(|number| {
        asked.push(number);
        ListPage { total: Some(307), ..cut(&list, number) }
    });
    assert_eq!(asked, [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    assert_eq!((listing.missing(), listing.passes, listing.orders.len()), (Some(7), 3, 300));
    assert_eq!(listing.repeats, 0, "another pass repeats nothing");
}

#[test]
fn pages_with_holes_and_empty_pages_before_the_end_are_walked_through() {
    // A provider that leaves hidden orders out of each page: page 3 is empty.
    let list: Vec<u32> = (0..500).filter(|id| id % 7 != 0 && !(200..300).contains(id)).collect();
    let listing = walk(|number| {
        let first = u32::try_from(number - 1).expect("a number") * 100;
        let shown = (first..first + 100).filter(|id| *id < 500 && list.contains(id));
        page(shown, Some(list.len() as u64))
    });
    assert_eq!(ids(&listing), list.into_iter().collect());
    assert_eq!((listing.missing(), listing.passes), (Some(0), 1));
}

#[test]
fn a_list_with_smaller_pages_is_walked_to_its_end() {
    for size in [1, 20, 50, 99] {
        let list: Vec<u32> = (0..130).collect();
        let listing = walk(|number| {
            let before = usize::try_from(number - 1).expect("a number") * size;
            page(list.iter().copied().skip(before).take(size), Some(130))
        });
        assert_eq!((listing.orders.len(), listing.missing(), listing.passes), (130, Some(0), 1), "pages of {size}");
        assert!(listing.pages <= 130_u64.div_ceil(size as u64) + 1, "pages of {size}: {} pages", listing.pages);
    }
}

#[test]
fn a_list_with_larger_pages_is_walked_to_its_end() {
    let listing = walk(|number| page((0..750).filter(|_| number == 1), Some(750)));
    assert_eq!((listing.orders.len(), listing.missing()), (750, Some(0)));
    assert!(listing.pages <= 11, "{} pages", listing.pages);
}

#[test]
fn a_list_that_repeats_the_same_page_for_ever_is_given_up() {
    for total in [Some(100), Some(5_000), Some(100_000_000)] {
        let listing = walk(|_| page(0..100, total));
        assert_eq!(listing.orders.len(), 100);
        assert_eq!(listing.missing(), total.map(|total| total - 100));
        assert!(listing.pages <= 3 * 11, "{} pages of {total:?}", listing.pages);
    }
    let listing = walk(|_| page(0..100, None));
    assert_eq!((listing.pages, listing.missing()), (2, None));
}

#[test]
fn a_list_without_end_is_given_up_and_reported() {
    for total in [0, 100, 250] {
        let listing = walk(|number| {
            let first = u32::try_from(number).expect("a number") * 100;
            page(first..first + 100, Some(total))
        });
        assert_eq!(listing.pages, total.div_ceil(100) + MAX_PAGES_PAST_TOTAL);
        assert!(listing.is_endless && listing.missing().is_none(), "what is missing is unknown");
    }
}

#[test]
fn a_total_that_is_too_small_does_not_end_the_walk_while_pages_go_on() {
    let list: Vec<u32> = (0..1_234).collect();
    let listing = walk(|number| ListPage { total: Some(100), ..cut(&list, number) });
    assert_eq!((listing.orders.len(), listing.missing()), (1_234, Some(0)));
}

#[test]
fn without_a_total_it_is_unknown_what_is_missing() {
    let list: Vec<u32> = (0..250).collect();
    let listing = walk(|number| ListPage { total: None, ..cut(&list, number) });
    assert_eq!((listing.orders.len(), listing.pages, listing.passes), (250, 3, 1));
    assert_eq!((listing.total, listing.missing()), (None, None));
    // One page with a total is enough.
    let listing = walk(|number| ListPage { total: (number == 2).then_some(250), ..cut(&list, number) });
    assert_eq!((listing.total, listing.missing()), (Some(250), Some(0)));
}

#[test]
fn the_latest_listing_of_an_order_counts_and_changed_amounts_are_noted() {
    let priced = |amount: Option<&str>, status: &str| ListedOrder {
        final_amount: amount.map(|amount| Amount::parse(amount).expect("an amount")),
        run_status: Some(status.into()),
        ..order("7")
    };
    let mut words = [priced(None, "running"), priced(None, "succeeded"), priced(Some("0.5"), "succeeded")].into_iter();
    let listing =
        walk(|_| ListPage { orders: words.next().into_iter().collect(), total: Some(2), ..ListPage::default() });
    assert_eq!(listing.orders["7"], priced(Some("0.5"), "succeeded"));
    assert_eq!(listing.changed.iter().map(|id| &**id).collect::<Vec<_>>(), ["7"]);
    assert_eq!(listing.missing(), Some(1));
}

#[test]
fn items_without_an_id_are_missing_whatever_the_total_says() {
    let flaws = |count| Flaws { count, first: Some(Reason::new("bad-id", "item 3: run_order_id: there is none")) };
    for total in [2, 3] {
        let listing = walk(|_| ListPage { without_id: flaws(1), ..page(0..2, Some(total)) });
        assert_eq!((listing.missing(), listing.passes, listing.without_id.count), (Some(1), 3, 1), "total {total}");
        let detail = listing.without_id.first.expect("a flaw").detail;
        assert_eq!(detail, "page 1, item 3: run_order_id: there is none");
    }
    // If the next pass names the order, nothing is missing.
    let mut pages = [ListPage { without_id: flaws(1), ..page(0..2, Some(3)) }, page(0..3, Some(3))].into_iter();
    let listing = walk(|_| pages.next().expect("two pages are enough"));
    assert_eq!((listing.missing(), listing.orders.len()), (Some(0), 3));
}

#[test]
fn texts_are_held_once() {
    let listing = walk(|number| cut(&(0..150).collect::<Vec<u32>>(), number));
    let workflow = |id: &str| Arc::as_ptr(listing.orders[id].workflow_id.as_ref().expect("a workflow"));
    assert!(std::ptr::addr_eq(workflow("1"), workflow("149")));
    let (id, order) = listing.orders.first_key_value().expect("orders");
    assert!(Arc::ptr_eq(id, &order.run_order_id));
}

/// What happens to a list between two pages.
#[derive(Clone, Debug)]
enum Shift {
    Nothing,
    /// New orders arrive at some position.
    Arrive(usize, prop::sample::Index),
    Turn(prop::sample::Index),
    Reverse,
    Swap(prop::sample::Index, prop::sample::Index),
    /// Orders leave, from some position on.
    Leave(usize, prop::sample::Index),
}

fn shift() -> impl Strategy<Value = Shift> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        3 => Just(Shift::Nothing),
        3 => (1_usize..130, place()).prop_map(|(count, at)| Shift::Arrive(count, at)),
        2 => place().prop_map(Shift::Turn),
        1 => Just(Shift::Reverse),
        2 => (place(), place()).prop_map(|(one, other)| Shift::Swap(one, other)),
    ]
}

fn leaving() -> impl Strategy<Value = Shift> {
    prop_oneof![
        2 => shift(),
        1 => (1_usize..130, any::<prop::sample::Index>()).prop_map(|(count, at)| Shift::Leave(count, at)),
    ]
}

impl Shift {
    fn befall(&self, list: &mut Vec<u32>, next: &mut u32) {
        let length = list.len();
        match self {
            Self::Arrive(count, at) => {
                let at = at.index(length + 1);
                for _ in 0..*count {
                    list.insert(at, *next);
                    *next += 1;
                }
            }
            _ if list.is_empty() => {}
            Self::Nothing => {}
            Self::Turn(by) => list.rotate_left(by.index(length)),
            Self::Reverse => list.reverse(),
            Self::Swap(one, other) => list.swap(one.index(length), other.index(length)),
            Self::Leave(count, at) => {
                let at = at.index(length);
                list.drain(at..length.min(at + count));
            }
        }
    }
}

/// Walks a list while shifts happen to it, one before each page. Also returns the final list and its largest total.
fn walk_while(count: u32, shifts: &[Shift]) -> (Listing, Vec<u32>, u64) {
    let (mut list, mut next, mut largest) = ((0..count).collect::<Vec<u32>>(), 1_000_000, 0);
    let mut shifts = shifts.iter();
    let listing = walk(|number| {
        if let Some(shift) = shifts.next() {
            shift.befall(&mut list, &mut next);
        }
        largest = largest.max(list.len() as u64);
        cut(&list, number)
    });
    (listing, list, largest)
}

proptest! {
    #[test]
    fn shifts_never_lose_an_order_silently(count in 0_u32..900, shifts in prop::collection::vec(shift(), 0..40)) {
        let (listing, list, largest) = walk_while(count, &shifts);
        let lost = list.iter().filter(|id| !listing.orders.contains_key(&*id.to_string())).count();
        // Nothing ever left the list, so the last total counts all there is.
        prop_assert_eq!(listing.missing(), Some(lost as u64));
        prop_assert_eq!(listing.total, Some(largest));
        prop_assert!(listing.passes <= MAX_PASSES);
        prop_assert!(listing.pages <= 3 * (largest.div_ceil(100) + 12), "{} pages of {largest}", listing.pages);
    }

    #[test]
    fn missing_orders_are_always_counted(count in 0_u32..900, shifts in prop::collection::vec(leaving(), 0..40)) {
        let (listing, _, largest) = walk_while(count, &shifts);
        let had = listing.orders.len() as u64;
        prop_assert_eq!(listing.missing(), Some(largest.saturating_sub(had)));
    }

    #[test]
    fn a_list_that_comes_to_rest_is_completed(count in 300_u32..900, shifts in prop::collection::vec(shift(), 0..4)) {
        // All shifts happen in the first pass, of three pages or more; nothing happens in the second.
        let (listing, list, _) = walk_while(count, &shifts);
        prop_assert_eq!(listing.missing(), Some(0));
        prop_assert_eq!(ids(&listing), list.into_iter().collect());
    }

    #[test]
    fn whatever_the_pages_hold_a_walk_ends(
        pages in prop::collection::vec((prop::collection::vec(0_u32..400, 0..140), prop::option::of(0_u64..3_000)), 1..30),
    ) {
        let mut endless = pages.iter().cycle();
        let listing = walk(|_| {
            let (ids, total) = endless.next().expect("it is endless");
            page(ids.iter().copied(), *total)
        });
        let largest = listing.total.unwrap_or_default();
        prop_assert!(listing.pages <= 3 * (largest.max(100) + MAX_PAGES_PAST_TOTAL));
        let named: BTreeSet<u32> = pages.iter().flat_map(|(ids, _)| ids).copied().collect();
        prop_assert!(ids(&listing).is_subset(&named));
        if !listing.is_endless && let Some(missing) = listing.missing() {
            prop_assert_eq!(missing, largest.saturating_sub(listing.orders.len() as u64));
        }
    }
}
