//! Surrogates: series that share some properties of the data and nothing else, and where a measure of the data lies
//! among the same measure of them.
//!
//! | kind | what it keeps | what it tests |
//! |---|---|---|
//! | shuffle | the values | independent values |
//! | phase | mean and power spectrum | a linear Gaussian process |
//! | iaaft | the values, and the spectrum as well as they allow | a linear Gaussian process seen through a monotone function |
//!
//! Theiler, Eubank, Longtin, Galdrikian & Farmer, Physica D 58, 77 (1992); Schreiber & Schmitz, Phys. Rev. Lett. 77, 635
//! (1996). Surrogate i depends on the seed and on i only, so they can be made and measured in any order and on any number
//! of threads. Under the null hypothesis the data and their n surrogates are exchangeable, hence the rank of the data
//! among them is uniform, and (r + 1)/(n + 1) with r surrogates at least as extreme is an exact p-value.

mod null;
mod plan;

use std::{fmt::Display, sync::Arc};

use futures_util::future::LocalBoxFuture;
use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex, num_complex::Complex};
use serde_json::{Map, Value as Json};

pub use self::{
    null::Surrogates,
    plan::{Kind, Plan},
};
use super::{
    Accepts, Context, Entry, MeasureError, Of, Outcome, ParameterError, Value,
    order::{ascending, key_of},
};
use crate::{
    data::{Column, Symbols, Values},
    pace::{Cancelled, Pace},
    rng::Philox,
};

/// Each surrogate has a random stream of its own, from this one on.
const STREAM: u64 = 0x7375_7272_0000_0000;
/// Rounds of amplitude and rank adjustment; they usually end by themselves, when no value moves any more.
const MOST_ROUNDS: usize = 200;
/// The fewest values that have a spectrum to keep.
const FEWEST: usize = 8;
/// A vector with more values than this is a profile in time, which has no counterpart in a surrogate.
const MOST_VALUES: usize = 1000;
/// From this share of all squared steps on, the step from the last value back to the first makes a spectrum of its own.
const LARGE_STEP: f64 = 0.1;

/// One surrogate's value.
#[derive(Clone, Debug)]
pub struct Draw {
    /// As many as the measure has; NaN where it has none.
    values: Vec<f64>,
    spectrum_error: Option<f64>,
}

/// A series whose surrogates are made.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    seed: u64,
    column: Column,
    /// The places of the values that are there.
    present: Vec<u32>,
    /// Of kinds that keep a spectrum.
    spectrum: Option<Spectrum>,
}

struct Spectrum {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    transform: Vec<Complex<f64>>,
    mean: f64,
    /// The places of the values in ascending order, and the values.
    order: Vec<u32>,
    sorted: Vec<f64>,
}

impl std::fmt::Debug for Spectrum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectrum").field("frequencies", &self.transform.len()).finish_non_exhaustive()
    }
}

impl Source {
    /// The surrogates of the first `first` values of a column in memory.
    ///
    /// # Errors
    /// [`MeasureError::NotResident`]; [`MeasureError::WrongInput`] for the spectrum of labels;
    /// [`MeasureError::Gaps`] for the spectrum of a series with gaps; [`MeasureError::TooShort`].
    pub fn new(column: &Column, first: Option<u64>, kind: Kind, seed: u64) -> Result<Self, MeasureError> {
        let Some(values) = &column.values else { return Err(MeasureError::NotResident(column.name.clone())) };
        let n = first.and_then(|n| usize::try_from(n).ok()).map_or(values.len(), |n| n.min(values.len()));
        let values = match values {
            Values::Real(v) => Values::Real(v[..n].to_vec()),
            Values::Time(v) => Values::Time(v[..n].to_vec()),
            Values::Integer(v) => Values::Integer(v[..n].to_vec()),
            Values::Bytes(v) => Values::Bytes(v[..n].to_vec()),
            Values::Symbols(s) => Values::Symbols(Symbols { codes: s.codes[..n].to_vec(), labels: s.labels.clone() }),
        };
        let there = |i: usize| match &values {
            Values::Real(v) | Values::Time(v) => v[i].is_finite(),
            Values::Symbols(s) => s.codes[i] != Symbols::MISSING,
            Values::Integer(_) | Values::Bytes(_) => true,
        };
        let places = (0..n).filter(|&i| there(i)).map(|i| u32::try_from(i).unwrap_or(u32::MAX));
        let present: Vec<u32> = places.collect();
        let spectrum = if kind == Kind::Shuffle { None } else { Some(Spectrum::new(&values, present.len())?) };
        let column = Column { unit: column.unit.clone(), ..Column::new(column.name.clone(), values) };
        Ok(Self { kind, seed, column, present, spectrum })
    }

