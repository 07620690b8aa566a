//! Nearest neighbours by a k-d tree, with the very answers of a search among all.
//!
//! A box's bounds are formed by the operations that form a distance, in their order. Rounding is monotone, so no distance to a
//! fish in the box is computed below the lower bound or above the upper one: what is left out could not have changed the answer,
//! to the last bit and ties included.
//!
//! O(N log N) to build; a query reads O(log N) nodes for neighbours, and those at the border of the ball for a count, at most
//! O(√N) in a plane or on a sphere.
//!
//! Source: J. H. Friedman, J. L. Bentley, R. A. Finkel, An algorithm for finding best matches in logarithmic expected time,
//! ACM Trans. Math. Softw. 3 (1977) 209; axes at right angles to each other let a periodic box be bounded axis by axis.

use multiversion::multiversion;

use super::{
    NEIGHBOURS,
    geometry::Vec3,
    pairs::{Lanes, insert, squares_here},
};

/// The most fish of a leaf.
const LEAF: usize = 16;
/// Nodes that wait to be looked at: one a level, and 2^48 fish have fewer levels.
const DEPTH: usize = 48;

/// A box and the fish in it.
#[derive(Clone, Copy, Debug)]
struct Node {
    low: Vec3,
    high: Vec3,
    start: u32,
    end: u32,
    /// The lowest of the fish's own numbers.
    lowest: u32,
    /// The second child, the first being the next node; 0 for a leaf.
    second: u32,
}

/// What a fish costs in each level of the tree, in pairs of a row, about.
const LEVEL: u64 = 8;

/// The tree. Fish lie by place, so that those of a box lie together.
#[derive(Debug)]
pub(super) struct Tree {
    size: f64,
    lanes: Lanes,
    /// The fish at each place.
    fish: Vec<u32>,
    nodes: Vec<Node>,
    growing: Option<Growing>,
}

/// A tree that is being made.
#[derive(Debug)]
struct Growing {
    points: Vec<Vec3>,
    /// Boxes to come: their first and last place, and the node whose second child each is.
    coming: Vec<[u32; 3]>,
}

/// No node's second child.
const FIRST: u32 = u32::MAX;

impl Tree {
    /// Of points in a periodic box [0, `size`), or in open water if it is infinite. At most 2^32 − 1 of them. It must
    /// [grow](Self::grow) before it is asked.
    pub(super) fn new(points: Vec<Vec3>, size: f64) -> Self {
        let count = number(points.len());
        let nodes = Vec::with_capacity(4 * points.len() / LEAF + 1);
        let coming = if points.is_empty() { Vec::new() } else { vec![[0, count, FIRST]] };
        let growing = Some(Growing { points, coming });
        Self { size, lanes: Lanes::of(&[]), fish: (0..count).collect(), nodes, growing }
    }

    /// What growing costs in pairs of a row, about.
    pub(super) fn cost(n: usize) -> u64 {
        LEVEL * n as u64 * u64::from((n / LEAF).max(1).ilog2() + 1)
    }

    /// Grows by about `work` pairs; how much it was.
    pub(super) fn grow(&mut self, work: u64) -> u64 {
        let mut used = 0;
        while used < work
            && let Some(growing) = &mut self.growing
        {
            let Some([start, end, parent]) = growing.coming.pop() else {
                let placed: Vec<Vec3> = self.fish.iter().map(|&i| growing.points[i as usize]).collect();
                self.lanes = Lanes::of(&placed);
                self.growing = None;
                break;
            };
            let here = number(self.nodes.len());
            if parent != FIRST {
                self.nodes[parent as usize].second = here;
            }
            let fish = &mut self.fish[start as usize..end as usize];
            let (node, axis) = Node::around(&growing.points, fish, start);
            self.nodes.push(node);
            used += LEVEL * fish.len() as u64;
            if fish.len() > LEAF {
                // Halved at the median of the longest axis.
                let (half, points) = (fish.len() / 2, &growing.points);
                fish.select_nth_unstable_by(half, |&i, &j| {
                    points[i as usize][axis].total_cmp(&points[j as usize][axis])
                });
                let middle = start + number(half);
                growing.coming.push([middle, end, here]);
                growing.coming.push([start, middle, FIRST]);
            }
        }
        used
    }

