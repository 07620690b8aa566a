//! DeepLabCut: columns named by scorer, perhaps individual, body part and coordinate (x, y, likelihood), a row for each frame;
//! as CSV, where the names are header rows, and as a pandas table in HDF5. Pixels, y downwards; no frame rate inside.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::{part, within},
    grid::{Names, Sighting, lay_out},
    hdf5::H5,
    load::Item,
    pandas,
    plain::Sightings,
    pose::Choice,
    sheet::{Line, Sheet},
};
use crate::{data::DataError, pace::Pace};

/// Columns of x, y and, where there is one, the likelihood of one body part of one animal.
#[derive(Clone, Copy, Default)]
struct Point {
    x: Option<usize>,
    y: Option<usize>,
    likelihood: Option<usize>,
}

/// The header's meaning.
struct Layout {
    rows: usize,
    animals: Vec<String>,
    parts: Vec<String>,
    /// `[animal][part]`.
    points: Vec<Point>,
}

impl Layout {
    fn new(name: &str, head: &[Vec<String>]) -> Result<Self, TrajectoryError> {
        let row = |word: &str| head.iter().take(4).position(|r| r.first().is_some_and(|f| f == word));
        let missing = |what: &str| part(name, "the header", format!("there is no row {what}"));
        let bodyparts = row("bodyparts").ok_or_else(|| missing("bodyparts"))?;
        let coords = row("coords").ok_or_else(|| missing("coords"))?;
        let individuals = row("individuals");
        let rows = coords.max(bodyparts) + 1;
        let (mut animals, mut parts) = (Names::default(), Names::default());
        let mut places = Vec::new();
        for i in 1..head[coords].len() {
            let title = |r: usize| head[r].get(i).map_or("", String::as_str);
            let animal = animals.place(individuals.map_or("1", title));
            places.push((i, animal, parts.place(title(bodyparts)), title(coords)));
        }
        let width = parts.list.len();
        let mut points = vec![Point::default(); animals.list.len() * width];
        for (i, animal, part, coord) in places {
            let point = &mut points[animal * width + part];
            match coord {
                "x" => point.x = Some(i),
                "y" => point.y = Some(i),
                "likelihood" => point.likelihood = Some(i),
                _ => {}
            }
        }
        if points.iter().all(|p| p.x.is_none() || p.y.is_none()) {
            return Err(part(name, "the header", "no body part has both x and y under coords"));
        }
        Ok(Self { rows, animals: animals.list, parts: parts.list, points })
    }
}

/// What the rows of either kind of file are read into.
struct Reading<'a> {
    name: &'a str,
    layout: Layout,
    choice: Choice,
    options: &'a TrajectoryOptions,
    sightings: Sightings,
    body: Vec<[f64; 2]>,
    /// Points that were not trusted.
    doubted: u64,
}

impl<'a> Reading<'a> {
    fn new(name: &'a str, layout: Layout, options: &'a TrajectoryOptions) -> Result<Self, TrajectoryError> {
        let choice = Choice::new(name, &layout.parts, options)?;
        let body = vec![[f64::NAN; 2]; layout.parts.len()];
        Ok(Self { name, layout, choice, options, sightings: Sightings::new(options.max_bytes), body, doubted: 0 })
    }

    /// Takes the row of a frame, which begins on this line, and whose `value` in a column can be asked for.
    fn row(&mut self, frame: f64, line: u64, value: impl Fn(usize) -> Result<f64, DataError>) -> Result<(), DataError> {
        for (animal, points) in self.layout.points.chunks(self.body.len()).enumerate() {
            for (p, point) in self.body.iter_mut().zip(points) {
                *p = [f64::NAN; 2];
                let (Some(x), Some(y)) = (point.x, point.y) else { continue };
                let seen = [value(x)?, value(y)?];
                let trusted = match point.likelihood {
                    Some(l) => value(l)? >= self.options.likelihood,
                    None => true,
                };
                if trusted {
                    *p = seen;
                } else if seen[0].is_finite() {
                    self.doubted += 1;
                }
            }
            let mut s = Sighting::of(frame, animal, line);
            let (position, heading) = self.choice.of(&self.body);
            s.position = [position[0], position[1], f64::NAN];
            s.heading = heading;
            self.sightings.push(s)?;
        }
        Ok(())
    }

    fn finish(self, source: Format) -> Result<Trajectories, TrajectoryError> {
        let Layout { animals, parts, .. } = self.layout;
        let plan = self.choice.plan(self.name, source, animals, self.options);
        let mut made = lay_out(plan, &self.sightings.list)?;
        self.choice.finish(&mut made, &parts, "trusted ones");
        if self.doubted > 0 {
            let (doubted, limit) = (self.doubted, self.options.likelihood);
            made.notes.push(format!("{doubted} points with a likelihood below {limit} are left out"));
        }
        Ok(made)
    }
}

/// One row per frame.
pub(super) async fn csv(
    item: &Item,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let sheet = Sheet::new(item.bytes());
    let head = sheet.head(4);
    let layout = Layout::new(&item.name, &head)?;
    let rows = layout.rows;
    let title = |i: usize| head[rows - 1].get(i).map_or("", String::as_str);
    let mut reading = Reading::new(&item.name, layout, options)?;
    let each = &mut |line: &Line<'_>| {
        reading.row(line.known(0, "the frame's index")?, line.number(), |i| line.real(i, title(i)))
    };
    sheet.rows(rows, each, pace).await.map_err(within(&item.name))?;
    reading.finish(Format::DeepLabCutCsv)
}

/// The pandas table in this group.
pub(super) fn hdf5(h5: &H5, group: &str, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let frame = pandas::read(h5, group)?;
    let titles: &[&str] = match frame.names.first().map_or(0, Vec::len) {
        3 => &["scorer", "bodyparts", "coords"],
        4 => &["scorer", "individuals", "bodyparts", "coords"],
        levels => {
            let why = format!("its columns have names of {levels} levels; DeepLabCut's have 3, or 4 with individuals");
            return Err(h5.wrong(group, why));
        }
    };
    // The names as the rows of a CSV have them.
    let row = |(level, title): (usize, &&str)| {
        let names = frame.names.iter().map(|levels| levels.get(level).cloned().unwrap_or_default());
        std::iter::once((*title).to_owned()).chain(names).collect()
    };
    let head: Vec<Vec<String>> = titles.iter().enumerate().map(row).collect();
    let mut reading = Reading::new(h5.name(), Layout::new(h5.name(), &head)?, options)?;
    let width = frame.names.len();
    let finite = |x: f64| if x.is_finite() { x } else { f64::NAN };
    for (number, (&index, values)) in (1..).zip(frame.index.iter().zip(frame.values.chunks(width))) {
        if !index.is_finite() {
            return Err(h5.wrong(group, format!("row {number} has the index {index}; frames have numbers")));
        }
        reading.row(index, number, |i| Ok(finite(values[i - 1]))).map_err(within(h5.name()))?;
    }
    reading.finish(Format::DeepLabCutHdf5)
}
