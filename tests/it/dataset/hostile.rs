//! What nights saw of orders that are hard on engines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};

/// Orders that are hard on engines: amounts of 20 digits, below zero and without a value, quotes and backslashes, no time.
fn hostile_order() -> impl Strategy<Value = RunOrder> {
    let amount = prop_oneof![
        Just(None),
        any::<i64>().prop_map(|units| Amount::from_units(units.into())),
        (-9_999_999_999_999_999_999_999_999_999_i128..10_000_000_000_000_000_000_000_000_000)
            .prop_map(Amount::from_units),
    ];
    let text = prop_oneof![Just(None), "[ -~]{0,12}".prop_map(Some), "[订单\"'\\\\,\\n\\t]{1,4}".prop_map(Some)];
    let days = 30_i64 * 24 * 3600 * 1_000_000;
    let time = prop_oneof![
        1 => Just(None),
        20 => (0..days).prop_map(|at| Timestamp::from_microsecond(1_790_000_000_000_000 + at).ok()),
    ];
    (proptest::array::uniform6(amount), text, time, any::<bool>()).prop_map(|(amounts, text, created_at, settled)| {
        RunOrder {
            workflow_id: text,
            quote_currency: Some("CNY".to_owned()),
            amounts: Amounts::from_order(amounts),
            settlement_status: settled.then(|| "settled".to_owned()),
            created_at,
            ..RunOrder::default()
        }
    })
}

/// What a run saw of an order: its ID, the order, and what it saw before if that had a different creation time.
pub(super) type Sight = (String, RunOrder, Option<RunOrder>);

/// What four nights saw of hostile orders. Each night begins later in the list of orders and settles some anew; of every
/// tenth sight, the creation time has changed.
pub(super) fn hostile_nights(orders: usize) -> Vec<Vec<Sight>> {
    let mut cases = TestRunner::deterministic();
    let mut any_order = || hostile_order().new_tree(&mut cases).expect("an order").current();
    let mut last = BTreeMap::<usize, RunOrder>::new();
    let mut nights = Vec::new();
    for night in 0..4 {
        let mut seen = Vec::new();
        for number in night * orders / 10..orders {
            let before = last.get(&number).cloned();
            let (mut now, moves) = (any_order(), (number + night) % 10 == 0);
            if let Some(before) = before.as_ref().filter(|_| !moves) {
                now.created_at = before.created_at;
            }
            last.insert(number, now.clone());
            let moved = before.filter(|before| before.created_at != now.created_at);
            seen.push((format!("wfrun_{number}'\"\\%;--{number}"), now, moved));
        }
        nights.push(seen);
    }
    nights
}
