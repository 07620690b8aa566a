//! A grid of values as rectangles of colour.

use super::{
    Axis, ColourMap, Rgb, Theme,
    path::{Point, Rect},
    scale::{Scale, count, domain},
};
use std::f64::consts::{PI, TAU};

/// More rectangles than this make a file slow to show.
const MOST_TILES: f64 = 60_000.0;

/// Between the lines of a hatching, in CSS pixels along an axis.
const HATCH: f64 = 7.0;

/// What a [`super::Mark::Cells`] holds.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    pub(super) x: &'a [f64],
    pub(super) y: &'a [f64],
    pub(super) values: &'a [f64],
}

/// Cells that are drawn as one: their extent, the first, and the one after the last.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    from: f64,
    to: f64,
    first: usize,
    end: usize,
}

impl Grid<'_> {
    pub(super) fn columns(&self) -> usize {
        self.x.len().saturating_sub(1)
    }

    pub(super) fn rows(&self) -> usize {
        self.y.len().saturating_sub(1)
    }

    /// NaN for what is missing.
    pub(super) fn value(&self, column: usize, row: usize) -> f64 {
        row.checked_mul(self.columns())
            .and_then(|start| self.values.get(start.checked_add(column)?))
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// The column and row under `pointer`.
    pub(super) fn under(&self, x: &Scale, y: &Scale, pointer: Point) -> Option<(usize, usize)> {
        let within = |edges: &[f64], scale: &Scale, at: f64| {
            edges.windows(2).position(|pair| {
                let ends = scale.at(pair[0]).zip(scale.at(pair[1]));
                ends.is_some_and(|(a, b)| (a.min(b)..=a.max(b)).contains(&at))
            })
        };
        Some((within(self.x, x, pointer.0)?, within(self.y, y, pointer.1)?))
    }

    /// Rectangles to fill, in this order, and those where nothing is yet.
    pub(super) fn tiles(
        &self,
        (x, y): (&Scale, &Scale),
        plot: &Rect,
        pixel: f64,
        colour: impl Fn(f64) -> Rgb,
        share: impl Fn(f64) -> Option<f64>,
        map: ColourMap,
    ) -> (Vec<(Rect, Rgb)>, Vec<Rect>) {
        let unit = self.unit(plot, pixel);
        let columns = stretches(self.x, x, (plot.left, plot.right), unit);
        let rows = stretches(self.y, y, (plot.top, plot.bottom), unit);
        let mut filled: Vec<(Rect, Rgb)> = Vec::new();
        let mut empty: Vec<Rect> = Vec::new();
        let mut above: Vec<usize> = Vec::new();
        for (at_row, row) in rows.iter().enumerate() {
            // A run of one colour in this row: left, right, colour.
            let mut runs: Vec<(f64, f64, Option<Rgb>)> = Vec::new();
            for column in &columns {
                let rgb = self.mean(column, row, &share, map).map(&colour);
                match runs.last_mut() {
                    Some(last) if last.1 == column.from && last.2 == rgb => last.1 = column.to,
                    _ => runs.push((column.from, column.to, rgb)),
                }
            }
            let mut empty_here = Vec::new();
            for (at, (left, right, rgb)) in runs.iter().enumerate() {
                let rect = Rect { left: *left, top: row.from, right: *right, bottom: row.to };
                if let Some(rgb) = rgb {
                    // What comes next covers the seam, which a browser would show as a hairline.
                    let right = if at + 1 < runs.len() { rect.right + 0.5 } else { rect.right };
                    let top = if at_row + 1 < rows.len() { rect.top - 0.5 } else { rect.top };
                    filled.push((Rect { right, top, ..rect }, *rgb));
                    continue;
                }
                let joined = above.iter().copied().find(|index| {
                    let other = &empty[*index];
                    other.left == rect.left && other.right == rect.right && other.top == rect.bottom
                });
                let index = joined.unwrap_or_else(|| {
                    empty.push(rect);
                    empty.len() - 1
                });
                empty[index].top = rect.top;
                empty_here.push(index);
            }
            above = empty_here;
        }
        (filled, empty)
    }

    /// What the edges are rounded to: a pixel of the file while cells are large, one of the page or more
    /// when they are small.
    fn unit(&self, plot: &Rect, pixel: f64) -> f64 {
        let (width, height) = (plot.width().max(1.0), plot.height().max(1.0));
        let (columns, rows) = (count(self.columns()), count(self.rows()));
        if columns * 2.0 <= width && rows * 2.0 <= height {
            return pixel;
        }
        (columns.min(width) * rows.min(height) / MOST_TILES).sqrt().ceil().max(1.0)
    }

    /// The mean share of the cells of a stretch that are there.
    fn mean(
        &self,
        column: &Stretch,
        row: &Stretch,
        share: &impl Fn(f64) -> Option<f64>,
        map: ColourMap,
    ) -> Option<f64> {
        let cells = (row.first..row.end).flat_map(|row| (column.first..column.end).map(move |column| (column, row)));
        let shares = cells.filter_map(|(column, row)| share(self.value(column, row)));
        let (mut seen, mut sum, mut sine, mut cosine) = (0_usize, 0.0, 0.0, 0.0);
        let mut only = 0.0;
        for value in shares {
            seen += 1;
            sum += value;
            only = value;
            if map == ColourMap::Cyclic {
                sine += (TAU * value).sin();
                cosine += (TAU * value).cos();
            }
        }
        match seen {
            0 => None,
            1 => Some(only),
            _ if map == ColourMap::Cyclic => Some(sine.atan2(cosine).rem_euclid(TAU) / TAU),
            _ => Some(sum / count(seen)),
        }
    }
}

