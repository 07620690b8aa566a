//! The same transformer on characters and on tokens, trained in lock-step.

use super::{
    PAPER, SOURCE,
    arms::{self, Arm, STRIP, as_f64},
    claims::CLAIMS,
    params::{Arms, Params},
    plots,
    source::{LEAST_GAP, Source, invalid, nats},
};
use crate::{
    compute::{Compute, Ran},
    experiment::{About, Artifact, Claim, Column, Doing, Experiment, ExperimentError, Record, Saved, Scalar, Table},
    figure::{Figure, number},
    nn::{Checkpoint, Config, NnError, RunSetup, Training},
    pace::Pace,
    quantity::{Uncertainty, Unit},
    token::{Encoder, Kind, Tokenizer},
};

/// Both arms of all replicates while they are trained.
pub(crate) struct Tokenization {
    params: Params,
    source: Source,
    text_errors: Record,
    /// Replicate after replicate.
    arms: Vec<Arm>,
    training: Box<dyn Training>,
    done: u64,
    /// The networks at the last evaluation, and its step: what is gone back to where one diverges.
    kept: Option<(u64, Vec<Checkpoint>)>,
}

/// Mean, least and largest of one number a replicate.
#[derive(Clone, Copy)]
struct Spread {
    mean: f64,
    low: f64,
    high: f64,
}

impl Spread {
    const NONE: Self = Self { mean: f64::NAN, low: f64::NAN, high: f64::NAN };

    fn of(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::NONE;
        }
        let mean = values.iter().sum::<f64>() / as_f64(values.len() as u64);
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { mean, low, high }
    }
}

impl Tokenization {
    /// Runs of arm `name`, one a replicate.
    fn runs_of(&self, name: &str) -> Vec<usize> {
        (0..self.arms.len()).filter(|run| self.arms[*run].name == name).collect()
    }

    /// What is known before any step.
    fn describe(&self, record: &mut Record) -> Result<(), ExperimentError> {
        for scalar in &self.text_errors.scalars {
            record.set(scalar.clone());
        }
        for note in &self.text_errors.notes {
            record.note(note.clone());
        }
        let alphabet = &self.source.alphabet;
        let fresh = self.source.fresh(STRIP, 0);
        let mut strip = plots::strip_table("symbol by symbol");
        for (at, symbol) in fresh.iter().enumerate() {
            let numbers = [as_f64(at as u64), 1.0, f64::from(*symbol), f64::NAN];
            plots::push(&mut strip, &[&alphabet.text(&[*symbol])], &numbers);
        }
        record.put("strip", strip);
        if let Some(table) = plots::chain(&self.source) {
            record.put("chain", table);
        }
        let tokens = self.runs_of("tokens");
        if let Some(first) = tokens.first() {
            let losses = tokens.iter().map(|run| self.arms[*run].plug_in()).collect::<Result<Vec<_>, _>>()?;
            let names = [
                ("token_unigram", "plug-in unigram model over tokens"),
                ("token_bigram", "plug-in bigram model over tokens"),
            ];
            for (at, (name, title)) in names.into_iter().enumerate() {
                let found: Vec<f64> = losses.iter().filter_map(|pair| pair[at]).collect();
                if !found.is_empty() {
                    record.set(nats(name, title, Spread::of(&found).mean, self.symbols()));
                }
            }
            let arm = &self.arms[*first];
            record.set(Scalar::new("symbols_per_token", "symbols a token", Some(arm.length()), self.symbols()));
            record.put("dictionary", arm.dictionary(alphabet));
            if let Some(merges) = arm.merges(alphabet) {
                record.put("merges", merges);
            }
        }
        for (run, name) in plots::ARMS.iter().filter_map(|name| Some((*self.runs_of(name).first()?, *name))) {
            let config = self.training.runs()[run].config;
            if name == "characters" && self.source.is_known() {
                let floor = arms::floor(&self.source, config.context);
                record.set(nats("characters_floor", "least loss of windows of characters", floor, self.symbols()));
            }
            let parameters = crate::nn::Gpt::new(config)?.layout().len() as u64;
            let title = format!("parameters of the transformer on {name}");
            let value = Some(as_f64(parameters));
            record.set(Scalar { unit: Unit::Count, ..Scalar::new(format!("{name}_parameters"), title, value, 1) });
        }
        Ok(())
    }

