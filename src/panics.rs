//! Turns expected panics of libraries into errors, without printing them. Any other panic is left alone.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// The payload of a panic.
pub(crate) type Payload = dyn Any + Send;
/// Decides whether a panic with this payload is expected.
type Expected = fn(&Payload) -> bool;

thread_local! {
    /// The panics of this thread that a caller handles, so that the hook must not print them.
    static EXPECTED: Cell<Option<Expected>> = const { Cell::new(None) };
}

/// Runs `make`, which must stay on this thread, and catches the panics that are expected of it.
///
/// # Errors
/// The payload of an expected panic. Any other panic goes on.
pub(crate) fn catch<T>(expected: Expected, make: impl FnOnce() -> T) -> Result<T, Box<Payload>> {
    static HOOK_SET: Once = Once::new();
    HOOK_SET.call_once(|| {
        let previous_hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !EXPECTED.get().is_some_and(|expected| expected(info.payload())) {
                previous_hook(info);
            }
        }));
    });
    let outer = EXPECTED.replace(Some(expected));
    // Unwind safe: whatever a panic leaves half made is never used again.
    let made = panic::catch_unwind(AssertUnwindSafe(make));
    EXPECTED.set(outer);
    made.or_else(|payload| if expected(&*payload) { Err(payload) } else { panic::resume_unwind(payload) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expected_panics_are_caught() {
        assert_eq!(catch(|_| true, || 1).ok(), Some(1));
        let inner = || catch(|_| true, || panic!("inner")).map_err(|payload| payload.is::<&str>());
        assert_eq!(catch(|_| false, inner).ok(), Some(Err::<(), bool>(true)));
        assert!(EXPECTED.get().is_none(), "restored");
    }

    #[test]
    #[should_panic(expected = "a mistake of ours")]
    fn an_unexpected_panic_goes_on() {
        let _ = catch::<()>(|_| false, || panic!("a mistake of ours"));
    }
}
