//! The API key, and where it may be sent.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::ProviderError;
use crate::domain::secret::repeats;

/// Bytes of the hash that make up a fingerprint.
const FINGERPRINT: usize = 8;
/// The longest key, in characters.
const MAX_LENGTH: usize = 512;
/// What stands in the place of a key.
const REDACTED: &str = "[key]";

/// The provider's API key. It is never printed; its text leaves this file only in the `Authorization` header.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// Why a text is not a valid API key. The text is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty or only white space.
    #[error("the API key is empty: give the key that the provider issued")]
    Empty,
    /// More than 512 characters.
    #[error("the API key is longer than 512 characters: give the key alone, not a file of several")]
    TooLong,
    /// A space, a control character or anything outside ASCII.
    #[error("the API key has a space or a character outside visible ASCII: give the key alone, on one line")]
    BadCharacter,
}

impl ApiKey {
    /// Reads a key; white space around it is trimmed.
    ///
    /// # Errors
    /// [`KeyError`] if the text can't be a key.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let key = text.trim();
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::BadCharacter);
        }
        if key.len() > MAX_LENGTH {
            return Err(KeyError::TooLong);
        }
        Ok(Self(key.into()))
    }

    /// The value of the `Authorization` header, marked as sensitive so that HTTP libraries don't print it.
    pub(super) fn authorization(&self) -> Result<HeaderValue, KeyError> {
        let mut value =
            HeaderValue::try_from(format!("Bearer {}", self.0.expose_secret())).map_err(|_| KeyError::BadCharacter)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Identifies the key at one provider, in hex. The key can't be derived from it.
    pub(super) fn fingerprint(&self, origin: &str) -> String {
        let hash = Sha256::new().chain_update(origin).chain_update([0]).chain_update(self.0.expose_secret()).finalize();
        hex::encode(&hash[..FINGERPRINT])
    }

    /// Whether `text` contains the key.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        text.contains(self.0.expose_secret())
    }

    /// Replaces the key in `text` with `[key]`; all of the text, if it repeats the key in another spelling.
    pub(super) fn redact(&self, text: &str) -> String {
        let key = self.0.expose_secret();
        let redacted = text.replace(key, REDACTED);
        if repeats(&redacted, key) { REDACTED.to_owned() } else { redacted }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// Parses a base URL that the key may be sent to: https, or plain http to this machine. Errors never show the URL,
/// since it may hold a password.
pub(super) fn destination(base_url: &str) -> Result<Url, ProviderError> {
    let url = Url::parse(base_url).map_err(|error| ProviderError::UnreadableUrl(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ProviderError::UrlWithUser);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ProviderError::UrlWithQuery);
    }
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" if !host.is_empty() => Ok(url),
        "http" if is_loopback(host) => Ok(url),
        _ => Err(ProviderError::UnsafeUrl),
    }
}

/// A base URL in its normal form, so that one provider has one spelling; `None` for one that can't be used.
#[must_use]
pub fn normal_url(base_url: &str) -> Option<String> {
    destination(base_url).ok().map(|url| without_slash(&url))
}

/// A URL without slashes at its end.
pub(super) fn without_slash(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_visible_word() {
        assert_eq!(ApiKey::new(" \n").err(), Some(KeyError::Empty));
        assert_eq!(ApiKey::new("cy_a b").err(), Some(KeyError::BadCharacter));
        assert_eq!(ApiKey::new("cy_a\nX-Evil: 1").err(), Some(KeyError::BadCharacter));
        assert_eq!(ApiKey::new("密钥").err(), Some(KeyError::BadCharacter));
        assert_eq!(ApiKey::new(&"x".repeat(513)).err(), Some(KeyError::TooLong));
        assert!(ApiKey::new(&"x".repeat(512)).is_ok());
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = ApiKey::new(" cy_secret\r\n").expect("a key");
        let header = key.authorization().expect("a header");
        assert_eq!(header.to_str().ok(), Some("Bearer cy_secret"));
        assert!(!format!("{key:?} {header:?}").contains("secret"));
        assert_eq!(key.redact("key cy_secret is bad"), "key [key] is bad");
        assert_eq!(key.redact("key cy%5Fsecret is bad"), "[key]");
    }

    #[test]
    fn the_key_goes_to_https_or_to_this_machine() {
        let safe = [
            "https://www.chenyu.cn/api/open/v2",
            "HTTPS://host:8443/",
            "http://127.0.0.1:8080",
            "http://127.9.9.9/x",
            "http://[::1]:80/",
            "http://localhost:1",
        ];
        for url in safe {
            assert!(destination(url).is_ok(), "{url}");
        }
        let unsafe_urls = [
            "http://www.chenyu.cn/api",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://128.0.0.1",
            "http://[::2]",
            "http://0.0.0.0",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "data:text/plain,x",
        ];
        for url in unsafe_urls {
            assert!(matches!(destination(url), Err(ProviderError::UnsafeUrl)), "{url}");
        }
        for url in ["http://127.0.0.1@example.com", "https://user:pw@example.com", "https://:pw@example.com"] {
            assert!(matches!(destination(url), Err(ProviderError::UrlWithUser)), "{url}");
        }
        for url in ["https://example.com/?a=b", "https://example.com/#x", "https://example.com?"] {
            assert!(matches!(destination(url), Err(ProviderError::UrlWithQuery)), "{url}");
        }
        for url in ["", "www.chenyu.cn/api", "https://", "https://a b"] {
            assert!(matches!(destination(url), Err(ProviderError::UnreadableUrl(_))), "{url}");
        }
    }
}