    /// Symbols of the fresh text.
    fn symbols(&self) -> u64 {
        self.arms.first().map_or(0, |arm| arm.test.iter().map(|t| u64::from(arm.lengths[*t as usize])).sum())
    }

    /// Losses on the fresh text, and what can be seen inside the first replicate; the networks of this moment are kept.
    async fn evaluate(&mut self, record: &mut Record, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let mut losses = [Spread::NONE; 2];
        let mut work = [f64::NAN; 2];
        let mut read = f64::NAN;
        let mut snapshots = Vec::with_capacity(self.arms.len());
        for run in 0..self.arms.len() {
            snapshots.push(self.training.snapshot(run).await?);
        }
        for (place, name) in plots::ARMS.into_iter().enumerate() {
            let mut found = Vec::new();
            for run in self.runs_of(name) {
                let arm = &self.arms[run];
                let (loss, surprisals) = arm.evaluate(run, &mut *self.training, pace).await?;
                if found.is_empty() {
                    let config = self.training.runs()[run].config;
                    let tokens = config.context * self.params.batch as usize;
                    work[place] = config.flops(tokens) * as_f64(self.done) * 1e-9;
                    read = as_f64(self.done) * as_f64(tokens as u64) * arm.length();
                    record.put(&format!("{name}_text"), arm.strip(&self.source.alphabet, &surprisals));
                    arm.look(&snapshots[run], &self.source, record)?;
                }
                found.push(loss);
            }
            losses[place] = Spread::of(&found);
        }
        self.kept = Some((self.done, snapshots));
        let rate = self.params.optimiser().rate_at(self.done);
        let seconds = record.seconds;
        let table = record.table_mut("losses", || {
            let number = |name: &str, title: &str, unit: &str| Column::numbers(name, title, unit);
            let loss = "nats/symbol";
            let columns = vec![
                number("step", "step", "1"),
                number("characters", "loss on characters", loss),
                number("tokens", "loss on tokens", loss),
                number("characters_low", "least loss of a seed on characters", loss),
                number("characters_high", "largest loss of a seed on characters", loss),
                number("tokens_low", "least loss of a seed on tokens", loss),
                number("tokens_high", "largest loss of a seed on tokens", loss),
                number("symbols", "symbols read by an arm", "1"),
                number("characters_work", "work on characters", "GFLOP"),
                number("tokens_work", "work on tokens", "GFLOP"),
                number("seconds", "seconds of computing before", "s"),
                number("rate", "learning rate of the next step", "1"),
            ];
            Table::new("Losses on fresh text", columns)
        });
        let [c, t] = losses;
        let spreads = [c.mean, t.mean, c.low, c.high, t.low, t.high];
        let row: Vec<f64> =
            [as_f64(self.done)].into_iter().chain(spreads).chain([read, work[0], work[1], seconds, rate]).collect();
        table.push(&row);
        Ok(())
    }

