//! What kind of reply an ID gets. Everything that can be wrong with an order is planned here, by name.

use super::die::Die;

/// The order that the provider's reference shows.
pub(super) const DOCUMENTED_ID: &str = "wfrun_314ff7d8b7a5beff1388";

/// What kind of reply an ID gets: a matter of the ID and the seed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The order that the provider's reference shows, whatever the seed.
    Documented,
    /// A settled order that ties out and has nothing to warn of.
    Clean,
    /// A settled order whose run failed: nothing is charged, all is given back.
    FailedRun,
    /// An order that waits for its settlement.
    Pending,
    /// There is no such order: HTTP 404.
    NotFound,
    /// The order is somebody else's: HTTP 403.
    Refused,
    /// The order is somebody else's: HTTP 200 with a business code in the envelope.
    RefusedInBody,
    /// The reply is JSON but no run order.
    Malformed(Malformation),
    /// An order with something for the checks to find.
    Anomalous(Anomaly),
}

/// Why a reply is no run order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Malformation {
    /// An amount is an array.
    AmountIsArray,
    /// An amount is `true`.
    AmountIsBool,
    /// An amount has a ninth decimal.
    NineDecimals,
    /// The envelope's `data` is an array.
    DataIsArray,
    /// The envelope's `data` is null.
    DataIsNull,
}

impl Malformation {
    /// Every malformation.
    pub const ALL: [Self; 5] =
        [Self::AmountIsArray, Self::AmountIsBool, Self::NineDecimals, Self::DataIsArray, Self::DataIsNull];
}

/// What is wrong with an order. Where arithmetic allows, it fails the check it is named for and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anomaly {
    /// The bill is above the quote and nothing is released. Also fails `charge-exceeds-quote`.
    Overage,
    /// The rest of the quote was not given back.
    NotReleased,
    /// The whole quote was given back although something was charged.
    ReleasedInFull,
    /// The rest of the quote was given back twice.
    ReleasedTwice,
    /// The rest of the quote stands with the wrong sign. Also fails `negative-amount`.
    ReleasedSignFlipped,
    /// The released amount stands in cents.
    ReleasedScale,
    /// The quote is missed by one unit of the 8th decimal.
    SplitRounding,
    /// The quote is missed by an amount that nothing explains.
    SplitUnexplained,
    /// The total lacks the external cost.
    ExternalLeftOut,
    /// The total lacks the compute cost.
    ComputeLeftOut,
    /// The total has the external cost twice.
    ExternalCountedTwice,
    /// The total has the compute cost twice.
    ComputeCountedTwice,
    /// The total is the difference of the costs.
    CostSignFlipped,
    /// The total is a tenth of the sum of the costs.
    CostScale,
    /// The total is off by one unit of the 8th decimal.
    CostRounding,
    /// The total is off by an amount that nothing explains.
    CostUnexplained,
    /// A due amount is the empty string.
    AmountEmpty,
    /// A due amount is null.
    AmountNull,
    /// A due amount is absent.
    AmountAbsent,
    /// The external cost is below zero; both identities hold.
    NegativeAmount,
    /// The reply names another order.
    IdentityMismatch,
    /// The order is in USD: fails `currency` only where CNY is expected.
    ForeignCurrency,
    /// The reply names no currency.
    CurrencyAbsent,
    /// Less is charged than the run cost.
    ChargeBelowCost,
    /// The shortfall is booked as a release below zero. Also fails `negative-amount`: with `quote-split`
    /// holding, nothing else puts a charge above its quote.
    ShortfallAsNegativeRelease,
    /// A failed run was charged.
    FailedRunCharged,
    /// Settled, yet the quote is still frozen.
    SettledYetFrozen,
    /// Settled, yet the run is still going on.
    SettledYetRunning,
    /// Charged, yet the run still waits in the queue; not settled.
    ChargedWhileQueued,
    /// Last changed before it was created.
    UpdatedBeforeCreated,
    /// A `run_status` that the provider's reference does not name.
    UnknownRunStatus,
    /// A `settlement_status` that the provider's reference does not name, of a run that ended and was released.
    UnknownSettlementStatus,
}

