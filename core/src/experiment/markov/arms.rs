//! The two transformers that are compared: the same network on characters and on tokens.

use std::{collections::BTreeMap, sync::Arc};

use super::{plots, source::Source};
use crate::{
    experiment::{Artifact, ExperimentError, Record, Scalar, Table},
    nn::{Checkpoint, Config, Gpt, RunSetup, Space, Training},
    pace::Pace,
    quantity::Unit,
    token::{Alphabet, Ngram, Tokenizer, to_json},
};

/// One arm: how the text is cut, and the tokens of both texts.
pub(super) struct Arm {
    /// `characters` or `tokens`.
    pub(super) name: &'static str,
    pub(super) tokenizer: Tokenizer,
    pub(super) train: Arc<[u32]>,
    pub(super) test: Vec<u32>,
    pub(super) lengths: Vec<u32>,
}

/// Tokens of a window whose attention is shown.
const SHOWN: usize = 32;
/// Windows that predictions are averaged over.
const WINDOWS: usize = 8;
/// Symbols of the fresh text that are shown cut into tokens.
pub(super) const STRIP: u32 = 120;
/// Contexts whose laws are kept, the most frequent ones.
const CONTEXTS: usize = 64;
/// Next tokens or symbols of a context that are kept, the most frequent ones.
const NEXT: usize = 16;

