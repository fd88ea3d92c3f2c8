//! Credentials from the profile in the shared files, where the environment has none.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use object_store::aws::AmazonS3Builder;

/// The variables by which credentials come without a profile.
const OTHERS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// Fails unless what the environment says of servers and credentials can be sent.
pub(super) fn require_plain() -> Result<(), String> {
    for (name, value) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        let name = name.to_string_lossy();
        let value = value.to_str().ok_or_else(|| format!("{name} is not a text"))?;
        if value.contains(char::is_control) {
            return Err(format!("{name} has a line break or another character that can't be sent"));
        }
        if name.starts_with("AWS_ENDPOINT") && !value.starts_with("http://") && !value.starts_with("https://") {
            return Err(format!("{name} needs to begin with https:// or http://"));
        }
    }
    Ok(())
}

/// Adds the keys and the region of the profile `AWS_PROFILE`, or `default`. Says what is wrong if a named one is not there.
pub(super) fn of_profile(builder: AmazonS3Builder) -> Result<AmazonS3Builder, String> {
    if OTHERS.iter().any(|name| env::var_os(name).is_some()) {
        return Ok(builder);
    }
    let named = env::var("AWS_PROFILE").ok();
    let profile = named.as_deref().unwrap_or("default");
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let file =
        |variable: &str, name: &str| env::var_os(variable).map_or_else(|| home.join(".aws").join(name), PathBuf::from);
    let read = |path: PathBuf| match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| format!("can't read {}: {error}", path.display())),
    };
    let (keys, config) =
        (read(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"))?, read(file("AWS_CONFIG_FILE", "config"))?);
    // In the second file, all but the default profile are called so.
    let sections =
        [(&keys, profile.to_owned()), (&config, profile.to_owned()), (&config, format!("profile {profile}"))];
    let value = |name: &str| sections.iter().find_map(|(text, section)| value(text, section, name));
    let mut builder = builder;
    match (value("aws_access_key_id"), value("aws_secret_access_key")) {
        (Some(id), Some(secret)) => builder = builder.with_access_key_id(id).with_secret_access_key(secret),
        _ if named.is_some() => return Err(format!("the profile {profile:?} (AWS_PROFILE) has no access key")),
        _ => {}
    }
    if let Some(token) = value("aws_session_token") {
        builder = builder.with_token(token);
    }
    let has_region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().any(|name| env::var_os(name).is_some());
    match value("region").filter(|_| !has_region) {
        Some(region) => Ok(builder.with_region(region)),
        None => Ok(builder),
    }
}

/// A value in a section of such a file.
fn value(text: &str, section: &str, name: &str) -> Option<String> {
    let lines = text.lines().map(str::trim);
    let of_section = lines.skip_while(|line| {
        line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).map(str::trim) != Some(section)
    });
    let mut of_section = of_section.skip(1).take_while(|line| !line.starts_with('['));
    of_section.find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_that_of_its_section() {
        let text =
            "# keys\n[default]\naws_access_key_id = one\n\n[ other ]\naws_access_key_id=two\nregion = eu-west-1\n";
        let read = |section: &str, name: &str| value(text, section, name);
        assert_eq!(read("default", "aws_access_key_id").as_deref(), Some("one"));
        assert_eq!(read("other", "aws_access_key_id").as_deref(), Some("two"));
        assert_eq!(read("default", "region"), None);
        assert_eq!(read("none", "region"), None);
    }
}
