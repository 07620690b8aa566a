//! Names beside what they name: at the ends of lines in the margin, or inside where the least is covered.

use super::{
    Colour, Mark, Panel, Style,
    layout::{Ink, PanelLayout, Side, Tag, line},
    metrics::{shorten, text_width},
    path::{Point, Rect, band, bars, curve, jagged, span},
    scale::count,
};

/// From the plot to the labels in its right margin.
pub(super) const LEADER: f64 = 10.0;

/// Names in the right margin take at most this share of the width.
pub(super) const WIDEST: f64 = 0.4;

/// Length of the sample of a line beside its name.
const SAMPLE: f64 = 26.0;

/// Between a sample and its name.
const SAMPLE_GAP: f64 = 5.0;

/// More labelled points than this are told apart by the readout only.
const MOST_LABELLED: usize = 64;

/// The texts that may stand right of the plot.
pub(super) fn marginal(panel: &Panel) -> impl Iterator<Item = &str> {
    panel.marks.iter().filter_map(|mark| match mark {
        Mark::Line { name, .. } => Some(name.as_str()),
        Mark::Reference { label, .. } => Some(label.as_str()),
        _ => None,
    })
}

/// Lines are told apart by their dashes as well, and named beside a sample of them, when there are more than
/// three.
pub(super) fn many_lines(panel: &Panel) -> bool {
    panel.marks.iter().filter(|mark| matches!(mark, Mark::Line { .. })).count() > 3
}

/// From the plot to the names in its right margin.
pub(super) fn leader(panel: &Panel) -> f64 {
    if many_lines(panel) { LEADER + SAMPLE + SAMPLE_GAP } else { LEADER }
}

/// A name in the rows above a plot on a narrow page.
pub(super) struct Item {
    pub(super) row: usize,
    /// Of the sample, from the left end of the row.
    left: f64,
    text: String,
    colour: Colour,
    mark: usize,
}

/// The names of lines in rows of `width`, on a narrow page with more than one.
pub(super) fn legend(panel: &Panel, style: &Style, width: f64) -> Vec<Item> {
    let font = style.font();
    let lines = panel.marks.iter().enumerate().filter_map(|(mark, content)| match content {
        Mark::Line { name, colour, .. } if !name.is_empty() => Some((mark, name, *colour)),
        _ => None,
    });
    if !style.compact || lines.clone().count() < 2 {
        return Vec::new();
    }
    let (mut row, mut left) = (0, 0.0);
    let place = |(mark, name, colour): (usize, &String, Colour)| {
        let text = shorten(name, font, (width - SAMPLE - SAMPLE_GAP).max(font));
        let taken = SAMPLE + SAMPLE_GAP + text_width(&text, font);
        if left > 0.0 && left + taken > width {
            row += 1;
            left = 0.0;
        }
        let item = Item { row, left, text, colour, mark };
        left += taken + 14.0;
        item
    };
    lines.map(place).collect()
}

/// A name and where the thing it names leaves the plot.
struct End {
    text: String,
    y: f64,
    ink: Ink,
    colour: Colour,
    mark: usize,
    /// In the margin, or inside.
    margin: bool,
    /// The thing reaches the right end of the plot.
    reaches: bool,
}

