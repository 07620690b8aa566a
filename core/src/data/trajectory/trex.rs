//! TRex: one file per animal (`<video>_id3.npz`, `_fish3.npz`, or .csv), one-dimensional arrays of equal
//! length. Centimetres, y downwards; missing is +inf or `missing` = 1; files start at different frames.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    detect::trex_name,
    error::{part, within},
    grid::{Names, Plan, Sighting, lay_out},
    load::{Body, Item},
    npz,
    plain::Sightings,
    sheet::{Line, Sheet},
};
use crate::pace::Pace;

/// Sources of a position, the best one first: the centre of the whole body, …, the head (no suffix).
const SUFFIXES: [&str; 5] = ["#wcentroid", "#centroid", "#pcentroid", "", "#head"];

/// One animal's fields, of equal length.
struct Fields {
    list: Vec<(String, Vec<f64>)>,
    frame_rate: Option<f64>,
}

impl Fields {
    fn get(&self, name: &str) -> Option<&[f64]> {
        self.list.iter().find(|(n, _)| n == name).map(|(_, v)| &v[..])
    }

    /// x and y by suffix, the wanted one first.
    fn pair(&self, x: &str, y: &str, first: &str) -> Option<(&[f64], &[f64], String)> {
        std::iter::once(first).chain(SUFFIXES).find_map(|s| {
            let (x, y) = (self.get(&format!("{x}{s}"))?, self.get(&format!("{y}{s}"))?);
            Some((x, y, s.to_owned()))
        })
    }
}

/// All animals, aligned on the frame number.
pub(super) async fn read(
    items: &[&Item],
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let (mut names, mut sightings) = (Names::default(), Sightings::new(options.max_bytes));
    let (mut used, mut velocities, mut headings) = (Vec::new(), false, false);
    let mut rate = None;
    for item in items {
        let fields = match &item.body {
            Body::Arrays(arrays) => from_arrays(&item.name, arrays, options.max_bytes)?,
            Body::Bytes(bytes) => from_csv(&item.name, bytes, pace).await?,
        };
        let stem = item.name.rsplit_once('.').map_or(&item.name[..], |(stem, _)| stem);
        let known = names.list.len();
        let animal = names.place(trex_name(&item.name).unwrap_or(stem));
        if names.list.len() == known {
            let why = format!("another file is of animal {:?} already", names.list[animal]);
            return Err(TrajectoryError::Stray { name: item.name.clone(), why });
        }
        let frame = fields.get("frame").ok_or_else(|| part(&item.name, "array frame", "it is not there"))?;
        let expected = "none of X#wcentroid, X#centroid, X#pcentroid, X is there with its Y";
        let (x, y, suffix) =
            fields.pair("X", "Y", "#wcentroid").ok_or_else(|| part(&item.name, "array X", expected))?;
        let speed = fields.pair("VX", "VY", &suffix);
        let angle = std::iter::once(&suffix[..]).chain(SUFFIXES).find_map(|s| fields.get(&format!("ANGLE{s}")));
        let (missing, time) = (fields.get("missing"), fields.get("time"));
        rate = rate.or(fields.frame_rate);
        velocities |= speed.is_some();
        headings |= angle.is_some();
        if !used.contains(&suffix) {
            used.push(suffix);
        }
        for (i, &f) in frame.iter().enumerate() {
            if !f.is_finite() || f.fract() != 0.0 {
                return Err(part(&item.name, "array frame", format!("its value {i} is {f}, not a whole number")));
            }
            let mut s = Sighting::of(f, animal, i as u64 + 2);
            let at =
                |v: Option<&[f64]>| v.and_then(|v| v.get(i)).copied().filter(|x| x.is_finite()).unwrap_or(f64::NAN);
            s.time = at(time);
            // Both coordinates, or neither; +inf is TRex's way to say missing.
            if missing.and_then(|m| m.get(i)) != Some(&1.0) && x[i].is_finite() && y[i].is_finite() {
                s.position = [x[i], y[i], f64::NAN];
                let (vx, vy) = (at(speed.as_ref().map(|s| s.0)), at(speed.as_ref().map(|s| s.1)));
                s.velocity = [vx, vy, f64::NAN];
                s.heading = at(angle);
            }
            sightings.push(s).map_err(within(&item.name))?;
        }
    }
    let (animals, places) = names.sorted();
    let mut sightings = sightings.list;
    sightings.iter_mut().for_each(|s| s.animal = places[s.animal]);
    let name = items.first().map_or("", |i| &i.name[..]);
    let max_bytes = options.max_bytes;
    let plan = Plan { name, source: Format::Trex, dims: 2, animals, velocities, headings, timed: false, max_bytes };
    let mut made = lay_out(plan, &sightings)?;
    made.frame_rate = rate.or(made.frame_rate);
    made.length_unit = Some("cm".to_owned());
    made.unit_per_length = Some(1.0);
    made.y_down = true;
    let from: Vec<&str> =
        used.iter().map(|s| if s.is_empty() { "the head" } else { s.trim_start_matches('#') }).collect();
    made.notes.push(format!("TRex: positions are those of {}", from.join(", ")));
    Ok(made)
}

fn wanted(field: &str) -> bool {
    let name = field.split('#').next().unwrap_or(field);
    matches!(name, "X" | "Y" | "VX" | "VY" | "ANGLE" | "time" | "frame" | "missing")
}

fn from_arrays(name: &str, arrays: &[(String, Vec<u8>)], max_bytes: u64) -> Result<Fields, TrajectoryError> {
    let (mut list, mut frame_rate): (Vec<(String, Vec<f64>)>, _) = (Vec::new(), None);
    for (field, bytes) in arrays {
        if field == "frame_rate" {
            let rate = npz::array(name, field, bytes, max_bytes).ok().and_then(|a| a.values.first().copied());
            frame_rate = rate.filter(|r| r.is_finite() && *r > 0.0);
        }
        if !wanted(field) {
            continue;
        }
        let array = npz::array(name, &format!("array {field}"), bytes, max_bytes)?;
        let first = list.first().map(|(n, v)| (n.clone(), v.len()));
        if let Some((other, len)) = first.filter(|&(_, len)| len != array.values.len()) {
            let why = format!("it has {} values, {other} has {len}", array.values.len());
            return Err(part(name, format!("array {field}"), why));
        }
        list.push((field.clone(), array.values));
    }
    Ok(Fields { list, frame_rate })
}

async fn from_csv(name: &str, bytes: &[u8], pace: &dyn Pace) -> Result<Fields, TrajectoryError> {
    let sheet = Sheet::new(bytes);
    let header = sheet.head(1).pop().unwrap_or_default();
    // `X#wcentroid (cm)` is X#wcentroid.
    let title = |h: &String| h.split(' ').next().unwrap_or(h).to_owned();
    let places: Vec<usize> = (0..header.len()).filter(|&i| wanted(&title(&header[i]))).collect();
    let mut list: Vec<(String, Vec<f64>)> = places.iter().map(|&i| (title(&header[i]), Vec::new())).collect();
    let each = &mut |line: &Line<'_>| {
        for (&i, (_, values)) in places.iter().zip(&mut list) {
            values.push(if header[i] == "frame" { line.known(i, "frame")? } else { line.real(i, &header[i])? });
        }
        Ok(())
    };
    sheet.rows(1, each, pace).await.map_err(within(name))?;
    Ok(Fields { list, frame_rate: None })
}
