//! The same transformer on characters and on tokens, trained in lock-step.

use super::{
    PAPER, SOURCE,
    arms::{self, Arm, as_f64},
    claims::CLAIMS,
    params::{Arms, Params},
    plots,
    source::{LEAST_GAP, Source, invalid, nats},
};
use crate::{
    compute::Compute,
    experiment::{About, Claim, Column, Doing, Experiment, ExperimentError, Record, Scalar, Table},
    figure::{Figure, number},
    nn::{Config, RunSetup, Training},
    pace::Pace,
    token::{Encoder, Kind, Tokenizer},
};

/// Both arms while they are trained.
pub(crate) struct Tokenization {
    params: Params,
    source: Source,
    text_errors: Record,
    arms: Vec<Arm>,
    training: Box<dyn Training>,
    done: u64,
}

impl Tokenization {
    /// What is known before any step.
    fn describe(&self, record: &mut Record) -> Result<(), ExperimentError> {
        for scalar in &self.text_errors.scalars {
            record.set(scalar.clone());
        }
        for note in &self.text_errors.notes {
            record.note(note.clone());
        }
        for (arm, run) in self.arms.iter().zip(self.training.runs()) {
            let context = run.config.context;
            let n = u64::from(self.params.test_symbols);
            if arm.name == "tokens" {
                let [unigram, bigram] = arm.plug_in()?;
                let names = [
                    ("token_unigram", "plug-in unigram model over tokens", unigram),
                    ("token_bigram", "plug-in bigram model over tokens", bigram),
                ];
                for (name, title, loss) in names {
                    loss.into_iter().for_each(|loss| record.set(nats(name, title, loss, n)));
                }
                record.set(Scalar::new("symbols_per_token", "symbols a token", Some(arm.length()), n));
                record.put("dictionary", arm.dictionary()?);
            } else {
                let floor = arms::floor(&self.source, context);
                record.set(nats("characters_floor", "least loss of windows of characters", floor, n));
            }
            let parameters = crate::nn::Gpt::new(run.config)?.layout().len() as u64;
            let title = format!("parameters of the transformer on {}", arm.name);
            let value = Some(as_f64(parameters));
            record.set(Scalar {
                unit: crate::quantity::Unit::Count,
                ..Scalar::new(format!("{}_parameters", arm.name), title, value, 1)
            });
        }
        Ok(())
    }

    async fn evaluate(&mut self, record: &mut Record, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let mut losses = [f64::NAN; 2];
        let mut work = [f64::NAN; 2];
        let symbols = f64::from(self.params.batch) * as_f64(self.done);
        let mut read = f64::NAN;
        for (number, arm) in self.arms.iter().enumerate() {
            let place = usize::from(arm.name == "tokens");
            losses[place] = arm.evaluate(number, &mut *self.training, pace).await?;
            let config = self.training.runs()[number].config;
            let tokens = config.context * self.params.batch as usize;
            work[place] = config.flops(tokens) * as_f64(self.done) * 1e-9;
            read = symbols * as_f64(config.context as u64) * arm.length();
        }
        let table = record.table_mut("losses", || {
            let number = |name: &str, title: &str, unit: &str| Column::numbers(name, title, unit);
            let columns = vec![
                number("step", "step", "1"),
                number("characters", "loss on characters", "nats/symbol"),
                number("tokens", "loss on tokens", "nats/symbol"),
                number("symbols", "symbols read by an arm", "1"),
                number("characters_work", "work on characters", "GFLOP"),
                number("tokens_work", "work on tokens", "GFLOP"),
            ];
            Table::new("Losses on fresh text", columns)
        });
        table.push(&[as_f64(self.done), losses[0], losses[1], read, work[0], work[1]]);
        Ok(())
    }

    /// The numbers that claims are about.
    fn summarise(&self, record: &mut Record) {
        let Some(table) = record.table("losses") else { return };
        let steps = table.numbers("step").to_vec();
        let curves = ["characters", "tokens"].map(|name| table.numbers(name).to_vec());
        let (unigram, rate) = (self.source.unigram, self.source.rate);
        let n = u64::from(self.params.test_symbols);
        let mut lowest = f64::INFINITY;
        for (name, losses) in ["characters", "tokens"].into_iter().zip(&curves) {
            let Some(last) = losses.last().copied().filter(|x| x.is_finite()) else { continue };
            record.set(nats(&format!("{name}_loss"), &format!("loss on {name}"), last, n));
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
        let over = (rate > 0.0 && lowest.is_finite()).then(|| lowest / rate);
        record.set(Scalar::new("lowest_over_rate", "lowest loss of any arm by H", over, n));
    }
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
        source: SOURCE,
        paper: PAPER,
    };

