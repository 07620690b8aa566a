//! The unigram language model: the likeliest dictionary.
//!
//! Kudo, "Subword regularization", ACL 2018. A text is a sequence of independent words; their probabilities are found by
//! expectation-maximisation over all ways to cut it, and the dictionary is pruned from frequent substrings down to size by
//! what the likelihood would lose.

use super::{TokenError, Trie, as_f64, check, hash::Map, singles};

/// Words with the logarithms of their probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Unigram {
    words: Vec<Vec<u8>>,
    scores: Vec<f64>,
    trie: Trie,
}

/// Candidates for each token that is asked for.
const CANDIDATES: usize = 16;
/// What pruning keeps at once.
const KEEP: f64 = 0.75;
/// Steps of expectation-maximisation between two prunings, and after the last.
const STEPS: usize = 2;
/// The probability that a symbol keeps where no cut uses it on its own.
const LEAST: f64 = 1e-9;

impl Unigram {
    /// Words and scores (natural logarithms); they hold every single symbol of the texts to come.
    #[must_use]
    pub fn new(words: Vec<Vec<u8>>, scores: Vec<f64>) -> Self {
        let trie = Trie::new(&words);
        Self { words, scores, trie }
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// Logarithms of their probabilities.
    #[must_use]
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The likeliest way to cut `text` (Viterbi); of equal ones that whose last word begins first.
    #[must_use]
    pub fn encode(&self, text: &[u8]) -> Vec<u32> {
        self.likeliest(text, None).0
    }

    /// The likeliest cut that does without `but`, and its score.
    fn likeliest(&self, text: &[u8], but: Option<u32>) -> (Vec<u32>, f64) {
        let n = text.len();
        // For every end: the score of the best path, its last word and that word's length.
        let mut best = vec![(f64::NEG_INFINITY, 0_u32, 0_usize); n + 1];
        best[0].0 = 0.0;
        for start in 0..n {
            let score = best[start].0;
            for (token, length) in self.trie.prefixes(&text[start..]) {
                let path = score + self.scores[token as usize];
                let end = &mut best[start + length];
                if Some(token) != but && (path > end.0 || end.2 == 0) {
                    *end = (path, token, length);
                }
            }
        }
        let mut tokens = Vec::new();
        let mut end = n;
        while end > 0 && best[end].2 > 0 {
            tokens.push(best[end].1);
            end -= best[end].2;
        }
        tokens.reverse();
        (tokens, best[n].0)
    }

    /// The expected count of every word over all cuts of `text`, and the logarithm of the text's probability.
    fn expect(&self, text: &[u8]) -> (Vec<f64>, f64) {
        let n = text.len();
        let mut counts = vec![0.0; self.words.len()];
        let mut forwards = vec![f64::NEG_INFINITY; n + 1];
        let mut backwards = vec![f64::NEG_INFINITY; n + 1];
        forwards[0] = 0.0;
        backwards[n] = 0.0;
        for start in 0..n {
            for (token, length) in self.trie.prefixes(&text[start..]) {
                let end = start + length;
                forwards[end] = log_add(forwards[end], forwards[start] + self.scores[token as usize]);
            }
        }
        for start in (0..n).rev() {
            for (token, length) in self.trie.prefixes(&text[start..]) {
                let path = backwards[start + length] + self.scores[token as usize];
                backwards[start] = log_add(backwards[start], path);
            }
        }
        let total = forwards[n];
        for start in 0..n {
            for (token, length) in self.trie.prefixes(&text[start..]) {
                let through = forwards[start] + self.scores[token as usize] + backwards[start + length];
                counts[token as usize] += (through - total).exp();
            }
        }
        (counts, total)
    }

    /// One step of expectation-maximisation; tells the logarithm of the text's probability before it.
    fn improve(&mut self, text: &[u8], alphabet: usize) -> f64 {
        let (counts, likelihood) = self.expect(text);
        let total: f64 = counts.iter().sum();
        for (i, (score, count)) in self.scores.iter_mut().zip(&counts).enumerate() {
            // A longer word that nothing uses becomes impossible, and is pruned; a symbol stays.
            let least = if i < alphabet { LEAST } else { 0.0 };
            *score = (count / total).max(least).ln();
        }
        likelihood
    }
}

fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// Learns `size` words of at most `longest` symbols: candidates are the substrings with the largest count times length.
/// Fewer come back where the text has no more that stand twice.
///
/// # Errors
/// [`TokenError`]: a symbol outside the alphabet, a text that is too long.
pub fn train(text: &[u8], alphabet: usize, size: usize, longest: usize) -> Result<Unigram, TokenError> {
    check(text, alphabet)?;
    let mut candidates = substrings(text, longest);
    candidates.sort_by(|(a, n), (b, m)| (m * b.len() as u64, a).cmp(&(n * a.len() as u64, b)));
    candidates.truncate(CANDIDATES * size);
    let mut words = singles(alphabet);
    let mut counts = vec![0.0; alphabet];
    text.iter().for_each(|x| counts[usize::from(*x)] += 1.0);
    for (word, count) in candidates {
        words.push(word.to_vec());
        counts.push(as_f64(count));
    }
    let total: f64 = counts.iter().sum();
    let scores = counts.iter().map(|c| (c / total).max(LEAST).ln()).collect();
    let mut model = Unigram::new(words, scores);
    loop {
        for _ in 0..STEPS {
            model.improve(text, alphabet);
        }
        let before = model.words.len();
        if before <= size && model.scores.iter().all(|s| s.is_finite()) {
            return Ok(model);
        }
        model = prune(&model, text, alphabet, size);
    }
}

/// The symbols and the words whose loss would cost most, three quarters of all or `size` of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three quarters of a count")]
fn prune(model: &Unigram, text: &[u8], alphabet: usize, size: usize) -> Unigram {
    let mut uses = vec![0_u64; model.words.len()];
    model.encode(text).iter().for_each(|t| uses[*t as usize] += 1);
    let cost = |(i, word): (usize, &Vec<u8>)| {
        // What the text would lose if every use were cut in the next best way.
        let other = model.likeliest(word, Some(super::id(i))).1;
        (as_f64(uses[i]) * (model.scores[i] - other), i)
    };
    let long = model.words.iter().enumerate().skip(alphabet).filter(|(i, _)| model.scores[*i].is_finite());
    let mut costs: Vec<(f64, usize)> = long.map(cost).collect();
    costs.sort_by(|(a, i), (b, j)| b.total_cmp(a).then(i.cmp(j)));
    let wanted = size.saturating_sub(alphabet);
    let keep = wanted.max((as_f64(costs.len() as u64) * KEEP) as usize);
    costs.truncate(keep);
    let mut kept: Vec<usize> = (0..alphabet).chain(costs.iter().map(|(_, i)| *i)).collect();
    kept.sort_unstable();
    let words = kept.iter().map(|i| model.words[*i].clone()).collect();
    Unigram::new(words, kept.iter().map(|i| model.scores[*i]).collect())
}

/// Substrings of 2 to `longest` symbols that stand twice at least, with their counts. One symbol more is only looked at
/// where both shorter ones stand twice.
fn substrings(text: &[u8], longest: usize) -> Vec<(&[u8], u64)> {
    let mut found = Vec::new();
    let mut shorter: Option<Map<&[u8], u64>> = None;
    for length in 2..=longest.min(text.len()) {
        let mut counts: Map<&[u8], u64> = Map::default();
        for window in text.windows(length) {
            let frequent = |s: &Map<&[u8], u64>| s.contains_key(&window[..length - 1]) && s.contains_key(&window[1..]);
            if shorter.as_ref().is_none_or(frequent) {
                *counts.entry(window).or_default() += 1;
            }
        }
        counts.retain(|_, count| *count >= 2);
        if counts.is_empty() {
            break;
        }
        found.extend(counts.iter().map(|(word, count)| (*word, *count)));
        shorter = Some(counts);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::markov::Switching;

    #[test]
    fn expectations_are_those_of_all_cuts() {
        let words = vec![vec![0], vec![1], vec![0, 1], vec![1, 0], vec![0, 1, 0]];
        let scores: Vec<f64> = [0.3_f64, 0.2, 0.25, 0.15, 0.1].iter().map(|p| p.ln()).collect();
        let model = Unigram::new(words.clone(), scores.clone());
        let text = [0, 1, 0, 0, 1, 1];
        // Every cut, by brute force.
        let (mut total, mut expected, mut best) = (0.0, vec![0.0; 5], (0.0, Vec::new()));
        for mask in 0..1 << (text.len() - 1) {
            let mut cut = Vec::new();
            let mut start = 0;
            for end in 1..=text.len() {
                if end == text.len() || mask >> (end - 1) & 1 == 1 {
                    cut.push(words.iter().position(|w| *w == text[start..end]));
                    start = end;
                }
            }
            let Some(cut) = cut.into_iter().collect::<Option<Vec<usize>>>() else { continue };
            let p: f64 = cut.iter().map(|t| scores[*t].exp()).product();
            total += p;
            cut.iter().for_each(|t| expected[*t] += p);
            if p > best.0 {
                best = (p, cut);
            }
        }
        let (counts, likelihood) = model.expect(&text);
        assert!((likelihood - f64::ln(total)).abs() < 1e-12);
        assert!(counts.iter().zip(&expected).all(|(a, b)| (a - b / total).abs() < 1e-12));
        assert!(model.encode(&text).iter().map(|t| *t as usize).eq(best.1));
    }

    #[test]
    fn every_step_makes_the_text_likelier_and_training_gives_the_size() {
        let text = Switching { order: 2, p: 0.8, q: 0.8 }.chain().unwrap().text(6000, 1, 0);
        let mut model = train(&text, 2, 12, 8).unwrap();
        assert_eq!(model.words().len(), 12);
        let mut last = f64::NEG_INFINITY;
        for _ in 0..6 {
            let now = model.improve(&text, 2);
            assert!(now >= last - 1e-6, "{now} {last}");
            last = now;
        }
        let tokens = model.encode(&text);
        let again: Vec<u8> = tokens.iter().flat_map(|t| model.words()[*t as usize].clone()).collect();
        assert_eq!(again, text);
        // A text without any repetition supports its symbols only.
        assert_eq!(train(&[0, 1, 2, 3], 4, 9, 8).unwrap().words().len(), 4);
    }
}
