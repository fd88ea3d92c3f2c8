//! Whether a text from outside repeats a secret, though spelt in another way.

use percent_encoding::percent_decode_str;

/// The fewest letters and digits of a secret that are looked for: fewer stand in honest texts too.
const SHORTEST: usize = 6;

/// Whether the text repeats the secret. Whoever repeats one may encode, quote or space it, so only letters and digits are
/// compared, in lower case.
#[must_use]
pub fn repeats(text: &str, secret: &str) -> bool {
    let secret = letters(secret);
    secret.len() >= SHORTEST && letters(text).contains(&secret)
}

fn letters(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    decoded.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_is_a_repetition() {
        for text in ["key cy_aB-12/3 is bad", "cy%5fAb%2D12%2f3", r#""cy_aB-12\/3""#, "CY_AB 12 3", "c y _ a B 1 2 3"] {
            assert!(repeats(text, "cy_aB-12/3"), "{text}");
            assert!(repeats(text, "cy_aB%2D12%2F3"), "{text}");
        }
        for text in ["", "cy_aB-12", "a key of cy is bad"] {
            assert!(!repeats(text, "cy_aB-12/3"), "{text}");
        }
        assert!(!repeats("the risk is 12345", "12345"), "too short");
    }
}
