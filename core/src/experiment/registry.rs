//! The list of all experiments: the one place that a new experiment is added to.

use std::sync::OnceLock;

use serde_json::{Map, Value as Json};

use super::{
    About, Claim, Doing, Experiment, ExperimentError, Record, Run, boids::Flock, fish, markov, run::Erased,
    vicsek::Alignment,
};
use crate::{
    compute::Compute,
    figure::Figure,
    params::{self, Parameter, ParameterError},
    tables::tables,
};

type Start = for<'a> fn(Json, &'a dyn Compute) -> Doing<'a, Box<dyn Erased>>;

/// An experiment with its types erased.
pub struct Entry {
    /// What it is.
    pub about: &'static About,
    claims: &'static [Claim],
    shown: &'static [&'static str],
    parameters: fn() -> Vec<Parameter>,
    schema: fn() -> schemars::Schema,
    figures: fn(&Record) -> Vec<Figure>,
    seen: fn(&Record) -> String,
    now: fn(&Record) -> String,
    described: OnceLock<Vec<Parameter>>,
    /// Its place in [`WORKS`].
    place: usize,
}

/// What an experiment does, apart from what it is (see [`tables`]).
struct Work {
    start: Start,
}

impl Work {
    const fn of<E: Experiment>() -> Self {
        Self {
            start: |json, compute| {
                Box::pin(async move {
                    let params = typed::<E>(json)?;
                    Ok(Box::new(E::start(params, compute).await?) as Box<dyn Erased>)
                })
            },
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.about.id).finish()
    }
}

impl Entry {
    const fn of<E: Experiment>(place: usize) -> Self {
        Self {
            about: &E::ABOUT,
            claims: E::CLAIMS,
            shown: E::SHOWN,
            parameters: params::describe::<E::Params>,
            schema: params::schema::<E::Params>,
            figures: E::figures,
            seen: E::seen,
            now: E::now,
            described: OnceLock::new(),
            place,
        }
    }

    /// Its parameters with their ranges, help and defaults.
    pub fn parameters(&self) -> &[Parameter] {
        self.described.get_or_init(self.parameters)
    }

    /// The JSON Schema of its parameters.
    #[must_use]
    pub fn schema(&self) -> schemars::Schema {
        (self.schema)()
    }

    /// What it claims.
    #[must_use]
    pub const fn claims(&self) -> &'static [Claim] {
        self.claims
    }

    /// All parameters at their defaults, with `given` put over them.
    ///
    /// # Errors
    /// [`ParameterError`] for an unknown name or a value that does not fit.
    pub fn complete(&self, given: &Json) -> Result<Map<String, Json>, ParameterError> {
        params::complete(self.about.id, self.parameters(), given)
    }

    /// Reads `key=value` (from a command line, a URL or an attribute).
    ///
    /// # Errors
    /// [`ParameterError`] for an unknown name or a value that does not fit.
    pub fn parse(&self, key: &str, text: &str) -> Result<Json, ParameterError> {
        let value =
            self.parameters().iter().find(|p| p.name == key).map_or_else(|| Json::from(text), |p| p.parse(text));
        let given = Json::Object(Map::from_iter([(key.to_owned(), value.clone())]));
        params::validate(self.about.id, self.parameters(), given.as_object().unwrap_or(&Map::new()))?;
        Ok(value)
    }

    /// The parameters of a claim, over the defaults.
    #[must_use]
    pub fn settings(&self, claim: &Claim) -> Map<String, Json> {
        let pairs = claim.settings.iter();
        pairs.filter_map(|(key, text)| Some(((*key).to_owned(), self.parse(key, text).ok()?))).collect()
    }

    /// Whether the parameter `key` chooses only what is shown.
    #[must_use]
    pub fn shows(&self, key: &str) -> bool {
        self.shown.contains(&key)
    }

    /// Whether `parameters` (in full) are those of `claim`, whatever the seed and whatever is shown.
    #[must_use]
    pub fn concerns(&self, claim: &Claim, parameters: &Map<String, Json>) -> bool {
        let Ok(wanted) = self.complete(&Json::Object(self.settings(claim))) else { return false };
        let same = |a: &Json, b: &Json| {
            a == b || matches!((a.as_f64(), b.as_f64()), (Some(x), Some(y)) if x.total_cmp(&y).is_eq())
        };
        wanted
            .iter()
            .all(|(key, value)| key == "seed" || self.shows(key) || parameters.get(key).is_some_and(|p| same(p, value)))
    }

    /// Begins a run.
    ///
    /// # Errors
    /// [`ExperimentError::Parameter`], or what the experiment says of the combination.
    pub async fn start(&'static self, given: &Json, compute: &dyn Compute) -> Result<Run, ExperimentError> {
        let full = self.complete(given)?;
        let inner = (WORKS[self.place].start)(Json::Object(full.clone()), compute).await?;
        Ok(Run::new(self, Record::new(self.about.id, full), inner))
    }

    /// The pictures of a record.
    #[must_use]
    pub fn figures(&self, record: &Record) -> Vec<Figure> {
        (self.figures)(record)
    }

    /// What goes on, in a few words beside a progress bar.
    #[must_use]
    pub fn now(&self, record: &Record) -> String {
        (self.now)(record)
    }

    /// What a record shows, in words.
    #[must_use]
    pub fn seen(&self, record: &Record) -> String {
        (self.seen)(record)
    }
}

