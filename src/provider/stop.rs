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
    /// No reply came from the provider's API: the address is wrong, or a gateway answers in its place. Holds what came.
    #[error(
        "nothing could be fetched: no reply came from the provider's API, JSON with a `code` ({0}): the base URL is wrong, \
         or a gateway answers in its place"
    )]
    NotTheApi(String),
    /// The caller wants no more ([`super::Provider::stop`]).
    #[error("stopped before this order was asked for")]
    Called,
}
