//! Settled orders in handwritten JSON: every fifth has one discrepancy, and no two have the same amounts.

use std::ops::Range;

/// Every n-th order has a total that is one unit of 10⁻⁸ too high.
const EVERY: u64 = 5;
/// The number in the ID of order 0.
const FIRST: u64 = 0xabc_0000;

/// One order of a raw server, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order(pub(super) u64);

impl Order {
    /// The order that an ID names.
    pub(super) fn named(id: &str) -> Option<Self> {
        let number = u64::from_str_radix(id.strip_prefix("wfrun_")?, 16).ok()?;
        number.checked_sub(FIRST).map(Self)
    }

    pub(super) fn id(self) -> String {
        format!("wfrun_{:020x}", FIRST + self.0)
    }

    /// Whether its total is not the sum of its costs.
    pub(super) fn is_discrepant(self) -> bool {
        self.0.is_multiple_of(EVERY)
    }

    /// Its quote with 8 decimals, which no other order has.
    pub(super) fn quote(self) -> String {
        amount(2_000_000 + 1_003 * self.0)
    }

    /// The whole reply, with a `Content-Length`.
    pub(super) fn reply(self) -> Vec<u8> {
        let body = self.json();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        head.into_bytes()
    }

    /// The body of its reply.
    pub(super) fn json(self) -> String {
        let number = self.0;
        let (compute, external) = (1_000 + 7 * number, 31 * number);
        let charged = compute + external;
        let total = charged + u64::from(self.is_discrepant());
        let released = 2_000_000 + 1_003 * number - charged;
        let (id, quote, compute, external) = (self.id(), self.quote(), amount(compute), amount(external));
        let (charged, total, released) = (amount(charged), amount(total), amount(released));
        format!(
            r#"{{"code":0,"msg":"ok","data":{{"run_order_id":"{id}","workflow_id":"wf_{:020x}","revision_id":"wfr_{:020x}","quote_amount":"{quote}","quote_currency":"CNY","freeze_status":"released","submission_status":"submitted","run_status":"succeeded","settlement_status":"settled","compute_cost":"{compute}","external_model_cost":"{external}","total_cost":"{total}","final_amount":"{charged}","released_amount":"{released}","created_at":"2026-05-08T10:00:00Z","updated_at":"2026-05-08T10:01:00Z"}}}}"#,
            number % 3,
            number % 7,
        )
    }
}

/// A CSV file with the IDs of these orders.
pub(super) fn csv(orders: Range<u64>) -> String {
    let ids: Vec<String> = orders.map(|number| Order(number).id()).collect();
    format!("run_order_id\n{}\n", ids.join("\n"))
}

/// Units of 10⁻⁸ as the provider writes them.
fn amount(units: u64) -> String {
    format!("{}.{:08}", units / 100_000_000, units % 100_000_000)
}
