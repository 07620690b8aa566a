//! The uniform grid: particles sorted by cell, so that a neighbourhood is a few runs of memory.

use std::ops::Range;

use crate::sim::Space;

/// Cells of an edge of at least the reach, or of half of it. In a periodic space it covers the box, else it follows the
/// particles.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    periodic: bool,
    /// Its lower corner.
    low: [f64; 3],
    /// Cells per length.
    per_length: [f64; 3],
    /// Cells on each axis.
    cells: [usize; 3],
    /// Cells to look at on each side.
    look: usize,
    /// Cells of a row that look around together, so that few particles a cell still fill the lanes.
    together: usize,
    /// Where each cell begins in `order`, with the end appended.
    begin: Vec<u32>,
    /// Particles by cell; ascending within a cell.
    order: Vec<u32>,
    /// The cell of each particle.
    cell: Vec<u32>,
}

/// Cells that look at once have this many particles on average, where the row is long enough.
const HOME: f64 = 12.0;

/// From this many particles in a cell of the reach's edge on, cells of half the edge save a third of the pairs.
const CROWDED: f64 = 24.0;

/// Wider than the reach by more than any rounding of a cell's number.
const SLACK: f64 = 1.0 + 1e-9;

/// Rows of 5 × 5, each in two parts where it wraps.
const MOST_RUNS: usize = 50;

/// Runs of `order` around a group of cells.
pub(super) struct Runs {
    list: [Range<usize>; MOST_RUNS],
    len: usize,
}

