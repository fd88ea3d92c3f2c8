//! HTTP clients that go where they are sent and nowhere else: no redirect, no proxy but that of the settings, and https
//! everywhere but on this machine.

use std::error::Error;
use std::fs;
use std::path::Path;

use reqwest::{Certificate, Client, ClientBuilder, redirect};

/// A client, either for https alone, trusting these certificates besides the system's, or for plain http to this machine.
/// `tune` adds what else it needs.
///
/// # Errors
/// When the system has no root certificates and none are given.
pub(crate) fn client(
    is_https: bool,
    trusted: Vec<Certificate>,
    tune: impl Fn(ClientBuilder) -> ClientBuilder,
) -> reqwest::Result<Client> {
    let builder = || {
        let builder = Client::builder()
            .tls_backend_rustls()
            .https_only(is_https)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .user_agent(concat!("tieout/", env!("CARGO_PKG_VERSION")));
        tune(builder)
    };
    // Fails if a provider is installed already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if !is_https {
        // Plain http to this machine needs no certificates.
        return builder().tls_certs_only([]).build();
    }
    let merged = builder().tls_certs_merge(trusted.clone()).build();
    // Merging fails on a system without root certificates; then the given ones must do.
    if trusted.is_empty() { merged } else { merged.or_else(|_| builder().tls_certs_only(trusted).build()) }
}

/// Reads a PEM file of certificates to trust.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let found = Certificate::from_pem_bundle(&text).map_err(|error| root_cause(&error))?;
    if found.is_empty() {
        return Err("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Ok(found)
}

/// The innermost cause; the outer ones would repeat the URL.
#[must_use]
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if cause.is::<reqwest::Error>() { "the HTTP client gives no cause".to_owned() } else { cause.to_string() }
}
