//! What is under the pointer, with every digit.

use super::{
    Axis, Colour, Figure, Mark, Panel, Style,
    cells::{Grid, centre},
    graph::{Arrow, Net, distance, frame},
    layout::{Layout, PanelLayout, layout},
    number::exact,
    path::{Point, span},
};

/// A point this near is meant, whatever else is there.
const TOUCH: f64 = 16.0;

/// Discs of graphs have about this font, which decides their size.
const FONT: f64 = 12.0;

/// The pointer may be this far outside of the plot.
const SLACK: f64 = 12.0;

/// The datum nearest to a pointer. Positions are CSS pixels from the figure's upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// In a sentence: `entropy = 3.2 bits at time = 1957 s`.
    pub text: String,
    /// Index into [`Figure::panels`].
    pub panel: usize,
    /// Index into [`Panel::marks`].
    pub mark: usize,
    /// Index into the data of the mark.
    pub index: usize,
    /// Where the datum is drawn.
    pub at: (f64, f64),
    /// The plot of the panel, for a crosshair: left, top, right, bottom.
    pub plot: (f64, f64, f64, f64),
    /// The datum's colour.
    pub colour: Colour,
}

struct Candidate {
    mark: usize,
    index: usize,
    at: Point,
    colour: Colour,
    text: String,
}

/// Finds the datum nearest to (`x`, `y`) on `figure` as it is drawn with `style` on `size` CSS pixels.
#[must_use]
pub fn locate(figure: &Figure, style: &Style, size: (f64, f64), x: f64, y: f64) -> Option<Readout> {
    let layout = layout(figure, style, size);
    let at = layout.panels.iter().position(|placed| placed.plot.grown(SLACK).contains((x, y)))?;
    read(figure, &layout, at, (x, y))
}

/// [`locate`] for whoever points with keys: from a margin the nearest place of a plot is read.
#[must_use]
pub fn locate_nearest(figure: &Figure, style: &Style, size: (f64, f64), x: f64, y: f64) -> Option<Readout> {
    let layout = layout(figure, style, size);
    let at = layout.nearest(y, |_| true)?;
    let plot = &layout.panels[at].plot;
    read(figure, &layout, at, (x.clamp(plot.left, plot.right), y.clamp(plot.top, plot.bottom)))
}

fn read(figure: &Figure, layout: &Layout, at: usize, pointer: Point) -> Option<Readout> {
    let (panel, placed) = (figure.panels.get(at)?, &layout.panels[at]);
    let found = nearest(panel, placed, pointer)?;
    let plot = (placed.plot.left, placed.plot.top, placed.plot.right, placed.plot.bottom);
    let mut text = found.text;
    if !matches!(panel.marks.get(found.mark), Some(Mark::Spans { .. })) {
        for state in states(panel, placed, found.at.0) {
            text.push_str(&format!(" ({state})"));
        }
    }
    Some(Readout { text, panel: at, mark: found.mark, index: found.index, at: found.at, plot, colour: found.colour })
}

fn nearest(panel: &Panel, placed: &PanelLayout, pointer: Point) -> Option<Candidate> {
    let mut best: Option<(f64, Candidate)> = None;
    for (mark, content) in panel.marks.iter().enumerate() {
        let Some(found) = candidate(panel, placed, mark, content, pointer) else { continue };
        let (dx, dy) = (found.at.0 - pointer.0, found.at.1 - pointer.1);
        // A touched point wins over curves, data over context, then the nearer; a bar is where it stands.
        let points = matches!(content, Mark::Points { .. });
        let rank = match content {
            // The cell under the pointer, unless something else is meant.
            Mark::Boxes { .. } => 1e5,
            Mark::Cells { .. } => 1e6 + TOUCH - dx.abs() * 4.0 - dy.abs(),
            Mark::Spans { .. } => 9e6,
            Mark::Points { .. } if dx.hypot(dy) <= TOUCH => 0.0,
            Mark::Bars { .. } if dx == 0.0 => 1e5,
            _ if found.colour == Colour::Muted => 3e6,
            _ if points => 2e6,
            _ => 1e6,
        };
        let cost = rank + if points { dx.hypot(dy) } else { dx.abs() * 4.0 + dy.abs() };
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, found));
        }
    }
    best.map(|(_, found)| found)
}

