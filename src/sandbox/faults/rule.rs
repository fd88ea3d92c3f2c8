//! One rule: when, and what.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use super::super::die::Die;
use super::super::header::HeaderText;
use super::error::RuleError;
use super::fault::{Fault, bad, header};
use super::glob::Glob;
use super::written::{Text, Written};

/// A probability is a number of these parts.
const CERTAIN: u64 = 1 << 53;

/// One rule of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Rule {
    pub(super) fault: Fault,
    /// The fault as the plan writes it.
    label: Arc<str>,
    pub(super) when: When,
    /// The reply's `Date`, in place of the right one.
    pub(super) date: Option<HeaderText>,
}

/// Which requests a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct When {
    ids: Option<Glob>,
    /// The first and the last request of the sandbox, counted from 1.
    range: (u64, u64),
    pub(super) every: Option<NonZeroU64>,
    pub(super) probability: Option<Probability>,
    /// How often for each ID.
    pub(super) times: Option<NonZeroU32>,
}

/// How likely, in parts of [`CERTAIN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probability(u64);

impl Rule {
    pub(super) fn from_spec(spec: &str) -> Result<Self, RuleError> {
        Self::new(Written::from_spec(spec)?)
    }

    pub(super) fn new(mut written: Written) -> Result<Self, RuleError> {
        let Text(label) = written.fault.clone();
        let kind = label.split('=').next().unwrap_or_default();
        let fault = Fault::take(&mut written)?;
        let misplaced = |key, takers| Err(RuleError::Misplaced { key, kind: kind.to_owned(), takers });
        if written.interval.is_some() {
            return misplaced("interval", "trickle and chunked-endless");
        }
        if written.delay.is_some() {
            return misplaced("delay", "slow");
        }
        if written.retry_after.is_some() {
            return misplaced("retry-after", "too-many, status, html-status and code");
        }
        if written.date.is_some() && !fault.has_headers() {
            return misplaced("date", "faults that send headers");
        }
        let date = written.date.as_ref().map(|Text(text)| header("date", text)).transpose()?;
        Ok(Self { fault, date, label: label.into(), when: When::new(&written)? })
    }

    /// The fault as the plan writes it, such as `status=502`.
    pub(in crate::sandbox) fn label(&self) -> Arc<str> {
        Arc::clone(&self.label)
    }
}

impl When {
    fn new(written: &Written) -> Result<Self, RuleError> {
        let number = |key, text: &Option<Text>| text.as_ref().map(|text| count::<NonZeroU64>(key, text)).transpose();
        let (nth, from, to) = (
            number("nth", &written.nth)?.map(NonZeroU64::get),
            number("from", &written.from)?.map(NonZeroU64::get),
            number("to", &written.to)?.map(NonZeroU64::get),
        );
        let range = match (nth, from, to) {
            (Some(nth), None, None) => (nth, nth),
            (Some(_), ..) => return Err(RuleError::NthAndRange),
            (None, from, to) => (from.unwrap_or(1), to.unwrap_or(u64::MAX)),
        };
        let (from, to) = range;
        if from > to {
            return Err(RuleError::EmptyRange { from, to });
        }
        Ok(Self {
            ids: written.ids.as_ref().map(|Text(pattern)| Glob::new(pattern)),
            range,
            every: number("every", &written.every)?,
            probability: written.probability.as_ref().map(Probability::new).transpose()?,
            times: written.times.as_ref().map(|text| count("times", text)).transpose()?,
        })
    }

    /// Whether the request is one of those that `every`, `probability` and `times` choose from. A request that
    /// asks for no order has no ID, which no `ids` matches.
    pub(super) fn covers(&self, number: u64, id: Option<&str>) -> bool {
        let (from, to) = self.range;
        let named = |ids: &Glob| id.is_some_and(|id| ids.matches(id));
        (from..=to).contains(&number) && self.ids.as_ref().is_none_or(named)
    }
}

impl Probability {
    fn new(Text(text): &Text) -> Result<Self, RuleError> {
        let likely = text.parse::<f64>().ok().filter(|likely| (0.0..=1.0).contains(likely));
        // At most CERTAIN, so nothing is cut off but a fraction of one part.
        let parts = likely.map(|likely| Self((likely * CERTAIN as f64) as u64));
        parts.ok_or_else(|| bad("probability", text, "a number from 0 to 1"))
    }

