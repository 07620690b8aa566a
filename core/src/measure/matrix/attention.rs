//! The entropy of attention weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    measure::{About, Accepts, Attention, Context, Family, Input, Measure, MeasureError, Outcome, Undefined, Value},
    quantity::Unit,
};

/// How far a row's sum may be from 1: weights in half precision are.
const SUM: f64 = 0.01;
/// Rows between two calls of [`crate::pace::Pace::tick`].
const TICK: usize = 1 << 12;
/// More heads than this are not drawn.
const MOST_HEADS: usize = 6;

/// Which keys a query may look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// All.
    #[default]
    None,
    /// None that comes later: query i of q sees keys up to i + (k − q).
    Causal,
}

/// What becomes of the first query, which under a causal mask sees only itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FirstRow {
    /// Dropped where it can only be 0: under a causal mask.
    #[default]
    Auto,
    /// Part of the mean.
    Keep,
    /// Not part of the mean.
    Drop,
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reduce {
    /// One number a head.
    #[default]
    Mean,
    /// One number a query.
    Rows,
}

/// Parameters of the entropy of attention.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttentionParams {
    /// Which keys a query may look at: all (none), or none that comes later (causal).
    pub mask: Mask,
    /// The first query, which under a causal mask sees only itself: leave it out of the mean there (auto), keep or drop it.
    pub first_row: FirstRow,
    /// Divide by log₂ of the number of keys that a query may look at; queries with only one are left out.
    pub normalize: bool,
    /// The mean over the queries of each head (mean), or every query (rows).
    pub reduce: Reduce,
}

/// The entropy of attention weights over keys.
pub struct AttentionEntropy;

impl Measure for AttentionEntropy {
    type Params = AttentionParams;
    const ABOUT: About = About {
        id: "attention.entropy",
        title: "Attention entropy",
        summary: "Over how many keys a query spreads its attention, head by head: 0 looks at one, log₂ of the keys at all alike.",
        equation: "H = −Σ_j a_ij log₂ a_ij, mean over the queries i",
        tex: &[r"H = -\sum_j a_{ij} \log_2 a_{ij}", r"\text{mean over the queries } i"],
        source: "Clark et al., What does BERT look at?, BlackboxNLP (2019), section 3.2; Zhai et al., Stabilizing transformer training by preventing attention entropy collapse, ICML (2023)",
        family: Family::Matrix,
        accepts: Accepts::Attention,
        cost: "O(size)",
        gpu: false,
        unit: "bits, or 1 where normalised",
        uncertainty: "none",
        bias: "none: weights are known, not sampled",
    };

    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let a = input.attention()?;
        let (queries, keys) = (a.queries, a.keys);
        let rows = a.heads * queries;
        if rows == 0 || keys == 0 {
            return Err(MeasureError::TooShort { n: rows as u64, what: "an entropy over keys".to_owned(), needed: 1 });
        }
        if p.mask == Mask::Causal && queries > keys {
            return Err(MeasureError::Domain {
                measure: Self::ABOUT.id,
                wanted: "at least as many keys as queries under a causal mask".to_owned(),
                found: format!("this array has {queries} queries and {keys} keys"),
            });
        }
        let mut bits = Vec::with_capacity(rows);
        for (index, row) in a.values.chunks_exact(keys).enumerate() {
            let (head, query) = (index / queries, index % queries);
            let allowed = allowed(p.mask, query, &a);
            let h = row_bits(row, allowed).map_err(|found| MeasureError::Domain {
                measure: Self::ABOUT.id,
                wanted: "weights of at least 0 that sum to 1 over the keys".to_owned(),
                found: format!("query {query} of head {head} {found}"),
            })?;
            bits.push(if p.normalize && allowed > 1 { h / (allowed as f64).log2() } else { h });
            if index % TICK == TICK - 1 {
                context.pace.tick(index as u64, rows as u64).await?;
            }
        }
        let drops_first = match p.first_row {
            FirstRow::Auto => p.mask == Mask::Causal,
            FirstRow::Keep => false,
            FirstRow::Drop => true,
        };
        let left_out = |query: usize| {
            // A query with one key has nothing to spread over.
            (drops_first && query == 0) || (p.normalize && allowed(p.mask, query, &a) < 2)
        };
        let used: Vec<usize> = (0..queries).filter(|&q| !left_out(q)).collect();
        let unit = if p.normalize { Unit::One } else { Unit::Bits };
        let n = (a.heads * used.len()) as u64;
        let estimator = if p.mask == Mask::Causal { "rows over allowed keys, causal" } else { "rows over all keys" };
        if used.is_empty() {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroEntropy), unit, estimator, 0));
        }
        let means: Vec<f64> = bits
            .chunks_exact(queries)
            .map(|head| used.iter().map(|&q| head[q]).sum::<f64>() / used.len() as f64)
            .collect();
        let picture = picture(&bits, queries, unit);
        let value = match (p.reduce, a.heads) {
            (Reduce::Mean, 1) => Value::Scalar(means[0]),
            (Reduce::Mean, _) => Value::Vector(means),
            (Reduce::Rows, 1) => Value::Vector(bits),
            (Reduce::Rows, _) => Value::Curves(bits.chunks_exact(queries).map(<[f64]>::to_vec).collect()),
        };
        let outcome = Outcome::new(value, unit, estimator, n)
            .detail("heads", a.heads)
            .detail("queries", queries)
            .detail("keys", keys)
            .detail("first_row_dropped", drops_first);
        Ok(match picture {
            Some(picture) => outcome.figure(picture),
            None => outcome,
        })
    }
}

