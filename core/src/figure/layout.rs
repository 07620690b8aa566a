//! Where everything is. Drawing and the readout under the pointer share this, so they cannot disagree.

use super::{
    Axis, Colour, ColourMap, Figure, Mark, Panel, Style, cells, labels,
    metrics::{shorten, text_width},
    number::brief,
    path::{Point, Rect},
    scale::{Scale, Tick, count, domain},
};

/// Length of a tick.
pub(super) const TICK: f64 = 4.0;

/// Between a tick and its text.
const TICK_GAP: f64 = 4.0;

/// Width of a colour bar.
const BAR: f64 = 12.0;

/// Between a plot and its colour bar.
const BAR_GAP: f64 = 14.0;

/// The numbers of a colour bar have room for this, whatever the values are.
const BAR_NUMBER: &str = "−0.0000";

/// Names beside a plot are cut to this share of the width.
const MOST_OF_WIDTH: f64 = 0.28;

/// Rotated names are cut to this length.
const LONGEST_NAME: f64 = 84.0;

/// A figure, placed; lengths are CSS pixels.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Where the heading is and how large its font.
    pub(super) heading: Option<(Point, f64, String)>,
    pub(super) panels: Vec<PanelLayout>,
}

impl Layout {
    /// The panel that is nearest to a height, among those that do.
    pub(super) fn nearest(&self, y: f64, does: impl Fn(usize) -> bool) -> Option<usize> {
        let far = |at: usize| {
            let plot = &self.panels[at].plot;
            (plot.top - y).max(y - plot.bottom).max(0.0)
        };
        (0..self.panels.len()).filter(|&at| does(at)).min_by(|&a, &b| far(a).total_cmp(&far(b)))
    }
}

/// A panel, placed.
#[derive(Clone, Debug)]
pub(super) struct PanelLayout {
    pub(super) plot: Rect,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    /// Names under the axis read upwards.
    pub(super) rotated: bool,
    pub(super) texts: Vec<Tag>,
    /// Height of the row of titles above the plot.
    pub(super) title_y: f64,
    /// The strip of span names above the plot, which is empty without.
    pub(super) strip: Rect,
    pub(super) bar: Option<Bar>,
    /// Samples of lines beside their names: from, to, colour, and whether it has its dashes.
    pub(super) samples: Vec<(Point, Point, Colour, bool)>,
    /// Samples of a dashed line beside labels above the plot: left, right, height.
    pub(super) keys: Vec<(f64, f64, f64)>,
    /// From the end of a line to its moved label.
    pub(super) leaders: Vec<(Point, Point, Colour)>,
    pub(super) empty: bool,
    /// Space between bars.
    pub(super) gap: f64,
}

/// The colour bar of a panel, placed.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) rect: Rect,
    /// Beside the plot; else below it.
    pub(super) vertical: bool,
    pub(super) map: ColourMap,
    pub(super) ticks: Vec<Tick>,
}

/// Which side of a text its point is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Centre,
    Right,
}

/// How a text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Full,
    Soft,
    Data(Colour),
}

/// A text; `at` is at the height of the middle of its capitals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tag {
    pub(super) text: String,
    pub(super) at: Point,
    pub(super) side: Side,
    pub(super) ink: Ink,
    /// On a patch of surface, because data may be behind.
    pub(super) patch: bool,
}

impl Tag {
    /// What it covers.
    pub(super) fn bounds(&self, font: f64) -> Rect {
        let width = text_width(&self.text, font);
        let left = match self.side {
            Side::Left => self.at.0,
            Side::Centre => self.at.0 - width / 2.0,
            Side::Right => self.at.0 - width,
        };
        Rect { left, top: self.at.1 - font * 0.6, right: left + width, bottom: self.at.1 + font * 0.65 }
    }
}

/// The vertical bands of a panel outside of its plot.
struct Chrome {
    above: f64,
    below: f64,
    ticked: bool,
    titled: bool,
    /// Of `above`: the legend of a narrow page.
    legend: f64,
    /// Of `above`: the names of spans.
    strip: f64,
    /// Of `below`: the colour bar of a narrow page.
    bar: f64,
}

/// Height of a line of text.
pub(super) fn line(font: f64) -> f64 {
    (font * 1.35).round()
}

/// Where the title of the y axis is, above what else is above its plot.
fn title_height(top: f64, font: f64) -> f64 {
    top - 6.0 - line(font) / 2.0
}

