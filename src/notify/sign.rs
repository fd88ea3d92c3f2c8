//! Signatures that prove to a webhook who sends a message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Feishu's and Lark's signature: a key made of time and secret, over nothing.
pub(super) fn feishu(seconds: i64, secret: &str) -> String {
    STANDARD.encode(hmac(format!("{seconds}\n{secret}").as_bytes(), b""))
}

/// DingTalk's signature: the secret, over time and secret. It goes into the query, where it must be percent-encoded.
pub(super) fn dingtalk(milliseconds: i64, secret: &str) -> String {
    STANDARD.encode(hmac(secret.as_bytes(), format!("{milliseconds}\n{secret}").as_bytes()))
}

/// The signature of a generic webhook, in hex: the secret, over the body.
pub(super) fn webhook(body: &[u8], secret: &str) -> String {
    hex::encode(hmac(secret.as_bytes(), body))
}

/// HMAC-SHA256. A key may have any length, also none.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected values are from Python's `hmac`, `hashlib` and `base64`.
    #[test]
    fn signatures_are_as_each_asks() {
        let long = format!("SEC密{}", "x".repeat(80));
        assert_eq!(feishu(1599360473, "demo"), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
        assert_eq!(feishu(1795399200, &long), "q4VL4SnRgfK15je93I05+mi70ialXFTxyt2y+rReoL0=");
        assert_eq!(dingtalk(1577262236757, "this is secret"), "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=");
        assert_eq!(dingtalk(1795399200123, &long), "6FO9Hp7VtOzMuGQok6Y8hh0H1PlyPXksmboETBze8WQ=");
        let body = r#"{"a":"元"}"#.as_bytes();
        assert_eq!(webhook(body, "demo"), "37b5772ac636eda50b58e0a61f29b551a3f4b8667a3b6a2023c83f09af6d550d");
    }
}
