//! Decides for each request whether a rule strikes it, and keeps the counts that rules need.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::plan::FaultPlan;
use super::rule::Rule;

/// A plan in use. Its memory grows with the number of IDs if a rule has `times` or `probability`.
pub(in crate::sandbox) struct Decider {
    rules: Vec<Rule>,
    seed: u64,
    counts_requests: bool,
    tallies: Mutex<Tallies>,
}

#[derive(Default)]
struct Tallies {
    /// How often each ID was requested so far.
    requests: HashMap<String, u32>,
    /// One tally per rule.
    rules: Vec<Tally>,
}

#[derive(Clone, Default)]
struct Tally {
    covered: u64,
    /// How often each ID was struck.
    struck: HashMap<String, u32>,
}

impl Decider {
    /// Puts a plan to use; `None` if it has no rules.
    pub(in crate::sandbox) fn new(plan: FaultPlan, seed: u64) -> Option<Self> {
        let FaultPlan { rules } = plan;
        if rules.is_empty() {
            return None;
        }
        let tallies = Tallies { requests: HashMap::new(), rules: vec![Tally::default(); rules.len()] };
        let counts_requests = rules.iter().any(|rule| rule.when.probability.is_some());
        Some(Self { rules, seed, counts_requests, tallies: Mutex::new(tallies) })
    }

    /// The first rule that strikes the request. `number` is the request's number, from 1.
    pub(in crate::sandbox) fn decide(&self, number: u64, id: Option<&str>) -> Option<&Rule> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let Tallies { requests, rules: tallies } = &mut *tallies;
        let name = id.unwrap_or_default();
        let before = if self.counts_requests { count(requests, name) } else { 0 };
        let mut rules = self.rules.iter().zip(tallies).enumerate();
        rules.find_map(|(index, (rule, tally))| {
            tally.strikes(rule, self.seed, index, number, id, before).then_some(rule)
        })
    }
}

impl Tally {
    fn strikes(&mut self, rule: &Rule, seed: u64, index: usize, number: u64, id: Option<&str>, before: u32) -> bool {
        let when = &rule.when;
        if !when.covers(number, id) {
            return false;
        }
        self.covered += 1;
        let name = id.unwrap_or_default();
        if when.every.is_some_and(|every| !self.covered.is_multiple_of(every.get()))
            || when.probability.is_some_and(|likely| !likely.strikes(seed, index, name, before))
        {
            return false;
        }
        when.times.is_none_or(|times| count(&mut self.struck, name) < times.get())
    }
}

/// Increments the count of `name`; returns the count before.
fn count(counts: &mut HashMap<String, u32>, name: &str) -> u32 {
    let Some(count) = counts.get_mut(name) else {
        counts.insert(name.to_owned(), 1);
        return 0;
    };
    let before = *count;
    *count = before.saturating_add(1);
    before
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decider(specs: &[&str]) -> Decider {
        Decider::new(FaultPlan::from_specs(specs).expect("a plan"), 1).expect("rules")
    }

    /// The fault of each request, numbered from 1; empty for none.
    fn decisions(decider: &Decider, ids: &[&str]) -> Vec<String> {
        let decide =
            |(number, id): (u64, &&str)| decider.decide(number, Some(*id)).map(|rule| rule.label().to_string());
        (1..).zip(ids).map(|request| decide(request).unwrap_or_default()).collect()
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        let decider = decider(&["empty,ids=a,times=1", "html,every=2", "gzip,from=5,to=6"]);
        let got = decisions(&decider, &["a", "a", "b", "a", "b", "b", "b"]);
        // The first rule takes request 1, so `html` covers requests 2 to 7 and takes every second of them.
        assert_eq!(got, ["empty", "", "html", "", "html", "gzip", "html"]);
    }

    #[test]
    fn counts_each_id_separately() {
        let got = decisions(&decider(&["html,times=2"]), &["a", "b", "a", "a", "b", "b"]);
        assert_eq!(got, ["html", "html", "html", "", "html", ""]);
        let decider = decider(&["html,nth=3"]);
        assert_eq!(decisions(&decider, &["a", "b", "c", "d"]), ["", "", "html", ""]);
        assert!(decider.decide(3, None).is_some(), "a request without an order");
        assert!(Decider::new(FaultPlan::default(), 1).is_none());
    }

    proptest! {
        #[test]
        fn probability_does_not_depend_on_other_ids(others in proptest::collection::vec("[b-d]", 0..40)) {
            let alone = decisions(&decider(&["html,probability=0.5"]), &["a"; 20]);
            let mut ids: Vec<&str> = others.iter().map(String::as_str).collect();
            ids.extend(["a"; 20]);
            let among = decisions(&decider(&["html,probability=0.5"]), &ids);
            prop_assert_eq!(&among[others.len()..], &alone[..]);
        }

        #[test]
        fn every_takes_each_kth(every in 1_u64..9, requests in 0_usize..60) {
            let decider = decider(&[&format!("html,every={every}")]);
            let got = decisions(&decider, &vec!["a"; requests]);
            for (number, fault) in (1_u64..).zip(got) {
                prop_assert_eq!(fault == "html", number % every == 0);
            }
        }
    }
}