/// A height in CSS pixels that suits `figure` at this CSS width.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a clamped length in pixels")]
pub fn preferred_height(figure: &Figure, width: f64, style: &Style) -> u32 {
    let width = if width.is_finite() { width.clamp(120.0, 4000.0) } else { 640.0 };
    let pad = padding(style);
    let weights: f64 = figure.panels.iter().map(weight).sum();
    let heaviest = figure.panels.iter().map(weight).fold(1e-6, f64::max);
    let plot = (width * 0.42).clamp(170.0, 340.0);
    let chrome: f64 =
        (0..figure.panels.len()).map(|at| chrome(figure, at, style, width)).map(|c| c.above + c.below).sum();
    let tallest_names =
        figure.panels.iter().map(|panel| if panel.x.names.len() > 12 { 24.0 } else { 0.0 }).sum::<f64>();
    let height = 2.0 * pad
        + heading_height(figure, style)
        + chrome
        + tallest_names
        + plot * (weights / heaviest).clamp(1.0, 2.5);
    height.round().clamp(120.0, 2000.0) as u32
}

fn padding(style: &Style) -> f64 {
    if style.heading { 16.0 } else { 4.0 }
}

fn heading_height(figure: &Figure, style: &Style) -> f64 {
    if style.heading && !figure.title.is_empty() { line(heading_font(style)) + 6.0 } else { 0.0 }
}

fn heading_font(style: &Style) -> f64 {
    style.font() + 3.0
}

fn weight(panel: &Panel) -> f64 {
    if panel.weight.is_finite() && panel.weight > 0.0 { panel.weight.clamp(0.01, 100.0) } else { 1.0 }
}

/// Two neighbours that show the same quantity to the right keep to one axis.
fn same_x(a: &Panel, b: &Panel) -> bool {
    a.x.title == b.x.title
        && a.x.logarithmic == b.x.logarithmic
        && a.x.names.is_empty()
        && b.x.names.is_empty()
        && a.x.range == b.x.range
}

fn chrome(figure: &Figure, at: usize, style: &Style, width: f64) -> Chrome {
    let font = style.font();
    let panel = &figure.panels[at];
    let last_of_column = figure.panels.get(at + 1).is_none_or(|next| !same_x(panel, next));
    let titled = last_of_column && !panel.x.title.is_empty();
    let cells = cells_of(panel);
    let (wide, narrow) = (cells.filter(|_| !style.compact), cells.filter(|_| style.compact));
    let headed = !panel.y.title.is_empty() || wide.is_some_and(|cells| !cells.title.is_empty());
    let legend = labels::legend(panel, style, width - 2.0 * padding(style)).iter().map(|item| item.row + 1).max();
    let legend = legend.map_or(0.0, |rows| count(rows) * line(font) + 4.0);
    let spans = panel.marks.iter().any(|mark| matches!(mark, Mark::Spans { .. }));
    let strip = if spans { line(font) } else { 0.0 };
    let title = if headed { line(font) + 6.0 } else { (font * 0.6).round() };
    let ticks = if panel.x.hidden {
        2.0
    } else if last_of_column {
        TICK + TICK_GAP + line(font)
    } else {
        TICK
    };
    let bar = narrow.map_or(0.0, |cells| {
        let title = if cells.title.is_empty() { 0.0 } else { line(font) + 2.0 };
        8.0 + title + BAR + TICK + TICK_GAP + line(font)
    });
    Chrome {
        above: title + legend + strip + if at > 0 { 12.0 } else { 0.0 },
        below: ticks + bar + if titled { line(font) + 2.0 } else { 0.0 },
        ticked: last_of_column,
        titled,
        legend,
        strip,
        bar,
    }
}

/// What the colour bar of a panel explains.
#[derive(Clone, Copy)]
struct Cells<'a> {
    values: &'a [f64],
    title: &'a str,
    range: Option<(f64, f64)>,
    map: ColourMap,
}

fn cells_of(panel: &Panel) -> Option<Cells<'_>> {
    panel.marks.iter().find_map(|mark| match mark {
        Mark::Cells { values, title, range, map, .. } => Some(Cells { values, title, range: *range, map: *map }),
        _ => None,
    })
}

