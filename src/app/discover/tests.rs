//! What is said of lists that are whole, repeated, filtered, gapped, or that nobody can judge.

use super::*;
use crate::domain::outcome::Reason;
use crate::pipeline::list_walk::Walk;
use crate::provider::ListPage;

fn order(id: &str, created_at: Option<&str>) -> ListedOrder {
    ListedOrder {
        run_order_id: id.into(),
        workflow_id: Some("wf_1".into()),
        revision_id: None,
        title: None,
        run_status: Some("succeeded".into()),
        quote_amount: None,
        final_amount: None,
        created_at: created_at.map(|time| time.parse().expect("a time")),
        is_unreadable: false,
    }
}

/// What a walk through these pages, and empty ones after them, comes to.
fn walked(pages: Vec<ListPage>) -> Listing {
    let mut pages = pages.into_iter();
    let mut walk = Walk::new();
    while walk.next_page().is_some() {
        walk.take(pages.next().unwrap_or_default());
    }
    walk.finish()
}

fn page(ids: &[&str], total: Option<u64>) -> ListPage {
    let orders = ids.iter().map(|id| order(id, Some("2026-05-08T10:00:00Z"))).collect();
    ListPage { orders, total, ..ListPage::default() }
}

fn flaws(count: u64) -> Flaws {
    Flaws { count, first: Some(Reason::new("bad-id", "item 2: it is null")) }
}

#[test]
fn a_whole_list_is_told_in_two_lines() {
    let listing = walked(vec![page(&["a", "b"], Some(2))]);
    let expected = "listed 2 orders on 1 page; the provider counts 2\nwrote 2 orders to standard output";
    assert_eq!(summary(&listing, 2, None), expected);
    let expected =
        "listed 2 orders on 1 page; the provider counts 2\nwrote 1 order to ids.csv, and left out 1 created outside";
    assert!(summary(&listing, 1, Some(Path::new("ids.csv"))).starts_with(expected));
    assert!(warnings(&listing, &ListQuery::default()).is_empty());
}

#[test]
fn a_period_leaves_out_what_lies_outside_and_keeps_what_has_no_time() {
    let mut list = page(&["b"], Some(3));
    list.orders.extend([order("a", None), order("c", Some("2026-05-09T00:00:00Z"))]);
    let listing = walked(vec![list]);
    let wanted = |since: Option<&str>, until: Option<&str>| {
        let time = |text: &str| text.parse().expect("a time");
        let wanted = Wanted::of(&listing, &Period { since: since.map(time), until: until.map(time) });
        (wanted.orders.iter().map(|order| order.run_order_id.to_string()).collect::<Vec<_>>().concat(), wanted.timeless)
    };
    assert_eq!(wanted(None, None), ("abc".to_owned(), 0));
    assert_eq!(wanted(Some("2026-05-09T00:00:00Z"), None), ("ac".to_owned(), 1));
    assert_eq!(wanted(None, Some("2026-05-09T00:00:00Z")), ("ab".to_owned(), 1));
    assert_eq!(wanted(Some("2026-05-08T10:00:00Z"), Some("2026-05-08T10:00:00.000001Z")), ("ab".to_owned(), 1));
}

#[test]
fn repeats_and_changes_are_told() {
    let mut again = page(&["b", "c"], Some(3));
    again.orders[0].final_amount = crate::domain::money::Amount::from_units(1);
    let listing = walked(vec![page(&["a", "b"], Some(3)), again]);
    let said = summary(&listing, 3, None);
    assert!(said.contains("\n1 item repeated what an earlier page had: the newest word counts\n"), "{said}");
    assert!(said.contains("\n1 order changed amounts meanwhile: the newest count\n"), "{said}");
}

#[test]
fn a_gap_is_told_with_its_size() {
    let listing = walked(vec![ListPage { nameless: flaws(1), ..page(&["a", "b"], Some(4)) }]);
    let said = gap(&listing).expect("a gap");
    let expected = "warning: the list is not whole: 2 missing. The provider counts 4, and listed 2 orders in 3 walks\n  \
                    items of the list that name no order: 1, the first on page 1, item 2: it is null\n  help: run";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn what_can_not_be_told_is_said_so() {
    let said = gap(&walked(vec![page(&["a"], None)])).expect("a doubt");
    assert!(said.contains("no telling") && said.contains("does not say how many orders there are"), "{said}");
    let endless = (0..2_000).map(|number| {
        let ids: Vec<String> = (0..100).map(|item| format!("{number}-{item}")).collect();
        page(&ids.iter().map(String::as_str).collect::<Vec<_>>(), Some(5))
    });
    let said = gap(&walked(endless.collect())).expect("a doubt");
    assert!(said.contains("no telling") && said.contains("counts 5, and after 1001 pages and 100100 orders"), "{said}");
}

#[test]
fn a_filter_that_the_provider_ignores_and_fields_that_can_not_be_read_are_told() {
    let listing = walked(vec![ListPage { unreadable: flaws(2), ..page(&["a", "b"], Some(2)) }]);
    let query = ListQuery { workflow_id: Some("wf_2".into()), status: Some("succeeded".into()) };
    let expected = [
        "warning: not of --workflow wf_2, and not left out: 2 orders of the list",
        "warning: fields of the list that can't be read: 2, the first on page 1, item 2: it is null",
    ];
    assert_eq!(warnings(&listing, &query), expected);
}
