//! How particles lie in memory while neighbours are summed.

use std::ops::Range;

/// Particles that look at one neighbour at a time, side by side: one AVX-512 register, two of AVX2, four of wasm's.
pub(super) const LANES: usize = 8;

/// One number of each particle of a block.
pub(super) type Lane = [f64; LANES];

/// A block of particles that look around.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Block {
    /// Positions.
    pub(super) x: [Lane; 3],
    /// Headings.
    pub(super) u: [Lane; 3],
}

impl Block {
    /// The particles `of`, at most [`LANES`]; the last one fills what is left.
    pub(super) fn new(positions: &[[f64; 3]], headings: &[[f64; 3]], of: impl Fn(usize) -> usize, len: usize) -> Self {
        let mut block = Self::default();
        for l in 0..LANES {
            let i = of(l.min(len - 1));
            for k in 0..3 {
                block.x[k][l] = positions[i][k];
                block.u[k][l] = headings[i][k];
            }
        }
        block
    }
}

/// What a block has summed: three vectors, whose meaning is the rule's.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Sums {
    /// Zones: -Σ d/r over the zone of repulsion. Vicsek: Σ u. Boids: -Σ d/r².
    pub(super) a: [Lane; 3],
    /// Zones: Σ u over the zone of orientation. Boids: Σ v.
    pub(super) b: [Lane; 3],
    /// Zones: Σ d/r over the zone of attraction. Boids: Σ d.
    pub(super) c: [Lane; 3],
    /// Zones: the number in the zone of repulsion.
    pub(super) close: Lane,
}

/// The sums of one particle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) a: [f64; 3],
    pub(super) b: [f64; 3],
    pub(super) c: [f64; 3],
    pub(super) close: f64,
}

impl Sums {
    /// Those of the particle in lane `l`.
    pub(super) fn of(&self, l: usize) -> Seen {
        let at = |s: &[Lane; 3]| [s[0][l], s[1][l], s[2][l]];
        Seen { a: at(&self.a), b: at(&self.b), c: at(&self.c), close: self.close[l] }
    }
}

/// Those who are looked at, as structure of arrays.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    x: [Vec<f64>; 3],
    w: [Vec<f64>; 3],
}

impl Columns {
    /// Everybody, in their own order: positions, and headings or (boids) velocities.
    pub(super) fn all_of(&mut self, positions: &[[f64; 3]], messages: &[[f64; 3]]) {
        for (columns, from) in [(&mut self.x, positions), (&mut self.w, messages)] {
            for (k, column) in columns.iter_mut().enumerate() {
                column.clear();
                column.extend(from.iter().map(|v| v[k]));
            }
        }
    }

    /// The particles `ids`, in this order.
    pub(super) fn some_of(&mut self, ids: &[u32], positions: &[[f64; 3]], messages: &[[f64; 3]]) {
        for (columns, from) in [(&mut self.x, positions), (&mut self.w, messages)] {
            for (k, column) in columns.iter_mut().enumerate() {
                column.clear();
                column.extend(ids.iter().map(|&i| from[i as usize][k]));
            }
        }
    }

    /// The `runs` of `from`, one behind the other, each particle at its place in `ranks`.
    pub(super) fn placed<'a>(
        &mut self,
        from: &Self,
        runs: impl Iterator<Item = &'a Range<usize>> + Clone,
        ranks: &[u32],
    ) {
        for (columns, from) in [(&mut self.x, &from.x), (&mut self.w, &from.w)] {
            for (column, from) in columns.iter_mut().zip(from) {
                column.resize(ranks.len(), 0.0);
                let values = runs.clone().flat_map(|run| &from[run.clone()]);
                for (&rank, &value) in ranks.iter().zip(values) {
                    column[rank as usize] = value;
                }
            }
        }
    }

    /// The particles `begin..end`.
    pub(super) fn run(&self, begin: usize, end: usize) -> Others<'_> {
        Others {
            x: [&self.x[0][begin..end], &self.x[1][begin..end], &self.x[2][begin..end]],
            w: [&self.w[0][begin..end], &self.w[1][begin..end], &self.w[2][begin..end]],
        }
    }

    pub(super) fn all(&self) -> Others<'_> {
        self.run(0, self.x[0].len())
    }
}

/// A run of those who are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others<'a> {
    pub(super) x: [&'a [f64]; 3],
    pub(super) w: [&'a [f64]; 3],
}

impl Others<'_> {
    pub(super) fn len(&self) -> usize {
        self.x[0].len()
    }
}

/// Finds the place that each number of a list has among them, by setting bits: a few steps each, however many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranks {
    /// One bit a number.
    bits: Vec<u64>,
    /// One bit a word of `bits` that is not 0.
    words: Vec<u64>,
    /// How many numbers lie in words below, for each word that is not 0.
    before: Vec<u32>,
    list: Vec<u32>,
}

impl Ranks {
    /// Room for numbers below `bound`.
    pub(super) fn reach(&mut self, bound: usize) {
        self.bits.resize(bound.div_ceil(64), 0);
        self.before.resize(bound.div_ceil(64), 0);
        self.words.resize(bound.div_ceil(4096), 0);
    }

    /// For each of the distinct numbers in `runs`, how many of them are smaller.
    pub(super) fn of<'a>(&mut self, runs: impl Iterator<Item = &'a [u32]> + Clone) -> &[u32] {
        let Self { bits, words, before, list } = self;
        for &i in runs.clone().flatten() {
            bits[(i >> 6) as usize] |= 1 << (i & 63);
            words[(i >> 12) as usize] |= 1 << ((i >> 6) & 63);
        }
        let mut smaller = 0;
        for (high, words) in words.iter_mut().enumerate() {
            let mut left = std::mem::take(words);
            while left != 0 {
                let word = (high << 6) | left.trailing_zeros() as usize;
                left &= left - 1;
                before[word] = smaller;
                smaller += bits[word].count_ones();
            }
        }
        list.clear();
        list.extend(runs.clone().flatten().map(|&i| {
            let word = (i >> 6) as usize;
            before[word] + (bits[word] & ((1 << (i & 63)) - 1)).count_ones()
        }));
        for &i in runs.flatten() {
            bits[(i >> 6) as usize] = 0;
        }
        list
    }
}