/// How many keys a query may look at.
const fn allowed(mask: Mask, query: usize, a: &Attention<'_>) -> usize {
    match mask {
        Mask::None => a.keys,
        Mask::Causal => query + 1 + a.keys - a.queries,
    }
}

/// The entropy of a row over its first `allowed` keys, or what is wrong with it.
fn row_bits(row: &[f64], allowed: usize) -> Result<f64, String> {
    let (seen, hidden) = row.split_at(allowed);
    if let Some(weight) = row.iter().find(|w| **w < 0.0) {
        return Err(format!("has the weight {weight}"));
    }
    if let Some(weight) = hidden.iter().find(|w| **w > SUM) {
        return Err(format!("has the weight {weight} on a key that the mask hides"));
    }
    let total: f64 = seen.iter().sum();
    if (total - 1.0).abs() > SUM {
        return Err(format!("sums to {total}"));
    }
    let bits: f64 = seen.iter().filter(|w| **w > 0.0).map(|w| w / total).map(|p| -p * p.log2()).sum();
    Ok(bits.max(0.0))
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(values: &[f64], queries: usize, unit: Unit) -> Option<Figure> {
    const COLOURS: [Colour; MOST_HEADS] =
        [Colour::First, Colour::Second, Colour::Third, Colour::Fourth, Colour::Fifth, Colour::Sixth];
    let heads = values.len() / queries;
    if heads > MOST_HEADS || queries < 2 {
        return None;
    }
    let marks = values.chunks_exact(queries).zip(COLOURS).enumerate().map(|(head, (row, colour))| Mark::Line {
        name: if heads > 1 { format!("head {}", head + 1) } else { String::new() },
        x: (0..queries).map(|q| q as f64).collect(),
        y: row.to_vec(),
        colour,
    });
    Some(Figure {
        id: "attention".to_owned(),
        title: "Entropy of attention, query by query".to_owned(),
        description: format!("{heads} heads of {queries} queries each."),
        panels: vec![Panel {
            x: Axis::new("query"),
            y: Axis::new(format!("entropy ({})", unit.symbol())),
            marks: marks.collect(),
            weight: 1.0,
        }],
    })
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, data::Matrix, measure::find, pace::Unhurried};

    fn run(shape: &[usize], values: Vec<f64>, params: &Json) -> Result<Value, MeasureError> {
        let matrix = Matrix { name: "a".to_owned(), values: ArrayD::from_shape_vec(shape.to_vec(), values).unwrap() };
        let context = Context::new(&Cpu, &Unhurried);
        Ok(pollster::block_on(find("attention.entropy").unwrap().run(params, &matrix, &context))?.value)
    }

    #[test]
    fn uniform_attention_under_a_causal_mask_is_the_log_of_the_allowed_keys() {
        // four queries: log2 of 1, 2, 3, 4 keys
        let uniform: Vec<f64> =
            (0..16).map(|i| if i % 4 <= i / 4 { 1.0 / f64::from(i / 4 + 1) } else { 0.0 }).collect();
        let mean = |rows: &[f64]| rows.iter().map(|k| k.log2()).sum::<f64>() / rows.len() as f64;
        let scalar = |params: Json| run(&[4, 4], uniform.clone(), &params).unwrap().scalar().unwrap();
        assert!((scalar(json!({ "mask": "causal" })) - mean(&[2.0, 3.0, 4.0])).abs() < 1e-15);
        assert!((scalar(json!({ "mask": "causal", "first_row": "keep" })) - mean(&[1.0, 2.0, 3.0, 4.0])).abs() < 1e-15);
        assert!((scalar(json!({})) - mean(&[1.0, 2.0, 3.0, 4.0])).abs() < 1e-15);
        assert!((scalar(json!({ "mask": "causal", "normalize": true })) - 1.0).abs() < 1e-15);
        // the same twice, as two heads
        let twice = run(&[2, 4, 4], uniform.repeat(2), &json!({ "reduce": "rows" })).unwrap();
        let Value::Curves(heads) = twice else { panic!("two heads are two curves") };
        assert_eq!(heads[0], heads[1]);
        assert!((heads[1][2] - 3.0_f64.log2()).abs() < 1e-15 && heads[0][0] == 0.0);
        // later queries of a longer context: each sees two more keys
        let late = vec![1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 0.25, 0.25, 0.25, 0.25];
        let value = run(&[2, 4], late, &json!({ "mask": "causal", "first_row": "keep" })).unwrap();
        assert!((value.scalar().unwrap() - mean(&[3.0, 4.0])).abs() < 1e-15);
    }

    #[test]
    fn weights_that_are_none_are_named() {
        for (values, params, words) in [
            (vec![0.5, 0.4, 1.0, 0.0], json!({}), "query 0 of head 0 sums to 0.9"),
            (vec![0.5, 0.5, 1.5, -0.5], json!({}), "query 1 of head 0 has the weight -0.5"),
            (vec![0.5, 0.5, 0.5, 0.5], json!({ "mask": "causal" }), "query 0 of head 0 has the weight 0.5 on a key"),
        ] {
            let error = run(&[2, 2], values, &params).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let error = run(&[2, 1], vec![1.0, 1.0], &json!({ "mask": "causal" })).unwrap_err().to_string();
        assert!(error.contains("2 queries and 1 keys"), "{error}");
        let value = run(&[1, 1], vec![1.0], &json!({ "mask": "causal" })).unwrap();
        assert_eq!(value, Value::Undefined(Undefined::ZeroEntropy));
    }
}
