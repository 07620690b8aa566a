//! Golden shiners (Katz et al. 2011, Oregon State ScholarsArchive 3t945z38t): JSON with `px`, `py`, `vx`,
//! `vy`, `onfish`, each a list over frames of lists over the fish seen. `onfish` holds identities, which
//! retire when a fish is lost and restart as new ones, so that a place holds one after the other.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::part,
    grid::{Plan, blank},
    load::Item,
    plain::without_nan,
};
use serde::Deserialize;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

type Row = Vec<Option<f64>>;

/// Fields over frames.
#[derive(Deserialize)]
struct Fields {
    px: Vec<Row>,
    py: Vec<Row>,
    #[serde(default)]
    vx: Vec<Row>,
    #[serde(default)]
    vy: Vec<Row>,
    onfish: Vec<Row>,
}

/// One frame's fields.
#[derive(Deserialize)]
struct Frame {
    px: Row,
    py: Row,
    #[serde(default)]
    vx: Row,
    #[serde(default)]
    vy: Row,
    onfish: Row,
}

fn parse(item: &Item) -> Result<Fields, TrajectoryError> {
    let text = without_nan(item.bytes());
    let wrong = |e: serde_json::Error| part(&item.name, "JSON", e.to_string());
    if text.trim_ascii_start().first() == Some(&b'[') {
        let frames: Vec<Frame> = serde_json::from_slice(&text).map_err(wrong)?;
        let moving = frames.iter().any(|f| !f.vx.is_empty());
        let mut fields = Fields { px: vec![], py: vec![], vx: vec![], vy: vec![], onfish: vec![] };
        for frame in frames {
            fields.px.push(frame.px);
            fields.py.push(frame.py);
            fields.onfish.push(frame.onfish);
            if moving {
                fields.vx.push(frame.vx);
                fields.vy.push(frame.vy);
            }
        }
        return Ok(fields);
    }
    serde_json::from_slice(&text).map_err(wrong)
}

/// Where an identity is seen first and last.
struct Life {
    id: f64,
    first: usize,
    last: usize,
}

/// Reads the file.
pub(super) fn read(item: &Item, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let fields = parse(item)?;
    let frames = fields.onfish.len();
    let moving = !fields.vx.is_empty() || !fields.vy.is_empty();
    for (name, list) in [("px", &fields.px), ("py", &fields.py), ("vx", &fields.vx), ("vy", &fields.vy)] {
        if name.starts_with('v') && !moving {
            continue;
        }
        if list.len() != frames {
            return Err(part(&item.name, name, format!("it has {} frames, onfish has {frames}", list.len())));
        }
        if let Some(f) = (0..frames).find(|&f| list[f].len() != fields.onfish[f].len()) {
            let why = format!("frame {f} has {} values, onfish has {}", list[f].len(), fields.onfish[f].len());
            return Err(part(&item.name, name, why));
        }
    }
    let lives = lives(&item.name, &fields.onfish)?;
    let (slots, count) = share(&lives);
    let plan = Plan {
        name: &item.name,
        source: Format::Shiners,
        dims: 2,
        animals: (1..=count).map(|i| i.to_string()).collect(),
        velocities: moving,
        headings: false,
        timed: false,
        max_bytes: options.max_bytes,
    };
    if frames == 0 || count == 0 {
        return Err(part(&item.name, "onfish", "no fish is seen in it"));
    }
    let (mut made, cells) = blank(&plan, frames)?;
    let mut identities = vec![u32::MAX; cells];
    let mut places: HashMap<u64, usize> = HashMap::new();
    for (i, life) in lives.iter().enumerate() {
        places.insert(life.id.to_bits(), slots[i]);
        let number = u32::try_from(i).unwrap_or(u32::MAX);
        (life.first..=life.last).for_each(|f| identities[f * count + slots[i]] = number);
    }
    for f in 0..frames {
        for (k, id) in fields.onfish[f].iter().enumerate() {
            let Some(&slot) = id.and_then(|id| places.get(&id.to_bits())) else { continue };
            let at = (f * count + slot) * 2;
            let of = |list: &[Row]| list[f][k].unwrap_or(f64::NAN);
            made.positions[at..at + 2].copy_from_slice(&[of(&fields.px), of(&fields.py)]);
            if let Some(v) = &mut made.velocities {
                v[at..at + 2].copy_from_slice(&[of(&fields.vx), of(&fields.vy)]);
            }
        }
    }
    if lives.len() > count {
        made.identities = Some(identities);
        let n = lives.len();
        made.notes.push(format!("{n} identities that retire and restart share {count} places, one after the other"));
    } else {
        made.animals =
            (0..count).map(|s| slots.iter().position(|&x| x == s).map_or(0.0, |i| lives[i].id).to_string()).collect();
    }
    made.notes.push("the file says neither frame rate (the data set's description: 30 per second) nor unit".to_owned());
    Ok(made)
}

/// First and last frame of every identity, in order of the first.
fn lives(name: &str, onfish: &[Row]) -> Result<Vec<Life>, TrajectoryError> {
    let mut lives: Vec<Life> = Vec::new();
    let mut known: HashMap<u64, usize> = HashMap::new();
    for (frame, row) in onfish.iter().enumerate() {
        let mut here = BTreeSet::new();
        for id in row.iter().flatten() {
            if !here.insert(id.to_bits()) {
                return Err(part(name, "onfish", format!("fish {id} is in frame {frame} a second time")));
            }
            let place = *known.entry(id.to_bits()).or_insert_with(|| {
                lives.push(Life { id: *id, first: frame, last: frame });
                lives.len() - 1
            });
            lives[place].last = frame;
        }
    }
    Ok(lives)
}

/// A place for every identity so that no two of them are in one place at a time, and their number.
fn share(lives: &[Life]) -> (Vec<usize>, usize) {
    let (mut free, mut busy) = (BTreeSet::new(), BinaryHeap::new());
    let (mut slots, mut count) = (Vec::with_capacity(lives.len()), 0);
    for life in lives {
        while let Some(&std::cmp::Reverse((last, slot))) = busy.peek()
            && last < life.first
        {
            busy.pop();
            free.insert(slot);
        }
        let slot = free.pop_first().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        busy.push(std::cmp::Reverse((life.last, slot)));
        slots.push(slot);
    }
    (slots, count)
}
