//! The two transformers that are compared: the same network on characters and on tokens.

use std::sync::Arc;

use super::source::Source;
use crate::{
    experiment::{ExperimentError, Record, Scalar},
    nn::{Config, Gpt, RunSetup, Space, Training},
    pace::Pace,
    token::{Alphabet, Ngram, Tokenizer},
};

/// One arm: how the text is cut, and the tokens of both texts.
pub(super) struct Arm {
    /// `characters` or `tokens`.
    pub(super) name: &'static str,
    pub(super) tokenizer: Tokenizer,
    pub(super) train: Arc<[u32]>,
    test: Vec<u32>,
    lengths: Vec<u32>,
}

/// Tokens of a window whose attention is shown.
const SHOWN: usize = 32;

impl Arm {
    pub(super) fn new(
        name: &'static str,
        tokenizer: Tokenizer,
        text: &[u8],
        fresh: &[u8],
    ) -> Result<Self, ExperimentError> {
        let (train, test) = (tokenizer.encode(text)?.into(), tokenizer.encode(fresh)?);
        let lengths = tokenizer.lengths();
        Ok(Self { name, tokenizer, train, test, lengths })
    }

    /// Symbols a token, on average.
    pub(super) fn length(&self) -> f64 {
        let symbols: u64 = self.test.iter().map(|t| u64::from(self.lengths[*t as usize])).sum();
        as_f64(symbols) / as_f64(self.test.len().max(1) as u64)
    }

    /// The losses of plug-in unigram and bigram models on the fresh text; the latter where its table is small enough to
    /// be counted well.
    pub(super) fn plug_in(&self) -> Result<[Option<f64>; 2], ExperimentError> {
        let size = self.tokenizer.size();
        let mut losses = [None; 2];
        for (loss, pairs) in losses.iter_mut().zip([false, true]) {
            // Ten tokens for each number of the table: below it the bigrams overfit.
            if !pairs || 10 * size * size <= self.train.len() {
                *loss = Ngram::fit(&self.train, size, pairs, 0.5)?.loss(&self.test, &self.lengths)?;
            }
        }
        Ok(losses)
    }

    /// Mean loss on the fresh text in nats a source symbol: over all predicted tokens, by the sum of their lengths.
    pub(super) async fn evaluate(
        &self,
        run: usize,
        training: &mut dyn Training,
        pace: &dyn Pace,
    ) -> Result<f64, ExperimentError> {
        let losses = training.surprisal(run, &self.test, pace).await?;
        let nats: f64 = losses.iter().map(|x| f64::from(*x)).sum();
        let symbols: u64 = self.test[1..].iter().map(|t| u64::from(self.lengths[*t as usize])).sum();
        Ok(nats / as_f64(symbols))
    }

    /// Notes what the heads of the last block look at in the first tokens of the fresh text.
    pub(super) async fn look(
        &self,
        run: usize,
        training: &mut dyn Training,
        record: &mut Record,
    ) -> Result<(), ExperimentError> {
        let snapshot = training.snapshot(run).await?;
        let gpt = Gpt::new(snapshot.config)?;
        let window = &self.test[..snapshot.config.context.min(SHOWN).min(self.test.len())];
        let last = snapshot.config.layers - 1;
        let maps = gpt.attention(&snapshot.params, window, last, &mut Space::default())?;
        // A head that spreads over all it sees has the entropy ln (i + 1) at place i.
        let n = maps.entropies.len();
        let mean = maps.entropies.iter().sum::<f64>() / as_f64(n.max(1) as u64);
        let (name, title) =
            (format!("{}_attention_entropy", self.name), format!("mean attention entropy, {}", self.name));
        record.set(Scalar { unit: crate::quantity::Unit::Nats, ..Scalar::new(name, title, Some(mean), n as u64) });
        record.put(&format!("{}_attention", self.name), super::plots::attention(&maps));
        Ok(())
    }

    /// The dictionary as a table.
    pub(super) fn dictionary(&self) -> Result<crate::experiment::Table, ExperimentError> {
        let alphabet = Alphabet::of_numbers(self.tokenizer.alphabet())?;
        let mut counts = vec![0.0; self.tokenizer.size()];
        self.train.iter().for_each(|t| counts[*t as usize] += 1.0);
        let words = self.tokenizer.words().iter().map(|w| alphabet.text(w)).collect();
        Ok(super::plots::dictionary(words, &counts, as_f64(self.train.len().max(1) as u64)))
    }
}

/// The run of an arm.
pub(super) fn run(arm: &Arm, config: Config, template: &RunSetup, number: u32) -> RunSetup {
    let config = Config { vocabulary: arm.tokenizer.size().max(2), ..config };
    RunSetup { config, tokens: arm.train.clone(), run: number, ..template.clone() }
}

/// What a perfect predictor loses in windows of `context` places: at the first `order` it cannot see far enough, so that
/// the floor of the character arm is H + (k/T)(H₁ − H).
pub(super) fn floor(source: &Source, context: usize) -> f64 {
    let k = source.chain.order().min(u32::try_from(context).unwrap_or(u32::MAX));
    let blind: f64 = (0..k).map(|seen| source.chain.conditional_entropy(seen) - source.rate).sum();
    source.rate + blind / as_f64(context as u64)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) const fn as_f64(n: u64) -> f64 {
    n as f64
}
