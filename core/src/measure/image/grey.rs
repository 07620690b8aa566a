//! The entropy of grey levels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{crop, empty};
use crate::{
    figure::{Axis, ColourMap, Figure, Mark, Panel},
    measure::{
        About, Accepts, Context, Family, Image, Input, Measure, MeasureError, Outcome, Sequence, Series, Value,
        discrete::{invalid, plugin_bits},
        uncertainty,
    },
    pace::Pace,
    quantity::Unit,
};

/// More different levels than this are refused by the local map.
const MOST_LEVELS: u32 = 1 << 16;
/// Cells of the picture on its longer side, at most.
const MOST_CELLS: usize = 256;
/// Below so many pixels the entropy of 256 levels is biased low.
const ENOUGH: u64 = 2560;

/// Parameters of the entropy of grey levels.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GreyParams {
    /// Number of grey levels: 256 for 8 bits, 65536 for 16.
    #[schemars(range(min = 2, max = 65536))]
    pub levels: u32,
    /// The part that is used: rows,columns such as 40:80,-40: as in Python; empty is all of it.
    pub crop: String,
}

impl Default for GreyParams {
    fn default() -> Self {
        Self { levels: 256, crop: String::new() }
    }
}

/// The entropy of an image's grey levels.
pub struct Grey;

impl Measure for Grey {
    type Params = GreyParams;
    const ABOUT: About = About {
        id: "image.grey",
        title: "Grey-level entropy",
        summary: "How many bits a pixel is worth when its neighbours are not looked at.",
        equation: "H = −Σ p(g) log₂ p(g) over the grey levels g",
        tex: &[r"H = -\sum_g p(g) \log_2 p(g)", r"g \text{ the grey levels}"],
        source: "Gonzalez & Woods, Digital image processing (4th ed., 2018), section 8.1",
        family: Family::Image,
        accepts: Accepts::Image,
        cost: "O(pixels)",
        gpu: false,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low by about (grey levels − 1)/(2 N ln 2) bits",
    };

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole level within the range")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let image = crop(Self::ABOUT.id, input.image()?, &p.crop)?;
        empty(&image)?;
        let mut counts = vec![0_u64; p.levels as usize];
        for (i, &v) in image.values.iter().enumerate() {
            if v.fract() != 0.0 || v < 0.0 || v >= f64::from(p.levels) {
                return Err(MeasureError::Domain {
                    measure: Self::ABOUT.id,
                    wanted: format!("whole grey levels from 0 to {}", p.levels - 1),
                    found: format!("row {}, column {} holds {v}", i / image.columns, i % image.columns),
                });
            }
            counts[v as usize] += 1;
        }
        let n = image.values.len() as u64;
        counts.retain(|c| *c > 0);
        let bits = plugin_bits(&counts);
        let mut outcome = Outcome::new(Value::Scalar(bits), Unit::Bits, "plug-in", n)
            .detail("rows", image.rows)
            .detail("columns", image.columns)
            .detail("observed_levels", counts.len());
        outcome.uncertainty = uncertainty::multinomial(&counts, &plugin_bits, context).await?;
        Ok(if n < ENOUGH && counts.len() > 1 {
            outcome.warn("too_short", format!("{n} pixels: below {ENOUGH} the entropy of 256 levels is biased low"))
        } else {
            outcome
        })
    }
}

/// Places in an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Places {
    /// Pairs of row and column.
    List(Vec<[u32; 2]>),
    /// `0,0; 10,20`
    Text(String),
}

impl Places {
    fn resolve(&self, id: &str, image: &Image<'_>) -> Result<Vec<usize>, MeasureError> {
        let refuse = || {
            let given = serde_json::to_string(self).unwrap_or_default();
            let size = format!("{} rows and {} columns", image.rows, image.columns);
            invalid(id, "at", given, &format!("expected row,column pairs such as 0,0; 10,20 within {size}"))
        };
        let pairs = match self {
            Self::List(list) => list.clone(),
            Self::Text(text) => {
                let pair = |text: &str| {
                    let (row, column) = text.split_once(',')?;
                    Some([row.trim().parse().ok()?, column.trim().parse().ok()?])
                };
                let parts = text.split(';').filter(|part| !part.trim().is_empty());
                parts.map(|part| pair(part).ok_or_else(refuse)).collect::<Result<_, _>>()?
            }
        };
        let place = |[row, column]: [u32; 2]| {
            let (row, column) = (row as usize, column as usize);
            (row < image.rows && column < image.columns).then(|| row * image.columns + column)
        };
        pairs.into_iter().map(|pair| place(pair).ok_or_else(refuse)).collect()
    }
}

