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
    /// The first `len` particles, at most [`LANES`], by position and heading; the last one fills what is left.
    pub(super) fn new(particle: impl Fn(usize) -> [[f64; 3]; 2], len: usize) -> Self {
        let mut block = Self::default();
        for l in 0..LANES {
            let [x, u] = particle(l.min(len - 1));
            for k in 0..3 {
                block.x[k][l] = x[k];
                block.u[k][l] = u[k];
            }
        }
        block
    }

    /// Position and heading in lane `l`.
    pub(super) fn of(&self, l: usize) -> [[f64; 3]; 2] {
        [self.x, self.u].map(|v| [v[0][l], v[1][l], v[2][l]])
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

    /// The particles `ids`, in this order. Each is fetched once: those of a large school lie all over memory.
    pub(super) fn some_of(&mut self, ids: &[u32], positions: &[[f64; 3]], messages: &[[f64; 3]]) {
        for (columns, from) in [(&mut self.x, positions), (&mut self.w, messages)] {
            columns.iter_mut().for_each(|column| column.resize(ids.len(), 0.0));
            let [a, b, c] = columns;
            for (((a, b), c), &i) in a.iter_mut().zip(b).zip(c).zip(ids) {
                [*a, *b, *c] = from[i as usize];
            }
        }
    }

    /// Position and message of the particle at a place.
    pub(super) fn at(&self, place: usize) -> [[f64; 3]; 2] {
        [&self.x, &self.w].map(|columns| [columns[0][place], columns[1][place], columns[2][place]])
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
                let mut ranks = ranks;
                for run in runs.clone() {
                    let (here, later) = ranks.split_at(run.len());
                    for (&rank, &value) in here.iter().zip(&from[run.clone()]) {
                        column[rank as usize] = value;
                    }
                    ranks = later;
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

/// Finds the place that each number of a list has among them: the numbers are dealt into buckets by their size, about one a
/// bucket, and the few of a bucket put in order. What it takes does not grow with the numbers, as it would with one bit a
/// number, which leaves the first cache from some hundred thousand on.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranks {
    /// Buckets a number, times 2^32.
    share: u64,
    /// How many numbers each bucket has, then where it ends.
    ends: Vec<u32>,
    /// Each number above its place in the list, bucket by bucket.
    dealt: Vec<u64>,
    list: Vec<u32>,
}

/// Somewhat more than the particles that a group of cells looks at.
const BUCKETS: usize = 1024;

/// From so many numbers in one bucket on, one by one is no way to order them.
const FULL: u32 = 32;

impl Ranks {
    /// Makes ready for numbers below `bound`.
    pub(super) fn reach(&mut self, bound: usize) {
        self.share = ((BUCKETS as u64) << 32) / (bound as u64).max(1);
        self.ends.resize(BUCKETS, 0);
    }

    /// For each of the distinct numbers in `runs`, how many of them are smaller.
    #[expect(clippy::cast_possible_truncation, reason = "a bucket's number, and the lower half of 64 bits")]
    pub(super) fn of<'a>(&mut self, runs: impl Iterator<Item = &'a [u32]> + Clone) -> &[u32] {
        let Self { share, ends, dealt, list } = self;
        let bucket = |i: u32| ((u64::from(i) * *share) >> 32) as usize % BUCKETS;
        ends.fill(0);
        for run in runs.clone() {
            run.iter().for_each(|&i| ends[bucket(i)] += 1);
        }
        let (mut count, mut most) = (0, 0);
        for end in ends.iter_mut() {
            most = most.max(*end);
            count += std::mem::replace(end, count);
        }
        dealt.resize(count as usize, 0);
        list.resize(count as usize, 0);
        let mut place = 0;
        for run in runs {
            for &i in run {
                let end = &mut ends[bucket(i)];
                dealt[*end as usize] = (u64::from(i) << 32) | place;
                *end += 1;
                place += 1;
            }
        }
        if most > FULL {
            dealt.sort_unstable();
        } else {
            // The buckets are in order already, so that nothing moves far.
            for j in 1..dealt.len() {
                let number = dealt[j];
                let mut to = j;
                while to > 0 && dealt[to - 1] > number {
                    dealt[to] = dealt[to - 1];
                    to -= 1;
                }
                dealt[to] = number;
            }
        }
        for (rank, &number) in (0..).zip(dealt.iter()) {
            list[number as u32 as usize] = rank;
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Philox;

    #[test]
    fn ranks_are_those_of_a_sorted_list() {
        let mut ranks = Ranks::default();
        let mut rng = Philox::new(5, 0);
        for bound in [1, 2, 900, 1023, 1025, 100_000, u32::MAX] {
            ranks.reach(bound as usize);
            for [count, close] in [[0, 0], [1, 0], [2, 1], [700, 0], [700, 1], [3000, 0]] {
                // Anywhere, or all side by side at the upper end.
                let anywhere = |uniform: f64| {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the bound")]
                    let number = (uniform * f64::from(bound)) as u32;
                    number
                };
                let mut numbers: Vec<u32> = (0..count)
                    .map(|i| if close == 1 { bound - 1 - i % bound } else { anywhere(rng.uniform()) })
                    .collect();
                numbers.sort_unstable();
                numbers.dedup();
                let sorted = numbers.clone();
                let half = numbers.len() / 2;
                numbers.rotate_left(half);
                let found: Vec<usize> = ranks.of(numbers.chunks(7)).iter().map(|&rank| rank as usize).collect();
                let expected: Vec<usize> = numbers.iter().map(|i| sorted.partition_point(|s| s < i)).collect();
                assert_eq!(found, expected, "{bound} {count} {close}");
            }
        }
    }
}
