//! Panics of the crates that read Parquet and Arrow.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, catch_unwind},
};

use crate::Error;

thread_local! {
    /// A panic now is told as an error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics out of standard error that become errors: the crates that read Parquet and Arrow meet some damage with a panic,
/// which is caught and said as [`Error::Panicked`]. For a program to call once, at its start; all other panics are
/// reported as before.
pub fn hush_caught_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !GUARDED.try_with(Cell::get).unwrap_or(false) {
            before(info);
        }
    }));
}

/// The crates promise errors for damaged files, and sometimes panic: then the file is damaged as well. In wasm a panic
/// ends the module instead, and whoever has loaded it says the same.
pub(crate) fn guarded<T, E: Into<Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Error> {
    GUARDED.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    match outcome {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(match error.into() {
            Error::Malformed(why) if why.to_lowercase().contains("zstd") => Error::Zstd,
            error => error,
        }),
        Err(_) => Err(Error::Panicked),
    }
}