/// Places every label of `panel`; `ends` are those of the width that may be used.
pub(super) fn place(panel: &Panel, style: &Style, placed: &mut PanelLayout, (start, limit): (f64, f64)) {
    let font = style.font();
    spans(panel, placed, font);
    let legend = legend(panel, style, limit - start);
    let rows = legend.iter().map(|item| item.row + 1).max().unwrap_or(0);
    for item in &legend {
        let y = placed.strip.top - 4.0 - (count(rows - item.row) - 0.5) * line(font);
        let left = start + item.left;
        placed.samples.push(((left, y), (left + SAMPLE, y), item.colour, !jagged_mark(panel, item.mark, placed)));
        let at = (left + SAMPLE + SAMPLE_GAP, y);
        let ink = Ink::Data(item.colour);
        placed.texts.push(Tag { text: item.text.clone(), at, side: Side::Left, ink, patch: false });
    }
    let mut taken = Taken::new(panel, placed);
    let mut ends = ends(panel, placed);
    let many = many_lines(panel);
    let apart = font * 1.25;
    if !legend.is_empty() {
        ends.retain(|end| end.ink == Ink::Soft);
    }
    // Curves that end in one place cannot be told apart there, but for a sample of each.
    let ys: Vec<f64> = ends.iter().map(|end| end.y).collect();
    for (at, end) in ends.iter_mut().enumerate() {
        let near = |other: usize, y: &f64| other != at && (y - end.y).abs() < font * 0.35;
        let line = matches!(end.ink, Ink::Data(_));
        let crowded = line && !many && ys.iter().enumerate().any(|(other, y)| near(other, y));
        end.margin = (end.margin || many) && !style.compact && placed.bar.is_none() && !crowded;
    }

    let (mut margin, inside): (Vec<End>, Vec<End>) = ends.into_iter().partition(|end| end.margin);
    // Those of the first marks, where the plot is too low for all.
    let mut room = ((placed.plot.bottom - placed.plot.top) / apart).floor() + 1.0;
    margin.retain(|_| {
        room -= 1.0;
        room >= 0.0
    });
    margin.sort_by(|a, b| a.y.total_cmp(&b.y));
    let spread =
        spread(&margin.iter().map(|end| end.y).collect::<Vec<_>>(), apart, placed.plot.top, placed.plot.bottom);
    for (end, y) in margin.iter().zip(spread) {
        let edge = placed.plot.right;
        let moved = (y - end.y).abs() > 2.0;
        if moved && end.reaches {
            placed.leaders.push(((edge + 1.0, end.y), (edge + LEADER - 2.0, y), end.colour));
        }
        let mut x = edge + LEADER;
        if many && matches!(end.ink, Ink::Data(_)) {
            let from = if end.reaches && !moved { edge + 2.0 } else { x };
            placed.samples.push(((from, y), (x + SAMPLE, y), end.colour, !jagged_mark(panel, end.mark, placed)));
            x += SAMPLE + SAMPLE_GAP;
        }
        let text = shorten(&end.text, font, (limit - x).max(font));
        placed.texts.push(Tag { text, at: (x, y), side: Side::Left, ink: end.ink, patch: false });
    }
    for end in &inside {
        let tag = match &panel.marks[end.mark] {
            Mark::Line { x, y, .. } => beside_curve(end, x, y, placed, &taken, font),
            _ => beside_reference(end, placed, &taken, font),
        };
        // Over bars a name would hide what it names: it goes above the plot, with a sample of the line.
        let covering = tag.as_ref().is_none_or(|tag| taken.hidden(&tag.bounds(font)) > 4.0);
        if covering && end.ink == Ink::Soft && key_above(end, placed, font) {
            continue;
        }
        if let Some(tag) = tag {
            taken.texts.push(tag.bounds(font));
            placed.texts.push(tag);
        }
    }
    points(panel, placed, &mut taken, font, limit);
}

fn ends(panel: &Panel, placed: &PanelLayout) -> Vec<End> {
    let mut ends = Vec::new();
    for (mark, content) in panel.marks.iter().enumerate() {
        match content {
            Mark::Line { name, x, y, colour } if !name.is_empty() => {
                let last = curve(x, y, &placed.x, &placed.y, &placed.plot).into_iter().next_back();
                let Some((at_x, at_y)) = last.and_then(|piece| piece.last().copied()) else { continue };
                let margin = placed.plot.right - at_x < placed.plot.width() * 0.08;
                let reaches = placed.plot.right - at_x < 4.0;
                let ink = Ink::Data(*colour);
                ends.push(End { text: name.clone(), y: at_y, ink, colour: *colour, mark, margin, reaches });
            }
            Mark::Reference { y, label } if !label.is_empty() => {
                let at = placed.y.at(*y).filter(|at| (placed.plot.top..=placed.plot.bottom).contains(at));
                let Some(at) = at else { continue };
                ends.push(End {
                    text: label.clone(),
                    y: at,
                    ink: Ink::Soft,
                    colour: Colour::Muted,
                    mark,
                    margin: true,
                    reaches: true,
                });
            }
            _ => {}
        }
    }
    ends
}