/// The extent of what is drawn: `(low, high)` for x and for y; infinite ends when there is nothing.
pub(super) fn extent(panel: &Panel) -> [(f64, f64); 2] {
    let mut x = (f64::INFINITY, f64::NEG_INFINITY);
    let mut y = x;
    let (log_x, log_y) = (panel.x.logarithmic, panel.y.logarithmic);
    let grow = |span: &mut (f64, f64), value: f64, logarithmic: bool| {
        if value.is_finite() && (!logarithmic || value > 0.0) {
            *span = (span.0.min(value), span.1.max(value));
        }
    };
    for mark in &panel.marks {
        match mark {
            Mark::Line { x: xs, y: ys, .. } | Mark::Points { x: xs, y: ys, .. } => {
                for (a, b) in xs.iter().zip(ys).filter(|(a, b)| a.is_finite() && b.is_finite()) {
                    grow(&mut x, *a, log_x);
                    grow(&mut y, *b, log_y);
                }
            }
            Mark::Band { x: xs, low, high, .. } | Mark::Intervals { x: xs, low, high, .. } => {
                for ((a, low), high) in
                    xs.iter().zip(low).zip(high).filter(|((_, l), h)| l.is_finite() && h.is_finite())
                {
                    grow(&mut x, *a, log_x);
                    grow(&mut y, *low, log_y);
                    grow(&mut y, *high, log_y);
                }
            }
            Mark::Bars { edges, heights, .. } => {
                for edge in edges.iter().take(heights.len() + 1) {
                    grow(&mut x, *edge, log_x);
                }
                for height in heights {
                    grow(&mut y, *height, log_y);
                }
                if !heights.is_empty() {
                    grow(&mut y, 0.0, log_y);
                }
            }
            Mark::Cells { x: columns, y: rows, .. } => {
                columns.iter().for_each(|edge| grow(&mut x, *edge, log_x));
                rows.iter().for_each(|edge| grow(&mut y, *edge, log_y));
            }
            Mark::Spans { from, to, .. } => {
                from.iter().chain(to).for_each(|end| grow(&mut x, *end, log_x));
            }
            Mark::Boxes { from, to, low, high, .. } => {
                from.iter().chain(to).for_each(|end| grow(&mut x, *end, log_x));
                low.iter().chain(high).for_each(|end| grow(&mut y, *end, log_y));
            }
            Mark::Graph { x: xs, y: ys, .. } => {
                xs.iter().for_each(|at| grow(&mut x, *at, log_x));
                ys.iter().for_each(|at| grow(&mut y, *at, log_y));
            }
            Mark::Reference { .. } => {}
        }
    }
    if x.0 <= x.1 {
        for mark in &panel.marks {
            if let Mark::Reference { y: value, .. } = mark {
                grow(&mut y, *value, log_y);
            }
        }
    }
    if !panel.x.names.is_empty() && x.0 <= x.1 && panel.x.range.is_none() {
        x = (x.0.min(-0.5), x.1.max(count(panel.x.names.len()) - 0.5));
    }
    [x, y]
}

/// Lower and upper margin of the y axis, as shares of what it shows.
pub(super) fn margins(panel: &Panel, (low, high): (f64, f64)) -> (f64, f64) {
    if cells_of(panel).is_some() {
        return (0.0, 0.0);
    }
    let bars = panel.marks.iter().any(|mark| matches!(mark, Mark::Bars { .. }));
    if bars && !panel.y.logarithmic {
        return (if low < 0.0 { 0.06 } else { 0.0 }, if high > 0.0 { 0.06 } else { 0.0 });
    }
    // Near zero, zero itself is the end that means something.
    let near = !panel.y.logarithmic && low >= 0.0 && low <= 0.06 * (high - low);
    (if near { (low / (high - low).max(f64::MIN_POSITIVE)).min(0.06) } else { 0.06 }, 0.06)
}

/// What each panel shows of x and of y.
pub(super) fn scales(figure: &Figure) -> Vec<[(f64, f64); 2]> {
    let extents: Vec<[(f64, f64); 2]> = figure.panels.iter().map(extent).collect();
    let panels = &figure.panels;
    let mut out = Vec::with_capacity(panels.len());
    let mut start = 0;
    while start < panels.len() {
        let mut end = start + 1;
        while end < panels.len() && same_x(&panels[end - 1], &panels[end]) {
            end += 1;
        }
        let shared = extents[start..end]
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |span, [x, _]| (span.0.min(x.0), span.1.max(x.1)));
        let single = |mark: &Mark| matches!(mark, Mark::Points { .. } | Mark::Intervals { .. });
        let cells = panels[start..end].iter().any(|panel| cells_of(panel).is_some());
        let points = !cells && panels[start..end].iter().any(|panel| panel.marks.iter().any(single));
        let side = if points { 0.05 } else { 0.0 };
        for at in start..end {
            let y = extents[at][1];
            let x = domain(&panels[at].x, shared.0, shared.1, (side, side));
            out.push([x, domain(&panels[at].y, y.0, y.1, margins(&panels[at], y))]);
        }
        start = end;
    }
    out
}

