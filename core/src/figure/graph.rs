//! Graphs and boxes as shapes in pixels: arrows that bend so that there and back differ, loops that point outwards.

use super::{
    metrics::text_width,
    path::{Point, Rect},
    scale::{Scale, count},
};

/// Length and half width of an arrow's head in CSS pixels.
const HEAD: (f64, f64) = (8.0, 4.0);
/// Radius of a loop.
const LOOP: f64 = 13.0;
/// How far an arrow bends off its chord, as a share of it, and at most.
const BEND: (f64, f64) = (0.16, 34.0);
/// Between an arrow and its label.
const BESIDE: f64 = 9.0;
/// Pieces of a bent arrow.
const PIECES: usize = 24;

/// A [`super::Mark::Graph`] without its words.
#[derive(Clone, Copy)]
pub(super) struct Net<'a> {
    pub(super) x: &'a [f64],
    pub(super) y: &'a [f64],
    pub(super) names: &'a [String],
    pub(super) from: &'a [u32],
    pub(super) to: &'a [u32],
}

/// An arrow, placed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrow {
    /// Its index in the mark.
    pub(super) index: usize,
    /// From the rim of one node to the base of the head.
    pub(super) path: Vec<Point>,
    /// The corners of the head.
    pub(super) head: [Point; 3],
    /// Where its label is centred.
    pub(super) label: Point,
}

impl Net<'_> {
    /// The radius of every disc: wide enough for the longest name.
    pub(super) fn radius(&self, font: f64) -> f64 {
        let widest = self.names.iter().map(|name| text_width(name, font)).fold(0.0, f64::max);
        (widest / 2.0 + 6.0).clamp(font * 0.9, 40.0)
    }

    /// The middles of the discs; `None` for what has no place.
    pub(super) fn places(&self, x: &Scale, y: &Scale) -> Vec<Option<Point>> {
        self.x.iter().zip(self.y).map(|(a, b)| Some((x.at(*a)?, y.at(*b)?))).collect()
    }

    /// All arrows between nodes that have a place.
    pub(super) fn arrows(&self, x: &Scale, y: &Scale, radius: f64) -> Vec<Arrow> {
        let places = self.places(x, y);
        let known: Vec<Point> = places.iter().copied().flatten().collect();
        let n = count(known.len()).max(1.0);
        let middle = (known.iter().map(|p| p.0).sum::<f64>() / n, known.iter().map(|p| p.1).sum::<f64>() / n);
        let place = |node: u32| places.get(node as usize).copied().flatten();
        let pairs = self.from.iter().zip(self.to).enumerate();
        pairs
            .filter_map(|(index, (from, to))| {
                let (a, b) = (place(*from)?, place(*to)?);
                if from == to { Some(around(index, a, middle, radius)) } else { between(index, a, b, radius) }
            })
            .collect()
    }
}

/// A bent arrow from `a` to `b`; `None` where the discs touch.
fn between(index: usize, a: Point, b: Point, radius: f64) -> Option<Arrow> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx.hypot(dy);
    if length < 2.0 * radius + HEAD.0 {
        return None;
    }
    let bend = (BEND.0 * length).min(BEND.1);
    // To the left of its way, so that the way back is on the other side.
    let aside = (dy / length, -dx / length);
    let bow = |t: f64| {
        let out = 4.0 * t * (1.0 - t) * bend;
        (a.0 + t * dx + out * aside.0, a.1 + t * dy + out * aside.1)
    };
    let far = |p: &Point, from: Point, least: f64| (p.0 - from.0).hypot(p.1 - from.1) >= least;
    let points = (0..=PIECES * 4).map(|i| bow(count(i) / count(PIECES * 4)));
    let path: Vec<Point> = points.filter(|p| far(p, a, radius) && far(p, b, radius + HEAD.0)).collect();
    let label = bow(0.5);
    let label = (label.0 + BESIDE * aside.0, label.1 + BESIDE * aside.1);
    arrow(index, path, b, radius, label)
}

/// A loop at `a`, away from the `middle` of the graph.
fn around(index: usize, a: Point, middle: Point, radius: f64) -> Arrow {
    let (dx, dy) = (a.0 - middle.0, a.1 - middle.1);
    let length = dx.hypot(dy);
    let out = if length > 1.0 { (dx / length, dy / length) } else { (0.0, -1.0) };
    let centre = (a.0 + out.0 * (radius + LOOP * 0.6), a.1 + out.1 * (radius + LOOP * 0.6));
    // From the node's side all the way round.
    let start = (-out.1).atan2(-out.0);
    let points = (0..=PIECES * 4).map(|i| {
        let angle = start + std::f64::consts::TAU * count(i) / count(PIECES * 4);
        (centre.0 + LOOP * angle.cos(), centre.1 + LOOP * angle.sin())
    });
    let path: Vec<Point> = points.filter(|p| (p.0 - a.0).hypot(p.1 - a.1) >= radius + 1.0).collect();
    let keep = path.len() - path.len() / 8;
    let tip = path.last().copied().unwrap_or(a);
    let label = (centre.0 + out.0 * (LOOP + BESIDE), centre.1 + out.1 * (LOOP + BESIDE));
    let path = path[..keep].to_vec();
    let head = head(path.last().copied().unwrap_or(a), tip);
    Arrow { index, path, head, label }
}

fn arrow(index: usize, path: Vec<Point>, b: Point, radius: f64, label: Point) -> Option<Arrow> {
    let base = *path.last()?;
    let (dx, dy) = (b.0 - base.0, b.1 - base.1);
    let length = dx.hypot(dy).max(1e-9);
    let share = (length - radius).max(0.0) / length;
    let head = head(base, (base.0 + share * dx, base.1 + share * dy));
    Some(Arrow { index, path, head, label })
}

/// The corners of a head from its base to its tip.
fn head(base: Point, tip: Point) -> [Point; 3] {
    let (dx, dy) = (tip.0 - base.0, tip.1 - base.1);
    let length = dx.hypot(dy).max(1e-9);
    let side = (-dy / length * HEAD.1, dx / length * HEAD.1);
    [tip, (base.0 + side.0, base.1 + side.1), (base.0 - side.0, base.1 - side.1)]
}

/// A box in pixels, inside the plot: `None` for what has no place there.
pub(super) fn frame((x0, x1): (f64, f64), (y0, y1): (f64, f64), x: &Scale, y: &Scale, plot: &Rect) -> Option<Rect> {
    let (a, b, c, d) = (x.at(x0)?, x.at(x1)?, y.at(y0)?, y.at(y1)?);
    let rect = Rect {
        left: a.min(b).max(plot.left),
        right: a.max(b).min(plot.right),
        top: c.min(d).max(plot.top),
        bottom: c.max(d).min(plot.bottom),
    };
    (rect.width() > 0.0 && rect.height() > 0.0).then_some(rect)
}

/// The distance of `pointer` from a path.
pub(super) fn distance(path: &[Point], pointer: Point) -> f64 {
    path.iter().map(|p| (p.0 - pointer.0).hypot(p.1 - pointer.1)).fold(f64::INFINITY, f64::min)
}
