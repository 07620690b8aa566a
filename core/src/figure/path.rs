//! Curves and bands as pixel paths: clipped to the plot, broken where there is no value, and thinned
//! to what the pixels can show.

use super::scale::Scale;

/// A point in CSS pixels.
pub(super) type Point = (f64, f64);

/// Columns of the plot for each CSS pixel that a thinned curve keeps.
const COLUMNS: f64 = 4.0;

/// A rectangle in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn contains(&self, (x, y): Point) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    pub(super) fn grown(&self, by: f64) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

/// The pieces of a polyline that are inside `plot`. A piece of one point is an isolated value.
pub(super) fn curve(xs: &[f64], ys: &[f64], x: &Scale, y: &Scale, plot: &Rect) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut run: Vec<Point> = Vec::new();
    for (value_x, value_y) in xs.iter().zip(ys) {
        match (x.at(*value_x), y.at(*value_y)) {
            (Some(at_x), Some(at_y)) => run.push((at_x, at_y)),
            _ => clip(&thinned(std::mem::take(&mut run)), plot, &mut pieces),
        }
    }
    clip(&thinned(run), plot, &mut pieces);
    pieces
}

/// First, lowest, highest and last point of each pixel column, where there are many more.
fn thinned(run: Vec<Point>) -> Vec<Point> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return run };
    if super::scale::count(run.len()) <= 4.0 * COLUMNS * (last.0 - first.0).abs().max(16.0) {
        return run;
    }
    let column = |point: &Point| (point.0 * COLUMNS).floor();
    let mut kept = Vec::new();
    for group in run.chunk_by(|a, b| column(a) == column(b)) {
        let place = |best: Option<(usize, &Point)>| best.map_or(0, |(at, _)| at);
        let lowest = place(group.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)));
        let highest = place(group.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1)));
        let mut places = [0, lowest.min(highest), lowest.max(highest), group.len() - 1].to_vec();
        places.dedup();
        kept.extend(places.into_iter().filter_map(|at| group.get(at)));
    }
    kept
}

/// Appends what of `run` is inside `plot`.
fn clip(run: &[Point], plot: &Rect, pieces: &mut Vec<Vec<Point>>) {
    if let [point] = run {
        if plot.contains(*point) {
            pieces.push(vec![*point]);
        }
        return;
    }
    let mut piece: Vec<Point> = Vec::new();
    for pair in run.windows(2) {
        let Some((from, to)) = inside(pair[0], pair[1], plot) else {
            finish(&mut piece, pieces);
            continue;
        };
        if piece.last() != Some(&from) {
            finish(&mut piece, pieces);
            piece.push(from);
        }
        piece.push(to);
        if to != pair[1] {
            finish(&mut piece, pieces);
        }
    }
    finish(&mut piece, pieces);
}

fn finish(piece: &mut Vec<Point>, pieces: &mut Vec<Vec<Point>>) {
    if piece.is_empty() {
        return;
    }
    pieces.push(std::mem::take(piece));
}

/// Liang and Barsky's clipping of a segment.
fn inside(from: Point, to: Point, plot: &Rect) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let walls =
        [(-dx, from.0 - plot.left), (dx, plot.right - from.0), (-dy, from.1 - plot.top), (dy, plot.bottom - from.1)];
    for (towards, room) in walls {
        if towards == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if towards < 0.0 {
            enter = enter.max(room / towards);
        } else {
            leave = leave.min(room / towards);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
    let start = if enter > 0.0 { at(enter) } else { from };
    let end = if leave < 1.0 { at(leave) } else { to };
    Some((start, end))
}

/// One unbroken piece of a band.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ribbon {
    pub(super) xs: Vec<f64>,
    /// Upper edge on the screen.
    pub(super) tops: Vec<f64>,
    /// Lower edge on the screen.
    pub(super) bottoms: Vec<f64>,
}

impl Ribbon {
    fn push(&mut self, x: f64, top: f64, bottom: f64) {
        self.xs.push(x);
        self.tops.push(top);
        self.bottoms.push(bottom);
    }

    /// Around it, clockwise.
    pub(super) fn outline(&self) -> Vec<Point> {
        let top = self.xs.iter().copied().zip(self.tops.iter().copied());
        let bottom = self.xs.iter().copied().zip(self.bottoms.iter().copied());
        top.chain(bottom.rev()).collect()
    }
}

/// The pieces of a band that are inside `plot`.
pub(super) fn band(xs: &[f64], lows: &[f64], highs: &[f64], x: &Scale, y: &Scale, plot: &Rect) -> Vec<Ribbon> {
    let mut pieces = Vec::new();
    let mut piece = Ribbon::default();
    let mut before: Option<(f64, f64, f64)> = None;
    for ((value, low), high) in xs.iter().zip(lows).zip(highs) {
        let (Some(at), Some(a), Some(b)) = (x.at(*value), y.at(*low), y.at(*high)) else {
            before = None;
            close(&mut piece, &mut pieces);
            continue;
        };
        let now = (at, a.min(b), a.max(b));
        for (at, top, bottom) in within(before, now, plot) {
            let (top, bottom) = (top.clamp(plot.top, plot.bottom), bottom.clamp(plot.top, plot.bottom));
            match piece.xs.len().checked_sub(1) {
                // Many values in one column: the widest of them.
                Some(last) if piece.xs.len() > 1 && (piece.xs[last] * COLUMNS).floor() == (at * COLUMNS).floor() => {
                    piece.tops[last] = piece.tops[last].min(top);
                    piece.bottoms[last] = piece.bottoms[last].max(bottom);
                }
                _ => piece.push(at, top, bottom),
            }
        }
        before = Some(now);
    }
    close(&mut piece, &mut pieces);
    pieces
}

