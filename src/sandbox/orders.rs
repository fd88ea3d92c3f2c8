//! The orders: each derived from its ID and the seed, most of them clean, some with something for the checks to find.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::json;

/// The order that the provider's reference documents.
const DOCUMENTED: &str = "wfrun_314ff7d8b7a5beff1388";
/// 2026-05-01T00:00:00Z, where the orders of the sandbox begin.
const FIRST_CREATED: i64 = 1_777_593_600;
const SECONDS: i64 = 30 * 86_400;
const WORKFLOWS: u64 = 12;
/// How many orders `run/list` knows.
const UNIVERSE: u64 = 500;

/// What is special about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it: they are those of the checks and causes")]
pub enum Kind {
    Clean,
    FailedRun,
    Pending,
    Unknown,
    RefusedByStatus,
    RefusedByCode,
    AmountIsArray,
    AmountIsBoolean,
    NineDecimals,
    DataIsArray,
    DataIsNull,
    Overage,
    NotReleased,
    ReleasedInFull,
    ReleasedTwice,
    SplitSignFlipped,
    SplitScale,
    SplitRounding,
    SplitUnexplained,
    ExternalLeftOut,
    ComputeLeftOut,
    ExternalCountedTwice,
    ComputeCountedTwice,
    CostSignFlipped,
    CostScale,
    CostRounding,
    CostUnexplained,
    MissingAmount,
    NegativeAmount,
    ForeignReply,
    ForeignCurrency,
    NoCurrency,
    ChargeNotCost,
    ChargeAboveQuote,
    FailedRunCharged,
    StatusConflict,
    TimestampOrder,
    UnknownStatus,
}

impl Kind {
    /// The kinds that have something for the checks to find.
    pub const ANOMALIES: [Self; 27] = [
        Self::Overage,
        Self::NotReleased,
        Self::ReleasedInFull,
        Self::ReleasedTwice,
        Self::SplitSignFlipped,
        Self::SplitScale,
        Self::SplitRounding,
        Self::SplitUnexplained,
        Self::ExternalLeftOut,
        Self::ComputeLeftOut,
        Self::ExternalCountedTwice,
        Self::ComputeCountedTwice,
        Self::CostSignFlipped,
        Self::CostScale,
        Self::CostRounding,
        Self::CostUnexplained,
        Self::MissingAmount,
        Self::NegativeAmount,
        Self::ForeignReply,
        Self::ForeignCurrency,
        Self::NoCurrency,
        Self::ChargeNotCost,
        Self::ChargeAboveQuote,
        Self::FailedRunCharged,
        Self::StatusConflict,
        Self::TimestampOrder,
        Self::UnknownStatus,
    ];
    /// The kinds whose reply is JSON but no run order.
    pub const MALFORMED: [Self; 5] =
        [Self::AmountIsArray, Self::AmountIsBoolean, Self::NineDecimals, Self::DataIsArray, Self::DataIsNull];
}

/// Numbers drawn from an ID and the seed: always the same ones.
struct Draw([u8; 32]);

impl Draw {
    fn new(seed: u64, text: &str, purpose: &str) -> Self {
        let hash = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(purpose).chain_update("\n");
        Self(hash.chain_update(text).finalize().into())
    }

