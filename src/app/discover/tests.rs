//! Messages about lists that are complete, repeat orders, are filtered, have gaps, or can't be judged.

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

/// The listing of a walk through these pages, and empty ones after them.
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
fn a_complete_list_is_summarised_in_two_lines() {
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
    let selection = |since: Option<&str>, until: Option<&str>| {
        let time = |text: &str| text.parse().expect("a time");
        let selection = Selection::of(&listing, &Period { since: since.map(time), until: until.map(time) });
        (
            selection.orders.iter().map(|order| order.run_order_id.to_string()).collect::<Vec<_>>().concat(),
            selection.timeless,
        )
    };
    assert_eq!(selection(None, None), ("abc".to_owned(), 0));
    assert_eq!(selection(Some("2026-05-09T00:00:00Z"), None), ("ac".to_owned(), 1));
    assert_eq!(selection(None, Some("2026-05-09T00:00:00Z")), ("ab".to_owned(), 1));
    assert_eq!(selection(Some("2026-05-08T10:00:00Z"), Some("2026-05-08T10:00:00.000001Z")), ("ab".to_owned(), 1));
}

#[test]
fn repeats_and_changes_are_reported() {
    let mut again = page(&["b", "c"], Some(3));
    again.orders[0].final_amount = crate::domain::money::Amount::from_units(1);
    let listing = walked(vec![page(&["a", "b"], Some(3)), again]);
    let text = summary(&listing, 3, None);
    assert!(text.contains("\n1 item repeated an order of an earlier page: the newest version is used\n"), "{text}");
    assert!(text.contains("\n1 order changed amounts meanwhile: the newest are used\n"), "{text}");
}

#[test]
fn a_gap_is_reported_with_its_size() {
    let listing = walked(vec![ListPage { without_id: flaws(1), ..page(&["a", "b"], Some(4)) }]);
    let text = gap(&listing).expect("a warning");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let expected = "warning: the list is incomplete: 2 missing. The provider counts 4, but listed 2 orders in 3 walks";
    assert_eq!(lines[0], expected);
    let expected = "  list items without a usable order ID: 1, the first on page 1, item 2: it is null";
    assert_eq!(lines[1], expected);
    assert!(lines[2].starts_with("  help: run"), "{text}");
}

#[test]
fn an_unknown_total_is_reported() {
    let text = gap(&walked(vec![page(&["a"], None)])).expect("a warning");
    assert!(text.contains("it is unknown") && text.contains("does not say how many orders there are"), "{text}");
    let endless = (0..2_000).map(|number| {
        let ids: Vec<String> = (0..100).map(|item| format!("{number}-{item}")).collect();
        page(&ids.iter().map(String::as_str).collect::<Vec<_>>(), Some(5))
    });
    let text = gap(&walked(endless.collect())).expect("a warning");
    assert!(
        text.contains("it is unknown") && text.contains("counts 5, but after 1001 pages and 100100 orders"),
        "{text}"
    );
}

#[test]
fn ignored_filters_and_unreadable_fields_are_reported() {
    let listing = walked(vec![ListPage { unreadable: flaws(2), ..page(&["a", "b"], Some(2)) }]);
    let query = ListQuery { workflow_id: Some("wf_2".into()), status: Some("succeeded".into()) };
    let expected = [
        "warning: the list has 2 orders that do not match --workflow wf_2; they were kept",
        "warning: fields of the list that can't be read: 2, the first on page 1, item 2: it is null",
    ];
    assert_eq!(warnings(&listing, &query), expected);
}
