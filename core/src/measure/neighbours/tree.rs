//! A balanced k-d tree with leaves of up to [`LEAF`] points, stored coordinate by coordinate in the order of the leaves.
//!
//! Friedman, Bentley & Finkel, ACM Trans. Math. Softw. 3, 209 (1977); the distance to a cell grows by one coordinate at a
//! time as in Arya & Mount, Algorithms for fast vector quantization, DCC (1993).

use std::ops::Range;

use super::{MOST_NEIGHBOURS, Metric, Nearest, Points};

/// Points of a leaf that are compared together: arrays of this length are packed by the compiler.
const LEAF: usize = 16;

/// The tree of a set of points.
pub struct Tree {
    d: usize,
    n: usize,
    /// Splits on the way from the root to a leaf.
    depth: u32,
    /// Coordinate `j` of the point at position `p` is at `j * stride + p`; beyond the last point it is infinite.
    coordinates: Vec<f64>,
    stride: usize,
    /// Which point is at a position.
    origin: Vec<u32>,
    /// At which position a point is.
    position: Vec<u32>,
    /// The coordinate and the value that divide an inner node; children of `i` are `2i + 1` and `2i + 2`.
    splits: Vec<(u32, f64)>,
    /// The least and the largest coordinates of every node, leaves included: `2 d` numbers a node.
    boxes: Vec<f64>,
}

/// A node: its number and the positions below it.
#[derive(Clone, Copy)]
struct Node {
    index: usize,
    level: u32,
    from: usize,
    to: usize,
}

impl Node {
    const fn children(self) -> (Self, Self) {
        let middle = self.from.midpoint(self.to);
        let level = self.level + 1;
        (
            Self { index: 2 * self.index + 1, level, from: self.from, to: middle },
            Self { index: 2 * self.index + 2, level, from: middle, to: self.to },
        )
    }
}

/// How differences of coordinates become a distance, up to a monotone function.
trait Norm {
    /// The sum so far and one more difference.
    fn add(sum: f64, difference: f64) -> f64;
    /// The sum with the difference `old` of one coordinate replaced by a larger one.
    fn replace(sum: f64, old: f64, new: f64) -> f64;
    /// The distance that a sum stands for.
    fn distance(sum: f64) -> f64;
}

struct Largest;

impl Norm for Largest {
    #[inline]
    fn add(sum: f64, difference: f64) -> f64 {
        let size = difference.abs();
        if size > sum { size } else { sum }
    }
    #[inline]
    fn replace(sum: f64, _: f64, new: f64) -> f64 {
        sum.max(new)
    }
    #[inline]
    fn distance(sum: f64) -> f64 {
        sum
    }
}

struct Squares;

impl Norm for Squares {
    #[inline]
    fn add(sum: f64, difference: f64) -> f64 {
        sum + difference * difference
    }
    #[inline]
    fn replace(sum: f64, old: f64, new: f64) -> f64 {
        // Rounding must not make a cell look farther than it is.
        (sum - old * old + new * new) * (1.0 - 8.0 * f64::EPSILON)
    }
    #[inline]
    fn distance(sum: f64) -> f64 {
        sum.sqrt()
    }
}

/// One point's search.
struct Search {
    point: Vec<f64>,
    position: usize,
    k: usize,
    /// Sums and positions of the best so far, ascending.
    best: [f64; MOST_NEIGHBOURS],
    places: [u32; MOST_NEIGHBOURS],
    /// The distance of the cell in each coordinate.
    offsets: Vec<f64>,
}

impl Search {
    /// Puts a candidate that is better than the worst into its place.
    #[inline]
    fn insert(&mut self, sum: f64, place: u32) {
        let mut i = self.k - 1;
        while i > 0 && self.best[i - 1] > sum {
            self.best[i] = self.best[i - 1];
            self.places[i] = self.places[i - 1];
            i -= 1;
        }
        self.best[i] = sum;
        self.places[i] = place;
    }
}

impl Tree {
    /// Builds the tree of points that are finite and fewer than 2^32.
    pub(super) fn new(points: Points<'_>) -> Self {
        let (n, d) = (points.len(), points.d);
        let mut depth = 0;
        while n.div_ceil(1 << depth) > LEAF {
            depth += 1;
        }
        let nodes = (1_usize << (depth + 1)) - 1;
        let mut tree = Self {
            d,
            n,
            depth,
            coordinates: Vec::new(),
            stride: n + LEAF,
            origin: (0..n).zip(0..).map(|(_, i): (usize, u32)| i).collect(),
            position: vec![0; n],
            splits: vec![(0, 0.0); (1_usize << depth) - 1],
            boxes: vec![0.0; nodes * 2 * d],
        };
        let mut origin = std::mem::take(&mut tree.origin);
        tree.divide(tree.root(), &mut origin, points);
        for (&point, place) in origin.iter().zip(0..) {
            tree.position[point as usize] = place;
        }
        tree.coordinates = vec![f64::INFINITY; tree.stride * d];
        for j in 0..d {
            let column = &mut tree.coordinates[j * tree.stride..][..n];
            column.iter_mut().zip(&origin).for_each(|(x, &point)| *x = points.values[point as usize * d + j]);
        }
        tree.origin = origin;
        tree
    }

    const fn root(&self) -> Node {
        Node { index: 0, level: 0, from: 0, to: self.n }
    }

