//! Keys typed in the wrong place: no message repeats them.

use std::env;

use super::settings::{KEY_VARIABLE, SPARK_TOKEN_VARIABLE};
use crate::sandbox::KEY as SANDBOX_KEY;

/// The prefixes of the provider's keys.
const KEY_PREFIXES: [&str; 2] = ["cy_", "sk-"];
/// The fewest characters after a prefix that count as a key.
const SHORTEST: usize = 4;
const REDACTED: &str = "[key]";

/// The text with everything that looks like a key, and the keys in the environment, replaced by `[key]`. The simulator's
/// key, which is public, stays.
pub(super) fn without_keys(text: &str) -> String {
    let mut text = text.to_owned();
    for key in [KEY_VARIABLE, SPARK_TOKEN_VARIABLE].into_iter().filter_map(|name| env::var(name).ok()) {
        if key.trim().len() >= SHORTEST && key.trim() != SANDBOX_KEY {
            text = text.replace(key.trim(), REDACTED);
        }
    }
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = KEY_PREFIXES.iter().filter_map(|start| rest.find(start)).min() {
        let (before, from) = rest.split_at(at);
        let length = from.find(|char| !is_of_key(char)).unwrap_or(from.len());
        let word = &from[..length];
        let begins = shown.chars().chain(before.chars()).next_back().is_none_or(|char| !is_of_key(char));
        shown.push_str(before);
        let is_key = begins && word.len() >= KEY_PREFIXES[0].len() + SHORTEST && word != SANDBOX_KEY;
        shown.push_str(if is_key { REDACTED } else { word });
        rest = &from[length..];
    }
    shown + rest
}

fn is_of_key(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_is_not_repeated() {
        for (text, expected) in [
            ("invalid value 'cy_0123abcd' for '--rate <N>'", "invalid value '[key]' for '--rate <N>'"),
            ("sk-abcd1234: no such file; /etc/sk-abcd1234", "[key]: no such file; /etc/[key]"),
            ("key=cy_0123abcd,cy_4567efgh", "key=[key],[key]"),
            (
                "the risk-averse task-force: cy_a, sk-1, policy_number_12",
                "the risk-averse task-force: cy_a, sk-1, policy_number_12",
            ),
            ("cy_sandbox_key is public", "cy_sandbox_key is public"),
            ("订单 cy_订单0123", "订单 cy_订单0123"),
            ("", ""),
        ] {
            assert_eq!(without_keys(text), expected);
        }
    }
}
