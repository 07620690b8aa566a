//! Plug-in models over tokens: what a table of counts already achieves.

use super::{TokenError, as_f64};

/// Counts of tokens and, if asked for, of pairs. Losses are in nats a source symbol: the sum of −ln Q over the predicted
/// tokens by the sum of their lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct Ngram {
    size: usize,
    /// Added to every count.
    pseudo: f64,
    singles: Vec<u64>,
    /// `size` rows; empty where pairs are not counted.
    pairs: Vec<u64>,
}

/// The most numbers of a table of pairs.
const MOST_PAIRS: usize = 1 << 24;

impl Ngram {
    /// Counts `tokens` of a dictionary of `size`, for a unigram model, or for a bigram model where `pairs`. Each count gets
    /// `pseudo` more: 1/2 for other text, 0 for the plug-in entropy of the same one.
    ///
    /// # Errors
    /// [`TokenError::Token`] for a token that is not in the dictionary; [`TokenError::Size`] where a table of pairs would
    /// be too large.
    pub fn fit(tokens: &[u32], size: usize, pairs: bool, pseudo: f64) -> Result<Self, TokenError> {
        known(tokens, size)?;
        if pairs && size.checked_mul(size).is_none_or(|n| n > MOST_PAIRS) {
            return Err(TokenError::Size { asked: size, low: 1, high: MOST_PAIRS.isqrt() });
        }
        let mut model =
            Self { size, pseudo, singles: vec![0; size], pairs: vec![0; if pairs { size * size } else { 0 }] };
        tokens.iter().for_each(|t| model.singles[*t as usize] += 1);
        if pairs {
            tokens.windows(2).for_each(|w| model.pairs[w[0] as usize * size + w[1] as usize] += 1);
        }
        Ok(model)
    }

    /// The model's probabilities of the next token after `token`; of any token for a unigram model.
    #[must_use]
    pub fn law(&self, token: u32) -> Vec<f64> {
        let row = if self.pairs.is_empty() {
            &self.singles[..]
        } else {
            self.pairs.get(token as usize * self.size..).and_then(|r| r.get(..self.size)).unwrap_or(&[])
        };
        let total = as_f64(row.iter().sum()) + self.pseudo * as_f64(self.size as u64);
        row.iter().map(|c| (as_f64(*c) + self.pseudo) / total).collect()
    }

    /// The loss on `tokens`, whose lengths in symbols are `lengths[token]`: `None` without a predicted token, infinite
    /// where one of them is impossible.
    ///
    /// # Errors
    /// [`TokenError::Token`] for a token that is not in the dictionary.
    pub fn loss(&self, tokens: &[u32], lengths: &[u32]) -> Result<Option<f64>, TokenError> {
        known(tokens, self.size.min(lengths.len()))?;
        let mut symbols = 0;
        let mut nats = 0.0;
        if self.pairs.is_empty() {
            let cost: Vec<f64> = self.law(0).iter().map(|p| -p.ln()).collect();
            for t in tokens {
                nats += cost[*t as usize];
                symbols += u64::from(lengths[*t as usize]);
            }
        } else {
            let cost: Vec<f64> = (0..self.size).flat_map(|t| self.law(super::id(t))).map(|p| -p.ln()).collect();
            for w in tokens.windows(2) {
                nats += cost[w[0] as usize * self.size + w[1] as usize];
                symbols += u64::from(lengths[w[1] as usize]);
            }
        }
        Ok((symbols > 0).then(|| nats / as_f64(symbols)))
    }
}

/// The share of windows of `tokens` tokens that span at least `symbols` source symbols: how reliably a short window of
/// tokens holds a long history (Fesharaki et al. 2026). `None` where there is no such window.
#[must_use]
pub fn spans(text: &[u32], lengths: &[u32], tokens: usize, symbols: u32) -> Option<f64> {
    let length = |t: &u32| u64::from(lengths.get(*t as usize).copied().unwrap_or(0));
    let windows = text.windows(tokens.max(1));
    let all = windows.len();
    let long = windows.filter(|w| w.iter().map(length).sum::<u64>() >= u64::from(symbols)).count();
    (all > 0).then(|| as_f64(long as u64) / as_f64(all as u64))
}

fn known(tokens: &[u32], size: usize) -> Result<(), TokenError> {
    match tokens.iter().find(|t| **t as usize >= size) {
        Some(&token) => Err(TokenError::Token { token, size }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Encoder, Kind, Tokenizer};

    #[test]
    fn the_sheets_losses_come_out() {
        let text: Vec<u8> = "001100111001100110001100110011011001".bytes().map(|b| b - b'0').collect();
        for (kind, size, expected) in
            [(Kind::Bpe, 6, 0.487_106), (Kind::Lzw, 8, 0.587_061), (Kind::Characters, 2, std::f64::consts::LN_2)]
        {
            let tokenizer = Tokenizer::train(kind, &text, 2, size, Encoder::Own).unwrap();
            let tokens = tokenizer.encode(&text).unwrap();
            let model = Ngram::fit(&tokens, size, false, 0.0).unwrap();
            let loss = model.loss(&tokens, &tokenizer.lengths()).unwrap().unwrap();
            assert!((loss - expected).abs() < 1e-6, "{kind:?}: {loss}");
        }
    }

    #[test]
    fn bigrams_spans_and_what_is_refused() {
        let tokens = [0, 1, 0, 1, 0, 1, 1];
        let model = Ngram::fit(&tokens, 2, true, 0.0).unwrap();
        assert_eq!(model.law(0), [0.0, 1.0]);
        // Three of six steps leave 1: twice to 0, once to 1.
        let expected = (2.0 * 1.5_f64.ln() + 3_f64.ln()) / 6.0;
        assert!((model.loss(&tokens, &[1, 1]).unwrap().unwrap() - expected).abs() < 1e-12);
        assert_eq!(model.loss(&[0], &[1, 1]).unwrap(), None);
        assert!(model.loss(&[0, 0], &[1, 1]).unwrap().unwrap().is_infinite());
        assert_eq!(spans(&tokens, &[1, 3], 2, 4), Some(1.0));
        assert_eq!(spans(&tokens, &[1, 3], 2, 5), Some(1.0 / 6.0));
        assert_eq!(spans(&[], &[1], 2, 5), None);
        assert!(matches!(Ngram::fit(&[2], 2, false, 0.0), Err(TokenError::Token { token: 2, size: 2 })));
        assert!(matches!(Ngram::fit(&[2], 60_000, true, 0.0), Err(TokenError::Size { .. })));
    }
}