    /// Divides a node at the median of its widest coordinate.
    fn divide(&mut self, node: Node, origin: &mut [u32], points: Points<'_>) {
        let d = self.d;
        let bounds = &mut self.boxes[node.index * 2 * d..][..2 * d];
        let (low, high) = bounds.split_at_mut(d);
        low.fill(f64::INFINITY);
        high.fill(f64::NEG_INFINITY);
        for &point in &origin[node.from..node.to] {
            for (j, &x) in points.row(point as usize).iter().enumerate() {
                low[j] = low[j].min(x);
                high[j] = high[j].max(x);
            }
        }
        if node.level == self.depth {
            return;
        }
        let widest = (0..d).max_by(|&a, &b| (high[a] - low[a]).total_cmp(&(high[b] - low[b]))).unwrap_or(0);
        let (left, right) = node.children();
        let value = |point: u32| points.values[point as usize * d + widest];
        let part = &mut origin[node.from..node.to];
        let (_, &mut median, _) =
            part.select_nth_unstable_by(left.to - node.from, |&a, &b| value(a).total_cmp(&value(b)));
        self.splits[node.index] = (u32::try_from(widest).unwrap_or(u32::MAX), value(median));
        self.divide(left, origin, points);
        self.divide(right, origin, points);
    }

    /// The neighbours of the points at `positions`.
    pub(super) fn nearest(&self, positions: Range<usize>, k: usize, metric: Metric, found: &mut Nearest) {
        match metric {
            Metric::Chebyshev => self.search_all::<Largest>(positions, k, found),
            Metric::Euclidean => self.search_all::<Squares>(positions, k, found),
        }
    }

    fn search_all<N: Norm>(&self, positions: Range<usize>, k: usize, found: &mut Nearest) {
        let mut search = Search {
            point: vec![0.0; self.d],
            position: 0,
            k,
            best: [f64::INFINITY; MOST_NEIGHBOURS],
            places: [0; MOST_NEIGHBOURS],
            offsets: vec![0.0; self.d],
        };
        for position in positions {
            search.position = position;
            search.best[..k].fill(f64::INFINITY);
            for (j, x) in search.point.iter_mut().enumerate() {
                *x = self.coordinates[j * self.stride + position];
            }
            self.search::<N>(self.root(), 0.0, &mut search);
            let point = self.origin[position] as usize;
            found.distances[point] = N::distance(search.best[k - 1]);
            found.tied += u64::from(search.best[0] == 0.0);
            let list = &mut found.neighbours[point * k..(point + 1) * k];
            list.iter_mut().zip(&search.places).for_each(|(id, &place)| *id = self.origin[place as usize]);
        }
    }

    fn search<N: Norm>(&self, node: Node, bound: f64, search: &mut Search) {
        if node.level == self.depth {
            self.search_leaf::<N>(node, search);
            return;
        }
        let (axis, value) = self.splits[node.index];
        let axis = axis as usize;
        let offset = search.point[axis] - value;
        let (left, right) = node.children();
        let (near, far) = if offset < 0.0 { (left, right) } else { (right, left) };
        self.search::<N>(near, bound, search);
        let (old, new) = (search.offsets[axis], offset.abs());
        let bound = N::replace(bound, old, new);
        if bound < search.best[search.k - 1] {
            search.offsets[axis] = new;
            self.search::<N>(far, bound, search);
            search.offsets[axis] = old;
        }
    }

    #[inline]
    fn search_leaf<N: Norm>(&self, node: Node, search: &mut Search) {
        let mut sums = [0.0; LEAF];
        for (j, &x) in search.point.iter().enumerate() {
            let column: &[f64; LEAF] = self.leaf(j, node.from);
            for (sum, &y) in sums.iter_mut().zip(column) {
                *sum = N::add(*sum, y - x);
            }
        }
        for (place, &sum) in (node.from..node.to).zip(&sums) {
            if sum < search.best[search.k - 1] && place != search.position {
                search.insert(sum, u32::try_from(place).unwrap_or(u32::MAX));
            }
        }
    }

    /// Coordinate `j` of the [`LEAF`] positions from `from` on.
    #[inline]
    fn leaf(&self, j: usize, from: usize) -> &[f64; LEAF] {
        self.coordinates[j * self.stride + from..].first_chunk().unwrap_or(&[f64::INFINITY; LEAF])
    }

    /// How many other points are at a distance (largest difference of a coordinate) from point `i` of which `near` holds;
    /// `near` holds up to some distance.
    pub(super) fn within(&self, i: usize, near: impl Fn(f64) -> bool + Copy) -> usize {
        let position = self.position[i] as usize;
        self.count(self.root(), position, near).saturating_sub(usize::from(near(0.0)))
    }

    fn count(&self, node: Node, position: usize, near: impl Fn(f64) -> bool + Copy) -> usize {
        let bounds = &self.boxes[node.index * 2 * self.d..][..2 * self.d];
        let (low, high) = bounds.split_at(self.d);
        let (mut closest, mut farthest) = (0.0_f64, 0.0_f64);
        for (j, (&low, &high)) in low.iter().zip(high).enumerate() {
            let x = self.coordinates[j * self.stride + position];
            closest = closest.max(low - x).max(x - high);
            farthest = farthest.max((high - x).abs()).max((x - low).abs());
        }
        if !near(closest) {
            return 0;
        }
        if near(farthest) {
            return node.to - node.from;
        }
        if node.level == self.depth {
            let mut sums = [0.0; LEAF];
            for j in 0..self.d {
                let x = self.coordinates[j * self.stride + position];
                for (sum, &y) in sums.iter_mut().zip(self.leaf(j, node.from)) {
                    *sum = Largest::add(*sum, y - x);
                }
            }
            return sums[..node.to - node.from].iter().filter(|&&sum| near(sum)).count();
        }
        let (left, right) = node.children();
        self.count(left, position, near) + self.count(right, position, near)
    }
}