/// Places `figure` on `size` CSS pixels.
pub(super) fn layout(figure: &Figure, style: &Style, size: (f64, f64)) -> Layout {
    let planned = right_margin(figure, style, size.0);
    let layout = arranged(figure, style, size, planned);
    // Names that went inside need no margin.
    let outside = layout.panels.iter().flat_map(|placed| {
        let right = placed.plot.right;
        let outside = placed.texts.iter().filter(move |tag| tag.side == Side::Left && tag.at.0 >= right);
        outside.map(move |tag| tag.at.0 - right + text_width(&tag.text, style.font()))
    });
    let widest = outside.fold(bar_margin(figure, style).max(14.0), f64::max);
    if widest + 8.0 < planned { arranged(figure, style, size, widest.ceil()) } else { layout }
}

/// With a given margin right of the plots.
fn arranged(figure: &Figure, style: &Style, size: (f64, f64), right: f64) -> Layout {
    let font = style.font();
    let pad = padding(style);
    let domains = scales(figure);
    let head = heading_height(figure, style);
    let heading = (head > 0.0).then(|| {
        let size_of = heading_font(style);
        let title = shorten(&figure.title, size_of * 1.04, size.0 - 2.0 * pad);
        ((pad, pad + line(size_of) / 2.0), size_of, title)
    });

    // Heights: what text leaves is shared by weight.
    let chromes: Vec<Chrome> = (0..figure.panels.len()).map(|at| chrome(figure, at, style, size.0)).collect();
    let guess = (size.0 - 2.0 * pad - 48.0 - right).max(24.0);
    let names: Vec<Names> = figure
        .panels
        .iter()
        .zip(&domains)
        .map(|(panel, [x, _])| Names::fit(&panel.x, guess / (x.1 - x.0), font))
        .collect();
    let fixed: f64 =
        chromes.iter().map(|c| c.above + c.below).sum::<f64>() + names.iter().map(|n| n.extra).sum::<f64>();
    let free = (size.1 - 2.0 * pad - head - fixed).max(0.0);
    let weights: f64 = figure.panels.iter().map(weight).sum::<f64>().max(1e-9);

    let mut top = pad + head;
    let mut panels = Vec::with_capacity(figure.panels.len());
    for (((panel, [x, y]), chrome), names) in figure.panels.iter().zip(&domains).zip(&chromes).zip(names) {
        let plot_top = (top + chrome.above).round();
        let plot_bottom = (plot_top + (free * (weight(panel) / weights)).max(8.0)).round();
        top = plot_bottom + chrome.below + names.extra;
        let y = Scale { low: y.0, high: y.1, logarithmic: panel.y.logarithmic, from: plot_bottom, to: plot_top };
        let apart = if style.compact { 26.0 } else { ((plot_bottom - plot_top) / 7.0).clamp(30.0, 56.0) };
        let y_ticks = if panel.y.hidden {
            Vec::new()
        } else if panel.y.names.is_empty() {
            y.ticks_up(apart, font * 1.5)
        } else {
            named_ticks(&panel.y, &y, font, size.0 * MOST_OF_WIDTH)
        };
        let plot = Rect { left: 0.0, top: plot_top, right: size.0, bottom: plot_bottom };
        let x = Scale { low: x.0, high: x.1, logarithmic: panel.x.logarithmic, from: 0.0, to: 1.0 };
        panels.push((panel, chrome, names, plot, x, y, y_ticks));
    }

    // One left edge for all plots.
    let widest = panels.iter().flat_map(|panel| &panel.6).map(|tick| text_width(&tick.text, font)).fold(0.0, f64::max);
    let left = (pad + widest + TICK_GAP + TICK).ceil().min(size.0 * 0.4);
    let right = (size.0 - pad - right).floor().max(left + 8.0);
    let placed = panels.into_iter().map(|(panel, chrome, names, plot, x, y, y_ticks)| {
        let plot = Rect { left, right, ..plot };
        let x = Scale { from: left, to: right, ..x };
        place(panel, style, chrome, &names, (plot, x, y, y_ticks), size.0, pad)
    });
    Layout { heading, panels: placed.collect() }
}

