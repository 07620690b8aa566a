//! Lempel-Ziv complexities: the number of phrases that a sequence parses into.
//!
//! LZ76 (exhaustive history): each phrase is the shortest prefix of the rest that does not occur starting earlier
//! (overlap allowed); the last phrase counts even if incomplete. Lempel & Ziv, IEEE Trans. Inf. Theory 22 (1976).
//! LZ78: each phrase is the longest earlier phrase plus one symbol. Ziv & Lempel, IEEE Trans. Inf. Theory 24 (1978).
//!
//! Both rates converge to the entropy rate from above, slowly (as 1 / log n).

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value, input::Sequence, symbols::unbroken,
};
use crate::{
    data::ColumnType,
    pace::{Cancelled, Pace},
    quantity::Unit,
};

/// Below this many symbols the rates are far from their limit.
const ENOUGH: u64 = 1000;
/// Symbols between two calls of [`Pace::tick`].
const TICK: usize = 1 << 18;
/// Up to this many symbols the automaton keeps a table of transitions for each state.
const MOST_TABLED_SYMBOLS: u32 = 8;

/// How real numbers become symbols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Binarize {
    /// Real numbers by the median, everything else as it is.
    #[default]
    Auto,
    /// 1 where a value is at least the median, else 0.
    Median,
    /// Each distinct value is a symbol.
    Never,
}

/// Parameters of the Lempel-Ziv measures.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LempelZivParams {
    /// Turn numbers into 0 and 1 at the median: only real numbers (auto), always (median), or never.
    pub binarize: Binarize,
}

/// Transitions of the automaton: a table for small alphabets, a map for large ones.
enum Transitions {
    Table { alphabet: usize, next: Vec<u32> },
    Map(HashMap<(u32, u32), u32>, Vec<Vec<u32>>),
}

const NONE: u32 = u32::MAX;

impl Transitions {
    fn new(alphabet: u32, symbols: usize) -> Self {
        if alphabet <= MOST_TABLED_SYMBOLS {
            let alphabet = alphabet.max(1) as usize;
            Self::Table { alphabet, next: Vec::with_capacity(2 * symbols * alphabet) }
        } else {
            Self::Map(HashMap::with_capacity(3 * symbols), Vec::with_capacity(2 * symbols))
        }
    }

    fn add_state(&mut self) {
        match self {
            Self::Table { alphabet, next } => next.extend(std::iter::repeat_n(NONE, *alphabet)),
            Self::Map(_, symbols) => symbols.push(Vec::new()),
        }
    }

    fn get(&self, state: u32, symbol: u32) -> u32 {
        match self {
            Self::Table { alphabet, next } => next[state as usize * alphabet + symbol as usize],
            Self::Map(next, _) => next.get(&(state, symbol)).copied().unwrap_or(NONE),
        }
    }

    fn set(&mut self, state: u32, symbol: u32, target: u32) {
        match self {
            Self::Table { alphabet, next } => next[state as usize * *alphabet + symbol as usize] = target,
            Self::Map(next, symbols) => {
                if next.insert((state, symbol), target).is_none() {
                    symbols[state as usize].push(symbol);
                }
            }
        }
    }

    fn copy(&mut self, from: u32, to: u32) {
        match self {
            Self::Table { alphabet, next } => {
                let start = from as usize * *alphabet;
                next.copy_within(start..start + *alphabet, to as usize * *alphabet);
            }
            Self::Map(next, symbols) => {
                let list = symbols[from as usize].clone();
                for &symbol in &list {
                    let target = next[&(from, symbol)];
                    next.insert((to, symbol), target);
                }
                symbols[to as usize] = list;
            }
        }
    }
}

/// The suffix automaton of the symbols so far: the smallest automaton that accepts every substring. Each symbol
/// is added in amortised constant time. Blumer et al., Theor. Comput. Sci. 40, 31 (1985).
pub(super) struct SuffixAutomaton {
    next: Transitions,
    link: Vec<u32>,
    length: Vec<u32>,
    last: u32,
}