/// Parameters of the local map.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocalParams {
    /// Pixels from the middle of the square window to its edge: 4 is a window of 9 by 9, clipped at the border.
    #[schemars(range(min = 1, max = 256))]
    pub radius: u32,
    /// Show the entropy around these pixels, as row,column; row,column, instead of the mean.
    pub at: Places,
    /// The part that is used: rows,columns such as 40:80,-40: as in Python; empty is all of it.
    pub crop: String,
}

impl Default for LocalParams {
    fn default() -> Self {
        Self { radius: 4, at: Places::Text(String::new()), crop: String::new() }
    }
}

/// The entropy of the grey levels in a window around every pixel.
pub struct LocalMap;

impl Measure for LocalMap {
    type Params = LocalParams;
    const ABOUT: About = About {
        id: "image.local_map",
        title: "Local entropy of an image",
        summary: "Where an image has detail: the entropy of the grey levels in a window around every pixel, and its mean.",
        equation: "H(x,y) = −Σ p(g) log₂ p(g) over the pixels within the radius in both directions",
        tex: &[
            r"H(x,y) = -\sum_g p(g) \log_2 p(g)",
            r"p(g) \text{ of the pixels within the radius in both directions}",
        ],
        source: "van der Walt et al., scikit-image, PeerJ 2, e453 (2014), filters.rank.entropy, with a square window clipped at the border",
        family: Family::Image,
        accepts: Accepts::Image,
        cost: "O(pixels × radius)",
        gpu: false,
        unit: "bits",
        uncertainty: "none",
        bias: "low in every window, at most log₂ of its pixels",
    };

    #[expect(clippy::cast_precision_loss, reason = "a number of pixels")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let image = crop(Self::ABOUT.id, input.image()?, &p.crop)?;
        empty(&image)?;
        let wanted = p.at.resolve(Self::ABOUT.id, &image)?;
        let map = local_bits(&image, p.radius as usize, context.pace).await?;
        let mean = map.iter().sum::<f64>() / map.len() as f64;
        let n = map.len() as u64;
        let value = match wanted.as_slice() {
            [] => Value::Scalar(mean),
            [place] => Value::Scalar(map[*place]),
            places => Value::Vector(places.iter().map(|&i| map[i]).collect()),
        };
        let least = map.iter().copied().fold(f64::INFINITY, f64::min);
        let most = map.iter().copied().fold(0.0, f64::max);
        Ok(Outcome::new(value, Unit::Bits, "plug-in, square window", n)
            .detail("rows", image.rows)
            .detail("columns", image.columns)
            .detail("mean", mean)
            .detail("least", least)
            .detail("most", most)
            .figure(picture(&map, &image, &input.label())))
    }
}

/// The entropy around every pixel, in bits. The counts of a window follow it along a row, and Σ c ln c with them.
///
/// # Errors
/// [`MeasureError::Domain`] for too many different levels, [`MeasureError::Cancelled`].
#[expect(clippy::cast_precision_loss, reason = "a window has less than 2^19 pixels")]
async fn local_bits(image: &Image<'_>, radius: usize, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
    let (rows, columns) = (image.rows, image.columns);
    let levels = Sequence::of_reals(&Series::whole(&image.values[..]));
    if levels.alphabet > MOST_LEVELS {
        return Err(MeasureError::Domain {
            measure: LocalMap::ABOUT.id,
            wanted: format!("at most {MOST_LEVELS} different grey levels"),
            found: format!("this image has {}: a window would hold one of each", levels.alphabet),
        });
    }
    let codes = &levels.codes;
    let area = (2 * radius + 1).min(rows) * (2 * radius + 1).min(columns);
    let c_ln_c: Vec<f64> = (0..=area).map(|c| if c < 2 { 0.0 } else { c as f64 * (c as f64).ln() }).collect();
    let mut counts = vec![0_u32; levels.alphabet as usize];
    let mut map = Vec::with_capacity(codes.len());
    for row in 0..rows {
        let (top, bottom) = (row.saturating_sub(radius), (row + radius + 1).min(rows));
        let column = |c: usize| (top..bottom).map(move |r| codes[r * columns + c] as usize);
        // Begun anew in each row, so that rounding does not add up over the image.
        counts.fill(0);
        let mut sum = 0.0;
        let (mut left, mut right) = (0, 0);
        for middle in 0..columns {
            // The column that leaves goes first: no count exceeds the window's area.
            while left + radius < middle {
                for code in column(left) {
                    let count = counts[code] as usize;
                    sum += c_ln_c[count - 1] - c_ln_c[count];
                    counts[code] -= 1;
                }
                left += 1;
            }
            while right < (middle + radius + 1).min(columns) {
                for code in column(right) {
                    let count = counts[code] as usize;
                    sum += c_ln_c[count + 1] - c_ln_c[count];
                    counts[code] += 1;
                }
                right += 1;
            }
            let n = ((bottom - top) * (right - left)) as f64;
            map.push(((n.ln() - sum / n) / std::f64::consts::LN_2).max(0.0));
        }
        if row % 8 == 7 {
            pace.tick(row as u64, rows as u64).await?;
        }
    }
    Ok(map)
}

