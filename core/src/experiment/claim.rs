//! Named, quantified claims, and whether runs bear them out.

use serde::{Deserialize, Serialize};

/// What an experiment is said to show: a scalar of the record, under given parameters, compared with a number that was
/// fixed before any run, or says that it was not.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Unique within the experiment.
    pub id: &'static str,
    /// What is said, in words.
    pub statement: &'static str,
    /// The name of the scalar that it is about.
    pub scalar: &'static str,
    /// What it is compared with.
    pub comparison: Comparison,
    /// The parameters that differ from the defaults, as text.
    pub settings: &'static [(&'static str, &'static str)],
    /// Seeds that it takes to decide.
    pub seeds: u32,
    /// What was changed once runs were known, and why; `None` where everything was fixed before.
    pub afterwards: Option<&'static str>,
    /// Where it is said.
    pub source: &'static str,
}

/// A comparison with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Comparison {
    /// At most.
    Below {
        /// The threshold.
        value: f64,
    },
    /// At least.
    Above {
        /// The threshold.
        value: f64,
    },
    /// No further than the tolerance from a value.
    Within {
        /// The value.
        value: f64,
        /// The tolerance.
        tolerance: f64,
    },
}

impl Comparison {
    /// How far `x` is on the right side; negative where it is not.
    #[must_use]
    pub fn margin(self, x: f64) -> f64 {
        match self {
            Self::Below { value } => value - x,
            Self::Above { value } => x - value,
            Self::Within { value, tolerance } => tolerance - (x - value).abs(),
        }
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Below { value } => write!(f, "≤ {value}"),
            Self::Above { value } => write!(f, "≥ {value}"),
            Self::Within { value, tolerance } => write!(f, "{value} ± {tolerance}"),
        }
    }
}

/// How a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The mean over the seeds is on the right side.
    Reproduced,
    /// It is not.
    NotReproduced,
    /// Too few seeds have been run to say.
    NotEnoughRuns,
}

impl Standing {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::NotEnoughRuns => "not enough runs yet",
        }
    }
}

/// A claim with the values that were found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The experiment's id.
    pub experiment: String,
    /// The claim's id.
    pub claim: &'static str,
    /// What is said.
    pub statement: &'static str,
    /// The scalar.
    pub scalar: &'static str,
    /// What it is compared with.
    pub comparison: Comparison,
    /// Where it is said.
    pub source: &'static str,
    /// What was changed once runs were known, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub afterwards: Option<&'static str>,
    /// One value a seed.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Standard error of the mean, from two seeds on.
    pub standard_error: Option<f64>,
    /// Seeds whose own value is on the right side.
    pub holding: usize,
    /// Seeds that it takes.
    pub needed: u32,
    /// How far the mean is on the right side; negative where it is not.
    pub margin: Option<f64>,
    /// How it stands.
    pub standing: Standing,
}

/// The verdict on `claim` from one value a seed. The mean decides; how many seeds hold on their own is told beside it.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of seeds")]
pub fn judge(experiment: &str, claim: &Claim, values: &[f64]) -> Verdict {
    let n = values.len() as f64;
    let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / n);
    let standard_error = mean
        .filter(|_| values.len() > 1)
        .map(|m| (values.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt());
    let margin = mean.map(|m| claim.comparison.margin(m));
    let enough = values.len() as u64 >= u64::from(claim.seeds);
    let standing = match margin {
        Some(margin) if enough && margin >= 0.0 => Standing::Reproduced,
        Some(_) if enough => Standing::NotReproduced,
        _ => Standing::NotEnoughRuns,
    };
    Verdict {
        experiment: experiment.to_owned(),
        claim: claim.id,
        statement: claim.statement,
        scalar: claim.scalar,
        comparison: claim.comparison,
        source: claim.source,
        afterwards: claim.afterwards,
        values: values.to_vec(),
        mean,
        standard_error,
        holding: values.iter().filter(|x| claim.comparison.margin(**x) >= 0.0).count(),
        needed: claim.seeds,
        margin,
        standing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Claim = Claim {
        id: "a",
        statement: "x is small",
        scalar: "x",
        comparison: Comparison::Below { value: 1.0 },
        settings: &[],
        seeds: 3,
        afterwards: None,
        source: "here",
    };

    #[test]
    fn the_mean_decides_once_there_are_enough_seeds() {
        assert_eq!(judge("e", &CLAIM, &[0.1, 0.2]).standing, Standing::NotEnoughRuns);
        let verdict = judge("e", &CLAIM, &[0.1, 0.2, 1.5]);
        assert_eq!((verdict.standing, verdict.holding), (Standing::Reproduced, 2));
        assert_eq!(judge("e", &CLAIM, &[1.1, 1.2, 0.9]).standing, Standing::NotReproduced);
        assert_eq!(judge("e", &CLAIM, &[]).standing, Standing::NotEnoughRuns);
    }
}