    /// Surrogate `index`; of a kind that keeps the values a permutation of them. Missing values stay where they are.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn surrogate(&self, index: u32, pace: &dyn Pace) -> Result<(Column, Option<f64>), MeasureError> {
        let mut rng = Philox::new(self.seed, STREAM + u64::from(index));
        let Some(spectrum) = &self.spectrum else {
            return Ok((self.permuted(&shuffled(&self.present, &mut rng)), None));
        };
        if self.kind == Kind::Phase {
            let values = spectrum.with_random_phases(&mut rng)?;
            return Ok((
                Column { unit: self.column.unit.clone(), ..Column::real(self.column.name.clone(), values) },
                None,
            ));
        }
        let (order, error) = spectrum.adjusted(&shuffled(&self.present, &mut rng), pace).await?;
        Ok((self.permuted(&order), Some(error)))
    }

    /// The present values in the order of `from`.
    fn permuted(&self, from: &[u32]) -> Column {
        fn apply<T: Copy>(values: &[T], to: &[u32], from: &[u32]) -> Vec<T> {
            let mut moved = values.to_vec();
            to.iter().zip(from).for_each(|(&t, &f)| moved[t as usize] = values[f as usize]);
            moved
        }
        let to = &self.present;
        let values = self.column.values.as_ref().map(|values| match values {
            Values::Real(v) => Values::Real(apply(v, to, from)),
            Values::Time(v) => Values::Time(apply(v, to, from)),
            Values::Integer(v) => Values::Integer(apply(v, to, from)),
            Values::Bytes(v) => Values::Bytes(apply(v, to, from)),
            Values::Symbols(s) => {
                Values::Symbols(Symbols { codes: apply(&s.codes, to, from), labels: s.labels.clone() })
            }
        });
        Column { values, name: self.column.name.clone(), unit: self.column.unit.clone(), ..self.column }
    }

    /// Whether the step from the last value to the first, which a spectrum takes for a step like any other, is large.
    fn ends_differ(&self) -> bool {
        let Some(Spectrum { sorted, order, .. }) = &self.spectrum else { return false };
        let mut x = vec![0.0; sorted.len()];
        order.iter().zip(sorted).for_each(|(&i, &v)| x[i as usize] = v);
        let steps: f64 = x.windows(2).map(|w| (w[1] - w[0]).powi(2)).sum();
        let jump = x.last().zip(x.first()).map_or(0.0, |(a, b)| (a - b).powi(2));
        jump > LARGE_STEP * steps
    }
}

/// `places` in random order: Fisher and Yates's shuffle.
fn shuffled(places: &[u32], rng: &mut Philox) -> Vec<u32> {
    let mut order = places.to_vec();
    for (last, bound) in (1..order.len()).zip(2_u32..) {
        order.swap(last, rng.below(bound) as usize);
    }
    order
}

fn transform_failed(error: &FftError) -> MeasureError {
    MeasureError::Backend { backend: "the Fourier transform".to_owned(), message: error.to_string() }
}

