//! Which kind of reply an ID gets. Everything that can be wrong with an order is listed here by name.

use super::die::Die;

/// The ID of the example in the provider's reference.
pub(super) const DOCUMENTED_ID: &str = "wfrun_314ff7d8b7a5beff1388";

/// Which kind of reply an ID gets; depends only on the ID and the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The example in the provider's reference, whatever the seed.
    Documented,
    /// A settled order that ties out and raises no warning.
    Clean,
    /// A settled order whose run failed: nothing is charged, the whole quote is released.
    FailedRun,
    /// An order that is not settled yet.
    Pending,
    /// The order does not exist: HTTP 404.
    NotFound,
    /// The order belongs to someone else: HTTP 403.
    Refused,
    /// The order belongs to someone else: HTTP 200 with a business code in the envelope.
    RefusedInBody,
    /// The reply is JSON but not a run order.
    Malformed(Malformation),
    /// An order with something for the checks to find.
    Anomalous(Anomaly),
}

/// Why a reply is not a run order.
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

/// What is wrong with an order. As far as arithmetic allows, the order fails only the check it is planted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anomaly {
    /// The charge is above the quote and nothing is released. Also fails `charge-exceeds-quote`.
    Overage,
    /// The rest of the quote was not released.
    NotReleased,
    /// The whole quote was released although something was charged.
    ReleasedInFull,
    /// The rest of the quote was released twice.
    ReleasedTwice,
    /// The released amount has the wrong sign. Also fails `negative-amount`.
    ReleasedSignFlipped,
    /// The released amount is given in cents: a hundred times too large.
    ReleasedScale,
    /// Charge plus release miss the quote by one unit of the 8th decimal.
    SplitRounding,
    /// Charge plus release miss the quote by an amount that nothing explains.
    SplitUnexplained,
    /// The total leaves out the external cost.
    ExternalLeftOut,
    /// The total leaves out the compute cost.
    ComputeLeftOut,
    /// The total counts the external cost twice.
    ExternalCountedTwice,
    /// The total counts the compute cost twice.
    ComputeCountedTwice,
    /// The total is the difference of the costs instead of their sum.
    CostSignFlipped,
    /// The total is a tenth of the sum of the costs.
    CostScale,
    /// The total is off by one unit of the 8th decimal.
    CostRounding,
    /// The total is off by an amount that nothing explains.
    CostUnexplained,
    /// One amount is the empty string although the order is settled.
    AmountEmpty,
    /// One amount is null although the order is settled.
    AmountNull,
    /// One amount is absent although the order is settled.
    AmountAbsent,
    /// The external cost is below zero; both identities hold.
    NegativeAmount,
    /// The reply has the ID of a different order.
    IdentityMismatch,
    /// The order is in USD: fails `currency` only where CNY is expected.
    ForeignCurrency,
    /// The reply names no currency.
    CurrencyAbsent,
    /// The charge is below the total cost.
    ChargeBelowCost,
    /// The charge is above the quote and the shortfall is booked as a negative release. Also fails `negative-amount`:
    /// as long as `quote-split` holds, a charge above the quote needs a negative release.
    ShortfallAsNegativeRelease,
    /// A failed run was charged.
    FailedRunCharged,
    /// The order is settled, but the quote is still frozen.
    SettledYetFrozen,
    /// The order is settled, but the run is still in progress.
    SettledYetRunning,
    /// The order is charged, but the run is still queued; not settled.
    ChargedWhileQueued,
    /// `updated_at` is before `created_at`.
    UpdatedBeforeCreated,
    /// A `run_status` that the provider's reference does not document.
    UnknownRunStatus,
    /// A `settlement_status` that the provider's reference does not document; the run has ended and the quote is
    /// released.
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

    /// The code of the check that the anomaly is planted for, and the expected cause if that check has causes.
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

/// Which kind of reply an ID gets under a seed. An ID that is not well-formed is not found.
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
        // 92 of 1103 settled orders: one in twelve.
        145..237 => Kind::Anomalous(die.pick("anomaly", Anomaly::ALL)),
        _ => Kind::Clean,
    }
}

fn is_well_formed(id: &str) -> bool {
    id.strip_prefix("wfrun_")
        .is_some_and(|hex| hex.len() == 20 && hex.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
}
