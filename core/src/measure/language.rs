//! Text: the entropy of its words, in windows too, and how well an n-gram model of one part foretells the other.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value, discrete::plugin_bits, uncertainty,
};
use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    quantity::Unit,
};

/// Bytes or words between two looks at whether the work is still wanted.
const SLICE: usize = 1 << 18;

/// How bytes become characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8; bytes that are none are read as Latin-1.
    #[default]
    Utf8,
    /// One character a byte.
    Latin1,
}

/// The words of a text in lower case, between white space, numbered in the order of their first appearance.
fn words(bytes: &[u8], encoding: Encoding) -> (Vec<u32>, usize) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if encoding == Encoding::Utf8 => text.to_lowercase(),
        _ => bytes.iter().flat_map(|&b| char::from(b).to_lowercase()).collect(),
    };
    // Separators of information are white space to Python, whose split() is what others use.
    let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let mut known: HashMap<&str, u32> = HashMap::new();
    let tokens = text
        .split(space)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(word).or_insert(next)
        })
        .collect();
    (tokens, known.len())
}

/// Parameters of the entropy of words.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WordParams {
    /// How bytes become characters: utf8 or latin1.
    pub encoding: Encoding,
}

/// The entropy of words.
pub struct WordEntropy;

impl Measure for WordEntropy {
    type Params = WordParams;
    const ABOUT: About = About {
        id: "word.entropy",
        title: "Entropy of words",
        summary: "The entropy of the words of a text, in lower case and between white space.",
        equation: "H = −Σ p(w) log₂ p(w) over the words w",
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let (tokens, types) = words(&bytes, p.encoding);
        if tokens.is_empty() {
            let n = bytes.len() as u64;
            return Err(MeasureError::TooShort { n, what: "a word of visible characters".to_owned(), needed: 1 });
        }
        context.pace.tick(0, tokens.len() as u64).await?;
        let mut counts = vec![0_u64; types];
        tokens.iter().for_each(|&t| counts[t as usize] += 1);
        let n = tokens.len() as u64;
        let mut outcome = Outcome::new(Value::Scalar(plugin_bits(&counts)), Unit::Bits, "plug-in", n)
            .detail("tokens", n)
            .detail("types", types);
        outcome.uncertainty = uncertainty::multinomial(&counts, &plugin_bits, context).await?;
        if n < 10 * types as u64 {
            outcome = outcome.warn("saturated", format!("{types} different words among {n}: biased low"));
        }
        Ok(outcome)
    }
}

/// Parameters of the entropy of words in windows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenWindowParams {
    /// Words in a window.
    #[schemars(range(min = 2, max = 1_000_000))]
    pub window: u32,
    /// Words from one window's beginning to the next one's.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub hop: u32,
    /// How bytes become characters: utf8 or latin1.
    pub encoding: Encoding,
}

impl Default for TokenWindowParams {
    fn default() -> Self {
        Self { window: 128, hop: 128, encoding: Encoding::Utf8 }
    }
}

/// The entropy of words in windows.
pub struct TokenWindows;