    /// The numbers that claims are about.
    fn summarise(&self, record: &mut Record) {
        let Some(table) = record.table("losses") else { return };
        let steps = table.numbers("step").to_vec();
        let column = |name: &str| table.numbers(name).to_vec();
        let curves = plots::ARMS.map(|name| ["", "_low", "_high"].map(|end| column(&format!("{name}{end}"))));
        let (unigram, rate) = (self.source.unigram, self.source.rate);
        let known = self.source.is_known();
        let n = self.symbols();
        let mut lowest = f64::INFINITY;
        for (name, [losses, lows, highs]) in plots::ARMS.into_iter().zip(&curves) {
            let Some(last) = losses.last().copied().filter(|x| x.is_finite()) else { continue };
            let spread = match (lows.last(), highs.last()) {
                (Some(low), Some(high)) if self.params.replicates > 1 => {
                    let method = format!("least and largest of {} seeds", self.params.replicates);
                    Some(Uncertainty { low: *low, high: *high, method })
                }
                _ => None,
            };
            let loss = nats(&format!("{name}_loss"), &format!("loss on {name}"), last, n);
            record.set(Scalar { uncertainty: spread, ..loss });
            if !known {
                let (name, title) =
                    (format!("{name}_over_ngram"), format!("loss on {name} by the best n-gram model's"));
                record.set(Scalar::new(name, title, (rate > 0.0).then(|| last / rate), n));
                continue;
            }
            let over = |loss: f64| (rate > 0.0).then(|| loss / rate);
            record.set(Scalar::new(format!("{name}_over_rate"), format!("loss on {name} by H"), over(last), n));
            let at = steps.iter().position(|s| *s >= 50.0).map(|i| losses[i]);
            let title = format!("loss on {name} by H at step 50");
            record.set(Scalar::new(format!("{name}_over_rate_at_50"), title, at.and_then(over), n));
            let title = format!("(loss − H)/(H₁ − H) on {name}");
            record.set(Scalar::new(format!("{name}_excess"), title, self.source.excess(last), n));
            let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
            lowest = lowest.min(least);
            let title = format!("lowest loss on {name} by H₁");
            record.set(Scalar::new(format!("{name}_lowest_over_unigram"), title, Some(least / unigram), n));
            let escape = losses.iter().position(|l| self.source.excess(*l).is_some_and(|x| x < 0.5));
            let title = format!("first evaluated step with less than half the excess, {name}");
            record.set(Scalar::new(format!("{name}_escape"), title, escape.map(|i| steps[i]), losses.len() as u64));
        }
        if known {
            let over = (rate > 0.0 && lowest.is_finite()).then(|| lowest / rate);
            record.set(Scalar::new("lowest_over_rate", "lowest loss of any arm by H", over, n));
        }
    }

    /// Goes back to the last evaluation after run `run` has diverged.
    fn go_back(&mut self, run: usize, why: NnError) -> ExperimentError {
        let Some((step, snapshots)) = self.kept.take() else { return why.into() };
        for (run, snapshot) in snapshots.iter().enumerate() {
            // The learning rate in force stays: it may have been changed since.
            let optimiser = self.params.optimiser();
            if let Err(error) = self.training.restore(run, &Checkpoint { optimiser, ..snapshot.clone() }) {
                return error.into();
            }
        }
        self.done = step;
        self.kept = Some((step, snapshots));
        let what = format!("the transformer on {}", self.arms[run].name);
        ExperimentError::Diverged { what, kept: step, why }
    }

    fn check(params: &Params) -> Result<(), ExperimentError> {
        let of = Self::ABOUT.id;
        if !params.width.is_multiple_of(params.heads) {
            let right = format!("expected a divisor of the width, {}", params.width);
            return Err(invalid(of, "heads", params.heads, right));
        }
        if params.tokenizer_symbols > params.train_symbols {
            let most = format!("expected at most the text, {}", params.train_symbols);
            return Err(invalid(of, "tokenizer_symbols", params.tokenizer_symbols, most));
        }
        Ok(())
    }
}

/// The arms of one replicate and the contexts of their transformers.
fn replicate(params: &Params, source: &Source, number: u32) -> Result<Vec<(Arm, usize)>, ExperimentError> {
    let text = source.text(params.train_symbols, number);
    let fresh = source.fresh(params.test_symbols, number);
    let learn = |kind, size: usize, encoder| {
        let learned = &text[..text.len().min(params.tokenizer_symbols as usize)];
        Tokenizer::train(kind, learned, source.alphabet(), size, encoder)
    };
    let tokenizer = learn(params.tokenizer, params.dictionary as usize, params.encoder)?;
    let tokens = Arm::new("tokens", tokenizer, &text, &fresh)?;
    // Both arms read the same number of source symbols in a step.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 16 and 1024")]
    let wide = (f64::from(params.context) * tokens.length()).round().clamp(16.0, 1024.0) as usize;
    let mut arms = Vec::new();
    if params.arms != Arms::Tokens {
        let plain = learn(Kind::Characters, source.alphabet(), Encoder::Own)?;
        arms.push((Arm::new("characters", plain, &text, &fresh)?, wide));
    }
    if params.arms != Arms::Characters {
        arms.push((tokens, params.context as usize));
    }
    Ok(arms)
}

