//! This machine's clock differs from the provider's. Ages are counted by ours, so the job warns.

use super::{Trial, clean};
use crate::support::{code, stderr};

fn run(date: Option<&str>) -> (String, serde_json::Value) {
    let trial = Trial::new(&clean(3), date.map(|date| format!("deep,date={date}")));
    let run = trial.run(&[]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    (stderr(&run), trial.report().json("manifest.json")["clock"].clone())
}

#[test]
fn a_clock_that_is_years_off_the_providers_is_warned_of_and_both_are_in_the_manifest() {
    for (date, time, direction) in [
        ("21 Oct 2099 07:28:00 GMT", "2099-10-21T07:28:00Z", "behind the provider's"),
        ("21 Oct 2015 07:28:00 GMT", "2015-10-21T07:28:00Z", "ahead of the provider's"),
    ] {
        let (printed, clock) = run(Some(date));
        assert!(printed.contains("warning: the clock of this machine is ") && printed.contains(direction), "{printed}");
        assert_eq!(clock["provider"], time);
        assert!(clock["ours"].as_str().is_some_and(|ours| ours.starts_with("20")), "{clock}");
    }
}

#[test]
fn a_clock_that_is_right_or_unknown_is_not_spoken_of() {
    for date in [None, Some("soon")] {
        let (printed, clock) = run(date);
        assert!(!printed.contains("clock") && clock.is_null(), "{date:?}: {printed} {clock}");
    }
}