impl Measure for TokenWindows {
    type Params = TokenWindowParams;
    const ABOUT: About = About {
        id: "token.window_entropy",
        title: "Entropy of words in windows",
        summary: "How varied the words are along a text: windows that repeat themselves stand out low.",
        equation: "H_j = −Σ p(w) log₂ p(w) over the words of the j-th window; at most log₂ of the window",
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951), in windows",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N window / hop)",
        gpu: false,
    };

    #[expect(clippy::cast_precision_loss, reason = "positions are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let (tokens, types) = words(&bytes, p.encoding);
        let (window, hop) = (p.window as usize, p.hop as usize);
        let n = tokens.len();
        if n < window {
            let what = format!("a window of {window} words");
            return Err(MeasureError::TooShort { n: n as u64, what, needed: window as u64 });
        }
        let mut counts = vec![0_u64; types];
        let mut profile = Vec::with_capacity((n - window) / hop + 1);
        let mut work = 0;
        for start in (0..=n - window).step_by(hop) {
            let part = &tokens[start..start + window];
            part.iter().for_each(|&t| counts[t as usize] += 1);
            // Each word is counted where it comes first, and forgotten.
            let mut seen: Vec<u64> =
                part.iter().map(|&t| std::mem::take(&mut counts[t as usize])).filter(|&c| c > 0).collect();
            seen.sort_unstable();
            profile.push(plugin_bits(&seen));
            work += window;
            if work > SLICE {
                work = 0;
                context.pace.tick(start as u64, n as u64).await?;
            }
        }
        let x = (0..profile.len()).map(|j| (j * hop) as f64).collect();
        let figure = Figure {
            id: "token-windows".to_owned(),
            title: format!("Entropy of words along {}", input.label()),
            description: format!(
                "Windows of {window} words, {hop} apart; at most {:.2} bits.",
                f64::from(p.window).log2()
            ),
            panels: vec![Panel {
                x: Axis::new("word"),
                y: Axis::new("entropy (bits a word)"),
                marks: vec![Mark::Line { name: String::new(), x, y: profile.clone(), colour: Colour::First }],
                weight: 1.0,
            }],
        };
        Ok(Outcome::new(Value::Vector(profile), Unit::Bits, "plug-in", n as u64)
            .detail("types", types)
            .detail("ceiling", f64::from(p.window).log2())
            .figure(figure))
    }
}

/// Parameters of an n-gram model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelParams {
    /// Order n: a byte is foretold from the n − 1 before it.
    #[schemars(range(min = 1, max = 8))]
    pub n: u32,
    /// Share of the text, from its beginning, that the model learns from; the rest is foretold.
    #[schemars(range(min = 0.01, max = 0.99))]
    pub train: f64,
}

impl Default for ModelParams {
    fn default() -> Self {
        Self { n: 2, train: 0.5 }
    }
}

/// Mean −log₂ of what an add-one n-gram model of the first part gives the bytes of the rest, and how many those are.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
async fn cross_entropy(p: &ModelParams, bytes: &[u8], context: &Context<'_>) -> Result<(f64, u64), MeasureError> {
    let n = p.n as usize;
    let (train, test) = bytes.split_at((bytes.len() as f64 * p.train) as usize);
    if train.len() < n || test.len() < n {
        let what = format!("an n-gram of {n} bytes on either side of the cut");
        return Err(MeasureError::TooShort { n: bytes.len() as u64, what, needed: 2 * u64::from(p.n) });
    }
    // The n-gram as one number, its context as that without the last byte.
    let key = |gram: &[u8]| gram.iter().fold(0_u64, |key, &b| key << 8 | u64::from(b));
    let (mut grams, mut contexts) = (HashMap::<u64, u64>::new(), HashMap::<u64, u64>::new());
    let total = bytes.len() as u64;
    for (i, gram) in train.windows(n).enumerate() {
        *grams.entry(key(gram)).or_default() += 1;
        *contexts.entry(key(&gram[..n - 1])).or_default() += 1;
        if i % SLICE == 0 {
            context.pace.tick(i as u64, total).await?;
        }
    }
    let count = |table: &HashMap<u64, u64>, gram: &[u8]| table.get(&key(gram)).copied().unwrap_or(0) as f64;
    let mut bits = 0.0;
    for (i, gram) in test.windows(n).enumerate() {
        bits -= ((count(&grams, gram) + 1.0) / (count(&contexts, &gram[..n - 1]) + 256.0)).log2();
        if i % SLICE == 0 {
            context.pace.tick((train.len() + i) as u64, total).await?;
        }
    }
    let foretold = test.len() - (n - 1);
    Ok((bits / foretold as f64, foretold as u64))
}

/// Cross-entropy of held-out text under an n-gram model.
pub struct NgramCrossEntropy;

