//! From what a file holds to what a school is measured on: units, directions, velocities, one frame.

use super::{Trajectories, TrajectoryError};

/// One frame, of the animals present in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Their places in [`Trajectories::animals`], ascending.
    pub animals: Vec<usize>,
    /// Where they are; z = 0 in two dimensions.
    pub positions: Vec<[f64; 3]>,
    /// Their velocities, or unit vectors along their headings where there are no velocities at all; empty
    /// where there is neither.
    pub velocities: Vec<[f64; 3]>,
}

/// Whether a place holds one identity from `from` to `to`.
pub(super) fn same_identity(t: &Trajectories, animal: usize, from: usize, to: usize) -> bool {
    let n = t.animals.len();
    t.identities.as_ref().is_none_or(|ids| ids.get(from * n + animal) == ids.get(to * n + animal))
}

fn positive(what: &'static str, value: f64) -> Result<f64, TrajectoryError> {
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(TrajectoryError::Range { what, value, expected: "a finite number above 0" })
}

impl Trajectories {
    /// Sets the frames per second.
    ///
    /// # Errors
    /// [`TrajectoryError::Range`] unless it is finite and positive.
    pub fn with_frame_rate(mut self, frames_per_second: f64) -> Result<Self, TrajectoryError> {
        self.frame_rate = Some(positive("the frame rate", frames_per_second)?);
        Ok(self)
    }

    /// Divides all lengths by `per_length` (pixels per centimetre, say), after which they are in `unit`.
    ///
    /// # Errors
    /// [`TrajectoryError::Range`] unless it is finite and positive.
    pub fn with_scale(mut self, per_length: f64, unit: &str) -> Result<Self, TrajectoryError> {
        let s = positive("the scale", per_length)?;
        self.positions.iter_mut().chain(self.velocities.iter_mut().flatten()).for_each(|x| *x /= s);
        self.body_length = self.body_length.map(|l| l / s);
        self.extent = self.extent.map(|e| e.map(|l| l / s));
        self.unit_per_length = Some(1.0);
        self.length_unit = Some(unit.to_owned());
        Ok(self)
    }

    /// Turns y upwards where it is downwards: y becomes height - y, or -y where the height is unknown.
    #[must_use]
    pub fn y_up(mut self) -> Self {
        if !self.y_down {
            return self;
        }
        let height = self.extent.map_or(0.0, |e| e[1]);
        self.positions.iter_mut().skip(1).step_by(self.dims).for_each(|y| *y = height - *y);
        self.velocities.iter_mut().flatten().skip(1).step_by(self.dims).for_each(|v| *v = -*v);
        self.headings.iter_mut().flatten().for_each(|h| *h = -*h);
        self.y_down = false;
        self
    }

    /// Takes velocities by central differences, v = (x[t+1] - x[t-1]) / 2 · frames per second, wherever there
    /// is none: everywhere, or where a filled gap has left it unknown. An animal that was not seen in the
    /// frame itself, before or after it has none, and so have the first and the last frame.
    ///
    /// # Errors
    /// [`TrajectoryError::Needs`] where velocities are missing and the frame rate is unknown.
    pub fn with_velocities(mut self) -> Result<Self, TrajectoryError> {
        let (n, dims) = (self.animals.len(), self.dims);
        let given = self.velocities.take();
        let mut v = given.clone().unwrap_or_else(|| vec![f64::NAN; self.positions.len()]);
        let (mut taken, mut wanted) = (0_u64, 0_u64);
        for t in 0..self.frames {
            let span = self.span(t);
            for a in 0..n {
                let at = (t * n + a) * dims;
                if v[at..at + dims].iter().all(|x| x.is_finite()) || !self.is_present(t, a) {
                    continue;
                }
                wanted += 1;
                let Some(span) = span else { continue };
                let whole = self.is_present(t - 1, a) && self.is_present(t + 1, a);
                if !whole || !same_identity(&self, a, t - 1, t) || !same_identity(&self, a, t, t + 1) {
                    continue;
                }
                let (before, after) = (at - n * dims, at + n * dims);
                for (d, v) in v[at..at + dims].iter_mut().enumerate() {
                    *v = (self.positions[after + d] - self.positions[before + d]) / span;
                }
                taken += 1;
            }
        }
        if wanted > 0 && self.frame_rate.is_none() {
            self.velocities = given;
            return Err(TrajectoryError::Needs { what: "taking velocities", needs: "the frames per second" });
        }
        if taken > 0 {
            let left = wanted - taken;
            self.notes.push(format!(
                "{taken} velocities by central differences; {left} have no neighbours to take them from"
            ));
        }
        self.velocities = Some(v);
        Ok(self)
    }

    /// Seconds from the frame before `t` to the one after it; `None` at the ends, without a frame rate, and
    /// where the frames are not equally far apart.
    fn span(&self, t: usize) -> Option<f64> {
        if t == 0 || t + 1 >= self.frames {
            return None;
        }
        let frames = match &self.frame_numbers {
            Some(f) => {
                let (back, on) = (f[t].checked_sub(f[t - 1])?, f[t + 1].checked_sub(f[t])?);
                (back == on).then_some(back as f64 * 2.0)?
            }
            None => 2.0,
        };
        Some(frames / self.frame_rate?)
    }

    /// Frame `frame` as vectors, over the animals whose position and (where there are any) velocity or
    /// heading are known; `None` beyond the last frame.
    #[must_use]
    pub fn snapshot(&self, frame: usize) -> Option<Snapshot> {
        if frame >= self.frames {
            return None;
        }
        let mut snapshot = Snapshot::default();
        let vector = |values: &[f64]| [values[0], values[1], values.get(2).copied().unwrap_or(0.0)];
        for animal in 0..self.animals.len() {
            if !self.is_present(frame, animal) {
                continue;
            }
            let cell = frame * self.animals.len() + animal;
            let at = cell * self.dims..(cell + 1) * self.dims;
            let velocity = match (&self.velocities, &self.headings) {
                (Some(v), _) => Some(vector(&v[at.clone()])),
                (None, Some(h)) => Some([h[cell].cos(), h[cell].sin(), 0.0]),
                (None, None) => None,
            };
            if velocity.is_some_and(|v| v.iter().any(|x| !x.is_finite())) {
                continue;
            }
            snapshot.animals.push(animal);
            snapshot.positions.push(vector(&self.positions[at]));
            snapshot.velocities.extend(velocity);
        }
        Some(snapshot)
    }
}
