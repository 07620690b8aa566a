//! What the pairs of a school say: the work that both families share, counted once, and by whoever is fastest at it.
//!
//! Everything else that a family needs is a sum over fish. So a back end that holds a school counts [`PairStatistics`], and
//! [`super::library::measure_with`] and [`super::corrected::measure_with`] finish in f64.
//!
//! * **Neighbours**: the five nearest distances of every fish, and who is the first. Among all for a few hundred fish, by a k-d tree
//!   above; the same bits either way.
//! * **Headings**: the chord to the fifth nearest, and how many are within the resolution. The same.
//! * **Counts**: pairs by their angle, N(N − 1)/2 of them: the library's 20 bins of the cosine, and the corrected family's bins for all
//!   pairs and for those with a fish of each group of the jackknife. These can be left out ([`Ask::counts`]).

use std::f64::consts::PI;

use super::{
    Boundary, Dims, NEIGHBOURS, SchoolError, Space, corrected,
    cosines::COSINE_BINS,
    counts::Pairs,
    geometry::Vec3,
    library, same_length,
    search::{Headings, Search, go_on, look},
};

/// The most groups of the jackknife.
pub const GROUPS: usize = 20;
/// Where each group of fish begins, with the end appended: at most [`GROUPS`] contiguous ones, alike to one fish.
#[must_use]
pub fn groups(n: usize) -> Vec<usize> {
    let count = n.clamp(1, GROUPS);
    (0..=count).map(|g| g * n / count).collect()
}

/// Bins of the angles between headings: so many that isotropic headings fill alike and of which the first is the cap of
/// half-angle `resolution`. 2/(1 − cos θ₀) in a volume, of equal cosines; π/θ₀ in a plane, of equal angles; rounded.
#[must_use]
pub fn angle_bins(dims: Dims, resolution: f64) -> u32 {
    let cells = if dims == Dims::Two { PI / resolution } else { 2.0 / (1.0 - resolution.cos()) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of reals saturate")]
    let bins = cells.round() as u32;
    bins.clamp(1, 1 << 20)
}

/// Where neighbours are looked for once more, for the library.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Again {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In a periodic cube of this side with a corner at the lowest coordinates: the library knows no open water
    /// ([`super::bounding_cube`]).
    Cube(f64),
    /// In the same box with the school in its middle ([`super::library::Centre::Recentred`]). Distances are the same but for rounding,
    /// which decides on which side of a bin's edge the distances of a lattice are. A back end may leave this out.
    Recentred,
}

/// What is to be counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// The water in which neighbours are looked for. In a plane there are no counts for the library.
    pub space: Space,
    /// Angles below this, in radians, are not told apart ([`super::corrected::Options::resolution`]).
    pub resolution: f64,
    /// Where else neighbours are looked for.
    pub again: Again,
    /// Whether pairs are counted by their angle, which takes N²/2.
    pub counts: bool,
}

/// The surroundings of a fish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The nearest, the lowest if there are several; the fish itself if it is alone.
    pub first: u32,
    /// The nearest distances, ascending; infinite where there are fewer.
    pub distances: [f64; NEIGHBOURS],
}

/// What surrounds a heading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// Squared chord to the fifth nearest heading; infinite where there are fewer.
    pub fifth: f64,
    /// How many others are within the resolution, chords of 2 sin(θ₀/2).
    pub within: u32,
}

/// Pairs by their angle in [`angle_bins`] bins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Angles {
    /// All pairs.
    pub all: Vec<u64>,
    /// Those with a fish of each of the [`groups`].
    pub with: Vec<Vec<u64>>,
}

/// What all pairs of a school say. Fish are in their own order.
#[derive(Clone, Debug, PartialEq)]
pub struct PairStatistics {
    /// What was asked.
    pub asked: Ask,
    /// Every fish's surroundings.
    pub near: Vec<Near>,
    /// Distances to the nearest there; empty for nowhere, or where recentred ones are taken to be the same.
    pub again: Vec<[f64; NEIGHBOURS]>,
    /// What surrounds every heading.
    pub alike: Vec<Alike>,
    /// Pairs by (u·v + 1)/2 in equal bins of [0, 1]; `None` in a plane or where it was not asked.
    pub cosines: Option<[u64; COSINE_BINS]>,
    /// Pairs by their angle; `None` where it was not asked.
    pub angles: Option<Angles>,
}

impl PairStatistics {
    /// Counts everything on the CPU in one go.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn of(positions: &[[f64; 3]], velocities: &[[f64; 3]], ask: Ask) -> Result<Self, SchoolError> {
        Ok(Counting::new(positions, velocities, ask)?.whole())
    }

    /// The distances to the nearest in a periodic cube of side `size`, and those of recentred positions.
    pub(super) fn in_box(&self, n: usize, size: f64) -> Result<[Vec<[f64; NEIGHBOURS]>; 2], SchoolError> {
        self.check(n)?;
        if self.asked.again == Again::Cube(size) {
            return Ok([self.again.clone(), self.again.clone()]);
        }
        if self.asked.space == Space::periodic(size) {
            let plain: Vec<_> = self.near.iter().map(|near| near.distances).collect();
            let recentred = if self.again.is_empty() { plain.clone() } else { self.again.clone() };
            return Ok([plain, recentred]);
        }
        let wanted = format!("a cube of side {size}");
        Err(SchoolError::OtherPairs { counted: format!("{:?}", self.asked), wanted })
    }

    /// Whether these are of `n` fish.
    pub(super) fn check(&self, n: usize) -> Result<(), SchoolError> {
        let (near, again, alike) = (self.near.len(), self.again.len(), self.alike.len());
        let there = match self.asked.again {
            Again::Nowhere => again == 0,
            Again::Cube(_) => again == n,
            Again::Recentred => again == 0 || again == n,
        };
        if (near, alike, there) == (n, n, true) {
            return Ok(());
        }
        let counted = format!("{near} fish, {alike} headings and {again} fish elsewhere");
        Err(SchoolError::OtherPairs { counted, wanted: format!("{n} fish") })
    }
}

