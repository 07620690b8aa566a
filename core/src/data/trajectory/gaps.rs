//! Where animals were not seen, and short absences bridged.

use super::{Trajectories, process::same_identity};
use serde::{Deserialize, Serialize};

/// How much is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Frames in which each animal was not seen.
    pub missing_per_animal: Vec<usize>,
    /// All of them.
    pub missing: usize,
    /// Absences between two sightings of the same animal.
    pub gaps: usize,
    /// The longest of them, in frames.
    pub longest_gap: usize,
    /// Frames in which every animal was seen.
    pub frames_complete: usize,
    /// The fewest and the most animals seen in a frame.
    pub fewest_present: usize,
    /// See [`Gaps::fewest_present`].
    pub most_present: usize,
}

/// What [`Trajectories::fill_gaps`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Gaps filled.
    pub gaps: usize,
    /// Positions interpolated in them.
    pub positions: usize,
    /// Gaps left because they are longer than allowed.
    pub left_gaps: usize,
    /// Positions still missing, those before the first and after the last sighting included.
    pub left_positions: usize,
}

/// An absence: the frames of the sightings before and after it.
struct Gap {
    animal: usize,
    before: usize,
    after: usize,
}

impl Trajectories {
    fn absences(&self) -> Vec<Gap> {
        let mut list = Vec::new();
        for animal in 0..self.animals.len() {
            let mut before = None;
            for after in 0..self.frames {
                if !self.is_present(after, animal) {
                    continue;
                }
                if let Some(before) = before
                    && after > before + 1
                    && same_identity(self, animal, before, after)
                {
                    list.push(Gap { animal, before, after });
                }
                before = Some(after);
            }
        }
        list
    }

    /// Counts what is missing.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        let n = self.animals.len();
        let mut report = Gaps { missing_per_animal: vec![0; n], fewest_present: n, ..Gaps::default() };
        for frame in 0..self.frames {
            let mut present = 0;
            for animal in 0..n {
                if self.is_present(frame, animal) {
                    present += 1;
                } else {
                    report.missing_per_animal[animal] += 1;
                }
            }
            report.frames_complete += usize::from(present == n);
            report.fewest_present = report.fewest_present.min(present);
            report.most_present = report.most_present.max(present);
        }
        report.missing = report.missing_per_animal.iter().sum();
        let absences = self.absences();
        report.gaps = absences.len();
        report.longest_gap = absences.iter().map(|g| g.after - g.before - 1).max().unwrap_or(0);
        report
    }

    /// Fills gaps of at most `longest` frames on the straight line between the sightings around them; longer
    /// ones, and what is before the first or after the last sighting, stay missing. Velocities and headings
    /// in the gaps stay unknown until [`Trajectories::with_velocities`] takes them from the positions.
    #[must_use]
    pub fn fill_gaps(mut self, longest: usize) -> (Self, Filled) {
        let mut filled = Filled::default();
        let (n, dims) = (self.animals.len(), self.dims);
        for Gap { animal, before, after } in self.absences() {
            let length = after - before - 1;
            if length > longest {
                filled.left_gaps += 1;
                continue;
            }
            filled.gaps += 1;
            filled.positions += length;
            let at = |frame: usize, d: usize| (frame * n + animal) * dims + d;
            // Frame numbers with jumps are not equally far apart.
            let place = |frame: usize| self.frame_numbers.as_ref().map_or(frame as f64, |f| f[frame] as f64);
            let (start, end) = (place(before), place(after));
            for frame in before + 1..after {
                let part = (place(frame) - start) / (end - start);
                for d in 0..dims {
                    let (a, b) = (self.positions[at(before, d)], self.positions[at(after, d)]);
                    self.positions[at(frame, d)] = a + (b - a) * part;
                }
            }
        }
        filled.left_positions = self.gaps().missing;
        if filled.gaps + filled.left_gaps > 0 {
            self.notes.push(format!(
                "{} gaps of at most {longest} frames filled by straight lines ({} positions), {} longer ones left; {} positions missing",
                filled.gaps, filled.positions, filled.left_gaps, filled.left_positions
            ));
        }
        (self, filled)
    }
}