/// Moves sorted heights as little as needed to be `apart` from each other within `top..=bottom`.
fn spread(wanted: &[f64], apart: f64, top: f64, bottom: f64) -> Vec<f64> {
    // Blocks of touching labels, each centred on what its members want: (first height, members).
    let mut blocks: Vec<(f64, Vec<f64>)> = Vec::new();
    for want in wanted {
        blocks.push((*want, vec![*want]));
        while let [.., before, last] = blocks.as_slice() {
            if before.0 + count(before.1.len()) * apart <= last.0 {
                break;
            }
            let members: Vec<f64> = before.1.iter().chain(&last.1).copied().collect();
            let start = members.iter().enumerate().map(|(at, want)| want - count(at) * apart).sum::<f64>()
                / count(members.len());
            blocks.truncate(blocks.len() - 2);
            blocks.push((start, members));
        }
    }
    let mut heights: Vec<f64> = blocks
        .iter()
        .flat_map(|(start, members)| (0..members.len()).map(move |at| start + count(at) * apart))
        .collect();
    let mut least = top;
    for height in &mut heights {
        *height = height.max(least);
        least = *height + apart;
    }
    let mut most = bottom;
    for height in heights.iter_mut().rev() {
        *height = height.min(most);
        most = *height - apart;
    }
    heights
}

fn jagged_mark(panel: &Panel, mark: usize, placed: &PanelLayout) -> bool {
    let Some(Mark::Line { x, y, .. }) = panel.marks.get(mark) else { return false };
    jagged(&curve(x, y, &placed.x, &placed.y, &placed.plot))
}

/// The names of spans, in the strip above the plot, where they fit.
fn spans(panel: &Panel, placed: &mut PanelLayout, font: f64) {
    let y = placed.strip.top + line(font) / 2.0;
    for mark in &panel.marks {
        let Mark::Spans { from, to, labels, .. } = mark else { continue };
        for ((from, to), label) in from.iter().zip(to).zip(labels) {
            let Some((left, right)) = span(*from, *to, &placed.x, &placed.plot) else { continue };
            if !label.is_empty() && text_width(label, font) + 9.0 <= right - left {
                let at = (left + 4.0, y);
                placed.texts.push(Tag { text: label.clone(), at, side: Side::Left, ink: Ink::Full, patch: false });
            }
        }
    }
}

/// What labels should not cover.
struct Taken {
    data: Vec<Point>,
    texts: Vec<Rect>,
}

impl Taken {
    fn new(panel: &Panel, placed: &PanelLayout) -> Self {
        let (x, y, plot) = (&placed.x, &placed.y, &placed.plot);
        let mut data = Vec::new();
        let column = |from: f64, to: f64, at: f64, data: &mut Vec<Point>| {
            let mut height = from;
            while height <= to {
                data.push((at, height));
                height += 5.0;
            }
        };
        for mark in &panel.marks {
            match mark {
                Mark::Line { x: xs, y: ys, .. } => {
                    for piece in curve(xs, ys, x, y, plot) {
                        piece.windows(2).for_each(|pair| along(pair[0], pair[1], &mut data));
                    }
                }
                Mark::Band { x: xs, low, high, opacity, .. } if *opacity > 0.5 => {
                    for ribbon in band(xs, low, high, x, y, plot) {
                        for ((at, top), bottom) in ribbon.xs.iter().zip(&ribbon.tops).zip(&ribbon.bottoms) {
                            column(*top, *bottom, *at, &mut data);
                        }
                    }
                }
                Mark::Bars { edges, heights, .. } => {
                    for (left, top, right, bottom) in bars(edges, heights, placed.gap, x, y, plot, 1.0) {
                        let mut at = left;
                        while at <= right {
                            column(top, bottom, at, &mut data);
                            at += 5.0;
                        }
                    }
                }
                Mark::Points { x: xs, y: ys, .. } => {
                    let at = xs.iter().zip(ys).filter_map(|(a, b)| Some((x.at(*a)?, y.at(*b)?)));
                    for (at_x, at_y) in at.take(20_000) {
                        let around = [(0.0, 0.0), (-4.0, 0.0), (4.0, 0.0), (0.0, -4.0), (0.0, 4.0)];
                        data.extend(around.map(|(dx, dy)| (at_x + dx, at_y + dy)));
                    }
                }
                Mark::Intervals { x: xs, low, high, .. } => {
                    let ends = xs.iter().zip(low).zip(high);
                    let ends = ends.filter_map(|((at, l), h)| Some((x.at(*at)?, y.at(*l)?, y.at(*h)?)));
                    for (at, a, b) in ends.take(2000) {
                        column(a.min(b).max(plot.top), a.max(b).min(plot.bottom), at, &mut data);
                    }
                }
                Mark::Reference { .. }
                | Mark::Band { .. }
                | Mark::Cells { .. }
                | Mark::Spans { .. }
                | Mark::Boxes { .. }
                | Mark::Graph { .. } => {}
            }
        }
        Self { data, texts: Vec::new() }
    }

