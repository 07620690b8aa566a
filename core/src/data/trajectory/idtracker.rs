//! idtracker.ai 6.x and 5.x: positions in pixels, y downwards, NaN where an animal was not seen.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::part,
    grid::{Plan, blank},
    hdf5::H5,
    load::Item,
    plain,
};
use crate::pace::Pace;
use serde_json::Value;

/// What idtracker.ai says beside the positions.
#[derive(Default)]
pub(super) struct Attributes {
    frame_rate: Option<f64>,
    /// Pixels per unit of length.
    length_unit: Option<f64>,
    body_length: Option<f64>,
    size: Option<[f64; 2]>,
    labels: Vec<String>,
}

/// A number that says something: idtracker.ai writes null or -1 where it does not know.
fn positive(x: Option<f64>) -> Option<f64> {
    x.filter(|x| x.is_finite() && *x > 0.0)
}

impl Attributes {
    /// From `attributes.json` or `attributes_tidy.json`.
    fn from_json(item: &Item) -> Result<Self, TrajectoryError> {
        let text = plain::without_nan(item.bytes());
        let json: Value = serde_json::from_slice(&text).map_err(|e| part(&item.name, "JSON", e.to_string()))?;
        let number = |key: &str| positive(json.get(key).and_then(Value::as_f64));
        let labels = json.get("identities_labels").and_then(Value::as_array).map_or_else(Vec::new, |list| {
            list.iter().map(|l| l.as_str().map_or_else(|| l.to_string(), str::to_owned)).collect()
        });
        Ok(Self {
            frame_rate: number("frames_per_second"),
            length_unit: number("length_unit"),
            body_length: number("body_length"),
            size: number("width").zip(number("height")).map(|(w, h)| [w, h]),
            labels,
        })
    }

    fn from_hdf5(h5: &H5) -> Self {
        let number = |key: &str| positive(h5.number(key));
        Self {
            frame_rate: number("frames_per_second"),
            length_unit: number("length_unit"),
            body_length: number("body_length"),
            size: number("width").zip(number("height")).map(|(w, h)| [w, h]),
            labels: [h5.strings("identities_labels"), h5.texts("identities_labels")].concat(),
        }
    }

    fn apply(self, made: &mut Trajectories) {
        made.frame_rate = self.frame_rate.or(made.frame_rate);
        made.unit_per_length = self.length_unit;
        made.body_length = self.body_length;
        made.extent = self.size;
        made.length_unit = Some("px".to_owned());
        made.y_down = true;
        if self.labels.len() == made.animals.len() {
            made.animals = self.labels;
        }
        if self.length_unit.is_none() {
            made.notes.push("idtracker.ai was not told a unit of length: positions are pixels".to_owned());
        }
    }
}

/// `trajectories.h5`: dataset `trajectories` f8 (frames, animals, 2).
pub(super) fn hdf5(h5: &H5, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let shape = h5.shape("trajectories")?;
    let array = match shape[..] {
        [frames, animals, 2] if frames > 0 && animals > 0 => h5.array("trajectories")?,
        _ => return Err(h5.wrong("trajectories", format!("its shape is {shape:?}, not (frames, animals, 2)"))),
    };
    let (frames, n) = (array.shape[0], array.shape[1]);
    let plan = Plan {
        name: h5.name(),
        source: Format::IdtrackerHdf5,
        dims: 2,
        animals: (1..=n).map(|i| i.to_string()).collect(),
        velocities: false,
        headings: false,
        timed: false,
        max_bytes: options.max_bytes,
    };
    let (mut made, _) = blank(&plan, frames)?;
    made.positions = array.values.into_iter().map(|x| if x.is_finite() { x } else { f64::NAN }).collect();
    Attributes::from_hdf5(h5).apply(&mut made);
    Ok(made)
}

/// `trajectories.csv` (wide) or `trajectories_tidy.csv`, and the attributes where they are there.
pub(super) async fn csv(
    item: &Item,
    attributes: Option<&Item>,
    format: Format,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let mut made = match format {
        Format::IdtrackerTidy => plain::long(item, options, pace).await?,
        _ => plain::wide(item, options, pace).await?,
    };
    made.source = format;
    let known = attributes.map(Attributes::from_json).transpose()?;
    if known.is_none() {
        let beside = if format == Format::IdtrackerTidy { "attributes_tidy.json" } else { "attributes.json" };
        made.notes.push(format!("{beside} is not there: the frame rate is taken from the times, the scale is unknown"));
    }
    known.unwrap_or_default().apply(&mut made);
    Ok(made)
}