impl SuffixAutomaton {
    pub(super) fn new(alphabet: u32, symbols: usize) -> Self {
        let mut next = Transitions::new(alphabet, symbols);
        next.add_state();
        Self { next, link: vec![NONE], length: vec![0], last: 0 }
    }

    /// The state that `symbol` leads to from `state`, if any.
    pub(super) fn step(&self, state: u32, symbol: u32) -> Option<u32> {
        Some(self.next.get(state, symbol)).filter(|&next| next != NONE)
    }

    /// The length of the longest substring of `state`.
    pub(super) fn longest(&self, state: u32) -> u32 {
        self.length[state as usize]
    }

    /// The state of the longest proper suffix that is not in `state`; the first state has none and is its own.
    pub(super) fn suffix(&self, state: u32) -> u32 {
        let link = self.link[state as usize];
        if link == NONE { 0 } else { link }
    }

    fn add_state(&mut self, length: u32, link: u32) -> u32 {
        self.next.add_state();
        self.length.push(length);
        self.link.push(link);
        u32::try_from(self.length.len() - 1).unwrap_or(NONE)
    }

    /// Appends `symbol`. Where a state is split, returns (state, its clone): substrings up to the clone's length now
    /// belong to the clone.
    pub(super) fn extend(&mut self, symbol: u32) -> Option<(u32, u32)> {
        let current = self.add_state(self.length[self.last as usize] + 1, 0);
        let mut state = self.last;
        self.last = current;
        while state != NONE && self.next.get(state, symbol) == NONE {
            self.next.set(state, symbol, current);
            state = self.link[state as usize];
        }
        if state == NONE {
            return None;
        }
        let target = self.next.get(state, symbol);
        if self.length[state as usize] + 1 == self.length[target as usize] {
            self.link[current as usize] = target;
            return None;
        }
        let clone = self.add_state(self.length[state as usize] + 1, self.link[target as usize]);
        self.next.copy(target, clone);
        while state != NONE && self.next.get(state, symbol) == target {
            self.next.set(state, symbol, clone);
            state = self.link[state as usize];
        }
        self.link[target as usize] = clone;
        self.link[current as usize] = clone;
        Some((target, clone))
    }
}

/// The number of phrases of the exhaustive history (LZ76) of `codes` over `0..alphabet`. O(N).
///
/// # Errors
/// [`Cancelled`].
pub async fn lz76(codes: &[u32], alphabet: u32, pace: &dyn Pace) -> Result<u64, Cancelled> {
    let mut automaton = SuffixAutomaton::new(alphabet, codes.len());
    let mut phrases = 0;
    // The state of the phrase so far, and its length; 0 at the start of a phrase.
    let (mut state, mut length) = (0, 0_u32);
    for (i, &symbol) in codes.iter().enumerate() {
        // The automaton holds all symbols before this one, so a transition means that the phrase so far, with this
        // symbol, occurred starting earlier.
        let next = automaton.next.get(state, symbol);
        let split = automaton.extend(symbol);
        if next == NONE {
            phrases += 1;
            (state, length) = (0, 0);
        } else {
            (state, length) = (next, length + 1);
            if let Some((old, clone)) = split
                && state == old
                && length <= automaton.length[clone as usize]
            {
                state = clone;
            }
        }
        if i % TICK == TICK - 1 {
            pace.tick(i as u64, codes.len() as u64).await?;
        }
    }
    Ok(phrases + u64::from(length > 0))
}

/// The number of phrases of the incremental parsing (LZ78) of `codes`. O(N).
///
/// # Errors
/// [`Cancelled`].
pub async fn lz78(codes: &[u32], pace: &dyn Pace) -> Result<u64, Cancelled> {
    let mut dictionary: HashMap<(u32, u32), u32> = HashMap::new();
    let mut node = 0;
    for (i, &symbol) in codes.iter().enumerate() {
        let fresh = u32::try_from(dictionary.len() + 1).unwrap_or(NONE);
        match dictionary.entry((node, symbol)) {
            std::collections::hash_map::Entry::Occupied(known) => node = *known.get(),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(fresh);
                node = 0;
            }
        }
        if i % TICK == TICK - 1 {
            pace.tick(i as u64, codes.len() as u64).await?;
        }
    }
    Ok(dictionary.len() as u64 + u64::from(node != 0))
}