    /// Fate's word on a request for that ID, asked so often before, under the rule of that index.
    pub(super) fn strikes(self, seed: u64, rule: usize, id: &str, asked: u32) -> bool {
        let die = Die::of(seed, &["fault", &rule.to_string(), id, &asked.to_string()]);
        die.roll("strikes", CERTAIN) < self.0
    }
}

/// A whole number from 1.
fn count<N: std::str::FromStr>(key: &'static str, Text(text): &Text) -> Result<N, RuleError> {
    text.parse().map_err(|_| bad(key, text, "a whole number from 1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn says_what_would_do() {
        for (spec, expected) in [
            ("html,every=0", "`every=0` won't do: it must be a whole number from 1"),
            ("html,times=many", "`times=many` won't do"),
            ("html,nth=-1", "`nth=-1` won't do"),
            ("html,probability=1.5", "`probability=1.5` won't do: it must be a number from 0 to 1"),
            ("html,probability=NaN", "`probability=NaN` won't do"),
            ("html,from=3,to=2", "no request is from 3 to 2"),
            ("html,nth=3,to=4", "`nth` names one request"),
            ("html,delay=3s", "the key `delay` means nothing to `html`: it is for slow"),
            ("slow,interval=3s", "`interval` means nothing to `slow`"),
            ("redirect=/x,retry-after=1", "the key `retry-after` means nothing to `redirect`"),
            ("hang-before-headers,date=x", "the key `date` means nothing to `hang-before-headers`"),
            ("html,date=\u{1}", "`date=\u{1}` won't do"),
        ] {
            let said = Rule::from_spec(spec).expect_err(spec).to_string();
            assert!(said.contains(expected), "{spec}: {said}");
        }
    }

    #[test]
    fn probability_is_as_often_as_it_says() {
        let strikes = |likely: &str, asked| {
            let likely = Probability::new(&Text(likely.to_owned())).expect("a probability");
            (0..4000).filter(|id| likely.strikes(1, 0, &id.to_string(), asked)).count()
        };
        assert_eq!((strikes("0", 0), strikes("1", 0)), (0, 4000));
        assert!((300..500).contains(&strikes("0.1", 0)), "{}", strikes("0.1", 0));
        let likely = Probability::new(&Text("0.5".to_owned())).expect("a probability");
        let told = |seed, rule, asked| likely.strikes(seed, rule, "id", asked);
        for other in [|n| (n, 0, 0), |n| (1, n, 0), |n| (1, 0, n)] as [fn(u8) -> (u8, u8, u8); 3] {
            let told = (0..40).map(other).map(|(seed, rule, asked)| told(seed.into(), rule.into(), asked.into()));
            let struck = told.filter(|struck| *struck).count();
            assert!((5..35).contains(&struck), "each of seed, rule and number of requests counts: {struck}");
        }
    }

    proptest! {
        #[test]
        fn covers_what_is_in_range_and_named(from in 1_u64..9, length in 0_u64..9, number in 1_u64..20, id in "[ab]{1,2}") {
            let rule = Rule::from_spec(&format!("html,from={from},to={},ids=a*", from + length)).expect("a rule");
            let within = number >= from && number <= from + length;
            prop_assert_eq!(rule.when.covers(number, Some(&id)), within && id.starts_with('a'));
            prop_assert!(!rule.when.covers(number, None));
            let nth = Rule::from_spec(&format!("html,nth={from}")).expect("a rule");
            prop_assert_eq!(nth.when.covers(number, None), number == from);
        }

        #[test]
        fn any_text_is_a_rule_or_an_error(spec in "(status|html|trickle)(=[0-9]{1,4})?(,(nth|every|ids|interval)=[a-z0-9*]{0,4}){0,3}") {
            if let Ok(rule) = Rule::from_spec(&spec) {
                prop_assert_eq!(&*rule.label(), spec.split(',').next().unwrap_or_default());
            }
        }
    }
}
