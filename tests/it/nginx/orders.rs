//! Settled orders, some with a discrepancy, in plain integers of 10⁻⁸ and handwritten JSON.

use sha2::{Digest, Sha256};

/// Every n-th order has a planted discrepancy.
const EVERY: u64 = 97;
/// One whole unit of the currency.
const ONE: i128 = 100_000_000;
/// The largest amount a report holds: 20 digits before the point, 8 after it.
const LARGEST: i128 = 9_999_999_999_999_999_999_999_999_999;
/// One order that nginx serves.
pub(super) struct Order {
    pub(super) id: String,
    number: u64,
    fault: Option<Fault>,
    amounts: Amounts,
}

/// The kinds of discrepancies to plant. Each makes its order fail exactly one check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    ReleasedOneUnitMore,
    LargestOneUnitLess,
    TotalOneUnitMore,
    FinalAbsent,
    ReleasedNull,
    ExternalNegative,
    CurrencyAbsent,
    AnotherOrder,
}

const FAULTS: [Fault; 8] = [
    Fault::ReleasedOneUnitMore,
    Fault::LargestOneUnitLess,
    Fault::TotalOneUnitMore,
    Fault::FinalAbsent,
    Fault::ReleasedNull,
    Fault::ExternalNegative,
    Fault::CurrencyAbsent,
    Fault::AnotherOrder,
];

#[derive(Clone, Copy)]
struct Amounts {
    quote: i128,
    charged: i128,
    released: i128,
    compute: i128,
    external: i128,
    total: i128,
}

/// The expected content of a row of `discrepancies.csv`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Discrepancy {
    pub(super) run_order_id: String,
    pub(super) check: String,
    pub(super) expected: String,
    pub(super) actual: String,
    pub(super) difference: String,
}

impl Order {
    /// The order with this number, always the same.
    pub(super) fn number(number: u64) -> Self {
        let fault = number.is_multiple_of(EVERY).then(|| FAULTS[(number / EVERY) as usize % FAULTS.len()]);
        Self { id: id("wfrun_", number), number, fault, amounts: amounts(number, fault) }
    }

    /// The discrepancy that the report must show for this order.
    pub(super) fn planted(&self) -> Option<Discrepancy> {
        let Amounts { quote, charged, released, compute, external, total } = self.amounts;
        let identity = |check, expected, actual| (check, text(expected), text(actual), text(actual - expected));
        let words = |check, expected: String, actual: String| (check, expected, actual, String::new());
        let (check, expected, actual, difference) = match self.fault? {
            Fault::ReleasedOneUnitMore | Fault::LargestOneUnitLess => {
                identity("quote-split", quote, charged + released)
            }
            Fault::TotalOneUnitMore => identity("cost-sum", compute + external, total),
            Fault::FinalAbsent => words("missing-amount", "final_amount".into(), String::new()),
            Fault::ReleasedNull => words("missing-amount", "released_amount".into(), String::new()),
            Fault::ExternalNegative => {
                words("negative-amount", String::new(), format!("external_model_cost={}", text(external)))
            }
            Fault::CurrencyAbsent => words("currency", String::new(), String::new()),
            Fault::AnotherOrder => words("identity-mismatch", self.id.clone(), self.replied_id()),
        };
        Some(Discrepancy { run_order_id: self.id.clone(), check: check.to_owned(), expected, actual, difference })
    }

    /// The reply. Every third order has its amounts as JSON numbers, the others as strings.
    pub(super) fn reply(&self) -> String {
        let Amounts { quote, charged, released, compute, external, total } = self.amounts;
        let amount = |units| if self.number.is_multiple_of(3) { text(units) } else { format!("\"{}\"", text(units)) };
        let mut fields = vec![
            field("run_order_id", &self.replied_id()),
            field("workflow_id", &id("wf_", self.number % 40)),
            field("revision_id", &id("wfr_", self.number % 120)),
            field("freeze_status", "released"),
            field("submission_status", "submitted"),
            field("run_status", "succeeded"),
            field("settlement_status", "settled"),
            field("task_id", ""),
            field("error_code", ""),
            field("created_at", "2026-05-08T10:00:00Z"),
            field("updated_at", "2026-05-08T10:01:00Z"),
            format!("\"quote_amount\":{}", amount(quote)),
            format!("\"compute_cost\":{}", amount(compute)),
            format!("\"external_model_cost\":{}", amount(external)),
            format!("\"total_cost\":{}", amount(total)),
        ];
        if self.fault != Some(Fault::CurrencyAbsent) {
            fields.push(field("quote_currency", "CNY"));
        }
        if self.fault != Some(Fault::FinalAbsent) {
            fields.push(format!("\"final_amount\":{}", amount(charged)));
        }
        fields.push(match self.fault {
            Some(Fault::ReleasedNull) => "\"released_amount\":null".to_owned(),
            _ => format!("\"released_amount\":{}", amount(released)),
        });
        format!("{{\"code\":0,\"msg\":\"ok\",\"data\":{{{}}}}}", fields.join(","))
    }

    fn replied_id(&self) -> String {
        id("wfrun_", if self.fault == Some(Fault::AnotherOrder) { self.number + 1 } else { self.number })
    }
}

/// Amounts that tie out, except for the fault.
fn amounts(number: u64, fault: Option<Fault>) -> Amounts {
    let digest = Sha256::digest(format!("amounts {number}"));
    let below = |at: usize, limit: i128| {
        let bytes = [0, 1, 2, 3].map(|offset| digest[at + offset]);
        i128::from(u32::from_be_bytes(bytes)) % limit
    };
    let (compute, mut external) = (1 + below(0, 20 * ONE), below(4, 10 * ONE));
    if fault == Some(Fault::ExternalNegative) {
        external = -(1 + below(4, compute));
    }
    let mut total = compute + external;
    if fault == Some(Fault::TotalOneUnitMore) {
        total += 1;
    }
    let charged = total;
    let mut quote = charged + below(8, 30 * ONE);
    let mut released = quote - charged;
    match fault {
        Some(Fault::ReleasedOneUnitMore) => released += 1,
        Some(Fault::LargestOneUnitLess) => {
            quote = LARGEST;
            released = quote - charged - 1;
        }
        _ => {}
    }
    Amounts { quote, charged, released, compute, external, total }
}

/// A prefix and the first 20 hex digits of the number's hash.
fn id(prefix: &str, number: u64) -> String {
    let digits = hex::encode(Sha256::digest(format!("{prefix}{number}")));
    format!("{prefix}{}", &digits[..20])
}

fn field(name: &str, value: &str) -> String {
    format!("\"{name}\":\"{value}\"")
}

/// Units of 10⁻⁸ as the provider and the reports write them.
fn text(units: i128) -> String {
    let (sign, size) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    format!("{sign}{}.{:08}", size / 100_000_000, size % 100_000_000)
}
