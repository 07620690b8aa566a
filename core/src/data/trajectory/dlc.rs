//! DeepLabCut CSV: header rows scorer, perhaps individuals, bodyparts, coords (x, y, likelihood), then the frame's
//! index and the values. Pixels, y downwards; no frame rate inside.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::{part, within},
    grid::{Names, Plan, Sighting, lay_out},
    load::Item,
    plain::Sightings,
    pose::Choice,
    sheet::{Line, Sheet},
};
use crate::pace::Pace;

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

/// One row per frame.
pub(super) async fn csv(
    item: &Item,
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let sheet = Sheet::new(item.bytes());
    let head = sheet.head(4);
    let Layout { rows, animals, parts, points } = Layout::new(&item.name, &head)?;
    let choice = Choice::new(&item.name, &parts, options)?;
    let title = |i: usize| head[rows - 1].get(i).map_or("", String::as_str);
    let mut sightings = Sightings::new(options.max_bytes);
    let (mut body, mut doubted) = (vec![[f64::NAN; 2]; parts.len()], 0_u64);
    let each = &mut |line: &Line<'_>| {
        let frame = line.known(0, "the frame's index")?;
        for (animal, points) in points.chunks(parts.len()).enumerate() {
            for (p, point) in body.iter_mut().zip(points) {
                *p = [f64::NAN; 2];
                let (Some(x), Some(y)) = (point.x, point.y) else { continue };
                let seen = [line.real(x, title(x))?, line.real(y, title(y))?];
                let trusted = match point.likelihood {
                    Some(l) => line.real(l, title(l))? >= options.likelihood,
                    None => true,
                };
                if trusted {
                    *p = seen;
                } else if seen[0].is_finite() {
                    doubted += 1;
                }
            }
            let mut s = Sighting::of(frame, animal, line.number());
            let (position, heading) = choice.of(&body);
            s.position = [position[0], position[1], f64::NAN];
            s.heading = heading;
            sightings.push(s)?;
        }
        Ok(())
    };
    sheet.rows(rows, each, pace).await.map_err(within(&item.name))?;
    let plan = Plan {
        name: &item.name,
        source: Format::DeepLabCutCsv,
        dims: 2,
        animals,
        velocities: false,
        headings: choice.has_heading(),
        timed: false,
        max_bytes: options.max_bytes,
    };
    let mut made = lay_out(plan, &sightings.list)?;
    made.length_unit = Some("px".to_owned());
    made.y_down = true;
    made.notes.push(choice.describe(&parts, "trusted ones"));
    if doubted > 0 {
        let limit = options.likelihood;
        made.notes.push(format!("{doubted} points with a likelihood below {limit} are left out"));
    }
    Ok(made)
}
