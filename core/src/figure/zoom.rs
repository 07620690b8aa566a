//! A part of a figure along x. Vertical axes without fixed ends fit what is inside; the data stay those of the figure.

use super::{
    Colour, Figure, Mark, Panel, Style,
    layout::{extent, layout, margins, scales},
    number,
    scale::{Scale, count, domain},
};

/// Which part of each panel is shown, in units of its x axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// One for each panel, `None` for all of it; panels after the last are whole.
    windows: Vec<Option<(f64, f64)>>,
}

impl View {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.windows.iter().all(Option::is_none)
    }

    /// The figure with these parts of its panels.
    #[must_use]
    pub fn of(&self, figure: &Figure) -> Figure {
        let mut part = figure.clone();
        for (panel, window) in part.panels.iter_mut().zip(&self.windows) {
            if let Some((low, high)) = *window {
                narrow(panel, low, high);
            }
        }
        part
    }

    /// This view with the panel at `y` showing what lies between two places of it. All lengths are CSS pixels.
    #[must_use]
    pub fn between(
        &self,
        figure: &Figure,
        style: &Style,
        size: (f64, f64),
        y: f64,
        (a, b): (f64, f64),
    ) -> Option<Self> {
        let (at, x) = self.under(figure, style, size, y)?;
        let share = |place: f64| ((place - x.from) / (x.to - x.from)).clamp(0.0, 1.0);
        self.with(figure, at, &x, (share(a.min(b)), share(a.max(b))))
    }

    /// This view with the panel at `y` showing `factor` times as much, what is at `x` staying where it is.
    #[must_use]
    pub fn scaled(
        &self,
        figure: &Figure,
        style: &Style,
        size: (f64, f64),
        (x, y): (f64, f64),
        factor: f64,
    ) -> Option<Self> {
        let (at, scale) = self.under(figure, style, size, y)?;
        let fixed = ((x - scale.from) / (scale.to - scale.from)).clamp(0.0, 1.0);
        self.with(figure, at, &scale, (fixed * (1.0 - factor), fixed + (1.0 - fixed) * factor))
    }

    /// This view with the panel at `y` moved by a share of what it shows, as far as there are data.
    #[must_use]
    pub fn moved(&self, figure: &Figure, style: &Style, size: (f64, f64), y: f64, by: f64) -> Option<Self> {
        let (at, x) = self.under(figure, style, size, y)?;
        let whole = whole(figure, at)?;
        let ends = [x.low, x.high].map(|end| share(&whole, end));
        let step = (by * (ends[1] - ends[0])).clamp(-ends[0].max(0.0), (1.0 - ends[1]).max(0.0));
        let length = ends[1] - ends[0];
        self.with(figure, at, &x, (step / length, 1.0 + step / length)).filter(|view| view != self)
    }

    /// What is shown, in words: `sample 12 to 80`; `None` for all of it.
    #[must_use]
    pub fn words(&self, figure: &Figure) -> Option<String> {
        let seen = figure.panels.iter().zip(&self.windows).filter_map(|(panel, window)| Some((panel, (*window)?)));
        // Of panels that share an axis the last has its title.
        let (panel, (low, high)) = seen.max_by_key(|(panel, _)| !panel.x.title.is_empty())?;
        let title = panel.x.title.trim();
        let split = title.strip_suffix(')').and_then(|title| title.rsplit_once(" ("));
        let (name, unit) = split.unwrap_or((title, ""));
        let text = format!("{} {} to {} {unit}", if name.is_empty() { "x" } else { name }, number(low), number(high));
        Some(text.trim_end().to_owned())
    }

    /// The panel at a height that can be looked at closer, or else the first that can, and its axis.
    fn under(&self, figure: &Figure, style: &Style, size: (f64, f64), y: f64) -> Option<(usize, Scale)> {
        let shown = self.of(figure);
        let placed = layout(&shown, style, size);
        let at = placed.nearest(y, |at| figure.panels.get(at).is_some_and(zooms))?;
        Some((at, placed.panels[at].x.clone()))
    }

    /// Panel `at` and those that share its axis show the shares `from..to` of what it shows now.
    fn with(&self, figure: &Figure, at: usize, now: &Scale, (from, to): (f64, f64)) -> Option<Self> {
        let all = whole(figure, at)?;
        let [mut low, mut high] = [from, to].map(|end| share(&all, now.value(end)).clamp(0.0, 1.0));
        // Closer than some two data there is nothing more to see.
        let least = 2.0 / count(places(figure.panels.get(at)?)).max(2.0);
        if high - low < least {
            let middle = f64::midpoint(low, high).clamp(least / 2.0, 1.0 - least / 2.0);
            (low, high) = (middle - least / 2.0, middle + least / 2.0);
        }
        let window = (low > 1e-9 || high < 1.0 - 1e-9).then(|| (all.value(low), all.value(high)));
        if window.is_some_and(|(low, high)| low >= high) {
            return None;
        }
        let mut next = self.clone();
        next.windows.resize(figure.panels.len(), None);
        for (other, slot) in next.windows.iter_mut().enumerate() {
            let same = whole(figure, other).is_some_and(|other| {
                other.low == all.low && other.high == all.high && other.logarithmic == all.logarithmic
            });
            if same && figure.panels.get(other).is_some_and(zooms) {
                *slot = window;
            }
        }
        Some(next)
    }
}

