//! How much work one submission may hold.
//!
//! A browser kills a device whose submission runs for seconds, and cancelling can only act between submissions.
//! So each kernel's submissions grow while they are quick and shrink when they are slow, whatever the adapter.

use std::{cell::RefCell, collections::HashMap, time::Duration};

/// What a submission should take at most.
const SLOW: Duration = Duration::from_millis(50);
/// What a full submission should take at least.
const QUICK: Duration = Duration::from_millis(15);

/// The sizes that were found good, per kernel. They outlive a call, so that the next one starts with them.
#[derive(Debug, Default)]
pub(crate) struct Budgets(RefCell<HashMap<&'static str, u64>>);

impl Budgets {
    /// The size of the next submission of `kernel`, `start` at first.
    pub(crate) fn get(&self, kernel: &'static str, start: u64) -> u64 {
        *self.0.borrow_mut().entry(kernel).or_insert(start)
    }

    /// A submission of `work` took `time`. The size stays at least `least`: below that, what is measured is the
    /// round trip to the browser and not the work.
    pub(crate) fn learn(&self, kernel: &'static str, work: u64, time: Duration, least: u64) {
        let mut budgets = self.0.borrow_mut();
        let Some(size) = budgets.get_mut(kernel) else { return };
        if time > SLOW {
            *size = (*size / 2).max(least);
        } else if time < QUICK && work * 2 > *size {
            *size = size.saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Budgets;

    #[test]
    fn sizes_follow_the_time() {
        let budgets = Budgets::default();
        assert_eq!(budgets.get("a", 100), 100);
        budgets.learn("a", 100, Duration::from_millis(1), 10);
        assert_eq!(budgets.get("a", 100), 200);
        budgets.learn("a", 50, Duration::from_millis(1), 10); // a small rest says nothing
        assert_eq!(budgets.get("a", 100), 200);
        for _ in 0..9 {
            budgets.learn("a", 200, Duration::from_millis(900), 10);
        }
        assert_eq!(budgets.get("a", 100), 10);
    }
}
