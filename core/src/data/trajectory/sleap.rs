//! SLEAP: analysis HDF5 (`tracks` in either preset, or as its attribute `dims` says) and CSV. Pixels,
//! y downwards, NaN where a node was not seen; neither a frame rate nor a scale inside.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::{part, within},
    grid::{Names, Sighting, blank, lay_out},
    hdf5::H5,
    load::Item,
    plain::Sightings,
    pose::Choice,
    sheet::{Line, Sheet},
};
use crate::pace::Pace;
use std::collections::HashMap;

/// The axes' names, as sleap-io has them; the first is how SLEAP itself stores them (MATLAB order).
const MATLAB: [&str; 4] = ["track", "xy", "node", "frame"];
const LEGACY: [&str; 4] = ["frame", "node", "xy", "track"];
/// Which nodes count.
const VISIBLE: &str = "visible ones";

/// `*.analysis.h5`.
pub(super) fn hdf5(h5: &H5, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let shape = h5.shape("tracks")?;
    let wrong = |why: String| h5.wrong("tracks", why);
    let dims = h5.text_of("tracks", "dims");
    let order: Vec<String> = match &dims {
        Some(json) => serde_json::from_str(json).map_err(|e| wrong(format!("its attribute dims is {json:?}: {e}")))?,
        // Before there was `dims`: sleap-io's transpose=False.
        None if h5.number("transpose") == Some(0.0) => LEGACY.map(str::to_owned).to_vec(),
        None => MATLAB.map(str::to_owned).to_vec(),
    };
    let axis = |name: &str| order.iter().position(|o| o == name);
    let (Some(track), Some(xy), Some(node), Some(frame)) = (axis("track"), axis("xy"), axis("node"), axis("frame"))
    else {
        return Err(wrong(format!("its attribute dims is {order:?}; it must name track, xy, node and frame")));
    };
    if shape.len() != 4 || order.len() != 4 || shape[xy] != 2 || shape.contains(&0) {
        return Err(wrong(format!("its shape is {shape:?} for the axes {order:?}; four are needed, and 2 for xy")));
    }
    let array = h5.array("tracks")?;
    let len = |axis: usize| array.shape[axis];
    let mut strides = [1; 4];
    (0..3).rev().for_each(|i| strides[i] = strides[i + 1] * array.shape[i + 1]);
    let mut parts = h5.strings("node_names");
    if parts.len() != len(node) {
        parts = (1..=len(node)).map(|i| format!("node {i}")).collect();
    }
    let mut animals = h5.strings("track_names");
    if animals.len() != len(track) {
        animals = (1..=len(track)).map(|i| i.to_string()).collect();
    }
    let choice = Choice::new(h5.name(), &parts, options)?;
    let plan = choice.plan(h5.name(), Format::SleapHdf5, animals, options);
    let n = plan.animals.len();
    let (mut made, _) = blank(&plan, len(frame))?;
    let mut points = vec![[f64::NAN; 2]; len(node)];
    for f in 0..len(frame) {
        for a in 0..n {
            for (k, p) in points.iter_mut().enumerate() {
                let at = f * strides[frame] + a * strides[track] + k * strides[node];
                *p = [array.values[at], array.values[at + strides[xy]]];
            }
            put(&mut made, f * n + a, choice.of(&points));
        }
    }
    choice.finish(&mut made, &parts, VISIBLE);
    Ok(made)
}

fn put(made: &mut Trajectories, cell: usize, (position, heading): ([f64; 2], f64)) {
    made.positions[cell * 2..cell * 2 + 2].copy_from_slice(&position);
    if let Some(h) = &mut made.headings {
        h[cell] = heading;
    }
}

/// `track,frame_idx,instance.score,<node>.x,<node>.y,<node>.score,…`, one row per instance.
pub(super) async fn csv(
    item: &Item,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let sheet = Sheet::new(item.bytes());
    let header = sheet.head(1).pop().unwrap_or_default();
    let place = |name: &str| header.iter().position(|h| h == name);
    let needs = |name: &str| place(name).ok_or_else(|| part(&item.name, "the header", format!("it has no {name}")));
    let (track, frame) = (needs("track")?, needs("frame_idx")?);
    let parts: Vec<String> = header.iter().filter_map(|h| h.strip_suffix(".x").map(str::to_owned)).collect();
    let columns: Option<Vec<[usize; 2]>> =
        parts.iter().map(|p| Some([place(&format!("{p}.x"))?, place(&format!("{p}.y"))?])).collect();
    let columns = columns.filter(|c| !c.is_empty());
    let columns = columns.ok_or_else(|| part(&item.name, "the header", "every <node>.x needs its <node>.y"))?;
    let choice = Choice::new(&item.name, &parts, options)?;
    let (mut names, mut sightings) = (Names::default(), Sightings::new(options.max_bytes));
    let mut untracked: HashMap<u64, u32> = HashMap::new();
    let mut points = vec![[f64::NAN; 2]; columns.len()];
    let each = &mut |line: &Line<'_>| {
        let at = line.known(frame, "frame_idx")?;
        let mut name = line.text(track);
        if name.is_empty() {
            let count = untracked.entry(at.to_bits()).or_insert(0);
            *count += 1;
            name = format!("untracked {count}");
        }
        for (p, c) in points.iter_mut().zip(&columns) {
            *p = [line.real(c[0], &header[c[0]])?, line.real(c[1], &header[c[1]])?];
        }
        let mut s = Sighting::of(at, names.place(&name), line.number());
        let (position, heading) = choice.of(&points);
        s.position = [position[0], position[1], f64::NAN];
        s.heading = heading;
        sightings.push(s)
    };
    sheet.rows(1, each, pace).await.map_err(within(&item.name))?;
    let plan = choice.plan(&item.name, Format::SleapCsv, names.list, options);
    let mut made = lay_out(plan, &sightings.list)?;
    choice.finish(&mut made, &parts, VISIBLE);
    if !untracked.is_empty() {
        made.notes.push("instances without a track are numbered within their frame: they are no identities".to_owned());
    }
    Ok(made)
}
