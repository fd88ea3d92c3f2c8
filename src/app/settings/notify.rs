//! Who is told how a job ended: the tables `[[notify]]` of the settings file. What is secret in them, such as the URL of
//! a webhook, stands in the environment or in a file of its own.

use std::env;
use std::path::Path;

use secrecy::SecretString;
use toml::{Table, Value};

use super::file::with_file;
use super::provider::{KEY_VARIABLE, SPARK_TOKEN_VARIABLE, secret_file};
use super::rules::nearest;
use super::{SettingsError, language};
use crate::app::cli::{General, Notify, Options, ProviderArgs};
use crate::language::{Language, Texts};
use crate::notify::{Event, Kind, Network, Target, Way, WebhookUrl};

const KEYS: [&str; 8] = ["to", "name", "url-env", "url-file", "secret-env", "secret-file", "when", "command"];
/// The variable that may hold the password of a proxy.
const PROXY_VARIABLE: &str = "TIEOUT_PROXY";
/// The longest name of a target, in characters.
const MAX_NAME: usize = 64;

/// Who is told how a job ended, and how to reach them.
#[derive(Clone, Debug, Default)]
pub struct NotifySettings {
    /// The targets, each with a name of its own.
    pub targets: Vec<Target>,
    /// How to reach them.
    pub network: Network,
}

/// The targets in the settings file, for `tieout notify`, and the language of messages.
///
/// # Errors
/// [`SettingsError`] names the target that can't be used, and what is wrong with it.
pub fn resolve_notify(command: &Notify, general: &General) -> Result<(NotifySettings, Language), SettingsError> {
    let (proxy, ca_file) = (command.proxy.clone(), command.ca_file.clone());
    let typed = Options { provider: ProviderArgs { proxy, ca_file, ..ProviderArgs::default() }, ..Options::default() };
    let language = language(general.lang, general.config.as_deref());
    with_file(typed, general, |options| Ok((settings(&options, language)?, language)))
}

/// Validates the targets.
pub(super) fn settings(options: &Options, language: Language) -> Result<NotifySettings, SettingsError> {
    let tables = options.notify.as_deref().unwrap_or_default();
    let mut targets: Vec<Target> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let number = index + 1;
        let unusable = |problem: String| {
            let name = table.get("name").and_then(Value::as_str).filter(|name| is_name(name));
            let target = name.map_or(number.to_string(), |name| format!("{number} ({name})"));
            SettingsError::Notify { target, problem }
        };
        let target = target(table).map_err(unusable)?;
        if targets.iter().any(|other| other.name == target.name) {
            return Err(unusable(format!("there are two targets named `{}`: give each a `name`", target.name)));
        }
        targets.push(target);
    }
    let named = tables.iter().flat_map(|table| ["url-env", "secret-env"].map(|key| table.get(key)));
    let named = named.flatten().filter_map(Value::as_str);
    let hidden = [KEY_VARIABLE, SPARK_TOKEN_VARIABLE, PROXY_VARIABLE].into_iter().chain(named).map(str::to_owned);
    let network = Network {
        proxy: options.provider.proxy.clone().map(SecretString::from),
        ca_file: options.provider.ca_file.clone(),
        hidden: hidden.collect(),
        cut_mark: cut_mark(Texts::new(language)),
    };
    Ok(NotifySettings { targets, network })
}

/// What ends a text that had to be cut.
fn cut_mark(texts: Texts) -> String {
    texts.get("notify-cut")
}

fn target(table: &Table) -> Result<Target, String> {
    if let Some(key) = ["url", "secret"].into_iter().find(|key| table.contains_key(*key)) {
        return Err(format!(
            "`{key}` is a secret: name a variable that holds it with `{key}-env`, or a file with `{key}-file`"
        ));
    }
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let hint = nearest(key, KEYS)
            .map_or_else(|| format!("the keys are {}", KEYS.join(", ")), |near| format!("did you mean `{near}`?"));
        return Err(format!("there is no key `{key}`; {hint}"));
    }
    let kind = kind(table)?;
    let name = text(table, "name")?.unwrap_or(kind.code());
    if !is_name(name) {
        return Err(format!("`name`: give 1 to {MAX_NAME} characters on one line"));
    }
    let way = if kind == Kind::Command { command(table)? } else { http(table, kind)? };
    Ok(Target { name: name.to_owned(), kind, way, when: when(table, kind)? })
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control)
}