/// What a context is followed by, in counts or predictions.
#[derive(Default)]
struct Following {
    /// Occurrences.
    n: u64,
    /// Sum of predicted laws.
    predicted: Vec<f64>,
}

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

    /// Mean loss on the fresh text in nats a source symbol, over all predicted tokens by the sum of their lengths; and the
    /// surprisal of each of the first tokens.
    pub(super) async fn evaluate(
        &self,
        run: usize,
        training: &mut dyn Training,
        pace: &dyn Pace,
    ) -> Result<(f64, Vec<f32>), ExperimentError> {
        let mut losses = training.surprisal(run, &self.test, pace).await?;
        let nats: f64 = losses.iter().map(|x| f64::from(*x)).sum();
        let symbols: u64 = self.test[1..].iter().map(|t| u64::from(self.lengths[*t as usize])).sum();
        losses.truncate(STRIP as usize);
        Ok((nats / as_f64(symbols), losses))
    }

    /// The first tokens of the fresh text with their surprisals, which are those of all behind the first.
    pub(super) fn strip(&self, alphabet: &Alphabet, surprisals: &[f32]) -> Table {
        let mut table = plots::strip_table(self.name);
        let mut start = 0;
        for (place, token) in self.test.iter().enumerate() {
            let length = self.lengths[*token as usize];
            if start + length > STRIP {
                break;
            }
            let nats = place.checked_sub(1).and_then(|i| surprisals.get(i)).map_or(f64::NAN, |x| f64::from(*x));
            let word = alphabet.text(&self.tokenizer.words()[*token as usize]);
            plots::push(
                &mut table,
                &[&word],
                &[f64::from(start), f64::from(length), f64::from(*token), nats / f64::from(length)],
            );
            start += length;
        }
        table
    }

    /// Notes what the heads look at in the first tokens of the fresh text, and what is predicted behind the contexts there
    /// beside what is true.
    pub(super) fn look(
        &self,
        snapshot: &Checkpoint,
        source: &Source,
        record: &mut Record,
    ) -> Result<(), ExperimentError> {
        let gpt = Gpt::new(snapshot.config)?;
        let mut space = Space::default();
        let window = &self.test[..snapshot.config.context.min(SHOWN).min(self.test.len())];
        let mut heads = plots::heads_table(self.name);
        let mut mean = (0.0, 0);
        for layer in 0..snapshot.config.layers {
            let maps = gpt.attention(&snapshot.params, window, layer, &mut space)?;
            for (head, rows) in maps.entropies.chunks(maps.length).enumerate() {
                let entropy = rows.iter().sum::<f64>() / as_f64(rows.len() as u64);
                // A head that spreads over all it sees has the entropy ln (i + 1) at place i.
                let most = (1..=rows.len() as u64).map(|n| as_f64(n).ln()).sum::<f64>() / as_f64(rows.len() as u64);
                let name = format!("{}.{}", layer + 1, head + 1);
                plots::push(&mut heads, &[&name], &[entropy, most]);
                mean = (mean.0 + entropy, mean.1 + 1);
            }
            if layer + 1 == snapshot.config.layers {
                record.put(&format!("{}_attention", self.name), plots::attention(&maps));
            }
        }
        let (name, title) =
            (format!("{}_attention_entropy", self.name), format!("mean attention entropy, {}", self.name));
        let value = Some(mean.0 / as_f64(mean.1));
        record.set(Scalar { unit: Unit::Nats, ..Scalar::new(name, title, value, mean.1) });
        record.put(&format!("{}_heads", self.name), heads);
        let laws = self.laws(&gpt, snapshot, source, &mut space)?;
        record.put(&format!("{}_laws", self.name), laws);
        Ok(())
    }

    /// What the transformer predicts behind each context, averaged over its occurrences in a few windows of the fresh
    /// text, beside what follows. On characters a context is as many symbols as the source looks back, and its law that of
    /// the source. On tokens it is the current token, and its law that of a table of pairs counted on the training text:
    /// where a token ends tells what the next one cannot be, so that the source's law of symbols does not hold there.
    fn laws(
        &self,
        gpt: &Gpt,
        snapshot: &Checkpoint,
        source: &Source,
        space: &mut Space<f32>,
    ) -> Result<Table, ExperimentError> {
        let size = self.tokenizer.size();
        let (context, vocabulary) = (snapshot.config.context, snapshot.config.vocabulary);
        let symbols = self.name == "characters";
        let back = if symbols { source.chain.order() as usize } else { 1 };
        let mut found: BTreeMap<Vec<u32>, Following> = BTreeMap::new();
        for window in self.test.chunks(context).take(WINDOWS).filter(|w| w.len() > back) {
            let laws = gpt.predict(&snapshot.params, window, space)?;
            for (end, law) in laws.chunks_exact(vocabulary).enumerate().skip(back.saturating_sub(1)) {
                let following = found.entry(window[end + 1 - back..=end].to_vec()).or_default();
                following.n += 1;
                following.predicted.resize(size, 0.0);
                following.predicted.iter_mut().zip(law).for_each(|(sum, p)| *sum += p);
            }
        }
        let mut order: Vec<(&Vec<u32>, &Following)> = found.iter().collect();
        order.sort_by_key(|(_, following)| std::cmp::Reverse(following.n));
        let counted = if symbols { None } else { Some(Ngram::fit(&self.train, size, true, 0.5)?) };
        let word = |tokens: &[u32]| -> String {
            tokens.iter().map(|t| source.alphabet.text(&self.tokenizer.words()[*t as usize])).collect()
        };
        let mut table = plots::laws_table(self.name);
        for (tokens, following) in order.into_iter().take(CONTEXTS) {
            let truth = match &counted {
                Some(model) => model.law(tokens[0]),
                None => {
                    let number = tokens.iter().fold(0, |n, t| n * source.alphabet() + *t as usize);
                    source.chain.row(number).to_vec()
                }
            };
            let n = as_f64(following.n);
            let mut next: Vec<(usize, f64, f64)> =
                following.predicted.iter().zip(&truth).enumerate().map(|(i, (p, t))| (i, *t, p / n)).collect();
            next.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            next.truncate(NEXT);
            next.sort_by_key(|(i, ..)| *i);
            for (i, truth, predicted) in next {
                let token = u32::try_from(i).unwrap_or(u32::MAX);
                plots::push(&mut table, &[&word(tokens), &word(&[token])], &[truth, predicted, n]);
            }
        }
        Ok(table)
    }

    /// The dictionary as a table.
    pub(super) fn dictionary(&self, alphabet: &Alphabet) -> Table {
        let mut counts = vec![0.0; self.tokenizer.size()];
        self.train.iter().for_each(|t| counts[*t as usize] += 1.0);
        let words = self.tokenizer.words().iter().map(|w| alphabet.text(w)).collect();
        plots::dictionary(words, &counts, as_f64(self.train.len().max(1) as u64))
    }

    /// The merges in the order in which they were learned.
    pub(super) fn merges(&self, alphabet: &Alphabet) -> Option<Table> {
        let merges = self.tokenizer.merges();
        if merges.is_empty() {
            return None;
        }
        let mut table = plots::merges_table();
        let word = |token: u32| alphabet.text(&self.tokenizer.words()[token as usize]);
        for (step, merge) in merges.iter().enumerate() {
            let words = [word(merge.token), word(merge.pair.0), word(merge.pair.1)];
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            plots::push(&mut table, &words, &[as_f64(step as u64 + 1), as_f64(merge.count)]);
        }
        Some(table)
    }

    /// The transformer and its tokenizer as files, as other programs lay them out.
    pub(super) fn artifacts(
        &self,
        snapshot: Checkpoint,
        alphabet: &Alphabet,
    ) -> Result<[Artifact; 2], ExperimentError> {
        let model = Checkpoint { moments: None, ..snapshot }.to_bytes()?;
        let tokenizer = to_json(&self.tokenizer, alphabet).into_bytes();
        let file = |name: &str, bytes| Artifact { path: format!("{}/{name}", self.name), bytes };
        Ok([file("model.safetensors", model), file("tokenizer.json", tokenizer)])
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