impl Measure for NgramCrossEntropy {
    type Params = ModelParams;
    const ABOUT: About = About {
        id: "cross_entropy.ngram",
        title: "Cross-entropy of an n-gram model",
        summary: "Bits a byte that an n-gram model of the first part needs for the rest: too long an n overfits, and needs more.",
        equation: "H = −mean of log₂ q(b | context), q = (count(context b) + 1)/(count(context) + 256), over the held-out bytes b",
        source: "Chen & Goodman, An empirical study of smoothing techniques for language modeling, Comput. Speech Lang. 13, 359 (1999)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let (bits, foretold) = cross_entropy(&p, &bytes, context).await?;
        let outcome = Outcome::new(Value::Scalar(bits), Unit::BitsPerByte, "add-one, held out", bytes.len() as u64);
        Ok(few(outcome.detail("foretold", foretold)))
    }
}

/// Perplexity of held-out text under an n-gram model.
pub struct NgramPerplexity;

impl Measure for NgramPerplexity {
    type Params = ModelParams;
    const ABOUT: About = About {
        id: "perplexity.ngram",
        title: "Perplexity of an n-gram model",
        summary: "Among how many equally likely bytes an n-gram model of the first part chooses, on the rest.",
        equation: "2^H, H the cross-entropy in bits a byte",
        source: "Jelinek, Mercer, Bahl & Baker, Perplexity: a measure of the difficulty of speech recognition tasks, J. Acoust. Soc. Am. 62, S63 (1977)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let (bits, foretold) = cross_entropy(&p, &bytes, context).await?;
        let outcome = Outcome::new(Value::Scalar(bits.exp2()), Unit::One, "add-one, held out", bytes.len() as u64);
        Ok(few(outcome.detail("foretold", foretold)))
    }
}

fn few(outcome: Outcome) -> Outcome {
    if outcome.n < 1000 { outcome.warn("too_short", "fewer than 1000 bytes") } else { outcome }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, data::Column, pace::Unhurried};

    fn run(id: &str, parameters: serde_json::Value, bytes: &[u8]) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(super::super::run(id, &parameters, &Column::bytes("text", bytes.to_vec()), &context))
    }

    #[test]
    fn words_have_no_case_and_any_white_space_between() {
        assert_eq!(words("Der  Ärger der\tärger\n".as_bytes(), Encoding::Utf8), (vec![0, 1, 0, 1], 2));
        assert_eq!(words(b"\xc4rger \xe4rger\xa0x", Encoding::Utf8), (vec![0, 0, 1], 2));
        let value = run("word.entropy", json!({}), b"a b a b c c d d").unwrap().value.scalar().unwrap();
        assert!((value - 2.0).abs() < 1e-15);
        assert!(run("word.entropy", json!({}), b" \n").unwrap_err().to_string().contains("visible"));
    }

    #[test]
    fn a_periodic_text_is_foretold_by_bigrams_and_not_by_single_bytes() {
        let text: Vec<u8> = b"ab".iter().copied().cycle().take(20_000).collect();
        let bits = |n: u32| run("cross_entropy.ngram", json!({ "n": n }), &text).unwrap().value.scalar().unwrap();
        // (5000 + 1)/(10000 + 256), and (5000 + 1)/(5000 + 256)
        assert!((bits(1) - (10_256.0_f64 / 5001.0).log2()).abs() < 1e-12, "{}", bits(1));
        assert!((bits(2) - (5256.0_f64 / 5001.0).log2()).abs() < 1e-3, "{}", bits(2));
        let perplexity = run("perplexity.ngram", json!({ "n": 2 }), &text).unwrap().value.scalar().unwrap();
        assert!((perplexity - bits(2).exp2()).abs() < 1e-12);
        assert!(run("cross_entropy.ngram", json!({ "n": 4 }), b"abcdefg").is_err());
    }

    #[test]
    fn windows_that_repeat_themselves_stand_out() {
        let text: String = (0..256).map(|i| if i < 128 { format!("w{i} ") } else { "x ".to_owned() }).collect();
        let Value::Vector(v) = run("token.window_entropy", json!({}), text.as_bytes()).unwrap().value else { panic!() };
        assert!((v[0] - 7.0).abs() < 1e-12 && v[1].abs() < 1e-15 && v.len() == 2, "{v:?}");
    }
}
