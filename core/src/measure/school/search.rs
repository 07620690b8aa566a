//! The neighbours of every fish and of every heading: among all for a few hundred, by a tree above, with the same answers.

use super::{
    NEIGHBOURS,
    geometry::Vec3,
    pairs::{self, Lanes},
    statistics::Alike,
    tree::Tree,
};

/// From so many fish on neighbours are found by a tree: below, a row of all distances is as quick.
const TREE_FROM: usize = 256;
/// What a query of the tree costs in pairs of a row, about.
const QUERY: u64 = 1000;

/// Neighbours, one fish after the other.
#[derive(Debug)]
pub(super) enum Search {
    /// Among all.
    Rows {
        lanes: Lanes,
        size: f64,
        row: Vec<f64>,
    },
    Tree(Tree),
}

impl Search {
    pub(super) fn new(points: &[Vec3], size: f64) -> Self {
        if points.len() < TREE_FROM {
            Self::Rows { lanes: Lanes::of(points), size, row: vec![0.0; points.len()] }
        } else {
            Self::Tree(Tree::new(points.to_vec(), size))
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Rows { row, .. } => row.len(),
            Self::Tree(tree) => tree.len(),
        }
    }

    /// What is to be done before the first fish, in pairs of a row, about.
    pub(super) fn preparation(&self, n: usize) -> u64 {
        match self {
            Self::Rows { .. } => 0,
            Self::Tree(_) => Tree::cost(n),
        }
    }

    /// Prepares by about `work`; how much it was. It is ready when that is 0.
    fn prepare(&mut self, work: u64) -> u64 {
        match self {
            Self::Rows { .. } => 0,
            Self::Tree(tree) => tree.grow(work),
        }
    }

    /// What a fish costs.
    pub(super) fn cost(&self) -> u64 {
        match self {
            Self::Rows { row, .. } => row.len() as u64,
            Self::Tree(_) => QUERY,
        }
    }

    /// The `turn`-th fish, its nearest, and the smallest squared distances.
    pub(super) fn nearest(&mut self, turn: usize) -> (usize, usize, [f64; NEIGHBOURS]) {
        match self {
            Self::Rows { lanes, size, row } => {
                pairs::squares(lanes.all(), lanes.at(turn), *size, row);
                row[turn] = f64::INFINITY;
                let squares = pairs::smallest(row);
                (turn, row.iter().position(|&s| s == squares[0]).unwrap_or(turn), squares)
            }
            Self::Tree(tree) => {
                let (first, squares) = tree.nearest(turn);
                (tree.fish(turn), first, squares)
            }
        }
    }

    /// How many are within `limit` of the fish that [`Self::nearest`] was asked for last.
    fn within(&self, turn: usize, limit: f64) -> usize {
        match self {
            Self::Rows { row, .. } => pairs::within(row, limit),
            Self::Tree(tree) => tree.within(turn, limit),
        }
    }
}

/// The distances of every fish to its nearest ones in a periodic box.
pub(super) fn nearest(positions: &[Vec3], size: f64) -> Vec<[f64; NEIGHBOURS]> {
    let mut found = vec![[f64::INFINITY; NEIGHBOURS]; positions.len()];
    let mut search = Search::new(positions, size);
    search.prepare(u64::MAX);
    for turn in 0..positions.len() {
        let (fish, _, squares) = search.nearest(turn);
        found[fish] = squares.map(f64::sqrt);
    }
    found
}

/// What surrounds every heading, looked for one after the other.
pub(super) struct Headings {
    pub(super) search: Search,
    pub(super) limit: f64,
    pub(super) found: Vec<Alike>,
}

impl Headings {
    pub(super) fn new(headings: &[Vec3], resolution: f64) -> Self {
        let chord = 2.0 * (resolution / 2.0).sin();
        let found = vec![Alike { fifth: f64::INFINITY, within: 0 }; headings.len()];
        Self { search: Search::new(headings, f64::INFINITY), limit: chord * chord, found }
    }
}

/// Looks for what surrounds the `turn`-th heading.
pub(super) fn look(search: &mut Search, limit: f64, turn: usize, found: &mut [Alike]) {
    let (fish, _, squares) = search.nearest(turn);
    let fifth = squares[NEIGHBOURS - 1];
    let within = if fifth <= limit {
        search.within(turn, limit)
    } else {
        // All of them are among the five.
        squares.iter().filter(|&&s| s <= limit).count()
    };
    found[fish] = Alike { fifth, within: u32::try_from(within).unwrap_or(u32::MAX) };
}

/// Prepares a search and looks for one fish after the other from `turn` on, until `done` reaches `end`.
pub(super) fn go_on(
    search: &mut Search,
    turn: &mut usize,
    done: &mut u64,
    end: u64,
    mut each: impl FnMut(&mut Search, usize),
) {
    let n = search.len();
    if *turn < n {
        *done += search.prepare(end.saturating_sub(*done));
    }
    while *turn < n && *done < end {
        each(search, *turn);
        *turn += 1;
        *done += search.cost();
    }
}

/// What surrounds every heading.
pub(super) fn alike(headings: &[Vec3], resolution: f64) -> Vec<Alike> {
    let mut search = Headings::new(headings, resolution);
    search.search.prepare(u64::MAX);
    let Headings { search, limit, found } = &mut search;
    (0..headings.len()).for_each(|turn| look(search, *limit, turn, found));
    std::mem::take(found)
}
