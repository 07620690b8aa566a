//! How particles lie in memory while neighbours are summed.

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
    /// Zones: w Σ u + Σ d/r over the other two zones. Boids: Σ v.
    pub(super) b: [Lane; 3],
    /// Zones: the number in the zone of repulsion, as first component. Boids: Σ d.
    pub(super) c: [Lane; 3],
}

/// The three sums of one particle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) a: [f64; 3],
    pub(super) b: [f64; 3],
    pub(super) c: [f64; 3],
}

impl Sums {
    /// Those of the particle in lane `l`.
    pub(super) fn of(&self, l: usize) -> Seen {
        let at = |s: &[Lane; 3]| [s[0][l], s[1][l], s[2][l]];
        Seen { a: at(&self.a), b: at(&self.b), c: at(&self.c) }
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

/// Puts numbers below a bound in ascending order by setting bits: a few steps each, however many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorter {
    /// One bit a number.
    bits: Vec<u64>,
    /// One bit a word of `bits` that is not 0.
    words: Vec<u64>,
}

impl Sorter {
    /// Room for numbers below `bound`.
    pub(super) fn reach(&mut self, bound: usize) {
        self.bits.resize(bound.div_ceil(64), 0);
        self.words.resize(bound.div_ceil(4096), 0);
    }

    /// Sorts distinct numbers.
    pub(super) fn sort(&mut self, list: &mut Vec<u32>) {
        for &i in list.iter() {
            self.bits[(i >> 6) as usize] |= 1 << (i & 63);
            self.words[(i >> 12) as usize] |= 1 << ((i >> 6) & 63);
        }
        list.clear();
        let ones = |mut word: u64| {
            std::iter::from_fn(move || {
                let at = word.trailing_zeros();
                word &= word.wrapping_sub(1);
                (at < 64).then_some(at)
            })
        };
        for (high, words) in (0_u32..).zip(&mut self.words) {
            for middle in ones(std::mem::take(words)) {
                let word = (high << 6) | middle;
                list.extend(ones(std::mem::take(&mut self.bits[word as usize])).map(|low| (word << 6) | low));
            }
        }
    }
}
