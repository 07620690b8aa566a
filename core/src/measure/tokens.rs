//! The entropy of words, of a whole text and in windows of it.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value, discrete::plugin_bits, uncertainty,
};
use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    pace::Pace,
    quantity::Unit,
};

/// Fewer tokens than this for each type and the estimate is noticeably biased.
const ENOUGH_A_TYPE: u64 = 10;
/// Tokens between two calls of [`Pace::tick`].
const TICK: usize = 1 << 16;
/// More points than this are thinned for the picture, keeping the extremes.
const MOST_POINTS: usize = 2000;

/// How bytes become characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Encoding {
    /// UTF-8 where the bytes are valid UTF-8, else Latin-1.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8; invalid bytes become the replacement character.
    #[serde(rename = "utf-8")]
    Utf8,
    /// One byte, one character.
    #[serde(rename = "latin-1")]
    Latin1,
}

/// Parameters of the entropy of words.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WordParams {
    /// Characters: UTF-8 where the bytes are valid (auto), UTF-8 in any case, or Latin-1.
    pub encoding: Encoding,
    /// Capital and small letters are the same.
    pub lower: bool,
}

impl Default for WordParams {
    fn default() -> Self {
        Self { encoding: Encoding::Auto, lower: true }
    }
}

/// The characters of `bytes`, and the name of the encoding.
fn characters(bytes: &[u8], encoding: Encoding) -> (String, &'static str) {
    let latin = || (bytes.iter().map(|&b| char::from(b)).collect(), "latin-1");
    match encoding {
        Encoding::Latin1 => latin(),
        Encoding::Utf8 => (String::from_utf8_lossy(bytes).into_owned(), "utf-8"),
        Encoding::Auto => match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), "utf-8"),
            // Cut in the middle of a character, as the common parameter `first` may do.
            Err(e) if e.error_len().is_none() => {
                (String::from_utf8_lossy(&bytes[..e.valid_up_to()]).into_owned(), "utf-8")
            }
            Err(_) => latin(),
        },
    }
}

/// Whether tokens are separated by `c`: white space, and the four separators of ASCII as in Python's `str.split`.
const fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// Tokens as numbers in order of first appearance.
struct Tokens {
    ids: Vec<u32>,
    types: usize,
    encoding: &'static str,
}

async fn tokens(bytes: &[u8], encoding: Encoding, lower: bool, pace: &dyn Pace) -> Result<Tokens, MeasureError> {
    let (mut text, encoding) = characters(bytes, encoding);
    if lower {
        text = text.to_lowercase();
    }
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut ids = Vec::new();
    for word in text.split(separates).filter(|word| !word.is_empty()) {
        let fresh = u32::try_from(known.len()).unwrap_or(u32::MAX);
        ids.push(*known.entry(word).or_insert(fresh));
        if ids.len() % TICK == 0 {
            pace.tick(ids.len() as u64, 0).await?;
        }
    }
    let types = known.len();
    Ok(Tokens { ids, types, encoding })
}

/// The entropy of the words of a text.
pub struct WordEntropy;

impl Measure for WordEntropy {
    type Params = WordParams;
    const ABOUT: About = About {
        id: "word.entropy",
        title: "Entropy of words",
        summary: "The entropy of the words of a text, separated by white space.",
        equation: "H = −Σ p(w) log₂ p(w) over the words w",
        tex: &[r"H = -\sum_w p(w) \log_2 p(w)", r"w \text{ the words}"],
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
        unit: "bits/token",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low: most words of a language are rare",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let tokens = tokens(&bytes, p.encoding, p.lower, context.pace).await?;
        let n = tokens.ids.len() as u64;
        if n == 0 {
            return Err(MeasureError::TooShort { n: 0, what: "the entropy of words".to_owned(), needed: 1 });
        }
        let mut counts = vec![0_u64; tokens.types];
        tokens.ids.iter().for_each(|&id| counts[id as usize] += 1);
        let mut outcome = Outcome::new(Value::Scalar(plugin_bits(&counts)), Unit::BitsPerToken, "plug-in", n)
            .detail("types", tokens.types)
            .detail("encoding", tokens.encoding);
        outcome.uncertainty = uncertainty::multinomial(&counts, &plugin_bits, context).await?;
        if n < ENOUGH_A_TYPE * tokens.types as u64 && tokens.types > 1 {
            let text =
                format!("{n} words of {} types: below {ENOUGH_A_TYPE} a type the estimate is biased low", tokens.types);
            outcome = outcome.warn("few_samples", text);
        }
        Ok(outcome)
    }
}

