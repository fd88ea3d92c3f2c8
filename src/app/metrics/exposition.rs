//! The text format of Prometheus. Values are written digit for digit: amounts never pass through a float here.

use std::fmt::Write;

/// The labels that a metric can have.
const LABELS: [&str; 10] =
    ["account", "age", "amount", "bucket", "cause", "check", "currency", "kind", "severity", "verdict"];

/// Metrics of one name.
pub(super) struct Family {
    name: &'static str,
    /// What they mean, with their unit.
    help: &'static str,
    /// Labels and value of each, as they follow the name on their lines.
    samples: Vec<String>,
}

impl Family {
    pub(super) const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, samples: Vec::new() }
    }

    /// Adds a metric. A text in a label may have any characters.
    pub(super) fn add(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(name, text)| format!("{name}=\"{}\"", escaped(text))).collect();
        self.samples.push(format!("{{{}}} {value}", labels.join(",")));
    }

    /// The family with one metric.
    pub(super) fn with(mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) -> Self {
        self.add(labels, value);
        self
    }

    /// Takes over the metrics of this name and account from an earlier text. Lines that are not metrics are left out.
    pub(super) fn carry_over(&mut self, earlier: &str, account: &str) {
        let begin = format!("{}{{account=\"{}\"", self.name, escaped(account));
        let own =
            earlier.lines().filter(|line| line.strip_prefix(&begin).is_some_and(|rest| rest.starts_with(['}', ','])));
        for sample in own.filter_map(|line| line.strip_prefix(self.name)).filter(|sample| is_sample(sample)) {
            let has_same_labels = |other: &String| {
                other.rsplit_once(' ').zip(sample.rsplit_once(' ')).is_some_and(|(one, other)| one.0 == other.0)
            };
            if !self.samples.iter().any(has_same_labels) {
                self.samples.push(sample.to_owned());
            }
        }
    }

    /// Appends the family to a text; nothing if it has no metrics.
    pub(super) fn write(&self, text: &mut String) {
        let Self { name, help, samples } = self;
        if samples.is_empty() {
            return;
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for sample in samples {
            let _ = writeln!(text, "{name}{sample}");
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Whether a text is labels and a plain decimal number, as [`Family::add`] writes them.
fn is_sample(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix('{') else { return false };
    let mut names = Vec::new();
    loop {
        let Some((name, after)) = rest.split_once("=\"") else { return false };
        let is_name = LABELS.contains(&name) && !names.contains(&name);
        names.push(name);
        let Some(end) = end_of_label(after).filter(|_| is_name) else { return false };
        let after = &after[end + 1..];
        if let Some(value) = after.strip_prefix("} ") {
            let digits = value.strip_prefix('-').unwrap_or(value);
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            return is_number
                && digits.starts_with(|first: char| first.is_ascii_digit())
                && digits.matches('.').count() < 2;
        }
        let Some(next) = after.strip_prefix(',') else { return false };
        rest = next;
    }
}

/// Where the quotation mark is that ends a label's text.
fn end_of_label(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let is_escape = |char| matches!(char, '\\' | '"' | 'n');
    let ends = text.char_indices().find_map(|(at, char)| match (char, is_escaped) {
        ('"', false) => Some(Some(at)),
        ('\\', false) => {
            is_escaped = true;
            None
        }
        (char, true) if !is_escape(char) => Some(None),
        _ => {
            is_escaped = false;
            None
        }
    });
    ends.flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn family() -> Family {
        Family::new("tieout_x", "What it is.")
    }

    #[test]
    fn a_family_is_written_with_its_help() {
        let mut text = String::new();
        let mut written = family();
        written.add(&[("account", "a \"b\" \\ c\nd"), ("currency", "CNY")], "12345678901234567.12345678");
        written.write(&mut text);
        family().write(&mut text);
        let expected = "# HELP tieout_x What it is.\n# TYPE tieout_x gauge\n\
                        tieout_x{account=\"a \\\"b\\\" \\\\ c\\nd\",currency=\"CNY\"} 12345678901234567.12345678\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn only_metrics_of_the_same_name_and_account_are_carried_over() {
        let earlier = "# HELP tieout_x What it is.\ntieout_x{account=\"a\"} 1\ntieout_x{account=\"ab\"} 2\n\
                       tieout_xy{account=\"a\"} 3\ntieout_x{account=\"a\",check=\"c\"} -4.5\n\
                       tieout_x{account=\"a\"} 8\ntieout_x{account=\"a\",x=\"c\"} 9\ntieout_x{account=\"a\",check=\"c\",check=\"d\"} 9\n\
                       tieout_x{account=\"a\",check=\"\\q\"} 9\n\
                       tieout_x{account=\"a\"} NaN\ntieout_x{account=\"a\",check=\"c} 6\ntieout_x{account=\"a\"} 7 8\n\
                       tieout_x{account=\"a\"} \ntieout_x{account=\"a\"} 1.2.3\ntieout_x{account=\"a\"";
        let mut carried = family();
        carried.carry_over(earlier, "a");
        assert_eq!(carried.samples, ["{account=\"a\"} 1", "{account=\"a\",check=\"c\"} -4.5"]);
    }

    proptest! {
        #[test]
        fn whatever_is_written_can_be_carried_over(account in ".*", other in ".*", value in -1_000_000_000_000_i64..) {
            let labels = [("account", account.as_str()), ("currency", other.as_str())];
            let written = family().with(&labels, value).with(&labels[..1], value);
            let mut text = String::new();
            written.write(&mut text);
            let mut carried = family();
            carried.carry_over(&text, &account);
            // A line break other than \n would be one in the file, too: Rust's `lines` splits at \n and \r\n alone.
            prop_assume!(!text.contains('\r'));
            prop_assert_eq!(carried.samples, written.samples);
        }

        #[test]
        fn nothing_hostile_is_carried_over(text in ".{0,60}") {
            let mut carried = family();
            carried.carry_over(&format!("tieout_x{{account=\"a\"{text}"), "a");
            prop_assert!(carried.samples.iter().all(|sample| is_sample(sample) && !sample.contains('\n')));
        }
    }
}