impl Spectrum {
    #[expect(
        clippy::cast_precision_loss,
        reason = "lengths, and integers that round to the nearest f64 as in measures"
    )]
    fn new(values: &Values, present: usize) -> Result<Self, MeasureError> {
        let n = values.len();
        let x: Vec<f64> = match values {
            Values::Real(v) | Values::Time(v) => v.clone(),
            Values::Integer(v) => v.iter().map(|&x| x as f64).collect(),
            Values::Bytes(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Values::Symbols(_) => {
                return Err(MeasureError::WrongInput {
                    measure: "a surrogate with the same spectrum",
                    wanted: "numbers",
                    found: "labels",
                    hint: "; shuffle takes labels",
                });
            }
        };
        if present < n {
            return Err(MeasureError::Gaps { count: (n - present) as u64 });
        }
        if n < FEWEST {
            let what = "a surrogate with the same spectrum".to_owned();
            return Err(MeasureError::TooShort { n: n as u64, what, needed: FEWEST as u64 });
        }
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
        let mean = x.iter().map(|v| v / n as f64).sum::<f64>();
        let mut centred: Vec<f64> = x.iter().map(|v| v - mean).collect();
        let mut transform = forward.make_output_vec();
        forward.process(&mut centred, &mut transform).map_err(|e| transform_failed(&e))?;
        let order = ascending(x.iter().map(|&v| key_of(v)));
        let sorted = order.iter().map(|&i| x[i as usize]).collect();
        Ok(Self { forward, inverse, transform, mean, order, sorted })
    }

    #[expect(clippy::cast_precision_loss, reason = "a length")]
    fn back(&self, transform: &mut [Complex<f64>], x: &mut [f64]) -> Result<(), MeasureError> {
        let n = x.len();
        // The constant and, for even lengths, the last are real by definition; rounding must not say otherwise.
        transform[0].im = 0.0;
        if n.is_multiple_of(2)
            && let Some(last) = transform.last_mut()
        {
            last.im = 0.0;
        }
        self.inverse.process(transform, x).map_err(|e| transform_failed(&e))?;
        x.iter_mut().for_each(|v| *v /= n as f64);
        Ok(())
    }

    fn with_random_phases(&self, rng: &mut Philox) -> Result<Vec<f64>, MeasureError> {
        let n = self.sorted.len();
        let mut transform = self.transform.clone();
        for z in &mut transform[1..] {
            *z = Complex::from_polar(z.norm(), std::f64::consts::TAU * rng.uniform());
        }
        // The last of an even length is real, so that its phase is one of two.
        if n.is_multiple_of(2)
            && let Some((last, own)) = transform.last_mut().zip(self.transform.last())
        {
            *last = Complex::new(if last.im > 0.0 { own.norm() } else { -own.norm() }, 0.0);
        }
        let mut x = vec![0.0; n];
        self.back(&mut transform, &mut x)?;
        x.iter_mut().for_each(|v| *v += self.mean);
        Ok(x)
    }

    /// From a random order, the spectrum and the values are imposed in turn until no value moves. Returns the order, as
    /// places in the data, and the relative difference in amplitude that is left.
    async fn adjusted(&self, start: &[u32], pace: &dyn Pace) -> Result<(Vec<u32>, f64), MeasureError> {
        let n = self.sorted.len();
        let mut place_of_rank = vec![0; n];
        // Rank by rank where the value goes: at first, wherever the shuffle put it.
        let mut rank = vec![0_u32; n];
        (0..).zip(&self.order).for_each(|(r, &i)| rank[i as usize] = r);
        (0..).zip(start).for_each(|(t, &i): (u32, _)| place_of_rank[rank[i as usize] as usize] = t);
        let (mut x, mut transform) = (vec![0.0; n], self.forward.make_output_vec());
        let mut scratch = self.forward.make_scratch_vec();
        let mut error = f64::INFINITY;
        for round in 0..=MOST_ROUNDS {
            place_of_rank.iter().zip(&self.sorted).for_each(|(&t, &v)| x[t as usize] = v - self.mean);
            self.forward
                .process_with_scratch(&mut x, &mut transform, &mut scratch)
                .map_err(|e| transform_failed(&e))?;
            error = self.difference(&transform);
            if round == MOST_ROUNDS {
                break;
            }
            // Of a long series each of the two transforms and the sorting is a while.
            pace.tick(round as u64, MOST_ROUNDS as u64).await?;
            for (z, own) in transform.iter_mut().zip(&self.transform) {
                let (size, wanted) = (z.norm(), own.norm());
                // Where nothing is there to be turned, the phase is the data's own.
                *z = if size > 0.0 { *z * (wanted / size) } else { *own };
            }
            self.back(&mut transform, &mut x)?;
            pace.tick(round as u64, MOST_ROUNDS as u64).await?;
            let next = ascending(x.iter().map(|&v| key_of(v)));
            if next == place_of_rank {
                break;
            }
            place_of_rank = next;
            pace.tick(round as u64, MOST_ROUNDS as u64).await?;
        }
        let mut order = vec![0; n];
        place_of_rank.iter().zip(&self.order).for_each(|(&t, &i)| order[t as usize] = i);
        Ok((order, error))
    }

    /// sqrt(Σ (|S| − |S₀|)² / Σ |S₀|²).
    fn difference(&self, transform: &[Complex<f64>]) -> f64 {
        let (mut off, mut all) = (0.0, 0.0);
        for (z, own) in transform.iter().zip(&self.transform) {
            off += (z.norm() - own.norm()).powi(2);
            all += own.norm_sqr();
        }
        if all > 0.0 { (off / all).sqrt() } else { 0.0 }
    }
}