    /// How much a text over `bounds` would hide.
    fn hidden(&self, bounds: &Rect) -> f64 {
        let bounds = bounds.grown(2.0);
        let data = self.data.iter().filter(|point| bounds.contains(**point)).count();
        let texts = self.texts.iter().filter(|text| bounds.meets(text)).count();
        count(data) + 100.0 * count(texts)
    }
}

/// Samples of a segment every few pixels.
fn along(from: Point, to: Point, out: &mut Vec<Point>) {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    let steps = (length / 4.0).ceil().clamp(1.0, 1000.0);
    let mut step = 0.0;
    while step <= steps {
        let share = step / steps;
        out.push((from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)));
        step += 1.0;
    }
}

/// Above or below a curve, where it hides the least, to the right if there is a choice.
fn beside_curve(end: &End, xs: &[f64], ys: &[f64], placed: &PanelLayout, taken: &Taken, font: f64) -> Option<Tag> {
    let plot = &placed.plot;
    let text = shorten(&end.text, font, plot.width() - 8.0);
    let width = text_width(&text, font);
    let mut own = Vec::new();
    for piece in curve(xs, ys, &placed.x, &placed.y, plot) {
        piece.windows(2).for_each(|pair| along(pair[0], pair[1], &mut own));
    }
    let mut best: Option<(f64, Tag)> = None;
    let mut left = plot.right - width - 4.0;
    while left >= plot.left + 4.0 {
        let under = own.iter().filter(|(x, _)| (left - 2.0..=left + width + 2.0).contains(x)).map(|(_, y)| *y);
        let (top, bottom) = under.fold((f64::INFINITY, f64::NEG_INFINITY), |span, y| (span.0.min(y), span.1.max(y)));
        if top <= bottom {
            for y in [top - font * 0.8, bottom + font * 0.8] {
                let tag = Tag { text: text.clone(), at: (left, y), side: Side::Left, ink: end.ink, patch: true };
                let bounds = tag.bounds(font);
                if bounds.top < plot.top || bounds.bottom > plot.bottom {
                    continue;
                }
                // A steep curve leaves its name at one end only.
                let cost = taken.hidden(&bounds) + (plot.right - left - width) * 0.01 + (bottom - top) * 0.15;
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, tag));
                }
            }
        }
        left -= 8.0;
    }
    best.map(|(_, tag)| tag)
}

/// On a reference line, at either end, above or below it.
fn beside_reference(end: &End, placed: &PanelLayout, taken: &Taken, font: f64) -> Option<Tag> {
    let plot = &placed.plot;
    let text = shorten(&end.text, font, plot.width() - 8.0);
    let places = [(plot.right - 4.0, Side::Right), (plot.left + 4.0, Side::Left)];
    let heights = [end.y - font * 0.75, end.y + font * 0.8];
    let tags = places
        .into_iter()
        .flat_map(|(x, side)| heights.map(|y| Tag { text: text.clone(), at: (x, y), side, ink: end.ink, patch: true }));
    let inside = tags.filter(|tag| {
        let bounds = tag.bounds(font);
        bounds.top >= plot.top - font && bounds.bottom <= plot.bottom
    });
    inside.min_by(|a, b| taken.hidden(&a.bounds(font)).total_cmp(&taken.hidden(&b.bounds(font))))
}