fn close(piece: &mut Ribbon, pieces: &mut Vec<Ribbon>) {
    if !piece.xs.is_empty() {
        pieces.push(std::mem::take(piece));
    }
}

/// What the step from `before` to `now` adds inside the left and right wall.
fn within(before: Option<(f64, f64, f64)>, now: (f64, f64, f64), plot: &Rect) -> Vec<(f64, f64, f64)> {
    let mut added = Vec::new();
    if let Some(before) = before {
        let walls = [plot.left, plot.right];
        for wall in walls {
            if (before.0 < wall && now.0 > wall) && now.0 > before.0 {
                let share = (wall - before.0) / (now.0 - before.0);
                let between = |a: f64, b: f64| a + share * (b - a);
                added.push((wall, between(before.1, now.1), between(before.2, now.2)));
            }
        }
    }
    if (plot.left..=plot.right).contains(&now.0) {
        added.push(now);
    }
    added
}

/// One bar in whole drawing units: left, top, right, bottom.
pub(super) type Bar = (f64, f64, f64, f64);

/// Bars on whole drawing units (`unit` CSS pixels each), those that share a column merged.
pub(super) fn bars(edges: &[f64], heights: &[f64], gap: f64, x: &Scale, y: &Scale, plot: &Rect, unit: f64) -> Vec<Bar> {
    let snap = |value: f64| (value / unit).round() * unit;
    let zero = y.at(0.0).map_or(plot.bottom, |at| snap(at.clamp(plot.top, plot.bottom)));
    let mut out: Vec<Bar> = Vec::new();
    for (pair, height) in edges.windows(2).zip(heights) {
        let (Some(a), Some(b), Some(end)) = (x.at(pair[0]), x.at(pair[1]), y.at(*height)) else { continue };
        if *height == 0.0 || a.max(b) < plot.left || a.min(b) > plot.right {
            continue;
        }
        let left = snap(a.min(b).max(plot.left));
        let wide = snap(a.max(b).min(plot.right));
        let space = gap_within(b - a, gap, unit);
        let (left, right) = (left + snap(space / 2.0), wide - (space - snap(space / 2.0)));
        let right = right.max(left + unit);
        let end = snap(end.clamp(plot.top, plot.bottom));
        // Small but not nothing stays visible.
        let end = if (end - zero).abs() < unit { zero - unit.copysign(*height) } else { end };
        let (top, bottom) = (end.min(zero), end.max(zero));
        match out.last_mut() {
            Some(last) if left < last.2 - unit / 2.0 => {
                last.1 = last.1.min(top);
                last.3 = last.3.max(bottom);
                last.2 = last.2.max(right);
            }
            _ => out.push((left, top, right, bottom)),
        }
    }
    out
}

/// The space between bars, in whole drawing units; narrow bars get a narrow one or none.
fn gap_within(width: f64, gap: f64, unit: f64) -> f64 {
    let room = width.abs() / 3.0;
    if room < unit { 0.0 } else { ((gap.min(room) / unit).floor() * unit).max(unit) }
}

/// A line this many times longer than it is wide would be a thicket of dashes.
const LONGEST_DASHED: f64 = 8.0;

/// Whether a curve is too jagged for dashes, and solid for that.
pub(super) fn jagged(pieces: &[Vec<Point>]) -> bool {
    let steps = || pieces.iter().flat_map(|piece| piece.windows(2));
    let length: f64 = steps().map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
    let across: f64 = steps().map(|pair| (pair[1].0 - pair[0].0).abs()).sum();
    length > across.max(100.0) * LONGEST_DASHED
}

/// Where a span of x is inside `plot`: left and right.
pub(super) fn span(from: f64, to: f64, x: &Scale, plot: &Rect) -> Option<(f64, f64)> {
    let (a, b) = (x.at(from)?, x.at(to)?);
    let (left, right) = (a.min(b).max(plot.left), a.max(b).min(plot.right));
    (left < right).then_some((left, right))
}

/// The vertical of an error bar: x, top, bottom, and whether each end has a cap because it is inside `plot`.
pub(super) fn interval(at: (f64, f64, f64), x: &Scale, y: &Scale, plot: &Rect) -> Option<(f64, [(f64, bool); 2])> {
    let (at_x, a, b) = (x.at(at.0)?, y.at(at.1)?, y.at(at.2)?);
    let (top, bottom) = (a.min(b), a.max(b));
    let inside = plot.grown(0.5);
    if !(inside.left..=inside.right).contains(&at_x) || bottom < inside.top || top > inside.bottom {
        return None;
    }
    Some((at_x, [top, bottom].map(|end| (end.clamp(plot.top, plot.bottom), inside.contains((at_x, end))))))
}
