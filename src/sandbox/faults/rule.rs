//! One rule of a plan: which requests it covers, and which fault they get.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use super::super::die::Die;
use super::super::header::HeaderText;
use super::error::RuleError;
use super::fault::{Fault, bad, header};
use super::glob::Glob;
use super::rule_spec::{RuleSpec, Text};

/// Probabilities are whole numbers of this many parts.
const CERTAIN: u64 = 1 << 53;

/// One rule of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Rule {
    pub(super) fault: Fault,
    /// The fault as written in the plan.
    label: Arc<str>,
    pub(super) when: When,
    /// Replaces the reply's `Date`.
    pub(super) date: Option<HeaderText>,
}

/// Which requests a rule covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct When {
    ids: Option<Glob>,
    /// The numbers of the first and the last request covered; the sandbox counts its requests from 1.
    range: (u64, u64),
    pub(super) every: Option<NonZeroU64>,
    pub(super) probability: Option<Probability>,
    /// The most faults per ID.
    pub(super) times: Option<NonZeroU32>,
}

/// A probability in parts of [`CERTAIN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probability(u64);

impl Rule {
    pub(super) fn from_spec(spec: &str) -> Result<Self, RuleError> {
        Self::new(RuleSpec::parse(spec)?)
    }

    pub(super) fn new(mut spec: RuleSpec) -> Result<Self, RuleError> {
        let Text(label) = spec.fault.clone();
        let kind = label.split('=').next().unwrap_or_default();
        let fault = Fault::take(&mut spec)?;
        let misplaced = |key, takers| Err(RuleError::Misplaced { key, kind: kind.to_owned(), takers });
        if spec.interval.is_some() {
            return misplaced("interval", "trickle and chunked-endless");
        }
        if spec.delay.is_some() {
            return misplaced("delay", "slow");
        }
        if spec.retry_after.is_some() {
            return misplaced("retry-after", "too-many, status, html-status and code");
        }
        if spec.date.is_some() && !fault.has_headers() {
            return misplaced("date", "faults that send headers");
        }
        let date = spec.date.as_ref().map(|Text(text)| header("date", text)).transpose()?;
        Ok(Self { fault, date, label: label.into(), when: When::new(&spec)? })
    }

    /// The fault as written in the plan, such as `status=502`.
    pub(in crate::sandbox) fn label(&self) -> Arc<str> {
        Arc::clone(&self.label)
    }
}

impl When {
    fn new(spec: &RuleSpec) -> Result<Self, RuleError> {
        let number = |key, text: &Option<Text>| text.as_ref().map(|text| count::<NonZeroU64>(key, text)).transpose();
        let (nth, from, to) = (
            number("nth", &spec.nth)?.map(NonZeroU64::get),
            number("from", &spec.from)?.map(NonZeroU64::get),
            number("to", &spec.to)?.map(NonZeroU64::get),
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
            ids: spec.ids.as_ref().map(|Text(pattern)| Glob::new(pattern)),
            range,
            every: number("every", &spec.every)?,
            probability: spec.probability.as_ref().map(Probability::new).transpose()?,
            times: spec.times.as_ref().map(|text| count("times", text)).transpose()?,
        })
    }

    /// Whether `every`, `probability` and `times` may choose this request. A request without an order ID matches no
    /// `ids`.
    pub(super) fn covers(&self, number: u64, id: Option<&str>) -> bool {
        let (from, to) = self.range;
        let named = |ids: &Glob| id.is_some_and(|id| ids.matches(id));
        (from..=to).contains(&number) && self.ids.as_ref().is_none_or(named)
    }
}

impl Probability {
    fn new(Text(text): &Text) -> Result<Self, RuleError> {
        let likely = text.parse::<f64>().ok().filter(|likely| (0.0..=1.0).contains(likely));
        // At most CERTAIN, so the cast drops only a fraction of one part.
        let parts = likely.map(|likely| Self((likely * CERTAIN as f64) as u64));
        parts.ok_or_else(|| bad("probability", text, "a number from 0 to 1"))
    }

    /// Whether the rule with index `rule` strikes a request for `id`, after `earlier_requests` other requests for it.
    pub(super) fn strikes(self, seed: u64, rule: usize, id: &str, earlier_requests: u32) -> bool {
        let die = Die::of(seed, &["fault", &rule.to_string(), id, &earlier_requests.to_string()]);
        die.roll("strikes", CERTAIN) < self.0
    }
}

/// Reads a whole number from 1.
fn count<N: std::str::FromStr>(key: &'static str, Text(text): &Text) -> Result<N, RuleError> {
    text.parse().map_err(|_| bad(key, text, "a whole number from 1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_say_what_is_accepted() {
        for (spec, expected) in [
            ("html,every=0", "`every=0` is not valid: it must be a whole number from 1"),
            ("html,times=many", "`times=many` is not valid"),
            ("html,nth=-1", "`nth=-1` is not valid"),
            ("html,probability=1.5", "`probability=1.5` is not valid: it must be a number from 0 to 1"),
            ("html,probability=NaN", "`probability=NaN` is not valid"),
            ("html,from=3,to=2", "the range from 3 to 2 is empty"),
            ("html,nth=3,to=4", "`nth` names one request"),
            ("html,delay=3s", "the key `delay` does not apply to `html`: it is for slow"),
            ("slow,interval=3s", "`interval` does not apply to `slow`"),
            ("redirect=/x,retry-after=1", "the key `retry-after` does not apply to `redirect`"),
            ("hang-before-headers,date=x", "the key `date` does not apply to `hang-before-headers`"),
            ("html,date=\u{1}", "`date=\u{1}` is not valid"),
        ] {
            let message = Rule::from_spec(spec).expect_err(spec).to_string();
            assert!(message.contains(expected), "{spec}: {message}");
        }
    }

    #[test]
    fn a_probability_strikes_as_often_as_given() {
        let strikes = |likely: &str, earlier_requests| {
            let likely = Probability::new(&Text(likely.to_owned())).expect("a probability");
            (0..4000).filter(|id| likely.strikes(1, 0, &id.to_string(), earlier_requests)).count()
        };
        assert_eq!((strikes("0", 0), strikes("1", 0)), (0, 4000));
        assert!((300..500).contains(&strikes("0.1", 0)), "{}", strikes("0.1", 0));
        let likely = Probability::new(&Text("0.5".to_owned())).expect("a probability");
        let strikes = |seed, rule, earlier_requests| likely.strikes(seed, rule, "id", earlier_requests);
        for vary in [|n| (n, 0, 0), |n| (1, n, 0), |n| (1, 0, n)] as [fn(u8) -> (u8, u8, u8); 3] {
            let struck = (0..40)
                .map(vary)
                .map(|(seed, rule, earlier_requests)| strikes(seed.into(), rule.into(), earlier_requests.into()));
            let struck = struck.filter(|struck| *struck).count();
            assert!((5..35).contains(&struck), "each of seed, rule and number of requests matters: {struck}");
        }
    }

    proptest! {
        #[test]
        fn covers_requests_in_range(from in 1_u64..9, length in 0_u64..9, number in 1_u64..20, id in "[ab]{1,2}") {
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
