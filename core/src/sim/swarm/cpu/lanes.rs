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
    pub(super) fn clear(&mut self) {
        for c in self.x.iter_mut().chain(&mut self.w) {
            c.clear();
        }
    }

    /// Appends a particle at `x` with `w`, its heading or (boids) its velocity.
    pub(super) fn push(&mut self, x: [f64; 3], w: [f64; 3]) {
        for k in 0..3 {
            self.x[k].push(x[k]);
            self.w[k].push(w[k]);
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
