//! From the points of a body to one position and one direction.

use super::{Format, Trajectories, TrajectoryError, TrajectoryOptions, error::part, grid::Plan};

/// Which points stand for the animal.
pub(super) struct Choice {
    /// One body part; `None`: the mean of the trusted ones.
    part: Option<usize>,
    /// The tail's and the head's places.
    heading: Option<(usize, usize)>,
}

impl Choice {
    /// Finds the chosen names among those of the file.
    pub(super) fn new(name: &str, parts: &[String], options: &TrajectoryOptions) -> Result<Self, TrajectoryError> {
        let find = |wanted: &String| {
            let missing =
                || part(name, format!("body part {wanted:?}"), format!("it is not among {}", parts.join(", ")));
            parts.iter().position(|p| p == wanted).ok_or_else(missing)
        };
        let heading = match &options.heading {
            Some((tail, head)) => Some((find(tail)?, find(head)?)),
            None => None,
        };
        Ok(Self { part: options.body_part.as_ref().map(find).transpose()?, heading })
    }

    /// The plan of a file of such animals: places in a picture, by frames.
    pub(super) fn plan<'a>(
        &self,
        name: &'a str,
        source: Format,
        animals: Vec<String>,
        options: &TrajectoryOptions,
    ) -> Plan<'a> {
        Plan {
            name,
            source,
            dims: 2,
            animals,
            velocities: false,
            headings: self.heading.is_some(),
            timed: false,
            max_bytes: options.max_bytes,
        }
    }

    /// Says of what such a file gave that it is in pixels, y downwards, and what stands for an animal.
    pub(super) fn finish(&self, made: &mut Trajectories, parts: &[String], trusted: &str) {
        made.length_unit = Some("px".to_owned());
        made.y_down = true;
        made.notes.push(self.describe(parts, trusted));
    }

    /// The animal's position and direction from its points, NaN where they are not trusted.
    pub(super) fn of(&self, points: &[[f64; 2]]) -> ([f64; 2], f64) {
        let seen = |p: &[f64; 2]| p[0].is_finite() && p[1].is_finite();
        let position = if let Some(i) = self.part {
            points.get(i).copied().filter(seen).unwrap_or([f64::NAN; 2])
        } else {
            let (sum, n) = points
                .iter()
                .filter(|p| seen(p))
                .fold(([0.0; 2], 0.0), |(s, n), p| ([s[0] + p[0], s[1] + p[1]], n + 1.0));
            // No point at all: 0/0 is the NaN that is meant.
            [sum[0] / n, sum[1] / n]
        };
        let heading = self.heading.and_then(|(tail, head)| Some((points.get(tail)?, points.get(head)?)));
        let angle = heading.filter(|(tail, head)| seen(tail) && seen(head) && tail != head);
        (position, angle.map_or(f64::NAN, |(tail, head)| (head[1] - tail[1]).atan2(head[0] - tail[0])))
    }

    fn describe(&self, parts: &[String], trusted: &str) -> String {
        match self.part.and_then(|i| parts.get(i)) {
            Some(part) => format!("the position is that of {part}"),
            None => format!("the position is the mean of the {trusted} among {} body parts", parts.len()),
        }
    }
}