/// A label right of the axis title, if there is room for it.
fn key_above(end: &End, placed: &mut PanelLayout, font: f64) -> bool {
    let y = placed.title_y;
    let row = |tag: &&Tag| (tag.at.1 - y).abs() < font;
    let taken = placed.texts.iter().filter(row).map(|tag| tag.bounds(font));
    let (titles, keys): (Vec<Rect>, Vec<Rect>) = taken.partition(|bounds| bounds.left < placed.plot.left + 1.0);
    let right = keys.iter().map(|bounds| bounds.left - 34.0).fold(placed.plot.right, f64::min);
    let free = titles.iter().map(|bounds| bounds.right + 12.0).fold(0.0, f64::max);
    let left = right - text_width(&end.text, font) - 26.0;
    if left < free {
        return false;
    }
    placed.keys.push((left, left + 20.0, y));
    placed.texts.push(Tag { text: end.text.clone(), at: (right, y), side: Side::Right, ink: Ink::Soft, patch: false });
    true
}

/// Labels of points: right, left, above, below or at a corner, whichever hides the least.
fn points(panel: &Panel, placed: &mut PanelLayout, taken: &mut Taken, font: f64, limit: f64) {
    let labelled = panel.marks.iter().map(|mark| match mark {
        Mark::Points { labels, .. } => labels.iter().filter(|label| !label.is_empty()).count(),
        _ => 0,
    });
    if labelled.sum::<usize>() > MOST_LABELLED {
        return;
    }
    // The main data first: it gets the better places.
    let mut marks: Vec<&Mark> = panel.marks.iter().collect();
    marks.sort_by_key(|mark| if let Mark::Points { colour, .. } = mark { colour.place() } else { usize::MAX });
    for mark in marks {
        let Mark::Points { x: xs, y: ys, labels, colour } = mark else { continue };
        for ((a, b), label) in xs.iter().zip(ys).zip(labels) {
            let (Some(x), Some(y)) = (placed.x.at(*a), placed.y.at(*b)) else { continue };
            if label.is_empty() || !placed.plot.grown(1.0).contains((x, y)) {
                continue;
            }
            let ink = if *colour == Colour::Muted { Ink::Soft } else { Ink::Full };
            let far = 8.0;
            let (up, down) = (y - font * 0.95, y + font * 0.95);
            let places = [
                (x + far, y, Side::Left),
                (x - far, y, Side::Right),
                (x, y - font * 1.1, Side::Centre),
                (x, y + font * 1.15, Side::Centre),
                (x + far * 0.7, up, Side::Left),
                (x + far * 0.7, down, Side::Left),
                (x - far * 0.7, up, Side::Right),
                (x - far * 0.7, down, Side::Right),
            ];
            let bounds_ok = |bounds: &Rect| {
                bounds.left >= placed.plot.left - 2.0
                    && bounds.right <= limit
                    && bounds.top >= placed.plot.top - 4.0
                    && bounds.bottom <= placed.plot.bottom
            };
            let mut best: Option<(f64, Tag)> = None;
            for (preference, (x, y, side)) in places.into_iter().enumerate() {
                let text = shorten(label, font, placed.plot.width() * 0.6);
                let tag = Tag { text, at: (x, y), side, ink, patch: true };
                let bounds = tag.bounds(font);
                let cost = taken.hidden(&bounds) + 0.3 * count(preference);
                if bounds_ok(&bounds) && best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, tag));
                }
            }
            // No room without covering another name: the readout has it.
            if let Some((_, tag)) = best.filter(|(cost, _)| *cost < 100.0) {
                taken.texts.push(tag.bounds(font));
                placed.texts.push(tag);
            }
        }
    }
}
