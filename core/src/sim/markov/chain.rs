//! A chain of any order over a small alphabet.

use super::{MarkovError, entropy_nats, gamma::gamma};
use crate::rng::Philox;

/// The most numbers that a table of next-symbol laws may have: 32 MiB of f64.
pub const MOST_CELLS: usize = 1 << 22;
/// The most contexts of a random chain.
const MOST_RANDOM_CONTEXTS: usize = 4096;
/// The most steps of the power iteration, and the change at which it ends.
const MOST_STEPS: u32 = 200_000;
const SETTLED: f64 = 1e-15;
/// A change above this after the last step is an error.
const UNSETTLED: f64 = 1e-9;
/// The Philox stream of the rows of a random chain; texts are numbered from 0 and never reach it.
const ROWS: u64 = u64::MAX;

/// A Markov chain: the law of the next symbol after each context, and the stationary law of the contexts.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    alphabet: usize,
    order: u32,
    rows: Vec<f64>,
    stationary: Vec<f64>,
}

impl Chain {
    /// A chain from its rows, context by context; the stationary law is found by power iteration.
    ///
    /// # Errors
    /// [`MarkovError`]: a table of the wrong size, a row that is no law, or a chain whose law does not settle.
    pub fn new(alphabet: usize, order: u32, rows: Vec<f64>) -> Result<Self, MarkovError> {
        let contexts = contexts(alphabet, order)?;
        let uniform = vec![1.0 / as_f64(contexts); contexts];
        let mut chain = Self::with_law(alphabet, order, rows, uniform)?;
        chain.settle()?;
        Ok(chain)
    }

    /// A chain whose stationary law is known.
    pub(super) fn with_law(
        alphabet: usize,
        order: u32,
        mut rows: Vec<f64>,
        stationary: Vec<f64>,
    ) -> Result<Self, MarkovError> {
        let contexts = contexts(alphabet, order)?;
        if rows.len() != contexts * alphabet {
            return Err(MarkovError::Parameter {
                name: "rows",
                found: format!("a table of {} numbers", rows.len()),
                right: format!("{contexts} rows of {alphabet}"),
            });
        }
        for (context, row) in rows.chunks_exact_mut(alphabet).enumerate() {
            if let Some(bad) = row.iter().find(|p| !(p.is_finite() && **p >= 0.0)) {
                return Err(MarkovError::Row { context, why: format!("it has the probability {bad}") });
            }
            let sum: f64 = row.iter().sum();
            if (sum - 1.0).abs() > 1e-9 {
                return Err(MarkovError::Row { context, why: format!("its probabilities add up to {sum}, not to 1") });
            }
            row.iter_mut().for_each(|p| *p /= sum);
        }
        Ok(Self { alphabet, order, rows, stationary })
    }

    /// A chain with independent rows from the symmetric Dirichlet law of concentration `alpha` (0.5: most rows prefer a
    /// few symbols; 1: uniform over laws; large: nearly even).
    ///
    /// # Errors
    /// [`MarkovError::Parameter`] where there are not 2 to 16 symbols, order 1 to 4, at most 4096 contexts and alpha
    /// from 0.01 to 1000.
    pub fn random(alphabet: usize, order: u32, alpha: f64, seed: u64) -> Result<Self, MarkovError> {
        let wrong = |name, found: String, right: String| Err(MarkovError::Parameter { name, found, right });
        if !(2..=16).contains(&alphabet) {
            return wrong("alphabet", alphabet.to_string(), "2 to 16 symbols".to_owned());
        }
        if !(1..=4).contains(&order) {
            return wrong("order", order.to_string(), "1 to 4".to_owned());
        }
        if !(0.01..=1000.0).contains(&alpha) {
            return wrong("alpha", alpha.to_string(), "0.01 to 1000".to_owned());
        }
        let contexts = contexts(alphabet, order)?;
        if contexts > MOST_RANDOM_CONTEXTS {
            let right = format!("one with {alphabet}^order at most {MOST_RANDOM_CONTEXTS}");
            return wrong("order", order.to_string(), right);
        }
        let mut rng = Philox::new(seed, ROWS);
        let mut rows = vec![0.0; contexts * alphabet];
        for row in rows.chunks_exact_mut(alphabet) {
            row.iter_mut().for_each(|x| *x = gamma(alpha, &mut rng));
            let sum: f64 = row.iter().sum();
            if sum > 0.0 {
                row.iter_mut().for_each(|x| *x /= sum);
            } else {
                // Every draw underflowed: the limit of a small concentration, all mass on one symbol.
                let bound = u32::try_from(alphabet).unwrap_or(u32::MAX);
                row[rng.below(bound) as usize] = 1.0;
            }
        }
        Self::new(alphabet, order, rows)
    }

    /// Symbols are 0 to `alphabet` − 1.
    #[must_use]
    pub const fn alphabet(&self) -> usize {
        self.alphabet
    }

