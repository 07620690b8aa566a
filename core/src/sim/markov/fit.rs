//! A source fitted to symbols that somebody brought.

use super::{
    Chain, MarkovError,
    chain::{as_f64, contexts},
};

impl Chain {
    /// The chain of order `order` whose rows are the counted transitions of `symbols`, each plus `pseudo`.
    ///
    /// The symbols are counted as a ring (the last is followed by the first), which changes `order` of the counts and
    /// makes the counted contexts exactly stationary where `pseudo` is 0. The entropy rate of the result then is the
    /// plug-in conditional entropy of the symbols. With `pseudo` = 1/2 (Krichevsky & Trofimov 1981) nothing is
    /// impossible, as is needed to predict other text. A context that never occurs gets an even row.
    ///
    /// # Errors
    /// [`MarkovError`]: too few symbols (at most `order`), one that is not below `alphabet`, a table that would be too
    /// large, or a `pseudo` below 0.
    pub fn fit(symbols: &[u8], alphabet: usize, order: u32, pseudo: f64) -> Result<Self, MarkovError> {
        let contexts = contexts(alphabet, order)?;
        if !(pseudo.is_finite() && pseudo >= 0.0) {
            let right = "a number of at least 0".to_owned();
            return Err(MarkovError::Parameter { name: "pseudo", found: pseudo.to_string(), right });
        }
        let k = order as usize;
        if symbols.len() <= k {
            return Err(MarkovError::TooShort { have: symbols.len(), order, needed: k + 1 });
        }
        if let Some(position) = symbols.iter().position(|x| usize::from(*x) >= alphabet) {
            return Err(MarkovError::Symbol { symbol: symbols[position], position, alphabet });
        }
        let next = |context: usize, x: u8| (context * alphabet + usize::from(x)) % contexts;
        let mut context = symbols[symbols.len() - k..].iter().fold(0, |c, x| next(c, *x));
        let mut counts = vec![0_u64; contexts * alphabet];
        for &x in symbols {
            counts[context * alphabet + usize::from(x)] += 1;
            context = next(context, x);
        }
        let mut rows = Vec::with_capacity(counts.len());
        let mut law = Vec::with_capacity(contexts);
        let n = as_f64(symbols.len());
        for row in counts.chunks_exact(alphabet) {
            let sum: u64 = row.iter().sum();
            let total = count(sum) + pseudo * as_f64(alphabet);
            law.push(count(sum) / n);
            if total > 0.0 {
                rows.extend(row.iter().map(|c| (count(*c) + pseudo) / total));
            } else {
                rows.extend(std::iter::repeat_n(1.0 / as_f64(alphabet), alphabet));
            }
        }
        let mut chain = Self::with_law(alphabet, order, rows, law)?;
        if pseudo > 0.0 {
            chain.settle()?;
        }
        Ok(chain)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_finds_the_chain_again() {
        let chain = Chain::random(3, 2, 1.0, 4).unwrap();
        let text = chain.text(300_000, 2, 0);
        let fitted = Chain::fit(&text, 3, 2, 0.0).unwrap();
        assert!((fitted.entropy_rate() / chain.entropy_rate() - 1.0).abs() < 0.005);
        for context in 0..9 {
            let n = chain.stationary()[context] * 300_000.0;
            for (p, q) in chain.row(context).iter().zip(fitted.row(context)) {
                assert!((p - q).abs() < 5.0 * (p * (1.0 - p) / n).sqrt() + 1e-9, "{context}: {p} {q}");
            }
        }
        // A smoothed fit predicts fresh text about as well as the chain itself: 18 parameters cost 9/n nats.
        let fresh = chain.text(100_000, 2, 1);
        let own = chain.cross_entropy(&fresh).unwrap();
        let learned = Chain::fit(&text, 3, 2, 0.5).unwrap().cross_entropy(&fresh).unwrap();
        assert!((learned - own).abs() < 1e-3, "{learned} {own}");
    }

    #[test]
    fn without_context_a_fit_is_the_law_of_the_symbols() {
        let chain = Chain::fit(&[0, 1, 1, 2, 1], 3, 0, 0.5).unwrap();
        let law: Vec<f64> = [1.5, 3.5, 1.5].iter().map(|c| c / 6.5).collect();
        assert!(chain.row(0).iter().zip(&law).all(|(p, q)| (p - q).abs() < 1e-15));
        assert_eq!(chain.stationary(), [1.0]);
    }

    #[test]
    fn the_ring_makes_counted_contexts_stationary() {
        let text = [0, 1, 1, 0, 2, 1, 0, 0, 1, 2, 2, 1];
        let chain = Chain::fit(&text, 3, 2, 0.0).unwrap();
        let mut settled = chain.clone();
        settled.settle().unwrap();
        let worst = settled.stationary().iter().zip(chain.stationary()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-12, "{worst}");
        assert!((chain.symbol_law()[0] - 4.0 / 12.0).abs() < 1e-12);
    }

    #[test]
    fn symbols_that_do_not_do_are_refused() {
        assert!(matches!(Chain::fit(&[0, 1], 2, 2, 0.0), Err(MarkovError::TooShort { needed: 3, .. })));
        assert!(matches!(Chain::fit(&[0, 1, 2], 2, 1, 0.0), Err(MarkovError::Symbol { position: 2, symbol: 2, .. })));
        assert!(Chain::fit(&[0, 1, 1], 2, 1, -1.0).unwrap_err().to_string().contains("at least 0"));
        assert!(matches!(Chain::fit(&[0; 9], 256, 3, 0.0), Err(MarkovError::TooLarge { .. })));
    }
}