impl Runs {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Range<usize>> {
        self.list[..self.len].iter()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of particles and cells, below 2^53")]
const fn real(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; NaN is 0")]
fn whole(x: f64, most: usize) -> usize {
    x.clamp(0.0, real(most)) as usize
}

fn product(cells: [usize; 3]) -> f64 {
    cells.iter().map(|n| real(*n)).product()
}

/// How many cells of at least this edge each axis has. At most two a particle: a school scattered over open water takes
/// wider cells and not more of them.
fn divide(extent: [f64; 3], edge: f64, axes: usize, count: usize) -> [usize; 3] {
    let most = 2 * count + 64;
    let longest = extent.iter().copied().fold(0.0, f64::max);
    let mut edge = edge.max(longest / real(most));
    loop {
        let cells =
            extent.map(|e| if e.is_finite() && edge > 0.0 { whole((e / edge).floor(), most).max(1) } else { 1 });
        let excess = product(cells) / real(most);
        if excess <= 1.0 {
            return cells;
        }
        edge *= excess.powf(1.0 / real(axes)).max(1.05);
    }
}

impl Grid {
    /// Chooses the cells and returns the expected share of all pairs that would be looked at.
    pub(super) fn plan(&mut self, space: &Space, reach: f64, positions: &[[f64; 3]]) -> f64 {
        let axes: usize = if space.is_flat() { 2 } else { 3 };
        self.periodic = space.period().is_some();
        let (mut low, mut high) = ([0.0; 3], [space.period().unwrap_or(0.0); 3]);
        if !self.periodic {
            (low, high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
            for x in positions {
                for k in 0..3 {
                    low[k] = low[k].min(x[k]);
                    high[k] = high[k].max(x[k]);
                }
            }
        }
        let extent = [0, 1, 2].map(|k| if k < axes { high[k] - low[k] } else { 0.0 });
        self.look = 1;
        self.cells = divide(extent, reach * SLACK, axes, positions.len());
        let mean = |cells: [usize; 3]| real(positions.len()) / product(cells);
        if mean(self.cells) >= CROWDED {
            self.look = 2;
            self.cells = divide(extent, reach / 2.0 * SLACK, axes, positions.len());
        }
        self.low = low;
        self.per_length = [0, 1, 2].map(|k| if self.cells[k] > 1 { real(self.cells[k]) / extent[k] } else { 0.0 });
        self.together = whole((HOME / mean(self.cells)).ceil(), self.cells[0]).clamp(1, self.cells[0]);
        let share = |k: usize, home: usize| real((home + 2 * self.look).min(self.cells[k])) / real(self.cells[k]);
        share(0, self.together) * share(1, 1) * share(2, 1)
    }

    /// Sorts the particles by cell: count, scan, scatter, each in ascending order.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "particles are counted in u32, and cells are at most 2 a particle"
    )]
    pub(super) fn fill(&mut self, positions: &[[f64; 3]]) {
        let all = self.cells.iter().product::<usize>();
        self.begin.clear();
        self.begin.resize(all + 1, 0);
        self.cell.clear();
        for x in positions {
            let at = [0, 1, 2].map(|k| whole((x[k] - self.low[k]) * self.per_length[k], self.cells[k] - 1));
            let cell = (at[2] * self.cells[1] + at[1]) * self.cells[0] + at[0];
            self.cell.push(cell as u32);
            self.begin[cell + 1] += 1;
        }
        for i in 0..all {
            self.begin[i + 1] += self.begin[i];
        }
        self.order.clear();
        self.order.resize(positions.len(), 0);
        // `begin` serves as the cursor, which leaves each cell at the next one's beginning.
        for (i, &cell) in self.cell.iter().enumerate() {
            let to = &mut self.begin[cell as usize];
            self.order[*to as usize] = i as u32;
            *to += 1;
        }
        self.begin.copy_within(0..all, 1);
        self.begin[0] = 0;
    }

    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    const fn per_row(&self) -> usize {
        self.cells[0].div_ceil(self.together)
    }

    /// The number of groups of cells that look around together.
    pub(super) const fn groups(&self) -> usize {
        self.per_row() * self.cells[1] * self.cells[2]
    }

    /// Row, first and last cell of a group.
    fn place(&self, group: usize) -> ([usize; 2], usize, usize) {
        let row = group / self.per_row();
        let first = group % self.per_row() * self.together;
        let last = (first + self.together).min(self.cells[0]) - 1;
        ([row % self.cells[1], row / self.cells[1]], first, last)
    }

    fn span(&self, y: usize, z: usize, first: usize, last: usize) -> Range<usize> {
        let row = (z * self.cells[1] + y) * self.cells[0];
        self.begin[row + first] as usize..self.begin[row + last + 1] as usize
    }

    /// The particles of a group, as a run of `order`.
    pub(super) fn home(&self, group: usize) -> Range<usize> {
        let ([y, z], first, last) = self.place(group);
        self.span(y, z, first, last)
    }

    /// Everybody within reach of a group, as runs of `order` without overlap.
    pub(super) fn runs(&self, group: usize) -> Runs {
        let ([y, z], first, last) = self.place(group);
        let along = self.around(0, first, last);
        let mut runs = Runs { list: std::array::from_fn(|_| 0..0), len: 0 };
        for zs in self.around(2, z, z) {
            for z in zs {
                for ys in self.around(1, y, y) {
                    for y in ys {
                        for xs in along.clone() {
                            if xs.is_empty() {
                                continue;
                            }
                            let span = self.span(y, z, xs.start, xs.end - 1);
                            if !span.is_empty() {
                                runs.list[runs.len] = span;
                                runs.len += 1;
                            }
                        }
                    }
                }
            }
        }
        runs
    }

    /// The cells from `look` before `first` to `look` behind `last` on an axis, each once: two ranges where they wrap.
    fn around(&self, axis: usize, first: usize, last: usize) -> [Range<usize>; 2] {
        let (n, look) = (self.cells[axis], self.look);
        if !self.periodic {
            [first.saturating_sub(look)..(last + look + 1).min(n), 0..0]
        } else if last - first + 1 + 2 * look >= n {
            [0..n, 0..0]
        } else if first < look {
            [0..last + look + 1, n + first - look..n]
        } else if last + look >= n {
            [0..last + look + 1 - n, first - look..n]
        } else {
            [first - look..last + look + 1, 0..0]
        }
    }
}