/// Parameters of the entropy in windows of tokens.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WindowParams {
    /// Tokens in a window.
    #[schemars(range(min = 2, max = 1_048_576))]
    pub window: u32,
    /// Tokens from one window to the next.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub hop: u32,
    /// Characters: UTF-8 where the bytes are valid (auto), UTF-8 in any case, or Latin-1.
    pub encoding: Encoding,
    /// Capital and small letters are the same.
    pub lower: bool,
}

impl Default for WindowParams {
    fn default() -> Self {
        Self { window: 128, hop: 128, encoding: Encoding::Auto, lower: true }
    }
}

/// Counts of the tokens in a window that slides, and how many tokens have each count: integers, so that a value does not
/// depend on the windows before it.
struct Sliding {
    counts: Vec<u32>,
    having: Vec<u32>,
    /// c log₂ c.
    terms: Vec<f64>,
}

impl Sliding {
    fn new(types: usize, window: u32) -> Self {
        let terms = std::iter::once(0.0).chain((1..=window).map(|c| f64::from(c) * f64::from(c).log2())).collect();
        Self { counts: vec![0; types], having: vec![0; window as usize + 1], terms }
    }

    fn add(&mut self, token: u32) {
        let count = &mut self.counts[token as usize];
        self.having[*count as usize] = self.having[*count as usize].wrapping_sub(1);
        *count += 1;
        self.having[*count as usize] += 1;
    }

    fn remove(&mut self, token: u32) {
        let count = &mut self.counts[token as usize];
        self.having[*count as usize] -= 1;
        *count -= 1;
        self.having[*count as usize] = self.having[*count as usize].wrapping_add(1);
    }

    /// The plug-in entropy of a full window: log₂ W − Σ c log₂ c / W.
    fn bits(&self, window: u32) -> f64 {
        // Tokens that are not in the window count as having 0, which has no term.
        let sum: f64 = self.having[1..].iter().zip(&self.terms[1..]).map(|(&n, term)| f64::from(n) * term).sum();
        (f64::from(window).log2() - sum / f64::from(window)).max(0.0)
    }
}

/// The entropy of the tokens in each window of a text.
pub struct TokenWindows;