/// A measure of a column against its surrogates.
pub struct Test {
    entry: &'static Entry,
    params: Json,
    plan: Plan,
    source: Source,
}

impl std::fmt::Debug for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Test").field("measure", &self.entry.about.id).field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Test {
    /// Prepares the surrogates of a column in memory for the measure `entry` with these parameters.
    ///
    /// # Errors
    /// [`MeasureError::Parameter`] for a measure that is not of one column, and what [`Source::new`] returns.
    pub fn new(
        entry: &'static Entry,
        given: &Json,
        column: &Column,
        plan: Plan,
        seed: u64,
    ) -> Result<Self, MeasureError> {
        let refused = |expected: &str| ParameterError::Invalid {
            of: entry.about.id.to_owned(),
            key: "surrogates".to_owned(),
            given: plan.kind.to_string(),
            expected: expected.to_owned(),
        };
        if !applies(entry) {
            return Err(refused("expected a measure of one column").into());
        }
        if plan.kind == Kind::Phase && entry.about.accepts == Accepts::Bytes {
            return Err(refused("expected shuffle or iaaft, whose values are those of the data: bytes").into());
        }
        let full: Map<String, Json> = entry.complete(given)?;
        let first = full.get("first").and_then(Json::as_u64);
        let source = Source::new(column, first, plan.kind, seed)?;
        Ok(Self { entry, params: Json::Object(full), plan, source })
    }

    /// How many surrogates there will be.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.plan.count
    }

    /// The measure of surrogate `index`, without its own uncertainty.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`], and what the measure returns of such a series.
    pub async fn draw(&self, index: u32, context: &Context<'_>) -> Result<Draw, MeasureError> {
        let (column, spectrum_error) = self.source.surrogate(index, context.pace).await?;
        let outcome = self.entry.run(&self.params, &column, &context.with_resamples(0, context.seed)).await?;
        Ok(Draw { values: values_of(&outcome.value).unwrap_or_default(), spectrum_error })
    }

    /// `outcome`, the measure of the data, with its place among the surrogates.
    #[must_use]
    pub fn place(&self, outcome: Outcome, draws: &[Draw]) -> Outcome {
        let Some(own) = values_of(&outcome.value) else {
            let text = "this value is a profile, or has no number: it was not compared with surrogates";
            return outcome.warn("no_surrogates", text);
        };
        let mut found = Surrogates {
            kind: self.plan.kind,
            count: self.plan.count,
            seed: self.source.seed,
            mean: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
            p_value: Vec::new(),
            p_low: Vec::new(),
            p_high: Vec::new(),
            undefined: Vec::new(),
            spectrum_error: draws.iter().filter_map(|d| d.spectrum_error).reduce(f64::max),
        };
        let mut constant = !own.is_empty() && !draws.is_empty();
        for (place, &value) in own.iter().enumerate() {
            let null: Vec<f64> =
                draws.iter().filter_map(|d| d.values.get(place).copied()).filter(|x| !x.is_nan()).collect();
            found.undefined.push(u32::try_from(draws.len() - null.len()).unwrap_or(u32::MAX));
            constant &= null.iter().all(|x| *x == value);
            found.add(value, null);
        }
        let mut outcome = outcome;
        if constant {
            let text = "every surrogate has the value of the data: the measure does not depend on what they change";
            outcome = outcome.warn("surrogates_equal", text);
        }
        if self.source.ends_differ() {
            let text = "the series ends far from where it begins, and a spectrum takes this for a step of the data: cut it where its ends meet, or test its increments";
            outcome = outcome.warn("ends_differ", text);
        }
        outcome.figures.iter_mut().for_each(|figure| found.draw_into(figure, &own));
        outcome.surrogates = Some(found);
        outcome
    }
}