    /// How many past symbols the next one depends on.
    #[must_use]
    pub const fn order(&self) -> u32 {
        self.order
    }

    /// Contexts: alphabet^order.
    #[must_use]
    pub const fn contexts(&self) -> usize {
        self.stationary.len()
    }

    /// The law of the next symbol, row after row.
    #[must_use]
    pub fn rows(&self) -> &[f64] {
        &self.rows
    }

    /// The law of the next symbol after `context`.
    #[must_use]
    pub fn row(&self, context: usize) -> &[f64] {
        &self.rows[context * self.alphabet..][..self.alphabet]
    }

    /// The stationary law of the contexts.
    #[must_use]
    pub fn stationary(&self) -> &[f64] {
        &self.stationary
    }

    /// The smallest probability of any row: the δ of the theorems.
    #[must_use]
    pub fn smallest(&self) -> f64 {
        self.rows.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The stationary law of a symbol.
    #[must_use]
    pub fn symbol_law(&self) -> Vec<f64> {
        self.window_law(1.min(self.order)).chunks_exact(self.alphabet).fold(vec![0.0; self.alphabet], |mut sum, row| {
            sum.iter_mut().zip(row).for_each(|(s, p)| *s += p);
            sum
        })
    }

    /// H₁, the entropy of a symbol on its own, in nats.
    #[must_use]
    pub fn unigram_entropy(&self) -> f64 {
        entropy_nats(&self.symbol_law())
    }

    /// H = Σ_c π(c) H(P(c, ·)) in nats a symbol.
    #[must_use]
    pub fn entropy_rate(&self) -> f64 {
        self.conditional_entropy(self.order)
    }

    /// H(X_t | X_{t−w} … X_{t−1}) in nats: the loss of the best predictor that sees `window` symbols. It falls from H₁ at
    /// 0 to H at the order, and stays.
    #[must_use]
    pub fn conditional_entropy(&self, window: u32) -> f64 {
        let joint = self.window_law(window.min(self.order));
        joint
            .chunks_exact(self.alphabet)
            .map(|row| {
                let sum: f64 = row.iter().sum();
                row.iter().filter(|p| **p > 0.0).map(|p| -p * (p / sum).ln()).sum::<f64>()
            })
            .sum()
    }

    /// The joint law of the last `window` ≤ order symbols and the next one.
    fn window_law(&self, window: u32) -> Vec<f64> {
        // The newest `window` symbols are the low digits of a context.
        let kept = self.alphabet.pow(window);
        let mut joint = vec![0.0; kept * self.alphabet];
        for (context, (row, weight)) in self.rows.chunks_exact(self.alphabet).zip(&self.stationary).enumerate() {
            let cells = &mut joint[(context % kept) * self.alphabet..][..self.alphabet];
            cells.iter_mut().zip(row).for_each(|(cell, p)| *cell += weight * p);
        }
        joint
    }

    /// The chain that somebody sees who sees only the last `order` symbols: Pr(x | last `order`), with its contexts as
    /// frequent as they are here. For `order` at or above its own it is the chain itself. A context that never occurs gets an
    /// even row.
    #[must_use]
    pub fn shortened(&self, order: u32) -> Self {
        let order = order.min(self.order);
        let mut rows = self.window_law(order);
        let mut stationary = Vec::with_capacity(rows.len() / self.alphabet);
        for row in rows.chunks_exact_mut(self.alphabet) {
            let sum: f64 = row.iter().sum();
            stationary.push(sum);
            let even = 1.0 / as_f64(self.alphabet);
            row.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { even });
        }
        Self { alphabet: self.alphabet, order, rows, stationary }
    }

    /// π by power iteration of (1 + P)/2, which settles for periodic chains too.
    pub(super) fn settle(&mut self) -> Result<(), MarkovError> {
        let contexts = self.contexts();
        if self.order == 0 {
            // One context, which is always the next.
            self.stationary.fill(1.0);
            return Ok(());
        }
        let mut next = vec![0.0; contexts];
        let mut change = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            next.iter_mut().for_each(|x| *x = 0.0);
            for (context, (row, weight)) in self.rows.chunks_exact(self.alphabet).zip(&self.stationary).enumerate() {
                let first = (context * self.alphabet) % contexts;
                next[first..first + self.alphabet].iter_mut().zip(row).for_each(|(x, p)| *x += weight * p);
            }
            let sum: f64 = next.iter().sum();
            change = 0.0;
            for (now, next) in self.stationary.iter_mut().zip(&next) {
                let mixed = 0.5 * (*now + next / sum);
                change += (mixed - *now).abs();
                *now = mixed;
            }
            if change < SETTLED {
                return Ok(());
            }
        }
        // Rounding can keep the change just above the mark.
        if change < UNSETTLED { Ok(()) } else { Err(MarkovError::Unsettled { steps: MOST_STEPS, change }) }
    }
}