impl Experiment for Tokenization {
    type Params = Params;

    const ABOUT: About = About {
        id: "tokenization-markov",
        title: "A transformer with and without tokens",
        claim: "On order-k Markov data a transformer on characters stays at the loss of single symbols, and the same one with \
                ten learned tokens soon reaches the entropy rate.",
        how: "Two equal transformers are trained in lock-step on the same text, one symbol by symbol, one on the tokens of a \
              learned dictionary, with windows of as many source symbols. Losses on fresh text are in nats per source symbol. \
              A token holds the symbols that the next one depends on, so what had to be looked for k places back is in the \
              current token. The barrier is one of budget: with more steps the transformer on characters moves too.",
        equation: "L = −(1/n) Σ ln Q(tᵢ | t₍<ᵢ₎);  H₁ = h(p/(p+q)),  H = (q h(p) + p h(q))/(p+q)",
        tex: &[
            r"L = -\frac{1}{n} \sum_i \ln Q(t_i \mid t_{\lt i})",
            r"H_1 = h\left(\frac{p}{p+q}\right), \quad H = \frac{q h(p) + p h(q)}{p+q}",
        ],
        source: SOURCE,
        paper: PAPER,
    };

    const CLAIMS: &'static [Claim] = CLAIMS;

    const SHOWN: &'static [&'static str] = &["across", "after"];

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let of = Self::ABOUT.id;
            Self::check(&params)?;
            let source = Source::new(of, params.source())?;
            if (params.dictionary as usize) < source.alphabet() {
                let least = format!("expected at least the alphabet, {}", source.alphabet());
                return Err(invalid(of, "dictionary", params.dictionary, least));
            }
            let mut arms = Vec::new();
            let mut runs = Vec::new();
            for number in 0..params.replicates {
                let template = RunSetup {
                    config: Config::default(),
                    optimiser: params.optimiser(),
                    batch: params.batch,
                    tokens: Vec::new().into(),
                    seed: params.seed.wrapping_add(u64::from(number)),
                    run: 0,
                };
                for (place, (arm, context)) in (0..).zip(replicate(&params, &source, number)?) {
                    runs.push(arms::run(&arm, params.config(context), &template, place));
                    arms.push(arm);
                }
            }
            let training = compute.training(runs).await?;
            let mut text_errors = Record::new(of, serde_json::Map::new());
            source.describe(&source.text(params.train_symbols, 0), &mut text_errors)?;
            Ok(Self { params, source, text_errors, arms, training, done: 0, kept: None })
        })
    }

    fn total(&self) -> u64 {
        u64::from(self.params.steps)
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            record.ran(self.training.ran());
            if record.table("losses").is_none() {
                self.describe(record)?;
                self.evaluate(record, pace).await?;
            }
            let every = u64::from(self.params.evaluate_every);
            let end = self.total().min(self.done + u64::from(steps));
            while self.done < end {
                let next = ((self.done / every + 1) * every).min(self.total());
                let now = u32::try_from(next.min(end) - self.done).unwrap_or(u32::MAX);
                let advanced = self.training.advance(now, pace).await?;
                let fallen = advanced.into_iter().enumerate().find_map(|(run, a)| Some((run, a.stopped?)));
                if let Some((run, why)) = fallen {
                    self.summarise(record);
                    return Err(self.go_back(run, why));
                }
                self.done += u64::from(now);
                if self.done == next {
                    self.evaluate(record, pace).await?;
                }
            }
            self.summarise(record);
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let maps = plots::ARMS.into_iter().map(|arm| plots::map(record, arm));
        let figures = [
            plots::losses(record),
            plots::laws(record),
            plots::tokens(record),
            plots::source(record),
            plots::words_of(record),
            plots::heads(record),
        ];
        figures.into_iter().chain(maps).flatten().collect()
    }

    fn seen(record: &Record) -> String {
        let told: Vec<String> = ["tokens", "characters"]
            .into_iter()
            .filter_map(|name| Some(format!("{} on {name}", number(record.value(&format!("{name}_loss"))?))))
            .collect();
        if let (Some(unigram), Some(best)) = (record.value("character_unigram"), record.value("best_ngram")) {
            let order = record.value("best_ngram_order").unwrap_or(0.0);
            return format!(
                "After {} steps the loss is {} nats a character; single characters allow {}, and the best n-gram model, of \
                 {} characters of context, {}.",
                record.steps,
                told.join(", "),
                number(unigram),
                number(order),
                number(best)
            );
        }
        let (Some(unigram), Some(rate)) = (record.value("unigram_entropy"), record.value("entropy_rate")) else {
            return "Nothing has been measured yet.".to_owned();
        };
        let limits =
            format!("single symbols allow {} and the source's entropy rate is {}", number(unigram), number(rate));
        if unigram - rate <= LEAST_GAP {
            return format!("The loss is {}; {limits}, too close to tell.", told.join(", "));
        }
        let gained: Vec<String> = ["tokens", "characters"]
            .into_iter()
            .filter_map(|name| {
                let share = 100.0 * (1.0 - record.value(&format!("{name}_excess"))?);
                Some(format!("{} % of it on {name}", number(share.round())))
            })
            .collect();
        format!(
            "After {} steps the loss is {} nats a symbol; {limits}. Of what could be gained between the two, {} is gained.",
            record.steps,
            told.join(", "),
            gained.join(" and ")
        )
    }

    fn now(record: &Record) -> String {
        let Some(table) = record.table("losses") else { return String::new() };
        let last = |name: &str| table.numbers(name).last().copied().filter(|x| x.is_finite());
        let losses = plots::ARMS.into_iter().filter_map(|arm| Some(format!("{} on {arm}", number(last(arm)?))));
        let losses: Vec<String> = losses.collect();
        let rate = last("rate").map_or_else(String::new, |rate| format!(", rate {}", number(rate)));
        format!("loss {}{rate}", losses.join(", "))
    }

    fn ran(&mut self) -> Ran {
        self.training.ran()
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        let Params { rate, clip, steps, across, .. } = self.params;
        let after = self.params.after.clone();
        let live = Params { rate, clip, steps, across, after, ..params.clone() };
        if live != self.params || u64::from(params.steps) < self.done {
            return Ok(false);
        }
        for run in 0..self.arms.len() {
            self.training.change(run, params.optimiser())?;
        }
        self.params = params;
        Ok(true)
    }

    fn save(&mut self) -> Doing<'_, Saved> {
        Box::pin(async move {
            let mut networks = Vec::with_capacity(self.arms.len());
            for run in 0..self.arms.len() {
                networks.push(self.training.snapshot(run).await?);
            }
            Ok(Saved { networks, ..Saved::default() })
        })
    }

    fn load(&mut self, saved: &Saved, record: &Record) -> Result<(), ExperimentError> {
        let (wanted, found) = (self.arms.len(), saved.networks.len());
        if found != wanted {
            return Err(ExperimentError::Checkpoint(format!(
                "it holds {found} networks, and {wanted} are trained here"
            )));
        }
        for (run, network) in saved.networks.iter().enumerate() {
            if network.step != record.steps {
                let text = format!("a network has made {} steps, and the record {}", network.step, record.steps);
                return Err(ExperimentError::Checkpoint(text));
            }
            self.training.restore(run, network)?;
        }
        self.done = record.steps;
        self.kept = Some((self.done, saved.networks.clone()));
        Ok(())
    }

    fn artifacts(&mut self) -> Doing<'_, Vec<Artifact>> {
        Box::pin(async move {
            let mut files = Vec::new();
            for name in plots::ARMS {
                if let Some(run) = self.runs_of(name).first().copied() {
                    let snapshot = self.training.snapshot(run).await?;
                    files.extend(self.arms[run].artifacts(snapshot, &self.source.alphabet)?);
                }
            }
            Ok(files)
        })
    }
}