/// The cells between `edges` that are inside `low..=high`, those narrower than `unit` together.
fn stretches(edges: &[f64], scale: &Scale, (low, high): (f64, f64), unit: f64) -> Vec<Stretch> {
    let snap = |at: f64| match at {
        outside if outside >= high => high,
        inside => (low + ((inside.max(low) - low) / unit).round() * unit).min(high),
    };
    let mut out: Vec<Stretch> = Vec::new();
    // Where cells that are too narrow so far began, and the first of them.
    let mut open: Option<(f64, usize)> = None;
    for (index, pair) in edges.windows(2).enumerate() {
        let seen = scale.at(pair[0]).zip(scale.at(pair[1])).filter(|(a, b)| a.max(*b) > low && a.min(*b) < high);
        let Some((a, b)) = seen else {
            open = None;
            continue;
        };
        let (start, first) = open.unwrap_or((snap(a), index));
        let stop = snap(b);
        if (stop - start).abs() < unit / 2.0 {
            open = Some((start, first));
            continue;
        }
        out.push(Stretch { from: start.min(stop), to: start.max(stop), first, end: index + 1 });
        open = None;
    }
    if let (Some((start, first)), Some(index)) = (open, edges.len().checked_sub(1)) {
        match out.last_mut() {
            Some(last) if last.end == first => last.end = index,
            _ => out.push(Stretch { from: start, to: (start + unit).min(high), first, end: index }),
        }
    }
    out
}

/// The values at the ends of the colour bar.
pub(super) fn ends(values: &[f64], range: Option<(f64, f64)>, map: ColourMap) -> (f64, f64) {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let (low, high) = match map {
        ColourMap::Viridis => (low, high),
        ColourMap::Signed if low <= high => {
            let most = low.abs().max(high.abs());
            (-most, most)
        }
        ColourMap::Signed => (-1.0, 1.0),
        ColourMap::Cyclic => (-PI, PI),
    };
    domain(&Axis { range, ..Axis::default() }, low, high, (0.0, 0.0))
}

/// Whether those are known already.
pub(super) fn ends_known(values: &[f64], range: Option<(f64, f64)>, map: ColourMap) -> bool {
    range.is_some() || map == ColourMap::Cyclic || values.iter().any(|value| value.is_finite())
}

/// Where `value` is between the ends, from 0 to 1; `None` for what is not there.
pub(super) fn share(value: f64, (low, high): (f64, f64), map: ColourMap) -> Option<f64> {
    // Halves keep the differences of extreme values finite.
    let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    let share = if map == ColourMap::Cyclic { share.rem_euclid(1.0) } else { share.clamp(0.0, 1.0) };
    (!share.is_nan()).then_some(share)
}

/// The middle of a cell, without the binary dust of its edges.
pub(super) fn centre(axis: &Axis, low: f64, high: f64) -> f64 {
    let middle =
        if axis.logarithmic && low > 0.0 && high > 0.0 { low.sqrt() * high.sqrt() } else { f64::midpoint(low, high) };
    let size = low.abs().max(high.abs());
    if !size.is_normal() || !middle.is_finite() {
        return middle;
    }
    let finest = if axis.logarithmic { middle.abs().min(size) } else { size };
    let decimals = super::scale::whole(12.0 - finest.log10().floor()).clamp(0, 320).unsigned_abs() as usize;
    format!("{middle:.decimals$}").parse().unwrap_or(middle)
}

/// Diagonals over `rect` that continue in its neighbours.
pub(super) fn hatching(rect: &Rect) -> Vec<(Point, Point)> {
    let mut lines = Vec::new();
    let mut sum = ((rect.left + rect.top) / HATCH).ceil() * HATCH;
    while sum < rect.right + rect.bottom {
        let (from, to) = ((sum - rect.bottom).max(rect.left), (sum - rect.top).min(rect.right));
        if to - from > 0.25 {
            lines.push(((from, sum - from), (to, sum - to)));
        }
        sum += HATCH;
    }
    lines
}

/// The rectangles of a colour bar: from its lower or left end, each with its share.
pub(super) fn slices(bar: &Rect, vertical: bool, map: ColourMap, theme: Theme) -> Vec<(Rect, Rgb)> {
    let length = if vertical { bar.height() } else { bar.width() };
    let steps = (length / 2.0).ceil().clamp(1.0, 256.0);
    let mut out = Vec::new();
    let mut step = 0.0;
    while step < steps {
        let colour = map.rgb(theme, (step + 0.5) / steps);
        // To the far end: the next one covers the rest, so there are no seams.
        let from = step / steps * length;
        let rect =
            if vertical { Rect { bottom: bar.bottom - from, ..*bar } } else { Rect { left: bar.left + from, ..*bar } };
        out.push((rect, colour));
        step += 1.0;
    }
    out
}
