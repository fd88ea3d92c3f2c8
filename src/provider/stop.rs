//! Why a whole run is stopped early.

/// Why the whole run stops at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The provider does not accept the key, so no order can be fetched.
    #[error("the provider rejects the API key ({code}{}{message}): check that it is complete and has not expired",
        if message.is_empty() { "" } else { ": " })]
    KeyRejected {
        /// `http-401` or `code-401`.
        code: String,
        /// The provider's message, on one line; may be empty.
        message: String,
    },
    /// No reply is the provider's envelope: the address is wrong, or a gateway answers instead. Holds the last status,
    /// such as `http-404`.
    #[error(
        "nothing could be fetched: no reply came from the provider's API (last: {0}; expected JSON with a `code`): the \
         base URL is wrong, or a gateway answers in its place"
    )]
    NotTheApi(String),
    /// The caller stopped the client ([`super::Provider::stop`]).
    #[error("stopped before this order was requested")]
    Called,
}
