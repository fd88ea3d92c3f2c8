//! The truth: the provider's orders in exact figures, and how they change from night to night.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::calendar::{self, Created, IN_MAY};

/// The six amounts, in the order of [`Amounts`].
pub(super) const FIELDS: [&str; 6] =
    ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];
pub(super) const QUOTE: usize = 0;
pub(super) const FINAL: usize = 1;
pub(super) const RELEASED: usize = 2;
pub(super) const COMPUTE: usize = 3;
pub(super) const EXTERNAL: usize = 4;
pub(super) const TOTAL: usize = 5;

/// The six amounts in units of 10⁻⁸; `None` is a missing amount.
pub(super) type Amounts = [Option<i128>; 6];

/// The provider's reply about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The order itself.
    Order { is_settled: bool, amounts: Amounts, created: Created },
    /// 404 in the provider's own envelope.
    NotFound,
    /// An amount with 9 decimals.
    Malformed,
    /// A reply about the order with this ID instead.
    Foreign(String),
    /// No answer of the provider itself.
    Failed(Failure),
    /// Too many requests, in one of several forms; the next request for the order succeeds.
    Limited(Limit),
}

/// A reply that is not an answer about the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The provider's own 500.
    Internal,
    /// A gateway's page, with this status.
    Gateway(u16),
}

/// How the provider says that there are too many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Status 429.
    Status,
    /// 403 with `Retry-After`.
    Refusal,
    /// A business code with a message.
    Words,
}

impl Reply {
    /// Whether the reply says nothing about the order.
    pub(super) const fn is_no_answer(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Limited(_))
    }
}

/// One order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    original: [i128; 6],
    pub(super) figures: [i128; 6],
    pub(super) is_settled: bool,
    pub(super) created: Created,
    missing: Option<usize>,
    pub(super) is_gone: bool,
    /// The reply in place of the order, all night.
    pub(super) fault: Option<Reply>,
    /// Half-written figures that are replied once before the order.
    pub(super) torn: Option<Amounts>,
    /// A limit that is replied once before everything else.
    pub(super) limited: Option<Limit>,
    /// By how much the list differs from the order, and in which field.
    pub(super) listed_off: Option<(usize, i128)>,
}

/// The provider's list: quote and final amount by order.
pub(super) type ListAmounts = BTreeMap<String, [Option<i128>; 2]>;

/// Units of 10⁻⁸ as text.
pub(super) fn money(units: i128) -> String {
    let digits = format!("{:09}", units.unsigned_abs());
    let (whole, decimals) = digits.split_at(digits.len() - 8);
    format!("{}{whole}.{decimals}", if units < 0 { "-" } else { "" })
}

/// The text of an amount; empty if it is missing.
pub(super) fn shown(amount: Option<i128>) -> String {
    amount.map(money).unwrap_or_default()
}

impl Order {
    /// Draws an order for the first night.
    pub(super) fn drawn(random: &mut StdRng) -> Self {
        let id = format!("wfrun_{:08x}{:012x}", random.random::<u32>(), random.random::<u64>() >> 16);
        let quote = random.random_range(10_000..900_000_000_i128);
        let charged = random.random_range(1_000..quote);
        let external = random.random_range(0..charged);
        let figures = [quote, charged, quote - charged, charged - external, external, charged];
        let mut order = Self {
            is_settled: random.random_bool(0.8),
            is_gone: random.random_bool(0.06),
            created: Some(calendar::draw(random)),
            ..Self::settled(id, figures)
        };
        if random.random_bool(0.2) {
            order.change(random);
        }
        order
    }

    /// A settled order with these figures.
    pub(super) fn settled(id: String, figures: [i128; 6]) -> Self {
        Self {
            id,
            original: figures,
            figures,
            is_settled: true,
            created: Some(IN_MAY),
            missing: None,
            is_gone: false,
            fault: None,
            torn: None,
            limited: None,
            listed_off: None,
        }
    }