/// The symbols to parse, and whether they come from the median.
pub(super) fn sequence<'a>(p: &LempelZivParams, input: &Input<'a>) -> Result<(Sequence<'a>, bool), MeasureError> {
    let real = matches!(input.ty(), ColumnType::Real | ColumnType::Time);
    let median = p.binarize == Binarize::Median || (real && p.binarize == Binarize::Auto);
    let sequence = if median {
        let series = input.series()?;
        if series.omitted > 0 {
            return Err(MeasureError::Gaps { count: series.omitted });
        }
        Sequence::at_least_median(&series)
    } else {
        unbroken(input)?
    };
    if sequence.codes.is_empty() {
        return Err(MeasureError::TooShort { n: 0, what: "a phrase".to_owned(), needed: 1 });
    }
    Ok((sequence, median))
}

/// What the five measures share: the phrases, and the notes.
async fn phrases(
    p: &LempelZivParams,
    input: &Input<'_>,
    context: &Context<'_>,
    which: Scheme,
    finish: fn(&Parsed) -> (f64, Unit),
) -> Result<Outcome, MeasureError> {
    let (sequence, median) = sequence(p, input)?;
    let n = sequence.codes.len() as u64;
    let count = match which {
        Scheme::Lz76 => lz76(&sequence.codes, sequence.alphabet, context.pace).await?,
        Scheme::Lz78 => lz78(&sequence.codes, context.pace).await?,
    };
    let mut used = vec![false; sequence.alphabet as usize];
    sequence.codes.iter().for_each(|&c| used[c as usize] = true);
    let observed = used.into_iter().filter(|u| *u).count();
    let (value, unit) = finish(&Parsed { count, n, observed: observed as u64 });
    let name = match which {
        Scheme::Lz76 => "LZ76, exhaustive history",
        Scheme::Lz78 => "LZ78, incremental parsing",
    };
    let mut outcome = Outcome::new(Value::Scalar(value), unit, name, n)
        .detail("phrases", count)
        .detail("observed_symbols", observed)
        .detail("symbols", if median { ">= median" } else { "values" });
    if n < ENOUGH {
        outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} symbols: the rate is biased high"));
    }
    Ok(outcome)
}

#[derive(Clone, Copy)]
enum Scheme {
    Lz76,
    Lz78,
}

struct Parsed {
    count: u64,
    n: u64,
    observed: u64,
}

impl Parsed {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn numbers(&self) -> (f64, f64, f64) {
        (self.count as f64, self.n as f64, self.observed.max(2) as f64)
    }
}

macro_rules! measure {
    ($(#[$doc:meta])* $name:ident, $scheme:ident, $about:expr, $finish:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl Measure for $name {
            type Params = LempelZivParams;
            const ABOUT: About = $about;

            async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
                phrases(&p, input, context, Scheme::$scheme, $finish).await
            }
        }
    };
}

const LZ76_SOURCE: &str = "Lempel & Ziv, On the complexity of finite sequences, IEEE Trans. Inf. Theory 22, 75 (1976)";
const LZ78_SOURCE: &str = "Ziv & Lempel, Compression of individual sequences via variable-rate coding, IEEE Trans. Inf. Theory 24, 530 (1978)";

const fn about(
    id: &'static str,
    title: &'static str,
    summary: &'static str,
    equation: &'static str,
    tex: &'static [&'static str],
    source: &'static str,
    [unit, bias]: [&'static str; 2],
) -> About {
    About {
        id,
        title,
        summary,
        equation,
        tex,
        source,
        family: Family::Symbolic,
        accepts: Accepts::Symbols,
        cost: "O(N)",
        gpu: false,
        unit,
        uncertainty: "none",
        bias,
    }
}