/// Counting under way, for work that must be cut into pieces.
pub struct Counting {
    ask: Ask,
    near: (Search, Vec<Near>),
    again: Option<(Search, Vec<[f64; NEIGHBOURS]>)>,
    headings: Headings,
    pairs: Option<Pairs>,
    /// Fish behind, of these three searches.
    turns: [usize; 3],
    /// Pairs behind and in all, where a query of a tree is worth some.
    done: u64,
    total: u64,
}

impl std::fmt::Debug for Counting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counting").field("ask", &self.ask).field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Counting {
    /// Prepares the work.
    ///
    /// # Errors
    /// As [`super::corrected::measure`], and [`SchoolError::Box`] or [`SchoolError::AboveBox`] for a cube that does not hold
    /// the school.
    pub fn new(positions: &[[f64; 3]], velocities: &[[f64; 3]], ask: Ask) -> Result<Self, SchoolError> {
        same_length(positions, velocities)?;
        corrected::check(ask.resolution)?;
        let placed = ask.space.place(positions)?;
        let (headings, _) = corrected::headings(velocities, ask.space.dims)?;
        Self::of(&placed, &headings, ask, true)
    }

    /// The work for positions that are placed, headings that are units, and with counts for the library or without.
    pub(super) fn of(placed: &[Vec3], headings: &[Vec3], ask: Ask, library: bool) -> Result<Self, SchoolError> {
        let n = placed.len();
        let alone = Near { first: 0, distances: [f64::INFINITY; NEIGHBOURS] };
        let far = vec![[f64::INFINITY; NEIGHBOURS]; n];
        let again = match (ask.again, ask.space.boundary) {
            (Again::Cube(side), _) => {
                let moved = in_corner(placed);
                Space { dims: ask.space.dims, boundary: Boundary::Periodic(side) }.holds(&moved)?;
                Some((Search::new(&moved, side), far))
            }
            (Again::Recentred, Boundary::Periodic(side)) => {
                Some((Search::new(&library::recentre(placed, side), side), far))
            }
            (Again::Nowhere | Again::Recentred, _) => None,
        };
        let near = (Search::new(placed, ask.space.size()), vec![alone; n]);
        let alike = Headings::new(headings, ask.resolution);
        let fish = n as u64;
        let cost = |search: &Search| search.preparation(n) + fish * search.cost();
        let searches = cost(&near.0) + again.as_ref().map_or(0, |(search, _)| cost(search)) + cost(&alike.search);
        let counted = if ask.counts { fish * fish.saturating_sub(1) / 2 } else { 0 };
        let pairs = ask.counts.then(|| Pairs::new(headings, ask, library));
        Ok(Self { ask, near, again, headings: alike, pairs, turns: [0; 3], done: 0, total: searches + counted })
    }

    /// Work behind and in all, in pairs, about.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (if self.is_done() { self.total } else { self.done.min(self.total) }, self.total)
    }

    /// Whether all is counted.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let n = self.near.1.len();
        let again = if self.again.is_some() { n } else { 0 };
        self.turns == [n, again, n] && self.pairs.as_ref().is_none_or(Pairs::done)
    }

    /// Goes on by about `work` pairs.
    pub fn advance(&mut self, work: u64) {
        let end = self.done.saturating_add(work);
        let [near, again, alike] = &mut self.turns;
        let (search, found) = &mut self.near;
        go_on(search, near, &mut self.done, end, |search, turn| {
            let (fish, first, squares) = search.nearest(turn);
            found[fish] = Near { first: u32::try_from(first).unwrap_or(u32::MAX), distances: squares.map(f64::sqrt) };
        });
        if let Some((search, found)) = &mut self.again {
            go_on(search, again, &mut self.done, end, |search, turn| {
                let (fish, _, squares) = search.nearest(turn);
                found[fish] = squares.map(f64::sqrt);
            });
        }
        let Headings { search, limit, found } = &mut self.headings;
        go_on(search, alike, &mut self.done, end, |search, turn| look(search, *limit, turn, found));
        if let Some(pairs) = &mut self.pairs {
            while !pairs.done() && self.done < end {
                self.done += pairs.step();
            }
        }
    }

    /// All of it in one go.
    pub(super) fn whole(mut self) -> PairStatistics {
        while !self.is_done() {
            self.advance(u64::MAX);
        }
        self.finish()
    }

    /// What was counted; what was not reached is infinitely far and 0.
    #[must_use]
    pub fn finish(self) -> PairStatistics {
        let (cosines, angles) = self.pairs.map(Pairs::counted).unzip();
        PairStatistics {
            asked: self.ask,
            near: self.near.1,
            again: self.again.map_or_else(Vec::new, |(_, found)| found),
            alike: self.headings.found,
            cosines: cosines.flatten(),
            angles,
        }
    }
}

/// Positions from their lowest coordinates.
pub(super) fn in_corner(positions: &[Vec3]) -> Vec<Vec3> {
    let mut low = [f64::INFINITY; 3];
    for x in positions {
        for k in 0..3 {
            low[k] = low[k].min(x[k]);
        }
    }
    positions.iter().map(|x| [0, 1, 2].map(|k| x[k] - low[k])).collect()
}
