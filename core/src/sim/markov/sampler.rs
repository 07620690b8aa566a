//! Symbols of a chain, the same on every back end.

use super::{Chain, MarkovError};
use crate::rng::Philox;

/// 2^31: thresholds are multiples of 2^-31, so that 1 is one of them and what has no probability is never drawn.
const SCALE: f64 = 2_147_483_648.0;

/// A chain as integer thresholds. Text `stream` under `seed` reads the Philox stream of that number, one 32-bit draw u at
/// a time: the first draw chooses the context whose `order` symbols begin the text, by the stationary law, and every
/// further draw one symbol. What is drawn is the number of thresholds ≤ ⌊u/2⌋.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampler {
    alphabet: usize,
    order: u32,
    contexts: usize,
    rows: Vec<u32>,
    start: Vec<u32>,
}

impl Sampler {
    /// The thresholds of `chain`.
    #[must_use]
    pub fn new(chain: &Chain) -> Self {
        let mut rows = Vec::with_capacity(chain.rows().len());
        for row in chain.rows().chunks_exact(chain.alphabet()) {
            thresholds(row, &mut rows);
        }
        let mut start = Vec::with_capacity(chain.contexts());
        thresholds(chain.stationary(), &mut start);
        Self { alphabet: chain.alphabet(), order: chain.order(), contexts: chain.contexts(), rows, start }
    }

    /// The size of the alphabet.
    #[must_use]
    pub const fn alphabet(&self) -> usize {
        self.alphabet
    }

    /// How many past symbols the next one depends on.
    #[must_use]
    pub const fn order(&self) -> u32 {
        self.order
    }

    /// The thresholds of the rows, `alphabet` a context; the last of each row is 2^31. What a GPU is given.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The thresholds of the first context.
    #[must_use]
    pub fn start(&self) -> &[u32] {
        &self.start
    }

    /// Text number `stream` under `seed`, from its beginning.
    #[must_use]
    pub fn stream(&self, seed: u64, stream: u64) -> Stream<'_> {
        let mut rng = Philox::new(seed, stream);
        let context = pick(&self.start, rng.next_u32());
        Stream { sampler: self, rng, context, left: self.order }
    }

    /// The first `n` symbols of text number `stream` under `seed`.
    #[must_use]
    pub fn text(&self, n: usize, seed: u64, stream: u64) -> Vec<u8> {
        let mut text = vec![0; n];
        self.stream(seed, stream).fill(&mut text);
        text
    }
}

/// A text that is being made.
#[derive(Clone, Debug)]
pub struct Stream<'a> {
    sampler: &'a Sampler,
    rng: Philox,
    context: usize,
    /// Symbols of the first context that are still to be given.
    left: u32,
}

impl Stream<'_> {
    /// Fills `symbols` with what comes next; how a text is cut into calls does not matter.
    #[expect(clippy::cast_possible_truncation, reason = "an alphabet has at most 256 symbols")]
    pub fn fill(&mut self, symbols: &mut [u8]) {
        let Sampler { alphabet, contexts, ref rows, .. } = *self.sampler;
        let mut symbols = symbols.iter_mut();
        while self.left > 0 {
            let Some(symbol) = symbols.next() else { return };
            self.left -= 1;
            *symbol = (self.context / alphabet.pow(self.left) % alphabet) as u8;
        }
        for symbol in symbols {
            let row = &rows[self.context * alphabet..][..alphabet];
            let x = pick(row, self.rng.next_u32());
            *symbol = x as u8;
            self.context = (self.context * alphabet + x) % contexts;
        }
    }
}

/// The number of thresholds ≤ ⌊draw/2⌋.
fn pick(thresholds: &[u32], draw: u32) -> usize {
    let draw = draw >> 1;
    if thresholds.len() <= 8 {
        thresholds.iter().map(|t| usize::from(*t <= draw)).sum()
    } else {
        thresholds.partition_point(|t| *t <= draw)
    }
}

/// Appends the cumulated `law` in units of 2^-31.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^31")]
fn thresholds(law: &[f64], to: &mut Vec<u32>) {
    let last = law.iter().rposition(|p| *p > 0.0).unwrap_or(law.len() - 1);
    let mut sum = 0.0;
    for (i, p) in law.iter().enumerate() {
        sum += p;
        // Rounding may leave the sum beside 1; behind the last possible symbol nothing is left.
        let bound = if i >= last { SCALE } else { (sum * SCALE).round().clamp(0.0, SCALE) };
        to.push(bound as u32);
    }
}