fn kind(table: &Table) -> Result<Kind, String> {
    let names = Kind::ALL.map(Kind::code);
    let choices = || format!("the services are {}", names.join(", "));
    let word = text(table, "to")?.ok_or_else(|| format!("`to` is missing; {}", choices()))?;
    // Lark is Feishu outside of China.
    let word = if word == "lark" { Kind::Feishu.code() } else { word };
    Kind::ALL.into_iter().find(|kind| kind.code() == word).ok_or_else(|| match nearest(word, names) {
        Some(near) => format!("`to` = {word:?}: did you mean `{near}`?"),
        None => format!("`to` = {word:?}: {}", choices()),
    })
}

fn when(table: &Table, kind: Kind) -> Result<Vec<Event>, String> {
    let Some(words) = texts(table, "when")? else { return Ok(Event::ALL.to_vec()) };
    if kind == Kind::Healthchecks {
        return Err("`when`: healthchecks is pinged by every job; remove it".to_owned());
    }
    let events = words.into_iter().map(|word| {
        let known = Event::ALL.into_iter().find(|event| event.code() == word);
        known.ok_or_else(|| {
            format!("`when`: there is no event {word:?}; the events are {}", Event::ALL.map(Event::code).join(", "))
        })
    });
    match events.collect::<Result<Vec<_>, _>>()? {
        events if events.is_empty() => Err("`when` is empty: name an event, or remove the target".to_owned()),
        events => Ok(events),
    }
}

fn command(table: &Table) -> Result<Way, String> {
    let forbidden =
        KEYS.into_iter().find(|key| (key.starts_with("url") || key.starts_with("secret")) && table.contains_key(*key));
    if let Some(key) = forbidden {
        return Err(format!("`{key}`: a command takes none; remove it"));
    }
    let words =
        texts(table, "command")?.ok_or("`command` is missing, such as [\"/usr/local/bin/page\", \"finance\"]")?;
    if words.first().is_none_or(|program| program.is_empty()) {
        return Err("`command` names no program".to_owned());
    }
    Ok(Way::Command(words.into_iter().map(str::to_owned).collect()))
}

fn http(table: &Table, kind: Kind) -> Result<Way, String> {
    if table.contains_key("command") {
        return Err(format!("`command`: {} takes none; remove it, or write `to = \"command\"`", kind.code()));
    }
    let url = secret(table, "url-env", "url-file")?;
    let (url, origin) =
        url.ok_or("its URL is missing: name a variable that holds it with `url-env`, or a file with `url-file`")?;
    let secret = secret(table, "secret-env", "secret-file")?;
    if let Some((_, origin)) = secret.as_ref().filter(|_| !kind.is_signed()) {
        return Err(format!("{origin}: messages to {} are not signed; remove it", kind.code()));
    }
    let url = WebhookUrl::new(&url).map_err(|error| format!("{origin}: {error}"))?;
    Ok(Way::Http { url, secret: secret.map(|(secret, _)| secret.into()) })
}

/// A secret from a variable or from a file, and where it is from.
fn secret(table: &Table, env_key: &str, file_key: &str) -> Result<Option<(String, String)>, String> {
    let (text, origin) = match (text(table, env_key)?, text(table, file_key)?) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(format!("give one of `{env_key}` and `{file_key}`")),
        (Some(name), None) => {
            if !is_variable(name) {
                return Err(format!(
                    "`{env_key}` is not the name of a variable (it is not shown here, since it may be a secret)"
                ));
            }
            let value = env::var(name).map_err(|_| format!("`{env_key}`: the variable {name} is not set"))?;
            (value, format!("`{env_key}`, {name}"))
        }
        (None, Some(path)) => {
            if path.contains("://") {
                return Err(format!("`{file_key}` is a URL: write the URL into a file, and name the file"));
            }
            let text = secret_file(Path::new(path)).map_err(|problem| format!("`{file_key}`, {path}: {problem}"))?;
            (text, format!("`{file_key}`, {path}"))
        }
    };
    match text.trim() {
        "" => Err(format!("{origin}: it is empty")),
        text => Ok(Some((text.to_owned(), origin))),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn text<'t>(table: &'t Table, key: &str) -> Result<Option<&'t str>, String> {
    let value = table.get(key);
    value.map(|value| value.as_str().ok_or_else(|| format!("`{key}` must be a text in quotes"))).transpose()
}

fn texts<'t>(table: &'t Table, key: &str) -> Result<Option<Vec<&'t str>>, String> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let words = value.as_array().and_then(|words| words.iter().map(Value::as_str).collect());
    words.map(Some).ok_or_else(|| format!("`{key}` must be a list of texts in quotes"))
}

#[cfg(test)]
mod tests;