measure!(
    /// The number of LZ76 phrases.
    Count, Lz76,
    about("lz76.count", "Lempel-Ziv complexity (1976)", "How many phrases the sequence parses into, each new when it ends.",
        "c = number of phrases of the exhaustive history", &[r"c = \text{number of phrases of the exhaustive history}"], LZ76_SOURCE,
        ["count", "none as a count; as a measure of randomness it grows with the length"]),
    |p| (p.numbers().0, Unit::Count)
);
measure!(
    /// The LZ76 entropy rate.
    Rate, Lz76,
    about("lz76.rate", "Lempel-Ziv entropy rate (1976)", "An entropy rate that needs no word length: the phrases grow with what is predictable.",
        "c log₂(n) / n", &[r"\frac{c \log_2 n}{n}"], LZ76_SOURCE,
        ["bits/symbol", "high, and falling as slowly as 1/log n"]),
    |p| { let (c, n, _) = p.numbers(); (c * n.log2() / n, Unit::BitsPerSymbol) }
);
measure!(
    /// The LZ76 complexity relative to a random sequence.
    Normalized, Lz76,
    about("lz76.normalized", "Lempel-Ziv complexity, normalised", "The phrases relative to those of a random sequence of the same length and alphabet.",
        "c log_A(n) / n, A observed symbols (at least 2)", &[r"\frac{c \log_A n}{n}", r"A \text{ the number of observed symbols, at least } 2"], LZ76_SOURCE,
        ["1", "high, and falling as slowly as 1/log n; above 1 for short random sequences"]),
    |p| { let (c, n, a) = p.numbers(); (c * n.ln() / a.ln() / n, Unit::One) }
);
measure!(
    /// The number of LZ78 phrases.
    Count78, Lz78,
    about("lz78.count", "Lempel-Ziv complexity (1978)", "How many phrases the incremental dictionary of LZ78 makes.",
        "c = number of phrases of the incremental parsing", &[r"c = \text{number of phrases of the incremental parsing}"], LZ78_SOURCE,
        ["count", "none as a count; as a measure of randomness it grows with the length"]),
    |p| (p.numbers().0, Unit::Count)
);
measure!(
    /// The LZ78 entropy rate.
    Rate78, Lz78,
    about("lz78.rate", "Lempel-Ziv entropy rate (1978)", "The rate of the LZ78 dictionary, biased high for short sequences.",
        "c log₂(c) / n", &[r"\frac{c \log_2 c}{n}"], LZ78_SOURCE,
        ["bits/symbol", "high, and falling as slowly as 1/log n"]),
    |p| { let (c, n, _) = p.numbers(); (c * c.log2() / n, Unit::BitsPerSymbol) }
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    /// The definition, word for word, in cubic time.
    fn by_definition(s: &[u32]) -> u64 {
        let (mut i, mut phrases) = (0, 0);
        while i < s.len() {
            let mut l = 1;
            // does s[i..i+l] occur starting before i?
            while i + l <= s.len() && (0..i).any(|j| s[j..j + l] == s[i..i + l]) {
                l += 1;
            }
            phrases += 1;
            i += l;
        }
        phrases
    }

    #[test]
    fn the_sequence_of_the_paper() {
        let s: Vec<u32> = "0001101001000101".bytes().map(|b| u32::from(b - b'0')).collect();
        assert_eq!(pollster::block_on(lz76(&s, 2, &Unhurried)).unwrap(), 6);
        assert_eq!(pollster::block_on(lz76(&[0; 500], 1, &Unhurried)).unwrap(), 2);
        assert_eq!(pollster::block_on(lz76(&[], 2, &Unhurried)).unwrap(), 0);
    }

    proptest! {
        #[test]
        fn the_automaton_parses_as_the_definition(s in prop::collection::vec(0_u32..3, 0..120)) {
            prop_assert_eq!(pollster::block_on(lz76(&s, 3, &Unhurried)).unwrap(), by_definition(&s));
            // the same symbols under a large alphabet take the other transition store
            prop_assert_eq!(pollster::block_on(lz76(&s, 300, &Unhurried)).unwrap(), by_definition(&s));
        }
    }
}