impl Measure for TokenWindows {
    type Params = WindowParams;
    const ABOUT: About = About {
        id: "token.window_entropy",
        title: "Entropy of words in windows",
        summary: "The entropy of the words in each window of a text: repetition shows as a dip below the ceiling log₂ of the window.",
        equation: "H_j = −Σ p(w) log₂ p(w) over the words w of window j",
        tex: &[r"H_j = -\sum_w p(w) \log_2 p(w)", r"w \text{ the words of window } j"],
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951), in moving windows",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N · (1 + window / hop))",
        gpu: false,
        unit: "bits/token",
        uncertainty: "none",
        bias: "low in every window; equal for all windows of one size, so that they compare",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let tokens = tokens(&bytes, p.encoding, p.lower, context.pace).await?;
        let (n, window, hop) = (tokens.ids.len(), p.window as usize, p.hop as usize);
        if n < window {
            let what = format!("one window of {window} words");
            return Err(MeasureError::TooShort { n: n as u64, what, needed: window as u64 });
        }
        let mut sliding = Sliding::new(tokens.types, p.window);
        let (mut from, mut to) = (0, 0);
        let mut profile = Vec::with_capacity((n - window) / hop + 1);
        for start in (0..=n - window).step_by(hop) {
            // Windows that do not overlap are emptied; tokens between them are passed over.
            tokens.ids[from..to.min(start)].iter().for_each(|&id| sliding.remove(id));
            from = start;
            tokens.ids[to.max(start)..start + window].iter().for_each(|&id| sliding.add(id));
            to = start + window;
            profile.push(sliding.bits(p.window));
            if profile.len() % TICK == 0 {
                context.pace.tick(start as u64, n as u64).await?;
            }
        }
        let figure = picture(&profile, &p);
        Ok(Outcome::new(Value::Vector(profile), Unit::BitsPerToken, "plug-in", n as u64)
            .detail("types", tokens.types)
            .detail("encoding", tokens.encoding)
            .figure(figure))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(profile: &[f64], p: &WindowParams) -> Figure {
    let group = profile.len().div_ceil(MOST_POINTS);
    let (mut x, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
    for (g, chunk) in profile.chunks(group).enumerate() {
        x.push((g * group * p.hop as usize) as f64);
        low.push(chunk.iter().copied().fold(f64::INFINITY, f64::min));
        high.push(chunk.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    let ceiling = f64::from(p.window).log2();
    let mut marks = vec![Mark::Reference { y: ceiling, label: format!("all words different, {ceiling:.2}") }];
    if group > 1 {
        let opacity = 0.35;
        marks.push(Mark::Band { x: x.clone(), low: low.clone(), high, colour: Colour::First, opacity });
    }
    let lowest = low.iter().copied().fold(ceiling, f64::min);
    marks.push(Mark::Line { name: String::new(), x, y: low, colour: Colour::First });
    Figure {
        id: "profile".to_owned(),
        title: format!("Entropy of words in windows of {}", p.window),
        description: format!("{} windows, lowest {lowest:.2} of at most {ceiling:.2} bits.", profile.len()),
        panels: vec![Panel {
            x: Axis::new("offset (words)"),
            y: Axis::new("entropy (bits/token)").within(0.0, ceiling),
            marks,
            weight: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{compute::Cpu, data::Column, measure::run, pace::Unhurried};

    fn value(id: &str, params: serde_json::Value, text: &[u8]) -> Value {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(run(id, &params, &Column::bytes("x", text.to_vec()), &context)).unwrap().value
    }

    proptest! {
        #[test]
        fn windows_have_the_entropy_of_their_words(words in prop::collection::vec(0_u32..6, 5..200), window in 2_usize..6, hop in 1_usize..9) {
            let text = words.iter().map(|w| format!("w{w}")).collect::<Vec<_>>().join(" \n");
            let got = value("token.window_entropy", serde_json::json!({"window": window, "hop": hop}), text.as_bytes());
            let expected: Vec<f64> = words.windows(window).step_by(hop).map(|words| {
                let mut counts = vec![0; 6];
                words.iter().for_each(|&w| counts[w as usize] += 1);
                plugin_bits(&counts)
            }).collect();
            let Value::Vector(got) = got else { panic!("a vector") };
            prop_assert_eq!(got.len(), expected.len());
            prop_assert!(got.iter().zip(&expected).all(|(g, e)| (g - e).abs() < 1e-12));
        }
    }

    #[test]
    fn letters_outside_ascii_stay_whole() {
        // In Latin-1 the second byte of à is a no-break space, which would cut the word.
        let (text, name) = characters("voilà À".as_bytes(), Encoding::Auto);
        assert_eq!((text.as_str(), name), ("voilà À", "utf-8"));
        assert_eq!(value("word.entropy", serde_json::json!({}), "voilà VOILÀ".as_bytes()), Value::Scalar(0.0));
        assert_eq!(characters(b"caf\xe9 x", Encoding::Auto), ("café x".to_owned(), "latin-1"));
        // Cut within the last character.
        assert_eq!(characters(b"caf\xc3", Encoding::Auto), ("caf".to_owned(), "utf-8"));
    }
}