/// Names of a vertical axis, as many as have room: each a line high.
fn named_ticks(axis: &Axis, y: &Scale, font: f64, longest: f64) -> Vec<Tick> {
    let apart = ((y.to - y.from) / (y.high - y.low)).abs();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a number of names")]
    let stride = (line(font) / apart).ceil().clamp(1.0, count(axis.names.len()).max(1.0)) as usize;
    Names { stride, longest, ..Names::default() }.ticks(axis, y, font)
}

type Frame = (Rect, Scale, Scale, Vec<Tick>);

fn place(
    panel: &Panel,
    style: &Style,
    chrome: &Chrome,
    names: &Names,
    frame: Frame,
    width: f64,
    pad: f64,
) -> PanelLayout {
    let font = style.font();
    let (plot, x, y, y_ticks) = frame;
    let mut x_ticks = if panel.x.names.is_empty() {
        x.ticks_across(if style.compact { 48.0 } else { 72.0 }, font, 14.0)
    } else {
        names.ticks(&panel.x, &x, font)
    };
    if panel.x.hidden {
        x_ticks.clear();
    }
    if !chrome.ticked {
        x_ticks.iter_mut().for_each(|tick| tick.text.clear());
    }
    let mut texts = Vec::new();
    let title_y = title_height(plot.top - chrome.legend - chrome.strip, font);
    let title = |text: &str, at: Point, side: Side, beside: f64| Tag {
        text: shorten(text, font, width - 2.0 * pad - beside),
        at,
        side,
        ink: Ink::Soft,
        patch: false,
    };
    let mut bar = None;
    // What the title of the y axis leaves to that of a colour bar.
    let mut beside = 0.0;
    if let Some(cells) = cells_of(panel) {
        let placed = colour_bar(&cells, style, &plot, plot.bottom + chrome.below + names.extra - chrome.bar);
        if !cells.title.is_empty() {
            let room = (width - 2.0 * pad - text_width(&panel.y.title, font) - 16.0).max((width - 2.0 * pad) / 2.0);
            let (at, side, room) = if placed.vertical {
                ((width - pad, title_y), Side::Right, room)
            } else {
                ((plot.left, placed.rect.top - 2.0 - line(font) / 2.0), Side::Left, plot.width())
            };
            let tag = Tag { text: shorten(cells.title, font, room), at, side, ink: Ink::Soft, patch: false };
            beside = if placed.vertical { text_width(&tag.text, font) + 16.0 } else { 0.0 };
            texts.push(tag);
        }
        bar = Some(placed);
    }
    if !panel.y.title.is_empty() {
        texts.push(title(&panel.y.title, (pad, title_y), Side::Left, beside));
    }
    if chrome.titled {
        let at = plot.bottom + chrome.below + names.extra - chrome.bar - line(font) / 2.0;
        let half = text_width(&panel.x.title, font) / 2.0;
        let centre = f64::midpoint(plot.left, plot.right).min(width - pad - half).max(pad + half);
        texts.push(title(&panel.x.title, (centre, at), Side::Centre, 0.0));
    }
    let [(x_low, x_high), _] = extent(panel);
    let empty = x_low > x_high;
    let gap = if panel.x.names.is_empty() { 1.0 } else { (plot.width() / (x.high - x.low) * 0.18).clamp(1.0, 24.0) };
    let mut placed = PanelLayout {
        plot,
        x,
        y,
        x_ticks,
        y_ticks,
        rotated: names.rotated,
        texts,
        title_y,
        strip: Rect { top: plot.top - chrome.strip, bottom: plot.top, ..plot },
        bar,
        samples: Vec::new(),
        leaders: Vec::new(),
        keys: Vec::new(),
        empty,
        gap,
    };
    if empty {
        let at = (f64::midpoint(plot.left, plot.right), f64::midpoint(plot.top, plot.bottom));
        placed.texts.push(Tag { text: "no data".to_owned(), at, side: Side::Centre, ink: Ink::Soft, patch: false });
        placed.x_ticks.clear();
        placed.y_ticks.clear();
    } else {
        labels::place(panel, style, &mut placed, (pad, width - pad));
    }
    placed
}