impl Anomaly {
    /// Every anomaly.
    pub const ALL: [Self; 32] = [
        Self::Overage,
        Self::NotReleased,
        Self::ReleasedInFull,
        Self::ReleasedTwice,
        Self::ReleasedSignFlipped,
        Self::ReleasedScale,
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
        Self::AmountEmpty,
        Self::AmountNull,
        Self::AmountAbsent,
        Self::NegativeAmount,
        Self::IdentityMismatch,
        Self::ForeignCurrency,
        Self::CurrencyAbsent,
        Self::ChargeBelowCost,
        Self::ShortfallAsNegativeRelease,
        Self::FailedRunCharged,
        Self::SettledYetFrozen,
        Self::SettledYetRunning,
        Self::ChargedWhileQueued,
        Self::UpdatedBeforeCreated,
        Self::UnknownRunStatus,
        Self::UnknownSettlementStatus,
    ];

    /// The code of the check that the anomaly is planted for, and the cause if that check has causes.
    #[must_use]
    pub const fn planted_for(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Overage => ("quote-split", Some("overage")),
            Self::NotReleased => ("quote-split", Some("not-released")),
            Self::ReleasedInFull => ("quote-split", Some("released-in-full")),
            Self::ReleasedTwice => ("quote-split", Some("released-twice")),
            Self::ReleasedSignFlipped => ("quote-split", Some("sign-flipped")),
            Self::ReleasedScale => ("quote-split", Some("scale")),
            Self::SplitRounding => ("quote-split", Some("rounding")),
            Self::SplitUnexplained => ("quote-split", Some("unexplained")),
            Self::ExternalLeftOut => ("cost-sum", Some("external-left-out")),
            Self::ComputeLeftOut => ("cost-sum", Some("compute-left-out")),
            Self::ExternalCountedTwice => ("cost-sum", Some("external-counted-twice")),
            Self::ComputeCountedTwice => ("cost-sum", Some("compute-counted-twice")),
            Self::CostSignFlipped => ("cost-sum", Some("sign-flipped")),
            Self::CostScale => ("cost-sum", Some("scale")),
            Self::CostRounding => ("cost-sum", Some("rounding")),
            Self::CostUnexplained => ("cost-sum", Some("unexplained")),
            Self::AmountEmpty | Self::AmountNull | Self::AmountAbsent => ("missing-amount", None),
            Self::NegativeAmount => ("negative-amount", None),
            Self::IdentityMismatch => ("identity-mismatch", None),
            Self::ForeignCurrency | Self::CurrencyAbsent => ("currency", None),
            Self::ChargeBelowCost => ("charge-equals-cost", None),
            Self::ShortfallAsNegativeRelease => ("charge-exceeds-quote", None),
            Self::FailedRunCharged => ("failed-run-charged", None),
            Self::SettledYetFrozen | Self::SettledYetRunning | Self::ChargedWhileQueued => ("status-conflict", None),
            Self::UpdatedBeforeCreated => ("timestamp-order", None),
            Self::UnknownRunStatus | Self::UnknownSettlementStatus => ("unknown-status", None),
        }
    }
}

/// What kind of reply the order info of an ID is under a seed. An ID that is not well-formed is not found.
#[must_use]
pub fn describe(id: &str, seed: u64) -> Kind {
    if id == DOCUMENTED_ID {
        return Kind::Documented;
    }
    if !is_well_formed(id) {
        return Kind::NotFound;
    }
    let die = Die::of(seed, &["order", id]);
    match die.roll("kind", 1200) {
        0..30 => Kind::NotFound,
        30..36 => Kind::Refused,
        36..42 => Kind::RefusedInBody,
        42..57 => Kind::Malformed(die.pick("malformation", Malformation::ALL)),
        57..97 => Kind::Pending,
        97..145 => Kind::FailedRun,
        // 92 of the 1103 settled ones: one in twelve.
        145..237 => Kind::Anomalous(die.pick("anomaly", Anomaly::ALL)),
        _ => Kind::Clean,
    }
}

fn is_well_formed(id: &str) -> bool {
    id.strip_prefix("wfrun_")
        .is_some_and(|hex| hex.len() == 20 && hex.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
}
