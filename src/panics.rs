//! Panics of libraries, caught where they are expected and made errors. Nothing of them is printed, and any other panic stays what
//! it is.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// What a panic says.
pub(crate) type Payload = dyn Any + Send;
/// Which panics are expected.
type Expected = fn(&Payload) -> bool;

thread_local! {
    /// Which panics of this thread are reported by who expects them, and so not told twice.
    static EXPECTED: Cell<Option<Expected>> = const { Cell::new(None) };
}

/// Does something in this thread alone, and catches the panics that are expected of it.
///
/// # Errors
/// What the panic said.
pub(crate) fn caught<T>(expected: Expected, make: impl FnOnce() -> T) -> Result<T, Box<Payload>> {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !EXPECTED.get().is_some_and(|expected| expected(info.payload())) {
                tell(info);
            }
        }));
    });
    let outer = EXPECTED.replace(Some(expected));
    // Nothing of what was being made is looked at again.
    let made = panic::catch_unwind(AssertUnwindSafe(make));
    EXPECTED.set(outer);
    made.or_else(|payload| if expected(&*payload) { Err(payload) } else { panic::resume_unwind(payload) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_caught_and_nothing_else_is_touched() {
        assert_eq!(caught(|_| true, || 1).ok(), Some(1));
        let inner = || caught(|_| true, || panic!("inner")).map_err(|payload| payload.is::<&str>());
        assert_eq!(caught(|_| false, inner).ok(), Some(Err::<(), bool>(true)));
        assert!(EXPECTED.get().is_none(), "as it was before");
    }

    #[test]
    #[should_panic(expected = "a mistake of ours")]
    fn a_mistake_stays_one() {
        let _ = caught::<()>(|_| false, || panic!("a mistake of ours"));
    }
}