    const CLAIMS: &'static [Claim] = CLAIMS;

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let of = Self::ABOUT.id;
            if !params.width.is_multiple_of(params.heads) {
                return Err(invalid(
                    of,
                    "heads",
                    params.heads,
                    format!("expected a divisor of the width, {}", params.width),
                ));
            }
            if params.tokenizer_symbols > params.train_symbols {
                let most = format!("expected at most the text, {}", params.train_symbols);
                return Err(invalid(of, "tokenizer_symbols", params.tokenizer_symbols, most));
            }
            let source = Source::new(of, params.source())?;
            if (params.dictionary as usize) < source.alphabet() {
                let least = format!("expected at least the alphabet, {}", source.alphabet());
                return Err(invalid(of, "dictionary", params.dictionary, least));
            }
            let text = source.text(params.train_symbols);
            let fresh = source.fresh(params.test_symbols);
            let learn = |kind, size: usize, encoder| {
                let learned = &text[..params.tokenizer_symbols as usize];
                Tokenizer::train(kind, learned, source.alphabet(), size, encoder)
            };
            let tokenizer = learn(params.tokenizer, params.dictionary as usize, params.encoder)?;
            let tokens = Arm::new("tokens", tokenizer, &text, &fresh)?;
            // Both arms read the same number of source symbols in a step.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 16 and 1024")]
            let wide = (f64::from(params.context) * tokens.length()).round().clamp(16.0, 1024.0) as usize;
            let mut arms = Vec::new();
            let mut contexts = Vec::new();
            if params.arms != Arms::Tokens {
                let plain = learn(Kind::Characters, source.alphabet(), Encoder::Own)?;
                arms.push(Arm::new("characters", plain, &text, &fresh)?);
                contexts.push(wide);
            }
            if params.arms != Arms::Characters {
                arms.push(tokens);
                contexts.push(params.context as usize);
            }
            let template = RunSetup {
                config: Config::default(),
                optimiser: params.optimiser(),
                batch: params.batch,
                tokens: Vec::new().into(),
                seed: params.seed,
                run: 0,
            };
            let runs = (0..).zip(arms.iter().zip(contexts));
            let runs = runs.map(|(n, (arm, context))| arms::run(arm, params.config(context), &template, n)).collect();
            let training = compute.training(runs).await?;
            let mut text_errors = Record::new(of, serde_json::Map::new());
            source.describe(&text, &mut text_errors)?;
            Ok(Self { params, source, text_errors, arms, training, done: 0 })
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
            if self.done == 0 {
                self.describe(record)?;
                self.evaluate(record, pace).await?;
            }
            let every = u64::from(self.params.evaluate_every);
            let end = self.total().min(self.done + u64::from(steps));
            while self.done < end {
                let next = ((self.done / every + 1) * every).min(self.total());
                let now = u32::try_from(next.min(end) - self.done).unwrap_or(u32::MAX);
                for (arm, advanced) in self.arms.iter().zip(self.training.advance(now, pace).await?) {
                    if let Some(error) = advanced.stopped {
                        record.note(format!("The transformer on {} stopped: {error}.", arm.name));
                    }
                }
                self.done += u64::from(now);
                if self.done == next {
                    self.evaluate(record, pace).await?;
                }
            }
            self.summarise(record);
            if self.done == self.total() {
                for (number, arm) in self.arms.iter().enumerate() {
                    arm.look(number, &mut *self.training, record).await?;
                }
            }
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let maps = ["characters", "tokens"].into_iter().filter_map(|arm| plots::map(record, arm));
        plots::losses(record).into_iter().chain(maps).collect()
    }

    fn seen(record: &Record) -> String {
        let (Some(unigram), Some(rate)) = (record.value("unigram_entropy"), record.value("entropy_rate")) else {
            return "Nothing has been measured yet.".to_owned();
        };
        let told: Vec<String> = ["tokens", "characters"]
            .into_iter()
            .filter_map(|name| Some(format!("{} on {name}", number(record.value(&format!("{name}_loss"))?))))
            .collect();
        let limits =
            format!("single symbols allow {} and the source's entropy rate is {}", number(unigram), number(rate));
        if unigram - rate <= LEAST_GAP {
            return format!("The loss is {}; {limits}, too close to tell.", told.join(", "));
        }
        format!("After {} steps the loss is {} nats a symbol; {limits}.", record.steps, told.join(", "))
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        let Params { rate, clip, steps, .. } = self.params;
        let live = Params { rate, clip, steps, ..params.clone() };
        if live != self.params || u64::from(params.steps) < self.done {
            return Ok(false);
        }
        for run in 0..self.arms.len() {
            self.training.change(run, params.optimiser())?;
        }
        self.params = params;
        Ok(true)
    }
}