/// alphabet^order, if there may be so many.
pub(super) fn contexts(alphabet: usize, order: u32) -> Result<usize, MarkovError> {
    if !(1..=256).contains(&alphabet) {
        let right = "1 to 256 symbols".to_owned();
        return Err(MarkovError::Parameter { name: "alphabet", found: alphabet.to_string(), right });
    }
    let contexts = alphabet.checked_pow(order).filter(|n| n.checked_mul(alphabet).is_some_and(|c| c <= MOST_CELLS));
    contexts.ok_or(MarkovError::TooLarge { alphabet, order, limit: MOST_CELLS })
}

#[expect(clippy::cast_precision_loss, reason = "counts of contexts and symbols are far below 2^53")]
pub(super) const fn as_f64(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// π P = π, π adds up to 1, and conditional entropies fall.
    fn sound(chain: &Chain) {
        let (a, n) = (chain.alphabet(), chain.contexts());
        let mut next = vec![0.0; n];
        for (context, weight) in chain.stationary().iter().enumerate() {
            for (x, p) in chain.row(context).iter().enumerate() {
                next[(context * a + x) % n] += weight * p;
            }
        }
        let worst = next.iter().zip(chain.stationary()).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-13, "{worst}");
        assert!((chain.stationary().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let entropies: Vec<f64> = (0..=chain.order()).map(|w| chain.conditional_entropy(w)).collect();
        assert!(entropies.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12), "{entropies:?}");
        assert!((entropies[0] - chain.unigram_entropy()).abs() < 1e-12);
    }

    #[test]
    fn a_shortened_chain_has_the_entropies_of_what_is_seen() {
        let chain = Chain::random(3, 3, 0.5, 11).unwrap();
        for order in 0..=3 {
            let short = chain.shortened(order);
            assert_eq!((short.order(), short.contexts()), (order, 3_usize.pow(order)));
            assert!((short.entropy_rate() - chain.conditional_entropy(order)).abs() < 1e-12, "{order}");
        }
        assert_eq!(chain.shortened(9).order(), 3);
    }

    #[test]
    fn random_chains_are_stationary_and_repeat() {
        for (alphabet, order, alpha) in [(2, 1, 0.5), (3, 2, 0.5), (16, 3, 0.5), (5, 4, 2.0), (4, 1, 0.3)] {
            let chain = Chain::random(alphabet, order, alpha, 7).unwrap();
            sound(&chain);
            assert_eq!(chain, Chain::random(alphabet, order, alpha, 7).unwrap());
            assert_ne!(chain, Chain::random(alphabet, order, alpha, 8).unwrap());
        }
    }

    #[test]
    fn dirichlet_rows_have_their_mean_and_variance() {
        let (alphabet, alpha) = (4_usize, 0.5);
        let chain = Chain::random(alphabet, 4, alpha, 3).unwrap();
        let first: Vec<f64> = (0..chain.contexts()).map(|c| chain.row(c)[0]).collect();
        let n = as_f64(first.len());
        let mean = first.iter().sum::<f64>() / n;
        let variance = first.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        // Dirichlet(α, …, α) over A symbols: mean 1/A, variance (A−1)/(A²(Aα+1)) = 0.0625; 256 rows.
        let expected = 3.0 / (16.0 * 3.0);
        assert!((mean - 0.25).abs() < 5.0 * (expected / n).sqrt(), "{mean}");
        // The fourth central moment is below 0.011, so the error of the variance below 0.0066 of five.
        assert!((variance - expected).abs() < 5.0 * (0.011 / n).sqrt(), "{variance}");
    }

    #[test]
    fn a_periodic_chain_settles_and_tables_that_are_none_are_refused() {
        let turn = Chain::new(2, 1, vec![0.0, 1.0, 1.0, 0.0]).unwrap();
        sound(&turn);
        assert!(turn.entropy_rate().abs() < 1e-15 && (turn.unigram_entropy() - 2_f64.ln()).abs() < 1e-12);
        let fails = |a, k, rows: &[f64]| Chain::new(a, k, rows.to_vec()).unwrap_err().to_string();
        assert!(fails(2, 1, &[0.5, 0.5, 0.5]).contains("2 rows of 2"));
        assert!(fails(2, 1, &[0.5, 0.5, 0.5, 0.6]).contains("context 1"));
        assert!(fails(2, 1, &[0.5, 0.5, f64::NAN, 0.6]).contains("NaN"));
        assert!(fails(300, 1, &[]).contains("1 to 256"));
        assert!(fails(256, 3, &[]).contains("256^3"));
        // Rows this sharp hold each context for millions of steps.
        assert!(matches!(Chain::random(4, 1, 0.05, 7), Err(MarkovError::Unsettled { .. })));
        let message = Chain::random(16, 4, 0.5, 1).unwrap_err().to_string();
        assert!(message.contains("4096"), "{message}");
    }
}