/// The map, thinned to the mean of square cells.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(map: &[f64], image: &Image<'_>, label: &str) -> Figure {
    let step = image.rows.max(image.columns).div_ceil(MOST_CELLS).max(1);
    let (rows, columns) = (image.rows.div_ceil(step), image.columns.div_ceil(step));
    let (mut sums, mut counts) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
    for (i, v) in map.iter().enumerate() {
        // The picture's rows ascend, the image's descend.
        let cell = (rows - 1 - i / image.columns / step) * columns + i % image.columns / step;
        sums[cell] += v;
        counts[cell] += 1.0;
    }
    let edges = |cells: usize| (0..=cells).map(|i| (i * step) as f64).collect();
    Figure {
        id: "map".to_owned(),
        title: format!("Local entropy of {label}"),
        description: format!(
            "{} by {} pixels, from the bottom up; bright where the window holds many levels.",
            image.rows, image.columns
        ),
        panels: vec![Panel {
            x: Axis::new("column"),
            y: Axis::new("rows from the bottom"),
            marks: vec![Mark::Cells {
                x: edges(columns),
                y: edges(rows),
                values: sums.iter().zip(&counts).map(|(s, c)| s / c).collect(),
                title: "entropy (bits)".to_owned(),
                range: None,
                map: ColourMap::Viridis,
            }],
            weight: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, data::Matrix, measure::find, pace::Unhurried, rng::Philox};

    fn random(rows: usize, columns: usize, levels: u32) -> Image<'static> {
        let mut rng = Philox::new(rows as u64, columns as u64);
        let values: Vec<f64> = (0..rows * columns).map(|_| f64::from(rng.below(levels))).collect();
        Image { values: values.into(), rows, columns }
    }

    #[test]
    fn the_sliding_window_is_the_definition_at_every_pixel() {
        for (rows, columns, levels, radius) in
            [(1, 1, 3, 1), (1, 9, 4, 2), (7, 3, 2, 4), (20, 31, 200, 3), (5, 5, 9, 40)]
        {
            let image = random(rows, columns, levels);
            let map = pollster::block_on(local_bits(&image, radius, &Unhurried)).unwrap();
            for r in 0..rows {
                for c in 0..columns {
                    let mut counts = vec![0; levels as usize];
                    for y in r.saturating_sub(radius)..(r + radius + 1).min(rows) {
                        for x in c.saturating_sub(radius)..(c + radius + 1).min(columns) {
                            let level = (0..levels).find(|&l| f64::from(l) == image.values[y * columns + x]);
                            counts[level.unwrap() as usize] += 1;
                        }
                    }
                    let exact = plugin_bits(&counts);
                    assert!((map[r * columns + c] - exact).abs() < 1e-12, "{r}, {c}");
                }
            }
        }
    }

    #[test]
    fn levels_outside_the_range_are_named_and_a_flat_image_is_zero() {
        let run = |values: Vec<f64>, id: &str, params: serde_json::Value| {
            let matrix = Matrix { name: "i".to_owned(), values: ArrayD::from_shape_vec(vec![2, 3], values).unwrap() };
            let context = Context::new(&Cpu, &Unhurried);
            pollster::block_on(find(id).unwrap().run(&params, &matrix, &context))
        };
        for wrong in [256.0, -1.0, 0.5] {
            let error = run(vec![0.0, 0.0, 0.0, 0.0, wrong, 0.0], "image.grey", json!({})).unwrap_err().to_string();
            assert!(error.contains("whole grey levels from 0 to 255, and row 1, column 1 holds"), "{error}");
        }
        let flat = || vec![9.0; 6];
        assert_eq!(run(flat(), "image.grey", json!({})).unwrap().value, Value::Scalar(0.0));
        assert_eq!(run(flat(), "image.local_map", json!({})).unwrap().value, Value::Scalar(0.0));
        let ramp: Vec<f64> = (0..6).map(f64::from).collect();
        assert!(
            (run(ramp.clone(), "image.grey", json!({})).unwrap().value.scalar().unwrap() - 6.0_f64.log2()).abs()
                < 1e-15
        );
        let error = run(ramp, "image.local_map", json!({ "at": "2,0" })).unwrap_err().to_string();
        assert!(error.contains("within 2 rows and 3 columns"), "{error}");
        let gap = vec![0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0];
        let error = run(gap.clone(), "image.grey", json!({})).unwrap_err().to_string();
        assert!(error.contains("index 1"), "{error}");
        assert!(matches!(run(gap, "image.grey", json!({ "missing": "omit" })), Err(MeasureError::Gaps { count: 1 })));
    }
}
