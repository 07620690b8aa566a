//! Plain tables: one row per animal and frame, one row per frame, or one frame.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    columns::{self, Long, Wide},
    error::{part, within},
    grid::{Names, Plan, Sighting, blank, lay_out, rate_of},
    load::Item,
    sheet::{Line, Sheet},
};
use crate::data::DataError;
use crate::pace::Pace;
use std::borrow::Cow;

const HEADER: &str = "the header";

/// One row per animal and frame: frame and/or time, id, x, y, and perhaps z, velocities, a heading in radians.
pub(super) async fn long(
    item: &Item,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let sheet = Sheet::new(item.bytes());
    let header = sheet.head(1).pop().unwrap_or_default();
    let expected = "it needs a frame or time, an id (id, individual, track, fish), x and y";
    let columns = columns::long(&header).ok_or_else(|| part(&item.name, HEADER, expected))?;
    let plan = Plan {
        name: &item.name,
        source: Format::LongCsv,
        dims: columns.position.len(),
        animals: Vec::new(),
        velocities: !columns.velocity.is_empty(),
        headings: columns.heading.is_some() && columns.position.len() == 2,
        timed: columns.frame.is_none(),
        max_bytes: options.max_bytes,
    };
    gather(&sheet, &header, &columns, plan, pace).await
}

async fn gather(
    sheet: &Sheet<'_>,
    header: &[String],
    columns: &Long,
    plan: Plan<'_>,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let (mut names, mut sightings) = (Names::default(), Sightings::new(plan.max_bytes));
    let title = |i: usize| header.get(i).map_or("", String::as_str);
    let each = &mut |line: &Line<'_>| {
        let at = columns.frame.or(columns.time).unwrap_or(0);
        let mut s = Sighting::of(
            line.known(at, title(at))?,
            names.place(&columns.animal.map_or_else(|| "1".to_owned(), |c| line.text(c))),
            line.number(),
        );
        if let (Some(_), Some(t)) = (columns.frame, columns.time) {
            // A date beside a frame number says nothing that is needed.
            s.time = line.real(t, title(t)).unwrap_or(f64::NAN);
        }
        for (x, &c) in s.position.iter_mut().zip(&columns.position) {
            *x = line.real(c, title(c))?;
        }
        for (x, &c) in s.velocity.iter_mut().zip(&columns.velocity) {
            *x = line.real(c, title(c))?;
        }
        if let Some(c) = columns.heading {
            s.heading = line.real(c, title(c))?;
        }
        sightings.push(s)
    };
    sheet.rows(1, each, pace).await.map_err(within(plan.name))?;
    let (animals, places) = names.sorted();
    let mut sightings = sightings.list;
    sightings.iter_mut().for_each(|s| s.animal = places[s.animal]);
    lay_out(Plan { animals, ..plan }, &sightings)
}

/// Sightings, until they are too many.
pub(super) struct Sightings {
    pub(super) list: Vec<Sighting>,
    max_bytes: u64,
}

impl Sightings {
    pub(super) const fn new(max_bytes: u64) -> Self {
        Self { list: Vec::new(), max_bytes }
    }

    pub(super) fn push(&mut self, s: Sighting) -> Result<(), DataError> {
        let needed = (self.list.len() as u64 + 1) * size_of::<Sighting>() as u64;
        let limit = self.max_bytes.saturating_mul(2);
        if needed > limit {
            return Err(DataError::TooLarge { what: "the rows of the table".to_owned(), needed, limit });
        }
        self.list.push(s);
        Ok(())
    }
}

