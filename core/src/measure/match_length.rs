//! The entropy rate from match lengths.
//!
//! Λ_i is the length of the shortest substring that begins at i and does not occur beginning earlier (overlap allowed, as
//! in LZ76): one more than the longest match. Symbols of an entropy rate h match over about log₂(i)/h symbols, hence
//! h ≈ n log₂ n / Σ Λ_i. Grassberger, IEEE Trans. Inf. Theory 35, 669 (1989); Kontoyiannis, Algoet, Suhov & Wyner, IEEE
//! Trans. Inf. Theory 44, 1319 (1998).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value,
    lempel_ziv::{Binarize, LempelZivParams, SuffixAutomaton, sequence},
};
use crate::{
    pace::{Cancelled, Pace},
    quantity::Unit,
};

/// Below this many symbols the rate is far from its limit.
const ENOUGH: u64 = 1000;
/// Symbols between two calls of [`Pace::tick`].
const TICK: usize = 1 << 18;

/// What the match lengths are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// log₂ n for all of them.
    #[default]
    Whole,
    /// log₂(i + 1) for the one at i, which has i symbols before it to match with: less biased for short sequences.
    Growing,
}

/// Parameters of the match-length rate.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MatchLengthParams {
    /// Turn numbers into 0 and 1 at the median: only real numbers (auto), always (median), or never.
    pub binarize: Binarize,
    /// Compare match lengths with the logarithm of the whole length (whole), or of what comes before each (growing).
    pub window: Window,
}

/// For every position the length of the longest substring that begins there and also earlier. O(N).
///
/// A match of i shortened by its first symbol is a match of i + 1, so one window slides over the symbols: its end moves
/// forward while the automaton of all symbols before that end knows what is in the window, and its start otherwise.
///
/// # Errors
/// [`Cancelled`].
pub async fn longest_matches(codes: &[u32], alphabet: u32, pace: &dyn Pace) -> Result<Vec<u32>, Cancelled> {
    let mut automaton = SuffixAutomaton::new(alphabet, codes.len());
    let mut matches = Vec::with_capacity(codes.len());
    // The state of the window, and its length.
    let (mut state, mut length) = (0, 0_u32);
    for (end, &symbol) in codes.iter().enumerate() {
        let next = loop {
            match automaton.step(state, symbol) {
                Some(next) => break Some(next),
                None => {
                    matches.push(length);
                    if length == 0 {
                        break None;
                    }
                    length -= 1;
                    if length <= automaton.longest(automaton.suffix(state)) {
                        state = automaton.suffix(state);
                    }
                }
            }
        };
        let split = automaton.extend(symbol);
        (state, length) = next.map_or((0, 0), |next| (next, length + 1));
        // A state that is split leaves its short substrings to its clone.
        if let Some((old, clone)) = split
            && state == old
            && length <= automaton.longest(clone)
        {
            state = clone;
        }
        if end % TICK == TICK - 1 {
            pace.tick(end as u64, codes.len() as u64).await?;
        }
    }
    // What is left of the window matches to the end of the sequence.
    matches.extend((1..=length).rev());
    Ok(matches)
}

/// The entropy rate from match lengths.
pub struct MatchLength;

impl Measure for MatchLength {
    type Params = MatchLengthParams;
    const ABOUT: About = About {
        id: "lzmatch.rate",
        title: "Entropy rate from match lengths",
        summary: "The entropy rate from how far each part of a sequence repeats an earlier one: no word length to choose.",
        equation: "h = n log₂ n / Σ Λ_i, Λ_i the length of the shortest substring at i that does not begin earlier",
        tex: &[
            r"h = \frac{n \log_2 n}{\sum_i \Lambda_i}",
            r"\Lambda_i \text{ the length of the shortest substring at } i \text{ that does not begin earlier}",
        ],
        source: "Grassberger, Estimating the information content of symbol sequences and efficient codes, IEEE Trans. Inf. Theory 35, 669 (1989); Kontoyiannis et al., Nonparametric entropy estimation for stationary processes and random fields, IEEE Trans. Inf. Theory 44, 1319 (1998)",
        family: Family::Symbolic,
        accepts: Accepts::Symbols,
        cost: "O(N)",
        gpu: false,
        unit: "bits/symbol",
        uncertainty: "none",
        bias: "of the order of 1/log n, of either sign",
    };

    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let (sequence, median) = sequence(&LempelZivParams { binarize: p.binarize }, input)?;
        let n = sequence.codes.len();
        if n < 2 {
            return Err(MeasureError::TooShort { n: n as u64, what: "a match".to_owned(), needed: 2 });
        }
        let matches = longest_matches(&sequence.codes, sequence.alphabet, context.pace).await?;
        let sum: u64 = matches.iter().map(|&m| u64::from(m) + 1).sum();
        let (value, name) = match p.window {
            Window::Whole => (n as f64 * (n as f64).log2() / sum as f64, "match lengths, n log₂ n / Σ Λ"),
            Window::Growing => {
                // The first symbol has nothing before it.
                let terms =
                    (1..).zip(&matches[1..]).map(|(i, &m): (u32, _)| (f64::from(m) + 1.0) / f64::from(i + 1).log2());
                ((n - 1) as f64 / terms.sum::<f64>(), "match lengths, growing window")
            }
        };
        let mut outcome = Outcome::new(Value::Scalar(value), Unit::BitsPerSymbol, name, n as u64)
            .detail("mean_match_length", sum as f64 / n as f64)
            .detail("longest_match", matches.iter().copied().max().unwrap_or_default())
            .detail("symbols", if median { ">= median" } else { "values" });
        if (n as u64) < ENOUGH {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} symbols: the rate is far from its limit"));
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    fn by_definition(codes: &[u32]) -> Vec<u32> {
        let shared = |i: usize, j: usize| codes[i..].iter().zip(&codes[j..]).take_while(|(a, b)| a == b).count();
        let longest = |i: usize| (0..i).map(|j| shared(i, j)).max().unwrap_or(0);
        (0..codes.len()).map(|i| u32::try_from(longest(i)).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn matches_are_those_of_the_definition(alphabet in prop::sample::select(vec![1_u32, 2, 3, 20]), raw in prop::collection::vec(any::<u32>(), 0..160)) {
            let codes: Vec<u32> = raw.iter().map(|c| c % alphabet).collect();
            let got = pollster::block_on(longest_matches(&codes, alphabet, &Unhurried)).unwrap();
            prop_assert_eq!(got, by_definition(&codes));
        }
    }

    #[test]
    fn a_constant_matches_to_its_end() {
        let got = pollster::block_on(longest_matches(&[0; 5], 1, &Unhurried)).unwrap();
        assert_eq!(got, [0, 4, 3, 2, 1]);
    }
}