    pub(super) fn len(&self) -> usize {
        self.fish.len()
    }

    /// The fish at a place.
    pub(super) fn fish(&self, place: usize) -> usize {
        self.fish[place] as usize
    }

    /// The lowest of the fish that are nearest to the one at `place`, and the smallest squared distances.
    pub(super) fn nearest(&self, place: usize) -> (usize, [f64; NEIGHBOURS]) {
        let (first, squares) = nearest(self, place);
        // Nobody else, or squares that are beyond all numbers.
        if squares[0].is_infinite() { (0, squares) } else { (first as usize, squares) }
    }

    /// How many others are within a squared distance of the one at `place`, in open water.
    pub(super) fn within(&self, place: usize, limit: f64) -> usize {
        // The fish itself is within, being 0 away.
        within(self, place, limit).saturating_sub(1)
    }
}

/// Numbers of fish are below 2^32: three lanes of so many would be 96 GiB.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Node {
    /// The box about `fish`, which begin at place `start`, and its longest axis.
    fn around(points: &[Vec3], fish: &[u32], start: u32) -> (Self, usize) {
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        let mut lowest = u32::MAX;
        for &i in fish {
            lowest = lowest.min(i);
            for (axis, &x) in points[i as usize].iter().enumerate() {
                low[axis] = low[axis].min(x);
                high[axis] = high[axis].max(x);
            }
        }
        let length = |axis: &usize| high[*axis] - low[*axis];
        let axis = [0, 1, 2].into_iter().max_by(|a, b| length(a).total_cmp(&length(b))).unwrap_or(0);
        (Self { low, high, start, end: start + number(fish.len()), lowest, second: 0 }, axis)
    }

    /// No fish in the box has a smaller squared distance from `q`.
    #[inline(always)]
    fn at_least(&self, q: Vec3, size: f64) -> f64 {
        let gap = |axis: usize| {
            let (below, above) = (self.low[axis] - q[axis], q[axis] - self.high[axis]);
            let (near, far) = if below > 0.0 {
                (below, self.high[axis] - q[axis])
            } else if above > 0.0 {
                (above, q[axis] - self.low[axis])
            } else {
                return 0.0;
            };
            // Round the other side of the box; of points between these, one of the two ends is nearest.
            let other = size - far;
            if other < near { other } else { near }
        };
        let (dx, dy, dz) = (gap(0), gap(1), gap(2));
        dx * dx + dy * dy + dz * dz
    }

    /// No fish in the box has a larger squared distance from `q` in open water.
    #[inline(always)]
    fn at_most(&self, q: Vec3) -> f64 {
        let far = |axis: usize| f64::max(self.high[axis] - q[axis], q[axis] - self.low[axis]);
        let (dx, dy, dz) = (far(0), far(1), far(2));
        dx * dx + dy * dy + dz * dz
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn nearest(tree: &Tree, place: usize) -> (u32, [f64; NEIGHBOURS]) {
    let q = tree.lanes.at(place);
    let mut best = [f64::INFINITY; NEIGHBOURS];
    let mut first = u32::MAX;
    let mut row = [0.0; LEAF];
    let mut waiting = [(0_u32, 0.0_f64); DEPTH];
    let mut top = usize::from(!tree.nodes.is_empty());
    while top > 0 {
        top -= 1;
        let (at, bound) = waiting[top];
        let node = &tree.nodes[at as usize];
        // Someone nearer than the fifth, or as near as the first with a lower number.
        let useful = bound < best[NEIGHBOURS - 1] || (bound <= best[0] && node.lowest < first);
        if !useful {
            continue;
        }
        if node.second > 0 {
            let (a, b) = (at + 1, node.second);
            let of = |child: u32| tree.nodes[child as usize].at_least(q, tree.size);
            let (da, db) = (of(a), of(b));
            let (later, sooner) = if da <= db { ((b, db), (a, da)) } else { ((a, da), (b, db)) };
            waiting[top] = later;
            waiting[top + 1] = sooner;
            top += 2;
            continue;
        }
        let (start, end) = (node.start as usize, node.end as usize);
        let row = &mut row[..end - start];
        squares_here(tree.lanes.range(start, end), q, tree.size, row);
        for (k, &square) in (start..).zip(&*row) {
            if k != place && square <= best[NEIGHBOURS - 1] {
                if square < best[0] || (square <= best[0] && tree.fish[k] < first) {
                    first = tree.fish[k];
                }
                insert(&mut best, square);
            }
        }
    }
    (first, best)
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn within(tree: &Tree, place: usize, limit: f64) -> usize {
    let q = tree.lanes.at(place);
    let mut count = 0;
    let mut row = [0.0; LEAF];
    let mut waiting = [0_u32; DEPTH];
    let mut top = usize::from(!tree.nodes.is_empty());
    while top > 0 {
        top -= 1;
        let at = waiting[top];
        let node = &tree.nodes[at as usize];
        if node.at_least(q, f64::INFINITY) > limit {
            continue;
        }
        let (start, end) = (node.start as usize, node.end as usize);
        if node.at_most(q) <= limit {
            count += end - start;
        } else if node.second > 0 {
            waiting[top] = node.second;
            waiting[top + 1] = at + 1;
            top += 2;
        } else {
            let row = &mut row[..end - start];
            squares_here(tree.lanes.range(start, end), q, f64::INFINITY, row);
            count += row.iter().map(|&s| usize::from(s <= limit)).sum::<usize>();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::school::pairs, rng::Philox};

    /// Points in [0, 8), by kind: anywhere, on a lattice with many at one place, all at one place, on a line, in two heaps.
    fn points(kind: u32, n: usize, rng: &mut Philox) -> Vec<Vec3> {
        let mut coordinate = |i: usize, axis: usize| match kind {
            0 => 8.0 * rng.uniform(),
            1 => f64::from(rng.below(8)),
            2 => 5.25,
            3 => {
                if axis == 0 {
                    8.0 * rng.uniform()
                } else {
                    0.0
                }
            }
            _ => (if i.is_multiple_of(2) { 1.0 } else { 7.0 }) + 1e-9 * rng.uniform(),
        };
        (0..n).map(|i| [0, 1, 2].map(|axis| coordinate(i, axis))).collect()
    }

    #[test]
    fn a_tree_answers_as_a_search_among_all_does_to_the_bit() {
        let mut rng = Philox::new(6, 6);
        for n in (0..40).chain([255, 256, 257, 1003]) {
            for kind in 0..5 {
                let points = points(kind, n, &mut rng);
                for size in [f64::INFINITY, 8.0] {
                    let mut tree = Tree::new(points.clone(), size);
                    while tree.growing.is_some() {
                        tree.grow(1 + u64::from(rng.below(3000)));
                    }
                    let lanes = Lanes::of(&points);
                    let mut row = vec![0.0; n];
                    let mut seen = vec![false; n];
                    for place in 0..n {
                        let i = tree.fish(place);
                        seen[i] = true;
                        pairs::squares(lanes.all(), points[i], size, &mut row);
                        row[i] = f64::INFINITY;
                        let squares = pairs::smallest(&row);
                        let first = row.iter().position(|&s| s == squares[0]).unwrap_or(i);
                        assert_eq!(tree.nearest(place), (first, squares), "kind {kind}, n {n}, {size}, fish {i}");
                        if size.is_infinite() {
                            // On a lattice the limit is the very distance of many.
                            for limit in [0.0, 1.0, 2.0, 9.0, squares[0], squares[4], 200.0] {
                                let expected = pairs::within(&row, limit);
                                let expected = if limit.is_infinite() { n - 1 } else { expected };
                                assert_eq!(tree.within(place, limit), expected, "kind {kind}, n {n}, {limit}");
                            }
                        }
                    }
                    assert!(seen.iter().all(|&s| s));
                }
            }
        }
    }
}