    /// The number in that place, from 0 to under 2⁴⁸.
    fn number(&self, place: usize) -> u64 {
        self.0[place * 6..place * 6 + 6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The number in that place, from 0 to under `below`.
    fn below(&self, place: usize, below: u64) -> u64 {
        self.number(place) % below.max(1)
    }

    /// Units of 10⁻⁸ from 1 to `most`.
    fn units(&self, place: usize, most: i64) -> i64 {
        let below = u64::try_from(most).unwrap_or(1);
        1 + i64::try_from(self.below(place, below)).unwrap_or_default()
    }

    fn pick<T: Copy>(&self, place: usize, from: &[T]) -> Option<T> {
        from.get(usize::try_from(self.below(place, from.len() as u64)).unwrap_or_default()).copied()
    }

    fn hex(&self) -> String {
        hex::encode(&self.0[..10])
    }
}

/// What kind of order an ID has.
#[must_use]
pub fn describe(id: &str, seed: u64) -> Kind {
    if id == DOCUMENTED {
        return Kind::Clean;
    }
    let well_formed = id.strip_prefix("wfrun_").is_some_and(|hex| {
        hex.len() == 20 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    if !well_formed {
        return Kind::Unknown;
    }
    let draw = Draw::new(seed, id, "kind");
    match draw.below(0, 10_000) {
        0..250 => Kind::Unknown,
        250..300 => Kind::RefusedByStatus,
        300..350 => Kind::RefusedByCode,
        350..475 => draw.pick(1, &Kind::MALFORMED).unwrap_or(Kind::DataIsNull),
        475..808 => Kind::Pending,
        808..1_208 => Kind::FailedRun,
        1_208..1_941 => draw.pick(1, &Kind::ANOMALIES).unwrap_or(Kind::Overage),
        _ => Kind::Clean,
    }
}

/// What `run/list` and the reply to `run/info` are made of: fields, each with its JSON.
pub(super) struct Order {
    fields: Vec<(&'static str, String)>,
}

impl Order {
    fn set(&mut self, name: &'static str, value: String) {
        if let Some(field) = self.fields.iter_mut().find(|(field, _)| *field == name) {
            field.1 = value;
        }
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.set(name, json::string(value));
    }

    fn remove(&mut self, name: &'static str) {
        self.fields.retain(|(field, _)| *field != name);
    }

    /// The JSON of one field; `null` where there is none.
    pub(super) fn get(&self, name: &str) -> String {
        self.fields.iter().find(|(field, _)| *field == name).map_or_else(|| "null".to_owned(), |(_, json)| json.clone())
    }

    /// The whole order as JSON.
    pub(super) fn json(&self) -> String {
        json::object(self.fields.iter().map(|(name, value)| (*name, value.clone())))
    }
}

/// The figures of an order, in units of 10⁻⁸ yuan.
#[derive(Clone, Copy)]
struct Figures {
    quote: i64,
    charged: i64,
    released: i64,
    compute: i64,
    external: i64,
    total: i64,
}

impl Figures {
    /// Figures that tie out, with a charge well under the quote.
    fn clean(draw: &Draw, kind: Kind) -> Self {
        let quote = draw.units(0, 50_000) * 10_000 + 1_000_000;
        let (compute, external) = match kind {
            Kind::ExternalLeftOut
            | Kind::ComputeLeftOut
            | Kind::ExternalCountedTwice
            | Kind::ComputeCountedTwice
            | Kind::CostSignFlipped => (quote / 10 + draw.units(1, quote / 5), draw.units(2, quote / 20)),
            Kind::CostScale => (draw.units(1, quote / 20), draw.units(2, quote / 50)),
            _ if draw.below(3, 10) < 3 => (draw.units(1, quote / 2), draw.units(2, quote / 10)),
            _ => (draw.units(1, quote * 4 / 5), 0),
        };
        Self { quote, charged: 0, released: 0, compute, external, total: compute + external }.settled()
    }

    /// Charges the total and releases the rest.
    fn settled(self) -> Self {
        Self { charged: self.total, released: self.quote - self.total, ..self }
    }

    fn spoil(self, kind: Kind) -> Self {
        let (q, f, r, c, e, t) = (self.quote, self.charged, self.released, self.compute, self.external, self.total);
        match kind {
            Kind::Overage | Kind::ChargeAboveQuote => {
                let total = q + q / 7 + 1;
                Self { charged: total, released: 0, compute: total - e, total, ..self }
            }
            Kind::NotReleased => Self { released: 0, ..self },
            Kind::ReleasedInFull => Self { released: q, ..self },
            Kind::ReleasedTwice => Self { released: 2 * r, ..self },
            Kind::SplitSignFlipped => Self { released: -r, ..self },
            Kind::SplitScale => Self { charged: f * 10, ..self },
            Kind::SplitRounding => Self { released: r + 1, ..self },
            Kind::SplitUnexplained => Self { released: r + 31_337, ..self },
            Kind::ExternalLeftOut => Self { total: c, ..self }.settled(),
            Kind::ComputeLeftOut => Self { total: e, ..self }.settled(),
            Kind::ExternalCountedTwice => Self { total: c + 2 * e, ..self }.settled(),
            Kind::ComputeCountedTwice => Self { total: 2 * c + e, ..self }.settled(),
            Kind::CostSignFlipped => Self { total: c - e, ..self }.settled(),
            Kind::CostScale => Self { total: t * 10, ..self }.settled(),
            Kind::CostRounding => Self { total: t + 1, ..self }.settled(),
            Kind::CostUnexplained => Self { total: t + 31_337, ..self }.settled(),
            Kind::NegativeAmount => Self { compute: t + 5_000, external: -5_000, ..self },
            Kind::ChargeNotCost => Self { charged: f + 1_000, released: r - 1_000, ..self },
            Kind::FailedRun => Self { compute: 0, external: 0, total: 0, ..self }.settled(),
            _ => self,
        }
    }
}

/// The order of an ID; `None` where there is none.
pub(super) fn order(id: &str, seed: u64) -> Option<Order> {
    let kind = describe(id, seed);
    if kind == Kind::Unknown {
        return None;
    }
    if id == DOCUMENTED {
        return Some(documented());
    }
    let (money, about) = (Draw::new(seed, id, "money"), Draw::new(seed, id, "about"));
    let figures = Figures::clean(&money, kind).spoil(kind);
    let created = FIRST_CREATED + i64::try_from(about.below(0, SECONDS.unsigned_abs())).unwrap_or_default();
    let updated = created + 20 + i64::try_from(about.below(1, 1_180)).unwrap_or_default();
    let (workflow, revision) = workflow_of(&about, seed);
    let as_numbers = about.below(2, 10) == 0;
    let exponents = about.below(3, 2) == 0;
    let amount = |units: i64| match (as_numbers, exponents) {
        (false, _) => json::string(&json::decimal(units)),
        (true, true) => format!("{units}e-8"),
        (true, false) => json::decimal(units),
    };
    let mut order = Order { fields: template(id) };
    order.text("workflow_id", &workflow);
    order.text("revision_id", &revision);
    for (name, units) in [
        ("quote_amount", figures.quote),
        ("compute_cost", figures.compute),
        ("external_model_cost", figures.external),
        ("total_cost", figures.total),
        ("final_amount", figures.charged),
        ("released_amount", figures.released),
    ] {
        order.set(name, amount(units));
    }
    order.text("task_id", &format!("task-{}", about.below(4, 1_000_000)));
    order.text("created_at", &time(created));
    order.text("updated_at", &time(updated));
    dress(&mut order, kind, &about, seed, created);
    Some(order)
}

/// What is special about the fields that are no figures.
fn dress(order: &mut Order, kind: Kind, about: &Draw, seed: u64, created: i64) {
    let fail = |order: &mut Order| {
        order.text("run_status", "failed");
        order.text("error_code", "MODEL_TIMEOUT");
        order.text("error_message", "the model gave up on: PRIVATE PROMPT of a user");
    };
    match kind {
        Kind::FailedRun | Kind::FailedRunCharged => fail(order),
        Kind::Pending => leave_pending(order, about),
        Kind::AmountIsArray => order.set("final_amount", "[\"0.01\"]".into()),
        Kind::AmountIsBoolean => order.set("quote_amount", "true".into()),
        Kind::NineDecimals => order.text("compute_cost", "0.123456789"),
        Kind::MissingAmount => match about.below(4, 3) {
            0 => order.set("released_amount", "null".into()),
            1 => order.text("final_amount", ""),
            _ => order.remove("total_cost"),
        },
        Kind::ForeignReply => {
            let other = Draw::new(seed, &order.get("run_order_id"), "other").hex();
            order.text("run_order_id", &format!("wfrun_{other}"));
        }
        Kind::ForeignCurrency => order.text("quote_currency", "USD"),
        Kind::NoCurrency => order.remove("quote_currency"),
        Kind::StatusConflict => order.text("freeze_status", "frozen"),
        Kind::TimestampOrder => order.text("updated_at", &time(created - 60)),
        Kind::UnknownStatus => order.text("settlement_status", "closed"),
        _ => {}
    }
}

/// An order that is not settled: what is not due yet is written in every way a provider might.
fn leave_pending(order: &mut Order, about: &Draw) {
    order.text("freeze_status", "frozen");
    order.text("settlement_status", "pending");
    order.text("run_status", if about.below(4, 2) == 0 { "queued" } else { "running" });
    let not_due = ["final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];
    for name in not_due {
        match about.below(3, 4) {
            0 => order.remove(name),
            1 => order.set(name, "null".into()),
            2 => order.text(name, ""),
            _ => order.text(name, "0.00000000"),
        }
    }
}

fn template(id: &str) -> Vec<(&'static str, String)> {
    let text = json::string;
    vec![
        ("run_order_id", text(id)),
        ("workflow_id", text("")),
        ("revision_id", text("")),
        ("quote_amount", text("")),
        ("quote_currency", text("CNY")),
        ("freeze_status", text("released")),
        ("submission_status", text("submitted")),
        ("run_status", text("succeeded")),
        ("settlement_status", text("settled")),
        ("task_id", text("")),
        ("prompt_id", text("")),
        ("inputs", json::object([("prompt", text("PRIVATE PROMPT of a user"))])),
        ("outputs", json::object([("url", text("https://media.example.com/PRIVATE PROMPT.mp4"))])),
        ("compute_cost", text("")),
        ("external_model_cost", text("")),
        ("total_cost", text("")),
        ("final_amount", text("")),
        ("released_amount", text("")),
        ("error_code", text("")),
        ("error_message", text("")),
        ("created_at", text("")),
        ("updated_at", text("")),
    ]
}

fn documented() -> Order {
    let mut order = Order { fields: template(DOCUMENTED) };
    for (name, value) in [
        ("workflow_id", "wf_861ef31e94dcfb10e6e7"),
        ("revision_id", "wfr_f9f2a2dcb99d73b0c3aa"),
        ("quote_amount", "0.03000000"),
        ("compute_cost", "0.00028780"),
        ("external_model_cost", "0.00000000"),
        ("total_cost", "0.00028780"),
        ("final_amount", "0.00028780"),
        ("released_amount", "0.02971220"),
        ("created_at", "2026-05-08T10:00:00Z"),
        ("updated_at", "2026-05-08T10:01:00Z"),
    ] {
        order.text(name, value);
    }
    order
}

/// Workflow and revision: the first workflows run most.
fn workflow_of(about: &Draw, seed: u64) -> (String, String) {
    let number = about.below(4, WORKFLOWS).min(about.below(3, WORKFLOWS));
    let revision = about.below(2, 1 + number % 4);
    (workflow_id(number, seed), format!("wfr_{}", Draw::new(seed, &format!("{number}.{revision}"), "revision").hex()))
}

fn workflow_id(number: u64, seed: u64) -> String {
    format!("wf_{}", Draw::new(seed, &number.to_string(), "workflow").hex())
}

/// The number of a workflow, if it is one of the sandbox's.
pub(super) fn workflow_number(id: &str, seed: u64) -> Option<u64> {
    (0..WORKFLOWS).find(|number| workflow_id(*number, seed) == id)
}

/// The IDs that `run/list` knows, newest first.
#[must_use]
pub fn universe(seed: u64) -> Vec<String> {
    let mut orders: Vec<(String, String)> = (0..UNIVERSE)
        .map(|number| format!("wfrun_{}", Draw::new(seed, &number.to_string(), "universe").hex()))
        .filter_map(|id| Some((order(&id, seed)?.get("created_at"), id)))
        .collect();
    orders.sort_by(|one, other| other.cmp(one));
    orders.into_iter().map(|(_, id)| id).collect()
}

fn time(second: i64) -> String {
    let time = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(second));
    time.unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}
