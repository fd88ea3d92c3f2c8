//! What ends a whole run before its end.

/// What ends the whole run at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The provider does not accept the key: no other order would fare better.
    #[error("the provider rejects the API key ({code}{}{message}): check that it is whole and has not expired",
        if message.is_empty() { "" } else { ": " })]
    KeyRejected {
        /// `http-401` or `code-401`.
        code: String,
        /// The provider's own words, on one line; may be empty.
        message: String,
    },
    /// The first twenty replies all had status 403.
    #[error(
        "the provider forbids everything (the first 20 replies all have status 403): check that the key may read run orders"
    )]
    Forbidden,
    /// The first twenty replies all had status 404 and came from something else than the provider's API.
    #[error(
        "there is no such API (the first 20 replies all have status 404, none in the provider's words): check the base URL"
    )]
    NotTheApi,
    /// The caller wants no more ([`super::Provider::stop`]).
    #[error("stopped before this order was asked for")]
    Called,
}