/// One row per frame: frame or time, then x1, y1, x2, y2, … (z1, … too in three dimensions).
pub(super) async fn wide(
    item: &Item,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let sheet = Sheet::new(item.bytes());
    let header = sheet.head(1).pop().unwrap_or_default();
    let expected = "it needs a frame or time, and x1, y1, x2, y2, … in pairs";
    let Wide { frame, time, animals, others } =
        columns::wide(&header).ok_or_else(|| part(&item.name, HEADER, expected))?;
    let title = |i: usize| header.get(i).map_or("", String::as_str);
    let places: Vec<usize> = animals.iter().flat_map(|a| a.1.iter().copied()).collect();
    let dims = animals.first().map_or(2, |a| a.1.len());
    let mut rows = Vec::new();
    let (mut numbers, mut times, mut last) = (Vec::new(), Vec::new(), f64::NEG_INFINITY);
    let axis = frame.or(time).unwrap_or(0);
    let each = &mut |line: &Line<'_>| {
        let at = line.known(axis, title(axis))?;
        if at <= last {
            return Err(DataError::Field {
                line: line.number(),
                field: axis + 1,
                name: title(axis).to_owned(),
                value: line.text(axis),
                expected: "more than in the row before",
            });
        }
        last = at;
        numbers.push(at);
        if let Some(t) = time {
            times.push(line.real(t, title(t))?);
        }
        for &c in &places {
            rows.push(line.real(c, title(c))?);
        }
        let needed = rows.len() as u64 * 8;
        let limit = options.max_bytes;
        if needed > limit {
            Err(DataError::TooLarge { what: "the positions".to_owned(), needed, limit })
        } else {
            Ok(())
        }
    };
    sheet.rows(1, each, pace).await.map_err(within(&item.name))?;
    let plan = Plan {
        name: &item.name,
        source: Format::WideCsv,
        dims,
        animals: animals.into_iter().map(|a| a.0).collect(),
        velocities: false,
        headings: false,
        timed: frame.is_none(),
        max_bytes: options.max_bytes,
    };
    if numbers.is_empty() {
        return Err(within(&item.name)(DataError::Empty { name: item.name.clone(), what: "it has no row of values" }));
    }
    let (mut made, _) = blank(&plan, numbers.len())?;
    made.positions = rows;
    let mut notes = Vec::new();
    if others > 0 {
        notes.push(format!("{others} columns are neither frame, time nor coordinates: left out"));
    }
    let whole = frame.is_some() && numbers.iter().all(|n| n.fract() == 0.0 && n.abs() < 9e15);
    if time.is_some() {
        let pairs = numbers.iter().copied().enumerate().map(|(i, n)| if whole { n } else { i as f64 });
        made.frame_rate = rate_of(pairs.zip(times.iter().copied()), &mut notes);
        made.times = Some(times);
    }
    if whole {
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53")]
        let numbers = numbers.iter().map(|&n| n as i64).collect();
        made.frame_numbers = Some(numbers);
    }
    made.notes = notes;
    Ok(made)
}

/// `Fish_ID,x,y,z,vx,vy,vz`: one frame, in the simulation's units.
pub(super) async fn final_state(
    item: &Item,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let sheet = Sheet::new(item.bytes());
    let header = sheet.head(1).pop().unwrap_or_default();
    if !columns::is_final_state(&header) {
        return Err(part(&item.name, HEADER, "it is not Fish_ID,x,y,z,vx,vy,vz"));
    }
    let columns = Long {
        frame: None,
        time: None,
        animal: Some(0),
        position: vec![1, 2, 3],
        velocity: vec![4, 5, 6],
        heading: None,
    };
    let (mut names, mut sightings) = (Names::default(), Sightings::new(options.max_bytes));
    let each = &mut |line: &Line<'_>| {
        let mut s = Sighting::of(0.0, names.place(&line.text(0)), line.number());
        for d in 0..3 {
            s.position[d] = line.real(columns.position[d], &header[columns.position[d]])?;
            s.velocity[d] = line.real(columns.velocity[d], &header[columns.velocity[d]])?;
        }
        sightings.push(s)
    };
    sheet.rows(1, each, pace).await.map_err(within(&item.name))?;
    let plan = Plan {
        name: &item.name,
        source: Format::FinalState,
        dims: 3,
        animals: names.list,
        velocities: true,
        headings: false,
        timed: false,
        max_bytes: options.max_bytes,
    };
    let mut made = lay_out(plan, &sightings.list)?;
    made.frame_numbers = None;
    made.unit_per_length = Some(1.0);
    Ok(made)
}

/// JSON as Python writes it: a bare NaN becomes null.
pub(super) fn without_nan(json: &[u8]) -> Cow<'_, [u8]> {
    if !super::detect::contains(json, b"NaN") {
        return Cow::Borrowed(json);
    }
    let mut out = Vec::with_capacity(json.len() + 64);
    let (mut rest, mut quoted) = (json, false);
    while let Some((&b, tail)) = rest.split_first() {
        if !quoted && rest.starts_with(b"NaN") {
            out.extend_from_slice(b"null");
            rest = &rest[3..];
            continue;
        }
        if b == b'\\' && quoted {
            out.extend_from_slice(&rest[..rest.len().min(2)]);
            rest = rest.get(2..).unwrap_or(&[]);
            continue;
        }
        quoted ^= b == b'"';
        out.push(b);
        rest = tail;
    }
    Cow::Owned(out)
}