    /// Changes the order at random; returns what happened.
    pub(super) fn change(&mut self, random: &mut StdRng) -> &'static str {
        match random.random_range(0..13) {
            0..=2 if self.figures != self.original => {
                self.figures = self.original;
                "restored"
            }
            0..=3 => self.restate(random),
            4 | 5 if self.figures[QUOTE] != self.figures[FINAL] + self.figures[RELEASED] => {
                self.figures[RELEASED] = self.figures[QUOTE] - self.figures[FINAL];
                "split mended"
            }
            4 | 5 => {
                self.figures[RELEASED] += 1;
                "split broken"
            }
            6 if self.figures[TOTAL] != self.figures[COMPUTE] + self.figures[EXTERNAL] => {
                self.figures[COMPUTE] = self.figures[TOTAL] - self.figures[EXTERNAL];
                "costs mended"
            }
            6 => {
                self.figures[COMPUTE] += 1;
                "costs broken"
            }
            7 => match self.missing.take() {
                Some(_) => "amount arrived",
                None => {
                    self.missing = Some(random.random_range(0..6));
                    "amount missing"
                }
            },
            8 | 9 => {
                self.is_settled = !self.is_settled;
                if self.is_settled { "settled" } else { "not settled any more" }
            }
            10 => {
                self.created = random.random_bool(0.9).then(|| calendar::draw(random));
                if self.created.is_some() { "created on another day" } else { "creation time missing" }
            }
            _ => {
                self.is_gone = !self.is_gone;
                if self.is_gone { "vanished" } else { "returned" }
            }
        }
    }

    /// Draws different figures that tie out as well as the previous ones; returns what happened.
    pub(super) fn restate(&mut self, random: &mut StdRng) -> &'static str {
        let [quote, charged, released, compute, external, total] = &mut self.figures;
        let more = random.random_range(1..1_000);
        match random.random_range(0..3) {
            0 => {
                (*charged, *total) = (*charged + more, *total + more);
                *quote = (*charged + 1).max(*quote);
                *released = *quote - *charged;
            }
            1 => (*quote, *released) = (*quote + more, *released + more),
            _ => *external -= more.min(*external),
        }
        *compute = *total - *external;
        "restated"
    }

    /// The amounts that the provider shows.
    pub(super) fn amounts(&self) -> Amounts {
        let mut amounts = self.figures.map(Some);
        if !self.is_settled {
            amounts[FINAL..].fill(None);
        } else if let Some(missing) = self.missing {
            amounts[missing] = None;
        }
        amounts
    }

    /// The reply to a request for the order.
    pub(super) fn reply(&mut self) -> Reply {
        if let Some(limit) = self.limited.take() {
            return Reply::Limited(limit);
        }
        if self.is_gone {
            return Reply::NotFound;
        }
        if let Some(fault) = &self.fault {
            return fault.clone();
        }
        let amounts = self.torn.take().unwrap_or_else(|| self.amounts());
        Reply::Order { is_settled: self.is_settled, amounts, created: self.created }
    }

    /// Makes the next reply show figures halfway through a settlement, for which `quote-split` fails.
    pub(super) fn tear(&mut self) {
        let mut amounts = self.amounts();
        amounts[RELEASED] = Some(self.figures[QUOTE] - self.figures[FINAL] + 777);
        self.torn = Some(amounts);
    }

    /// Whether the order has all six amounts.
    pub(super) fn is_whole(&self) -> bool {
        self.is_settled && !self.is_gone && self.missing.is_none() && self.fault.is_none()
    }

    /// Its quote and final amount in the list.
    pub(super) fn listed(&self) -> [Option<i128>; 2] {
        let amounts = self.amounts();
        let mut listed = [amounts[QUOTE], amounts[FINAL]];
        if let Some((field, off)) = self.listed_off {
            listed[field] = listed[field].map(|amount| amount + off);
        }
        listed
    }

    /// The ID of the order's workflow, which no other order has.
    pub(super) fn workflow(id: &str) -> String {
        format!("wf_{}", id.trim_start_matches("wfrun_"))
    }
}

/// Draws a night's faults: at most two orders fail, one reply is malformed and one is about a different order.
pub(super) fn draw_faults(orders: &mut [Order], random: &mut StdRng) -> Vec<&'static str> {
    let mut drawn = Vec::new();
    let ids: Vec<String> = orders.iter().map(|order| order.id.clone()).collect();
    for order in orders.iter_mut() {
        (order.fault, order.torn, order.listed_off, order.limited) = (None, None, None, None);
    }
    for _ in 0..2 {
        if random.random_bool(0.2) {
            let at = random.random_range(0..orders.len());
            let statuses = [404, 403, 405, 410, 502];
            let (failure, what) = match random.random_range(0..8_usize) {
                page @ 0..5 => (Failure::Gateway(statuses[page]), "page of a gateway"),
                _ => (Failure::Internal, "failed"),
            };
            orders[at].fault = Some(Reply::Failed(failure));
            drawn.push(what);
        }
    }
    if random.random_bool(0.12) {
        let at = random.random_range(0..orders.len());
        let limits =
            [(Limit::Status, "limited"), (Limit::Refusal, "limited by a refusal"), (Limit::Words, "limited in words")];
        let (limit, what) = limits[random.random_range(0..limits.len())];
        orders[at].limited = Some(limit);
        drawn.push(what);
    }
    if random.random_bool(0.12) {
        let at = random.random_range(0..orders.len());
        orders[at].fault = Some(Reply::Malformed);
        drawn.push("malformed");
    }
    if random.random_bool(0.1) {
        let at = random.random_range(0..orders.len());
        let other = ids.iter().filter(|id| **id != ids[at]).collect::<Vec<_>>();
        orders[at].fault = other.choose(random).map(|id| Reply::Foreign((*id).clone()));
        drawn.push("foreign");
    }
    if random.random_bool(0.25) {
        let at = random.random_range(0..orders.len());
        orders[at].listed_off = Some((random.random_range(0..2), random.random_range(1..50)));
        drawn.push("list differs");
    }
    drawn
}
