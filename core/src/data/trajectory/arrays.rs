//! NumPy: positions of shape (frames, animals, 2 or 3) in an NPY or NPZ file, velocities of the same shape
//! in the archive or in a second file whose name has `vel` in it.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::part,
    grid::{Plan, blank, rate_of},
    load::{Body, Item},
    npz::{self, Array},
};

const POSITIONS: [&str; 8] = ["positions", "pos", "trajectories", "tracks", "xy", "xyz", "x", "position"];
const VELOCITIES: [&str; 4] = ["velocities", "vel", "v", "velocity"];
const TIMES: [&str; 2] = ["time", "t"];
const RATES: [&str; 4] = ["fps", "frame_rate", "frames_per_second", "framerate"];

/// The arrays of all files, by name; of an NPY file, the file's.
fn gather(items: &[&Item], max_bytes: u64) -> Result<Vec<(String, String, Array)>, TrajectoryError> {
    let mut arrays = Vec::new();
    for item in items {
        match &item.body {
            Body::Bytes(bytes) => {
                let stem = item.name.rsplit_once('.').map_or(&item.name[..], |(stem, _)| stem).to_ascii_lowercase();
                // One file of positions needs no name; a second one must say what it is.
                let name = if stem.contains("vel") { "velocities" } else { "positions" };
                arrays.push((
                    item.name.clone(),
                    name.to_owned(),
                    npz::array(&item.name, "the array", bytes, max_bytes)?,
                ));
            }
            Body::Arrays(list) => {
                for (name, bytes) in list {
                    match npz::array(&item.name, &format!("array {name}"), bytes, max_bytes) {
                        Ok(array) => arrays.push((item.name.clone(), name.to_ascii_lowercase(), array)),
                        // Labels and other things that are no numbers.
                        Err(_) if !POSITIONS.contains(&&name[..]) => {}
                        Err(e) => return Err(e),
                    }
                }
            }
        }
    }
    Ok(arrays)
}

/// Reads one file, or one of positions and one of velocities.
pub(super) fn read(items: &[&Item], options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let mut arrays = gather(items, options.max_bytes)?;
    let is_path = |a: &Array| matches!(a.shape[..], [t, n, 2 | 3] if t > 0 && n > 0);
    let named = |arrays: &[(String, String, Array)], names: &[&str]| {
        names.iter().find_map(|n| arrays.iter().position(|(_, name, _)| name == n))
    };
    let found = named(&arrays, &POSITIONS).filter(|&i| is_path(&arrays[i].2));
    let found = found.or_else(|| arrays.iter().position(|(_, n, a)| is_path(a) && !VELOCITIES.contains(&&n[..])));
    let Some(at) = found else {
        let name = items.first().map_or("", |i| &i.name[..]);
        let shapes: Vec<String> = arrays.iter().map(|(_, n, a)| format!("{n} {:?}", a.shape)).collect();
        let why = format!("no shape (frames, animals, 2 or 3) among {}", shapes.join(", "));
        return Err(part(name, "the arrays", why));
    };
    let (file, _, positions) = arrays.swap_remove(at);
    let velocities = named(&arrays, &VELOCITIES).map(|i| arrays.swap_remove(i));
    if let Some((name, array, v)) = &velocities
        && v.shape != positions.shape
    {
        let why = format!("its shape is {:?}, that of the positions {:?}", v.shape, positions.shape);
        return Err(part(name, format!("array {array}"), why));
    }
    let (frames, n, dims) = (positions.shape[0], positions.shape[1], positions.shape[2]);
    let plan = Plan {
        name: &file,
        source: Format::Numpy,
        dims,
        animals: (1..=n).map(|i| i.to_string()).collect(),
        velocities: velocities.is_some(),
        headings: false,
        timed: false,
        max_bytes: options.max_bytes,
    };
    let (mut made, _) = blank(&plan, frames)?;
    let known = |values: Vec<f64>| values.into_iter().map(|x| if x.is_finite() { x } else { f64::NAN }).collect();
    made.positions = known(positions.values);
    made.velocities = velocities.map(|(_, _, v)| known(v.values));
    let rate = named(&arrays, &RATES).and_then(|i| arrays[i].2.values.first().copied());
    made.frame_rate = rate.filter(|r| r.is_finite() && *r > 0.0);
    if let Some(i) = named(&arrays, &TIMES).filter(|&i| arrays[i].2.shape == [frames]) {
        let times = arrays.swap_remove(i).2.values;
        let pairs = times.iter().copied().enumerate().map(|(i, t)| (i as f64, t));
        made.frame_rate = made.frame_rate.or(rate_of(pairs, &mut made.notes));
        made.times = Some(times);
    }
    Ok(made)
}