impl Chain {
    /// The first `n` symbols of text number `stream` under `seed`; see [`Sampler`].
    #[must_use]
    pub fn text(&self, n: usize, seed: u64, stream: u64) -> Vec<u8> {
        Sampler::new(self).text(n, seed, stream)
    }

    /// −(1/n) Σ ln P(x_t | context) over the symbols of `text` behind the first `order`, in nats; infinite where it has
    /// something that the chain cannot make.
    ///
    /// # Errors
    /// [`MarkovError::TooShort`], [`MarkovError::Symbol`].
    pub fn cross_entropy(&self, text: &[u8]) -> Result<f64, MarkovError> {
        let k = self.order() as usize;
        if text.len() <= k {
            return Err(MarkovError::TooShort { have: text.len(), order: self.order(), needed: k + 1 });
        }
        let mut context = 0;
        let mut sum = 0.0;
        for (position, &symbol) in text.iter().enumerate() {
            let x = usize::from(symbol);
            if x >= self.alphabet() {
                return Err(MarkovError::Symbol { symbol, position, alphabet: self.alphabet() });
            }
            if position >= k {
                sum -= self.row(context)[x].ln();
            }
            context = (context * self.alphabet() + x) % self.contexts();
        }
        Ok(sum / super::chain::as_f64(text.len() - k))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rng::philox4x32, sim::markov::Switching};

    #[test]
    fn a_text_is_what_its_definition_says() {
        let chain = Chain::random(5, 2, 0.5, 9).unwrap();
        let sampler = Sampler::new(&chain);
        let (seed, stream, n) = (0x1234_5678_9abc_u64, 77_u64, 101);
        let key = [u32::try_from(seed & 0xffff_ffff).unwrap(), u32::try_from(seed >> 32).unwrap()];
        let draw = |i: usize| philox4x32([u32::try_from(i / 4).unwrap(), 0, 77, 0], key)[i % 4] >> 1;
        let count = |thresholds: &[u32], u: u32| thresholds.iter().filter(|t| **t <= u).count();
        let first = count(sampler.start(), draw(0));
        let mut expected = vec![first / 5, first % 5];
        for i in 1..=n - 2 {
            let [a, b] = expected[expected.len() - 2..] else { unreachable!() };
            expected.push(count(&sampler.rows()[(a * 5 + b) * 5..][..5], draw(i)));
        }
        let text = sampler.text(n, seed, stream);
        assert!(text.iter().map(|x| usize::from(*x)).eq(expected));
        let mut parts = vec![0; n];
        let mut source = sampler.stream(seed, stream);
        for part in parts.chunks_mut(7) {
            source.fill(part);
        }
        assert_eq!(parts, text);
        source.fill(&mut []);
    }

    #[test]
    fn what_has_no_probability_is_never_made() {
        let chain = Chain::new(3, 1, vec![0.5, 0.5, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]).unwrap();
        let text = chain.text(50_000, 1, 0);
        assert!(chain.cross_entropy(&text).unwrap().is_finite());
        let mut last = Vec::new();
        thresholds(&[0.3, 0.7, 0.0], &mut last);
        assert_eq!(last[1..], [1 << 31, 1 << 31]);
    }

    #[test]
    fn a_text_has_the_entropies_and_the_start_of_its_source() {
        let source = Switching { order: 3, p: 0.8, q: 0.6 };
        let chain = source.chain().unwrap();
        let n = 400_000;
        let loss = chain.cross_entropy(&chain.text(n, 5, 0)).unwrap();
        // −ln P(x|c) is ln(1/0.8) … ln(1/0.2): its standard deviation is below 0.61; five standard errors.
        assert!((loss - source.entropy_rate()).abs() < 5.0 * 0.61 / 632.0, "{loss}");
        let ones = (0..4000).map(|stream| u32::from(chain.text(1, 5, stream)[0])).sum::<u32>();
        let share = f64::from(ones) / 4000.0;
        let expected = source.symbol_law()[1];
        assert!((share - expected).abs() < 5.0 * (expected * (1.0 - expected) / 4000.0).sqrt(), "{share}");
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused() {
        let chain = Chain::random(3, 2, 1.0, 1).unwrap();
        assert!(matches!(chain.cross_entropy(&[0, 1]), Err(MarkovError::TooShort { needed: 3, .. })));
        assert!(matches!(chain.cross_entropy(&[0, 1, 3]), Err(MarkovError::Symbol { position: 2, .. })));
    }
}
