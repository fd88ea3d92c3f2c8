//! The content security policy of the page: it may run its own script and use its own style, and load nothing
//! else.

use sha2::{Digest, Sha256};

/// The policy that allows exactly this style and this script, if there is one.
pub(super) fn of(style: &str, script: Option<&str>) -> String {
    let script = script.map(|script| format!(" script-src '{}';", hash(script))).unwrap_or_default();
    let style = hash(style);
    format!("default-src 'none'; style-src '{style}';{script} img-src data:; base-uri 'none'; form-action 'none'")
}

/// The hash of a text as a policy writes it: `sha256-` and Base64.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text)))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let [first, second, third] = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or_default()));
        let bits = first << 16 | second << 8 | third;
        for at in 0..4_usize {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_rfc_4648() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn the_hash_is_what_browsers_compute() {
        // The example of the specification, Content Security Policy Level 3, 2.3.1… `alert('Hello, world.');`.
        assert_eq!(hash("alert('Hello, world.');"), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }
}
