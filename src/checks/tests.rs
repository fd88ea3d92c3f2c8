//! The due rules and the identities, with figures worked out by hand and by plain integers.
