//! A rule as written, in TOML or as `kind[=value][,key=value]...`. Both use the same keys.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use toml::{Table, Value};

use super::error::RuleError;

/// A rule as written. Values are kept as text; `Rule` and `Fault` check them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleSpec {
    /// `kind` or `kind=value`.
    pub(super) fault: Text,
    pub(super) ids: Option<Text>,
    pub(super) every: Option<Text>,
    pub(super) nth: Option<Text>,
    pub(super) from: Option<Text>,
    pub(super) to: Option<Text>,
    pub(super) probability: Option<Text>,
    pub(super) times: Option<Text>,
    pub(super) interval: Option<Text>,
    pub(super) delay: Option<Text>,
    pub(super) retry_after: Option<Text>,
    pub(super) date: Option<Text>,
}

/// A TOML string or number as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl RuleSpec {
    /// Reads `kind[=value][,key=value]...`.
    pub(super) fn parse(spec: &str) -> Result<Self, RuleError> {
        let mut parts = parts(spec).into_iter();
        let mut table = Table::new();
        table.insert("fault".to_owned(), Value::String(parts.next().unwrap_or_default()));
        for part in parts {
            let Some((key, value)) = part.split_once('=') else { return Err(RuleError::NoPair(part)) };
            let key = key.trim();
            if table.insert(key.to_owned(), Value::String(value.to_owned())).is_some() {
                return Err(RuleError::Twice(key.to_owned()));
            }
        }
        let unusable = |error: toml::de::Error| RuleError::Key(error.message().trim().to_owned());
        Value::Table(table).try_into().map_err(unusable)
    }
}

/// Splits a rule at commas. `\,` is a comma within a part and `\\` a backslash.
fn parts(spec: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut characters = spec.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' => parts.push(std::mem::take(&mut part)),
            '\\' => part.push(characters.next_if(|next| matches!(next, ',' | '\\')).unwrap_or('\\')),
            other => part.push(other),
        }
    }
    parts.push(part);
    parts
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(part: &str) -> String {
        part.replace('\\', "\\\\").replace(',', "\\,")
    }

    #[test]
    fn a_spec_and_toml_give_the_same_rule() {
        let spec = r"too-many,retry-after=Wed\, 21 Oct 2099 07:28:00 GMT, nth=3,probability=0.25";
        let toml = r#"
            fault = "too-many"
            retry-after = "Wed, 21 Oct 2099 07:28:00 GMT"
            nth = 3
            probability = 0.25
        "#;
        assert_eq!(RuleSpec::parse(spec), Ok(toml::from_str(toml).expect("a rule")));
    }

    #[test]
    fn invalid_rules_are_rejected() {
        assert_eq!(RuleSpec::parse("html,often"), Err(RuleError::NoPair("often".to_owned())));
        assert_eq!(RuleSpec::parse("html,nth=1,nth=1"), Err(RuleError::Twice("nth".to_owned())));
        assert_eq!(RuleSpec::parse("html,fault=x"), Err(RuleError::Twice("fault".to_owned())));
        let unknown = RuleSpec::parse("html,evry=7").expect_err("a wrong key").to_string();
        assert!(unknown.contains("`evry`") && unknown.contains("`every`"), "{unknown}");
        let unknown = toml::from_str::<RuleSpec>("fault = \"html\"\nevry = 7").expect_err("a wrong key").to_string();
        assert!(unknown.contains("`evry`") && unknown.contains("`every`"), "{unknown}");
        assert!(toml::from_str::<RuleSpec>("every = 7").is_err(), "no fault");
        assert!(toml::from_str::<RuleSpec>("fault = [\"html\"]").is_err());
    }

    proptest! {
        #[test]
        fn parts_come_back(expected in proptest::collection::vec(r#"[a-z,\\= "]{0,8}"#, 1..6)) {
            let spec = expected.iter().map(|part| escaped(part)).collect::<Vec<_>>().join(",");
            prop_assert_eq!(parts(&spec), expected);
        }

        #[test]
        fn any_text_is_a_rule_or_an_error(spec in ".{0,60}") {
            let fault = spec.split([',', '\\']).next().unwrap_or_default().to_owned();
            if let Ok(rule) = RuleSpec::parse(&spec) {
                prop_assert!(rule.fault.0.starts_with(&fault));
            }
        }
    }
}