/// The names of the spans at a place.
fn states<'a>(panel: &'a Panel, placed: &PanelLayout, at: f64) -> Vec<&'a str> {
    let mut names = Vec::new();
    for mark in &panel.marks {
        let Mark::Spans { from, to, labels, .. } = mark else { continue };
        let named = from.iter().zip(to).zip(labels).filter(|(_, label)| !label.is_empty());
        let mut here = named.filter(|((from, to), _)| {
            span(**from, **to, &placed.x, &placed.plot).is_some_and(|(left, right)| (left..=right).contains(&at))
        });
        // Where one ends the next begins.
        names.extend(here.next_back().map(|(_, label)| label.as_str()));
    }
    names
}

fn candidate(panel: &Panel, placed: &PanelLayout, mark: usize, content: &Mark, pointer: Point) -> Option<Candidate> {
    let (x, y, plot) = (&placed.x, &placed.y, &placed.plot);
    let shown = |at: f64| (plot.left - 1.0..=plot.right + 1.0).contains(&at);
    let (along, across) = (Quantity::of(&panel.x, "x"), Quantity::of(&panel.y, "value"));
    match content {
        Mark::Line { name, x: xs, y: ys, colour } => {
            let places =
                xs.iter().zip(ys).enumerate().filter_map(|(index, (a, b))| Some((index, x.at(*a)?, y.at(*b)?)));
            let (index, at_x, at_y) =
                least(places.filter(|place| shown(place.1)), |place| (place.1 - pointer.0).abs())?;
            let text = format!("{} at {}", across.is(ys[index]), along.is(xs[index]));
            let text = if name.is_empty() { text } else { format!("{name}: {text}") };
            Some(Candidate { mark, index, at: (at_x, at_y.clamp(plot.top, plot.bottom)), colour: *colour, text })
        }
        Mark::Band { x: xs, low, high, colour, .. } => {
            let ends = xs.iter().zip(low).zip(high).enumerate();
            let places = ends.filter_map(|(index, ((a, l), h))| Some((index, x.at(*a)?, (y.at(*l)?, y.at(*h)?))));
            let (index, at_x, (a, b)) =
                least(places.filter(|place| shown(place.1)), |place| (place.1 - pointer.0).abs())?;
            let inside = pointer.1.clamp(a.min(b), a.max(b)).clamp(plot.top, plot.bottom);
            let text = format!("{} at {}", across.between(low[index], high[index]), along.is(xs[index]));
            Some(Candidate { mark, index, at: (at_x, inside), colour: *colour, text })
        }
        Mark::Bars { edges, heights, colour } => {
            let places = edges.windows(2).zip(heights).enumerate().filter_map(|(index, (pair, height))| {
                let (a, b) = (x.at(pair[0])?, x.at(pair[1])?);
                let outside = (a.min(b) - pointer.0).max(pointer.0 - a.max(b)).max(0.0);
                Some((index, f64::midpoint(a, b), (outside, y.at(*height)?)))
            });
            let (index, middle, (outside, top)) = least(places.filter(|place| shown(place.1)), |place| place.2.0)?;
            let place = if panel.x.names.is_empty() {
                along.within(edges[index], edges[index + 1])
            } else {
                format!("at {}", along.is(f64::midpoint(edges[index], edges[index + 1])))
            };
            // Over the bar the pointer stays where it is; the crosshair snaps to the middle otherwise.
            let at = (if outside == 0.0 { pointer.0 } else { middle }, top.clamp(plot.top, plot.bottom));
            let text = format!("{} {place}", across.is(heights[index]));
            let found = Candidate { mark, index, at, colour: *colour, text };
            Some(found)
        }
        Mark::Points { x: xs, y: ys, labels, colour } => {
            let places =
                xs.iter().zip(ys).enumerate().filter_map(|(index, (a, b))| Some((index, x.at(*a)?, y.at(*b)?)));
            let near = |place: &(usize, f64, f64)| (place.1 - pointer.0).hypot(place.2 - pointer.1);
            let seen = places.filter(|place| plot.grown(1.0).contains((place.1, place.2)));
            let (index, at_x, at_y) = least(seen, near)?;
            let text = format!("{} at {}", across.is(ys[index]), along.is(xs[index]));
            let label = labels.get(index).filter(|label| !label.is_empty());
            let text = label.map_or_else(|| text.clone(), |label| format!("{label}: {text}"));
            Some(Candidate { mark, index, at: (at_x, at_y), colour: *colour, text })
        }
        Mark::Cells { x: columns, y: rows, values, title, .. } => {
            let grid = Grid { x: columns, y: rows, values };
            let (column, row) =
                grid.under(x, y, (pointer.0.clamp(plot.left, plot.right), pointer.1.clamp(plot.top, plot.bottom)))?;
            let middle = |axis: &Axis, edges: &[f64], at: usize| centre(axis, edges[at], edges[at + 1]);
            let (at_x, at_y) = (middle(&panel.x, columns, column), middle(&panel.y, rows, row));
            let value = grid.value(column, row);
            let quantity = Quantity::titled(title, "value", &[]);
            let what = if value.is_nan() { format!("no {} yet", quantity.name) } else { quantity.is(value) };
            let up = Quantity::of(&panel.y, "y");
            let text = format!("{what} at {}, {}", along.is(at_x), up.is(at_y));
            let at = (x.at(at_x)?.clamp(plot.left, plot.right), y.at(at_y)?.clamp(plot.top, plot.bottom));
            Some(Candidate { mark, index: row * grid.columns() + column, at, colour: Colour::Muted, text })
        }
        Mark::Intervals { x: xs, low, high, colour } => {
            let ends = xs.iter().zip(low).zip(high).enumerate();
            let places = ends.filter_map(|(index, ((a, l), h))| Some((index, x.at(*a)?, (y.at(*l)?, y.at(*h)?))));
            let (index, at_x, (a, b)) =
                least(places.filter(|place| shown(place.1)), |place| (place.1 - pointer.0).abs())?;
            let inside = pointer.1.clamp(a.min(b), a.max(b)).clamp(plot.top, plot.bottom);
            let text = format!("{} at {}", across.between(low[index], high[index]), along.is(xs[index]));
            Some(Candidate { mark, index, at: (at_x, inside), colour: *colour, text })
        }
        Mark::Spans { from, to, labels, colours } => {
            let mut places = from.iter().zip(to).enumerate().filter_map(|(index, (a, b))| {
                let (left, right) = span(*a, *b, x, plot)?;
                (left..=right).contains(&pointer.0).then_some(index)
            });
            let index = places.next_back()?;
            let place = along.stretch(from[index], to[index]);
            let label = labels.get(index).filter(|label| !label.is_empty()).map_or("span", String::as_str);
            let colour = colours.get(index).copied().unwrap_or(Colour::Muted);
            let at = (pointer.0, pointer.1.clamp(plot.top, plot.bottom));
            Some(Candidate { mark, index, at, colour, text: format!("{label} {place}") })
        }
        Mark::Boxes { from, to, low, high, labels, notes, colours, .. } => {
            let ends = from.iter().zip(to).zip(low.iter().zip(high));
            let mut places = ends.enumerate().filter_map(|(index, ((from, to), (low, high)))| {
                frame((*from, *to), (*low, *high), x, y, plot).filter(|rect| rect.contains(pointer)).map(|_| index)
            });
            let index = places.next_back()?;
            let word = |list: &[String]| list.get(index).filter(|text| !text.is_empty()).cloned();
            let text = word(notes).or_else(|| word(labels)).unwrap_or_else(|| format!("box {}", index + 1));
            let colour = colours.get(index).copied().unwrap_or_default();
            Some(Candidate { mark, index, at: pointer, colour, text })
        }
        Mark::Graph { x: xs, y: ys, names, from, to, weights, labels, colour } => {
            let net = Net { x: xs, y: ys, names, from, to };
            let arrows = net.arrows(x, y, net.radius(FONT));
            let near = |arrow: &Arrow| distance(&arrow.path, pointer).min(distance(&[arrow.label], pointer));
            let arrow = least(arrows.into_iter(), near).filter(|arrow| near(arrow) <= 2.0 * TOUCH)?;
            let name = |node: u32| names.get(node as usize).map_or("?", String::as_str);
            let (a, b) = (name(from[arrow.index]), name(to[arrow.index]));
            let label = labels.get(arrow.index).filter(|text| !text.is_empty());
            let value = label.cloned().or_else(|| weights.get(arrow.index).map(|w| exact(*w))).unwrap_or_default();
            let middle = arrow.path.get(arrow.path.len() / 2).copied().unwrap_or(pointer);
            Some(Candidate {
                mark,
                index: arrow.index,
                at: middle,
                colour: *colour,
                text: format!("{a} → {b}: {value}"),
            })
        }
        Mark::Reference { .. } => None,
    }
}

