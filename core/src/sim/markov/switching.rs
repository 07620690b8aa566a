//! The order-k switching process.

use super::{Chain, MarkovError, entropy_nats};

/// Binary symbols that depend only on the one k places back: Pr(X_t = 1 | X_{t−k} = 0) = p, Pr(X_t = 0 | X_{t−k} = 1) = q.
///
/// It is k independent two-state chains, interleaved, so a predictor that sees fewer than k symbols does no better than
/// one that sees none. Rajaraman, Jiao, Ramchandran, "Toward a Theory of Tokenization in LLMs", arXiv 2404.08335 (2024).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Switching {
    /// k, 1 to 12.
    pub order: u32,
    /// Probability of 0 → 1 at lag k, above 0 and at most 1.
    pub p: f64,
    /// Probability of 1 → 0 at lag k, above 0 and at most 1.
    pub q: f64,
}

impl Switching {
    /// Whether it is such a process.
    ///
    /// # Errors
    /// [`MarkovError::Parameter`].
    pub fn check(&self) -> Result<(), MarkovError> {
        let wrong =
            |name, found: String, right: &str| Err(MarkovError::Parameter { name, found, right: right.to_owned() });
        if !(1..=12).contains(&self.order) {
            return wrong("order", self.order.to_string(), "1 to 12 places back");
        }
        for (name, value) in [("p", self.p), ("q", self.q)] {
            if !(value > 0.0 && value <= 1.0) {
                return wrong(name, value.to_string(), "a probability above 0 and at most 1");
            }
        }
        Ok(())
    }

    /// The stationary law of a symbol: q/(p+q), p/(p+q).
    #[must_use]
    pub fn symbol_law(&self) -> [f64; 2] {
        let sum = self.p + self.q;
        [self.q / sum, self.p / sum]
    }

    /// H₁ = h(p/(p+q)): the loss of the best predictor that sees fewer than k symbols, in nats.
    #[must_use]
    pub fn unigram_entropy(&self) -> f64 {
        entropy_nats(&self.symbol_law())
    }

    /// H = (q h(p) + p h(q))/(p+q) in nats a symbol. It does not depend on k.
    #[must_use]
    pub fn entropy_rate(&self) -> f64 {
        let h = |x: f64| entropy_nats(&[x, 1.0 - x]);
        let [zero, one] = self.symbol_law();
        zero * h(self.p) + one * h(self.q)
    }

    /// H(X_1 … X_m): m H₁ up to m = k, then H more for each symbol.
    #[must_use]
    pub fn block_entropy(&self, m: u32) -> f64 {
        let free = m.min(self.order);
        f64::from(free) * self.unigram_entropy() + f64::from(m - free) * self.entropy_rate()
    }

    /// Correlation of symbols `lag` places apart: (1 − p − q)^j at lag j k, otherwise 0.
    #[must_use]
    pub fn autocorrelation(&self, lag: u32) -> f64 {
        if lag.is_multiple_of(self.order) { (1.0 - self.p - self.q).powf(f64::from(lag / self.order)) } else { 0.0 }
    }

    /// The loss of the best unigram model over all words of length m (theorem T1 of the sheet, exact for this source):
    /// H + min(1, k/m) (H₁ − H), in nats a symbol.
    #[must_use]
    pub fn word_unigram_loss(&self, m: u32) -> f64 {
        let share = (f64::from(self.order) / f64::from(m)).min(1.0);
        self.entropy_rate() + share * (self.unigram_entropy() - self.entropy_rate())
    }

    /// The process as a chain of order k: 2^k rows, of which only the oldest symbol matters.
    ///
    /// # Errors
    /// As [`Switching::check`].
    pub fn chain(&self) -> Result<Chain, MarkovError> {
        self.check()?;
        let contexts = 1_usize << self.order;
        let law = self.symbol_law();
        let mut rows = Vec::with_capacity(2 * contexts);
        let mut stationary = Vec::with_capacity(contexts);
        for context in 0..contexts {
            let one = if context >> (self.order - 1) == 0 { self.p } else { 1.0 - self.q };
            rows.extend([1.0 - one, one]);
            stationary.push((0..self.order).map(|bit| law[(context >> bit) & 1]).product());
        }
        Chain::with_law(2, self.order, rows, stationary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropies_are_those_of_the_sheet() {
        let table = [
            (0.8, 0.8, std::f64::consts::LN_2, 0.500_402),
            (0.9, 0.9, std::f64::consts::LN_2, 0.325_083),
            (0.5, 0.8, 0.666_278, 0.619_015),
            (0.2, 0.3, 0.673_012, 0.544_587),
        ];
        for (p, q, unigram, rate) in table {
            let source = Switching { order: 3, p, q };
            // The table has six digits.
            assert!((source.unigram_entropy() - unigram).abs() < 5e-7, "{p} {q}");
            assert!((source.entropy_rate() - rate).abs() < 5e-7, "{p} {q}");
        }
    }

    #[test]
    fn closed_forms_and_the_chain_of_two_to_the_k_rows_agree() {
        for order in 1..=6 {
            let source = Switching { order, p: 0.7, q: 0.4 };
            let chain = source.chain().unwrap();
            assert!((chain.unigram_entropy() - source.unigram_entropy()).abs() < 1e-12);
            assert!((chain.entropy_rate() - source.entropy_rate()).abs() < 1e-12);
            for window in 0..=order {
                let expected = if window < order { source.unigram_entropy() } else { source.entropy_rate() };
                assert!((chain.conditional_entropy(window) - expected).abs() < 1e-12, "{order} {window}");
            }
            // The law that was written down is the one that power iteration finds.
            let found = Chain::new(2, order, chain.rows().to_vec()).unwrap();
            let worst =
                found.stationary().iter().zip(chain.stationary()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-12, "{order}: {worst}");
        }
        let source = Switching { order: 2, p: 0.8, q: 0.8 };
        assert!(
            (source.block_entropy(5) - (2.0 * source.unigram_entropy() + 3.0 * source.entropy_rate())).abs() < 1e-12
        );
        assert!((source.autocorrelation(2) + 0.6).abs() < 1e-12 && source.autocorrelation(3).abs() < 1e-300);
        assert!((source.word_unigram_loss(4) - 0.5968).abs() < 5e-5);
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        let message = Switching { order: 0, p: 0.5, q: 0.5 }.chain().unwrap_err().to_string();
        assert!(message.contains("order is 0"), "{message}");
        let message = Switching { order: 1, p: 0.0, q: 0.5 }.chain().unwrap_err().to_string();
        assert!(message.contains("p is 0") && message.contains("above 0"), "{message}");
        assert!(Switching { order: 1, p: f64::NAN, q: 0.5 }.check().is_err());
    }
}