/// Whether a closer look at a panel shows more: values over numbers, and not names or places in a plane.
fn zooms(panel: &Panel) -> bool {
    let run = |mark: &Mark| match mark {
        Mark::Line { colour, .. } | Mark::Band { colour, .. } | Mark::Bars { colour, .. } => *colour != Colour::Muted,
        _ => false,
    };
    let fixed = |mark: &Mark| matches!(mark, Mark::Cells { .. } | Mark::Boxes { .. } | Mark::Graph { .. });
    panel.x.names.is_empty()
        && !panel.x.hidden
        && places(panel) > 2
        && panel.marks.iter().any(run)
        && !panel.marks.iter().any(fixed)
}

/// Whether any panel can be looked at closer.
#[must_use]
pub fn zoomable(figure: &Figure) -> bool {
    figure.panels.iter().any(zooms)
}

/// Whether a figure has a series of which each stretch is drawn as its extremes, so that a closer look shows
/// stretches and not values.
#[must_use]
pub fn is_condensed(figure: &Figure) -> bool {
    let body = |mark: &Mark| matches!(mark, Mark::Band { opacity, .. } if *opacity >= 1.0);
    figure.panels.iter().any(|panel| panel.marks.iter().any(body))
}

/// The most data that a mark of the panel has.
fn places(panel: &Panel) -> usize {
    let length = |mark: &Mark| match mark {
        Mark::Line { x, .. } | Mark::Band { x, .. } => x.len(),
        Mark::Bars { heights, .. } => heights.len(),
        _ => 0,
    };
    panel.marks.iter().map(length).max().unwrap_or(0)
}

/// The x axis of a whole panel, from 0 to 1.
fn whole(figure: &Figure, at: usize) -> Option<Scale> {
    let [(low, high), _] = *scales(figure).get(at)?;
    Some(Scale { low, high, logarithmic: figure.panels.get(at)?.x.logarithmic, from: 0.0, to: 1.0 })
}

fn share(whole: &Scale, value: f64) -> f64 {
    whole.at(value).unwrap_or(0.0)
}

fn narrow(panel: &mut Panel, low: f64, high: f64) {
    if panel.y.range.is_none() {
        let seen =
            Panel { marks: panel.marks.iter().map(|mark| inside(panel, mark, low, high)).collect(), ..panel.clone() };
        let [_, y] = extent(&seen);
        if y.0 <= y.1 {
            panel.y.range = Some(domain(&panel.y, y.0, y.1, margins(&seen, y)));
        }
    }
    panel.x.range = Some((low, high));
}

/// What is seen of a mark, for the extent of y: with the values of curves where they leave the window.
fn inside(panel: &Panel, mark: &Mark, low: f64, high: f64) -> Mark {
    let within = |x: f64| (low..=high).contains(&x);
    let pick = |x: &[f64], y: &[f64]| x.iter().zip(y).filter(|(x, _)| within(**x)).map(|(_, y)| *y).collect::<Vec<_>>();
    let curve = |x: &[f64], y: &[f64]| {
        let mut seen = pick(x, y);
        for (x, y) in x.windows(2).zip(y.windows(2)) {
            for end in [low, high] {
                if x[0] < end && end < x[1] {
                    seen.push(crossing(panel, (x[0], x[1]), (y[0], y[1]), end));
                }
            }
        }
        seen
    };
    // Where in the window something is does not matter for its height.
    let somewhere = |n: usize| vec![f64::midpoint(low, high); n];
    match mark.clone() {
        Mark::Line { name, x, y, colour } => {
            let y = curve(&x, &y);
            Mark::Line { name, x: somewhere(y.len()), y, colour }
        }
        Mark::Band { x, low, high, colour, opacity } => {
            let (low, high) = (curve(&x, &low), curve(&x, &high));
            Mark::Band { x: somewhere(low.len()), low, high, colour, opacity }
        }
        Mark::Intervals { x, low, high, colour } => {
            let (low, high) = (pick(&x, &low), pick(&x, &high));
            Mark::Intervals { x: somewhere(low.len()), low, high, colour }
        }
        Mark::Points { x, y, labels, colour } => {
            let y = pick(&x, &y);
            Mark::Points { x: somewhere(y.len()), y, labels, colour }
        }
        Mark::Bars { edges, heights, colour } => {
            let seen = edges.windows(2).zip(&heights).filter(|(edge, _)| edge[1] > low && edge[0] < high);
            let heights: Vec<f64> = seen.map(|(_, height)| *height).collect();
            Mark::Bars { edges: somewhere(heights.len() + 1), heights, colour }
        }
        other => other,
    }
}

/// The height of a straight piece of a curve at `end`.
fn crossing(panel: &Panel, x: (f64, f64), y: (f64, f64), end: f64) -> f64 {
    let along = |x: f64| if panel.x.logarithmic { x.log10() } else { x };
    let share = (along(end) - along(x.0)) / (along(x.1) - along(x.0));
    if panel.y.logarithmic {
        return 10f64.powf(y.0.log10() * (1.0 - share) + y.1.log10() * share);
    }
    y.0 * (1.0 - share) + y.1 * share
}
