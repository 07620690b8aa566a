//! Counts of pairs by the angle between their headings, for the library and for the corrected family and its jackknife.

use super::{
    Dims,
    cosines::{self, COSINE_BINS, Outside},
    geometry::Vec3,
    pairs::Lanes,
    statistics::{Angles, Ask, angle_bins, groups},
};

/// The library's counts of cosines of all pairs.
pub(super) fn cosines(headings: &[Vec3]) -> [u64; COSINE_BINS] {
    let lanes = Lanes::of(headings);
    let mut counter = Counter::new(COSINE_BINS);
    let mut row = vec![0; headings.len()];
    for i in 0..headings.len() {
        let row = &mut row[i + 1..];
        cosines::library_bins(&lanes, i, i + 1, row);
        counter.add(row);
    }
    let mut counts = [0; COSINE_BINS];
    counter.drain(|bin, count| counts[bin] += count);
    counts
}

/// Counts rows of bins. The last bin is for what is dropped.
struct Counter {
    narrow: Vec<[u32; 4]>,
    /// What was in there before it could overflow; empty if nothing was.
    wide: Vec<u64>,
    pending: u64,
}

impl Counter {
    fn new(bins: usize) -> Self {
        Self { narrow: vec![[0; 4]; bins + 1], wide: Vec::new(), pending: 0 }
    }

    fn add(&mut self, row: &[u64]) {
        // Before a counter of 32 bits can overflow: a row has fewer than 2^31 pairs.
        if self.pending + row.len() as u64 > u64::from(u32::MAX) {
            let mut wide = std::mem::take(&mut self.wide);
            wide.resize(self.narrow.len(), 0);
            self.drain(|bin, count| wide[bin] += count);
            self.wide = wide;
        }
        cosines::tally(row, &mut self.narrow);
        self.pending += row.len() as u64;
    }

    /// Hands out what is in the bins, which are empty then.
    fn drain(&mut self, mut each: impl FnMut(usize, u64)) {
        if self.pending == 0 && self.wide.is_empty() {
            return;
        }
        let bins = self.narrow.len() - 1;
        for (bin, narrow) in self.narrow[..bins].iter_mut().enumerate() {
            let count = narrow.iter().map(|&c| u64::from(c)).sum::<u64>() + self.wide.get(bin).copied().unwrap_or(0);
            *narrow = [0; 4];
            if count > 0 {
                each(bin, count);
            }
        }
        self.narrow[bins] = [0; 4];
        self.wide.clear();
        self.pending = 0;
    }
}

/// Pairs by their angle, a row of one fish and a group at a time.
pub(super) struct Pairs {
    flat: bool,
    lanes: Lanes,
    bins: u32,
    groups: Vec<usize>,
    /// The groups and the fish of the next row.
    at: [usize; 3],
    row: Vec<u64>,
    /// Rows whose bins hold the library's too, and rows whose bins do not.
    nested: Counter,
    fine: Counter,
    coarse: Counter,
    /// Whether the library is asked.
    library: bool,
    /// Two groups have so few pairs that clearing counters for them would cost more than counting.
    direct: bool,
    sums: Sums,
}

impl Pairs {
    pub(super) fn new(headings: &[Vec3], ask: Ask, library: bool) -> Self {
        let groups = groups(headings.len());
        let bins = angle_bins(ask.space.dims, ask.resolution);
        let size = bins as usize;
        let with = vec![vec![0; size]; groups.len() - 1];
        Self {
            flat: ask.space.dims == Dims::Two,
            lanes: Lanes::of(headings),
            bins,
            at: [0, 0, 0],
            row: vec![0; headings.len()],
            nested: Counter::new(size),
            fine: Counter::new(size),
            coarse: Counter::new(COSINE_BINS),
            library: library && ask.space.dims == Dims::Three,
            direct: headings.len().div_ceil(groups.len() - 1).pow(2) < 2 * size,
            groups,
            sums: Sums {
                angles: Angles { all: vec![0; size], with },
                nested: vec![0; size],
                cosines: [0; COSINE_BINS],
            },
        }
    }

    pub(super) fn done(&self) -> bool {
        self.at[0] + 1 >= self.groups.len()
    }

    /// One row; the number of pairs in it.
    pub(super) fn step(&mut self) -> u64 {
        let [a, b, i] = self.at;
        let (start, end) = (self.groups[b].max(i + 1), self.groups[b + 1]);
        let count = end.saturating_sub(start);
        if count > 0 {
            self.count(i, start, end);
        }
        self.at[2] += 1;
        if self.at[2] >= self.groups[a + 1] {
            self.finish(a, b);
            let next = if b + 2 < self.groups.len() { (a, b + 1) } else { (a + 1, a + 1) };
            self.at = [next.0, next.1, self.groups[next.0]];
        }
        count as u64
    }

    fn count(&mut self, i: usize, start: usize, end: usize) {
        let row = &mut self.row[..end - start];
        let (rest, u) = (self.lanes.range(start, end), self.lanes.at(i));
        let mut nested = false;
        let mut apart = false;
        if self.flat {
            cosines::angle_bins(rest, u, self.bins, row);
        } else if self.library && (self.bins as usize).is_multiple_of(COSINE_BINS) {
            apart = cosines::nested_bins(rest, u, self.bins, row);
            nested = !apart;
        } else {
            cosines::cosine_bins(rest, u, self.bins, Outside::Clamped, row);
            apart = self.library;
        }
        if self.direct {
            let [a, b, _] = self.at;
            row.iter().for_each(|&bin| self.sums.add(a, b, usize::try_from(bin).unwrap_or(0), 1, nested));
        } else if nested {
            self.nested.add(row);
        } else {
            self.fine.add(row);
        }
        if apart {
            cosines::library_bins(&self.lanes, i, start, row);
            self.coarse.add(row);
        }
    }

    /// Pairs of two groups are all counted.
    fn finish(&mut self, a: usize, b: usize) {
        let Self { nested, fine, coarse, sums, .. } = self;
        fine.drain(|bin, count| sums.add(a, b, bin, count, false));
        nested.drain(|bin, count| sums.add(a, b, bin, count, true));
        coarse.drain(|bin, count| sums.cosines[bin] += count);
    }

    /// The library's counts, and all.
    pub(super) fn counted(self) -> (Option<[u64; COSINE_BINS]>, Angles) {
        let Sums { angles, nested, mut cosines } = self.sums;
        for (total, share) in cosines.iter_mut().zip(nested.chunks((nested.len() / COSINE_BINS).max(1))) {
            *total += share.iter().sum::<u64>();
        }
        (self.library.then_some(cosines), angles)
    }
}

/// Counts of pairs so far.
struct Sums {
    angles: Angles,
    /// All pairs of which the bins hold the library's.
    nested: Vec<u64>,
    /// Of the others, the library's.
    cosines: [u64; COSINE_BINS],
}

impl Sums {
    fn add(&mut self, a: usize, b: usize, bin: usize, count: u64, nested: bool) {
        self.angles.all[bin] += count;
        self.angles.with[a][bin] += count;
        if b != a {
            self.angles.with[b][bin] += count;
        }
        if nested {
            self.nested[bin] += count;
        }
    }
}