/// Whether a measure is of one column, so that a surrogate can take the column's place.
#[must_use]
pub fn applies(entry: &Entry) -> bool {
    entry.about.accepts.is_of_one_column()
}

/// Why surrogates cannot take the place of what a measure is asked of; `None` where they can.
#[must_use]
pub fn refusal(entry: &Entry, of: &Of) -> Option<String> {
    let id = entry.about.id;
    if applies(entry) {
        let several = !matches!(of, Of::Column(_));
        return several.then(|| format!("surrogates are of one column, and {id} was not asked of one alone"));
    }
    let own = if matches!(entry.about.accepts, Accepts::Pair | Accepts::SymbolPair) {
        "; measures of pairs have a permutation null of their own"
    } else {
        ""
    };
    Some(format!("surrogates are for measures of one column, and {id} is not{own}"))
}

/// `outcome`, which stands without the surrogates that were asked for, with the reason.
#[must_use]
pub fn not_compared(outcome: Outcome, why: impl Display) -> Outcome {
    outcome.warn("no_surrogates", format!("not compared with surrogates: {why}"))
}

/// The numbers of a value; `None` for profiles in time and where there is none at all.
fn values_of(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Scalar(x) => Some(vec![*x]),
        Value::Vector(v) if v.len() <= MOST_VALUES => Some(v.clone()),
        Value::Vector(_) | Value::Curves(_) | Value::Undefined(_) => None,
    }
}

/// Makes and measures all surrogates one after the other, and places `outcome` among them. A door with threads calls
/// [`Test::draw`] from each of them instead; the numbers are the same.
///
/// # Errors
/// As [`Test::draw`].
pub async fn compare(test: &Test, outcome: Outcome, context: &Context<'_>) -> Result<Outcome, MeasureError> {
    if values_of(&outcome.value).is_none() {
        return Ok(test.place(outcome, &[]));
    }
    let mut draws = Vec::new();
    for index in 0..test.count() {
        let pace = Step { pace: context.pace, done: u64::from(index), total: u64::from(test.count()) };
        draws.push(test.draw(index, &Context { pace: &pace, ..*context }).await?);
        context.pace.tick(u64::from(index) + 1, u64::from(test.count())).await?;
    }
    Ok(test.place(outcome, &draws))
}

/// Ticks within a surrogate, as so many surrogates done.
struct Step<'a> {
    pace: &'a dyn Pace,
    done: u64,
    total: u64,
}

impl Pace for Step<'_> {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        self.pace.tick(self.done, self.total)
    }
}