/// The item of the least distance; of equal ones the first.
fn least<T>(items: impl Iterator<Item = T>, distance: impl Fn(&T) -> f64) -> Option<T> {
    items.min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The name and unit of an axis, from its title: `time (s)`.
pub(super) struct Quantity<'a> {
    name: &'a str,
    unit: &'a str,
    names: &'a [String],
}

impl<'a> Quantity<'a> {
    pub(super) fn of(axis: &'a Axis, otherwise: &'a str) -> Self {
        Self::titled(&axis.title, otherwise, &axis.names)
    }

    fn titled(title: &'a str, otherwise: &'a str, names: &'a [String]) -> Self {
        let title = title.trim();
        let split = title.strip_suffix(')').and_then(|title| title.rsplit_once(" ("));
        let (name, unit) = split.unwrap_or((title, ""));
        Self { name: if name.is_empty() { otherwise } else { name }, unit, names }
    }

    fn with_unit(&self, text: String) -> String {
        if self.unit.is_empty() { text } else { format!("{text} {}", self.unit) }
    }

    /// The value, or the name that stands there.
    fn value(&self, value: f64) -> String {
        self.category(value).map_or_else(|| self.with_unit(exact(value)), str::to_owned)
    }

    /// The name at a whole place of a category axis.
    pub(super) fn category(&self, value: f64) -> Option<&'a str> {
        let index = u32::try_from(super::scale::whole(value)).ok()?;
        self.names.get(usize::try_from(index).ok()?).map(String::as_str)
    }

    fn is(&self, value: f64) -> String {
        format!("{} = {}", self.name, self.value(value))
    }

    fn between(&self, low: f64, high: f64) -> String {
        if low == high {
            return self.is(low);
        }
        format!("{} = {} to {}", self.name, exact(low), self.with_unit(exact(high)))
    }

    /// Bars of width one over whole numbers are those numbers; others are ranges.
    fn within(&self, low: f64, high: f64) -> String {
        let middle = f64::midpoint(low, high);
        if (high - low - 1.0).abs() < 1e-9 && (middle - middle.round()).abs() < 1e-9 {
            return format!("at {}", self.is(middle.round()));
        }
        self.stretch(low, high)
    }

    fn stretch(&self, low: f64, high: f64) -> String {
        format!("for {} from {} to {}", self.name, exact(low), self.with_unit(exact(high)))
    }
}