/// The parameters of `E`, validated before against their ranges.
pub(super) fn typed<E: Experiment>(json: Json) -> Result<E::Params, ParameterError> {
    serde_json::from_value(json).map_err(|e| ParameterError::Invalid {
        of: E::ABOUT.id.to_owned(),
        key: "…".to_owned(),
        given: String::new(),
        expected: e.to_string(),
    })
}

tables! {
    /// All experiments, in the order that lists show them.
    pub fn registry;
    fish::School,
    fish::PhaseMap,
    fish::Hysteresis,
    fish::Cases,
    fish::Residence,
    fish::Rotation,
    Alignment,
    Flock,
    markov::Tokenization,
    markov::Sweep,
    markov::Descents,
    markov::Fragments,
}

/// The experiment called `id`.
///
/// # Errors
/// [`ExperimentError::Unknown`] with the nearest id there is.
pub fn find(id: &str) -> Result<&'static Entry, ExperimentError> {
    let unknown = || ExperimentError::Unknown {
        id: id.to_owned(),
        suggestion: params::nearest(id, registry().iter().map(|e| e.about.id)),
    };
    registry().iter().find(|e| e.about.id == id).ok_or_else(unknown)
}

/// The experiments that belong to the paper `slug`, or the one experiment of that id.
#[must_use]
pub fn of_paper(slug: &str) -> Vec<&'static Entry> {
    registry().iter().filter(|e| e.about.paper == slug || e.about.id == slug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_parameter_has_help_and_an_acceptable_default() {
        let mut ids: Vec<_> = registry().iter().map(|e| e.about.id).collect();
        ids.sort_unstable();
        let before = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), before);
        for entry in registry() {
            for parameter in entry.parameters() {
                assert!(!parameter.help.is_empty(), "{}.{} has no help", entry.about.id, parameter.name);
            }
            let full = entry.complete(&Json::Null).unwrap();
            assert!(full.contains_key("seed"), "{} has no seed", entry.about.id);
            entry.complete(&Json::Object(full)).unwrap();
        }
    }

    #[test]
    fn every_claim_is_about_parameters_that_exist() {
        for entry in registry() {
            for claim in entry.claims() {
                for (key, text) in claim.settings {
                    entry.parse(key, text).unwrap();
                }
                let full = entry.complete(&Json::Object(entry.settings(claim))).unwrap();
                assert!(entry.concerns(claim, &full), "{} {}", entry.about.id, claim.id);
            }
        }
    }
}
