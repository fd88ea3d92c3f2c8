//! Where messages go, and the secrets for it.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::event::Event;
use crate::domain::secret;

/// The most bytes of a text in one message to Feishu and to DingTalk. Both take 20 KB; escaped, a text may double.
const FEISHU: usize = 9_000;
/// The most bytes of a text to WeCom.
const WECOM: usize = 2_048;
/// The most characters that Slack recommends.
const SLACK: usize = 4_000;
/// What stands in the place of a secret.
const REDACTED: &str = "its words are not shown, since they repeat a secret";

/// The service behind a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Feishu, or Lark: a custom bot.
    Feishu,
    /// DingTalk: a custom robot.
    DingTalk,
    /// WeCom: a group robot.
    WeCom,
    /// Slack: an incoming webhook.
    Slack,
    /// Any webhook that takes JSON.
    Webhook,
    /// A command that reads JSON from its standard input.
    Command,
    /// A service that expects a ping at the beginning and at the end of every job, as healthchecks.io does.
    Healthchecks,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Feishu, Self::DingTalk, Self::WeCom, Self::Slack, Self::Webhook, Self::Command, Self::Healthchecks];

    /// The word in the settings file.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
            Self::WeCom => "wecom",
            Self::Slack => "slack",
            Self::Webhook => "webhook",
            Self::Command => "command",
            Self::Healthchecks => "healthchecks",
        }
    }

    /// Whether messages to it can be signed.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Feishu | Self::DingTalk | Self::Webhook)
    }

    /// Whether the body of a reply says if a message has arrived; else its status alone does.
    pub(super) const fn answers_in_words(self) -> bool {
        matches!(self, Self::Feishu | Self::DingTalk | Self::WeCom | Self::Slack)
    }

    /// The longest text, and how much of it a character takes.
    pub(super) fn limit(self) -> (usize, fn(char) -> usize) {
        match self {
            Self::Feishu | Self::DingTalk => (FEISHU, char::len_utf8),
            Self::WeCom => (WECOM, char::len_utf8),
            Self::Slack => (SLACK, |_| 1),
            Self::Webhook | Self::Command | Self::Healthchecks => (usize::MAX, |_| 1),
        }
    }
}

/// The URL of a webhook, which is a secret: who has it can send messages.
#[derive(Clone, Debug)]
pub struct WebhookUrl(SecretString);

/// Why a text is not the URL of a webhook. The text is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL.
    #[error("its value is not a URL (it is not shown here, since it may be a secret): copy it again")]
    NotAUrl,
    /// Neither https nor this machine.
    #[error("its URL must begin with https:// (http:// only for this machine)")]
    Unsafe,
    /// A user and a password in it.
    #[error("its URL has a user or a password before the host: give a URL without them")]
    WithUser,
}

impl WebhookUrl {
    /// Reads a URL; white space around it is trimmed.
    ///
    /// # Errors
    /// [`UrlError`] if messages can't be sent there safely.
    pub fn new(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        // A parser of URLs passes over line breaks.
        if text.chars().any(char::is_control) {
            return Err(UrlError::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| UrlError::NotAUrl)?;
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::WithUser);
        }
        match url.scheme() {
            "https" if !host.is_empty() => Ok(Self(String::from(url).into())),
            "http" if is_loopback => Ok(Self(String::from(url).into())),
            _ => Err(UrlError::Unsafe),
        }
    }

    /// The URL itself.
    pub(super) fn url(&self) -> Result<Url, UrlError> {
        Url::parse(self.0.expose_secret()).map_err(|_| UrlError::NotAUrl)
    }
}

/// How a target is reached.
#[derive(Clone, Debug)]
pub enum Way {
    /// By HTTP, signed where there is a secret.
    Http {
        /// The URL.
        url: WebhookUrl,
        /// The key of the signature.
        secret: Option<SecretString>,
    },
    /// By running a program with these arguments.
    Command(Vec<String>),
}

/// A target of notifications.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name: in the log, and in the state, which knows by it what the target was told.
    pub name: String,
    /// The service behind it.
    pub kind: Kind,
    /// How it is reached.
    pub way: Way,
    /// The events that it is told of. A target for pings ignores them.
    pub when: Vec<Event>,
}

impl Target {
    /// The name for people: with the kind, unless that is the name.
    #[must_use]
    pub fn shown(&self) -> String {
        let Self { name, kind, .. } = self;
        if name == kind.code() { name.clone() } else { format!("{name} ({})", kind.code()) }
    }

    /// The text if it repeats no secret of this target, else a note in its place.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        let Way::Http { url, secret } = &self.way else { return text.to_owned() };
        let mut secrets: Vec<String> = secret.iter().map(|secret| secret.expose_secret().to_owned()).collect();
        if let Ok(url) = url.url() {
            secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
            secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        }
        let repeats = |text: &str| secrets.iter().any(|secret| secret::repeats(text, secret));
        match text.split_once(": ") {
            _ if !repeats(text) => text.to_owned(),
            // Our own words come first.
            Some((ours, _)) if !repeats(ours) => format!("{ours}: {REDACTED}"),
            _ => REDACTED.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_https_or_on_this_machine() {
        for good in [
            "https://open.feishu.cn/open-apis/bot/v2/hook/x",
            " http://127.0.0.1:8080/x\n",
            "http://[::1]/",
            "http://localhost:1/",
        ] {
            assert!(WebhookUrl::new(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", UrlError::NotAUrl),
            ("https://example.com/one\nhttps://example.com/other", UrlError::NotAUrl),
            ("open.feishu.cn/hook", UrlError::NotAUrl),
            ("http://open.feishu.cn/hook", UrlError::Unsafe),
            ("http://127.0.0.1.example/", UrlError::Unsafe),
            ("file:///etc/passwd", UrlError::Unsafe),
            ("https://me:secret@example.com/", UrlError::WithUser),
        ] {
            assert_eq!(WebhookUrl::new(bad).err(), Some(why), "{bad}");
        }
        let url = WebhookUrl::new("https://example.com/hidden-token").expect("usable");
        assert!(!format!("{url:?}").contains("hidden"));
    }

    #[test]
    fn secrets_are_not_repeated() {
        let url = WebhookUrl::new("https://example.com/robot/tokentoken?access_token=ab%2Fcdef&v=1").expect("usable");
        let way = Way::Http { url, secret: Some("SECtokentoken".into()) };
        let target = Target { name: "ops".into(), kind: Kind::DingTalk, way, when: Vec::new() };
        assert_eq!(target.shown(), "ops (dingtalk)");
        for (text, expected) in [
            ("it answered: ab/cdef", &*format!("it answered: {REDACTED}")),
            ("no such robot AB%2FCDEF".to_lowercase().replace("%2f", "\\/").as_str(), REDACTED),
            ("/robot/tokentoken?access_token=x", REDACTED),
            ("key SEC\\u0074okentoken".replace("\\u0074", "t").as_str(), REDACTED),
            ("errcode 310000", "errcode 310000"),
        ] {
            assert_eq!(target.without_secrets(text), expected);
        }
    }
}
