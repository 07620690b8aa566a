//! How long work reports its progress and is asked to stop.
//!
//! `core` has no clock and no event loop, so it cannot know when a page wants to paint or a user has
//! pressed Escape. Long loops call [`Pace::tick`] every few hundred thousand operations; the door
//! (page or command line) decides whether that draws a bar, yields to the browser, or ends the work.

use futures_util::future::LocalBoxFuture;

/// The work was cancelled by the user. What had been finished before is kept by whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Called by long work, often enough that a cancel is felt within 100 ms.
pub trait Pace {
    /// `done` of `total` steps (of any size) are behind us.
    ///
    /// # Errors
    /// [`Cancelled`] when the work should end now.
    fn tick(&self, done: u64, total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>>;
}

/// Never yields, never cancels: for tests and for library users who wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unhurried;

impl Pace for Unhurried {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