/// Right of `plot`, or with its upper end at `below`.
fn colour_bar(cells: &Cells, style: &Style, plot: &Rect, below: f64) -> Bar {
    let font = style.font();
    let (low, high) = cells::ends(cells.values, cells.range, cells.map);
    let vertical = !style.compact;
    let rect = if vertical {
        let left = plot.right + BAR_GAP;
        Rect { left, right: left + BAR, ..*plot }
    } else {
        let top = (below + 8.0 + if cells.title.is_empty() { 0.0 } else { line(font) + 2.0 }).round();
        Rect { top, bottom: top + BAR, ..*plot }
    };
    let (from, to) = if vertical { (rect.bottom, rect.top) } else { (rect.left, rect.right) };
    let scale = Scale { low, high, logarithmic: false, from, to };
    let mut ticks = Vec::new();
    if cells::ends_known(cells.values, cells.range, cells.map) {
        ticks = if vertical { scale.ticks_up(40.0, font * 1.5) } else { scale.ticks_across(48.0, font, 14.0) };
    }
    if vertical {
        let room = text_width(BAR_NUMBER, font);
        for tick in ticks.iter_mut().filter(|tick| text_width(&tick.text, font) > room) {
            let share = (tick.at - from) / (to - from);
            tick.text = brief(low * (1.0 - share) + high * share, |text| text_width(text, font) <= room);
        }
    }
    Bar { rect, vertical, map: cells.map, ticks }
}

/// Room for colour bars right of the plots.
fn bar_margin(figure: &Figure, style: &Style) -> f64 {
    if style.compact || figure.panels.iter().all(|panel| cells_of(panel).is_none()) {
        return 0.0;
    }
    (BAR_GAP + BAR + TICK + TICK_GAP + text_width(BAR_NUMBER, style.font())).ceil()
}

/// Room for labels right of the plots.
fn right_margin(figure: &Figure, style: &Style, width: f64) -> f64 {
    let font = style.font();
    if style.compact {
        return 10.0;
    }
    let room = |panel| {
        let leader = labels::leader(panel);
        labels::marginal(panel).map(move |label| text_width(label, font) + leader).fold(0.0, f64::max)
    };
    let widest = figure.panels.iter().filter(|panel| cells_of(panel).is_none()).map(room).fold(0.0, f64::max);
    let names = if widest == 0.0 { 14.0 } else { widest.min(width * labels::WIDEST).ceil() };
    names.max(bar_margin(figure, style))
}

/// How the names of a category axis are shown.
#[derive(Default)]
struct Names {
    rotated: bool,
    /// Every how many.
    stride: usize,
    /// Longer names are cut.
    longest: f64,
    /// Height beyond a line of text.
    extra: f64,
}

impl Names {
    /// Horizontally if all or most fit, else upwards, else every second, fifth, tenth …
    fn fit(axis: &Axis, each: f64, font: f64) -> Self {
        if axis.names.is_empty() {
            return Self::default();
        }
        let widest = axis.names.iter().map(|name| text_width(name, font)).fold(0.0, f64::max);
        let straight = |stride: usize| widest + 6.0 <= each * count(stride);
        let fitting = axis.names.iter().filter(|name| text_width(name, font) + 6.0 <= each).count();
        if straight(1) || (each >= font * 3.0 && fitting * 4 >= axis.names.len() * 3) {
            return Self { stride: 1, longest: each - 6.0, ..Self::default() };
        }
        if each >= font * 1.15 {
            let extra = (widest.min(LONGEST_NAME) - font).max(0.0);
            return Self { rotated: true, stride: 1, longest: LONGEST_NAME, extra };
        }
        let strides = [2, 5, 10, 20, 50, 100, 200, 500, 1000];
        let stride = strides.into_iter().find(|stride| straight(*stride)).unwrap_or(axis.names.len());
        Self { stride, longest: f64::INFINITY, ..Self::default() }
    }

    fn ticks(&self, axis: &Axis, x: &Scale, font: f64) -> Vec<Tick> {
        let named = axis.names.iter().enumerate().step_by(self.stride.max(1));
        let places = named.filter_map(|(index, name)| {
            let at = count(index);
            let inside = (x.low..=x.high).contains(&at);
            Some(Tick { at: x.at(at).filter(|_| inside)?, text: shorten(name, font, self.longest) })
        });
        places.collect()
    }
}
