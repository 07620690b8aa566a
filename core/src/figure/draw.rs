//! A figure on any back end of plotters.
//!
//! Text is asked for as a browser understands it: the size is the em, and the vertical anchor is always
//! the middle. Back ends that mean something else by that are adapted in `svg` and `png`.

use super::{
    Colour, Figure, FigureError, Mark, Palette, Panel, Rgb, Style,
    cells::{self, Grid, hatching, slices},
    graph::{Net, frame},
    labels::many_lines,
    layout::{Bar, Ink, Layout, PanelLayout, Side, TICK, Tag, layout},
    metrics::text_width,
    palette,
    path::{Point, Rect, band, bars, curve, interval, jagged, span},
    scale::Tick,
    style::dashes,
};
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind},
    element::{Circle, PathElement, Polygon, Rectangle},
    style::{
        Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};
use plotters_backend::DrawingBackend;
use std::collections::HashSet;

/// Stroke of a data curve in CSS pixels.
const STROKE: f64 = 1.75;

/// Stroke of context, and of a curve with a value for nearly every pixel.
const FINE: f64 = 1.25;

/// Dash and space of a broken hairline in CSS pixels.
const DASH: (f64, f64) = (4.0, 4.0);

/// Radius of a marker in CSS pixels, when points are few.
const MARKER: f64 = 4.0;

/// Half the width of the cap of an error bar in CSS pixels.
const CAP: f64 = 4.0;

/// More empty stretches of cells than this are not hatched.
const MOST_HATCHED: usize = 400;

/// More points than this are drawn small, without an outline.
const MANY_POINTS: usize = 200;

/// Draws `figure` over all of `area`, whose size is the CSS size times `style.scale`.
///
/// # Errors
///
/// When the back end fails, with its words.
pub fn draw<DB: DrawingBackend>(
    figure: &Figure,
    area: &DrawingArea<DB, Shift>,
    style: &Style,
) -> Result<(), FigureError> {
    let scale = style.factor();
    let (width, height) = area.dim_in_pixel();
    let layout = layout(figure, style, (f64::from(width) / scale, f64::from(height) / scale));
    let pen = Pen { area, style, scale, palette: palette(style.theme) };
    area.fill(&pen.palette.surface.plotters()).map_err(failed)?;
    pen.figure(figure, &layout)?;
    area.present().map_err(failed)
}

fn failed<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> FigureError {
    FigureError::Draw(error.to_string())
}

struct Pen<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    style: &'a Style,
    scale: f64,
    palette: Palette,
}

type Drawn = Result<(), FigureError>;

impl<DB: DrawingBackend> Pen<'_, DB> {
    fn figure(&self, figure: &Figure, layout: &Layout) -> Drawn {
        if let Some((at, size, title)) = &layout.heading {
            let tag = Tag { text: title.clone(), at: *at, side: Side::Left, ink: Ink::Full, patch: false };
            self.text(&tag, *size, FontStyle::Bold, false)?;
        }
        for (panel, placed) in figure.panels.iter().zip(&layout.panels) {
            self.grid(placed)?;
            for mark in &panel.marks {
                self.mark(mark, panel, placed)?;
            }
            self.axes(panel, placed)?;
            if let Some(bar) = &placed.bar {
                self.bar(bar)?;
            }
            self.labels(placed)?;
        }
        Ok(())
    }

    // Primitives: CSS pixels in, whole drawing units out.

    fn unit(&self, at: f64) -> i32 {
        super::scale::whole(at * self.scale)
    }

    fn units(&self, points: &[Point]) -> Vec<(i32, i32)> {
        points.iter().map(|(x, y)| (self.unit(*x), self.unit(*y))).collect()
    }

    /// A length that is at least one unit.
    fn thickness(&self, length: f64) -> u32 {
        self.unit(length).max(1).unsigned_abs()
    }

    /// Filled; the right and lower edges are outside.
    fn fill(&self, rect: &Rect, colour: RGBAColor) -> Drawn {
        let corners = [(self.unit(rect.left), self.unit(rect.top)), (self.unit(rect.right), self.unit(rect.bottom))];
        self.area.draw(&Rectangle::new(corners, colour.filled())).map_err(failed)
    }

    /// A hairline, sharp because it is a rectangle on whole pixels.
    fn horizontal(&self, from: f64, to: f64, y: f64, colour: Rgb) -> Drawn {
        let top = (y - 0.5).round();
        self.fill(&Rect { left: from, top, right: to, bottom: top + 1.0 }, opaque(colour))
    }

    fn vertical(&self, x: f64, from: f64, to: f64, colour: Rgb) -> Drawn {
        let left = (x - 0.5).round();
        self.fill(&Rect { left, top: from, right: left + 1.0, bottom: to }, opaque(colour))
    }

    fn stroke(&self, points: &[Point], width: f64, colour: Rgb) -> Drawn {
        let style = ShapeStyle { color: opaque(colour), filled: false, stroke_width: self.thickness(width) };
        let mut units = self.units(points);
        units.dedup();
        if units.len() < 2 {
            return Ok(());
        }
        self.area.draw(&PathElement::new(units, style)).map_err(failed)
    }

    fn polygon(&self, points: &[Point], colour: RGBAColor) -> Drawn {
        let mut units = self.units(points);
        units.dedup();
        if units.len() < 3 {
            return Ok(());
        }
        self.area.draw(&Polygon::new(units, colour.filled())).map_err(failed)
    }

    fn disc(&self, (x, y): Point, radius: f64, colour: RGBAColor) -> Drawn {
        let circle = Circle::new((self.unit(x), self.unit(y)), self.unit(radius).max(1), colour.filled());
        self.area.draw(&circle).map_err(failed)
    }

    fn text(&self, tag: &Tag, size: f64, weight: FontStyle, upwards: bool) -> Drawn {
        if tag.text.is_empty() {
            return Ok(());
        }
        if tag.patch {
            let patch = tag.bounds(size).grown(1.0);
            self.fill(&patch, opaque(self.palette.surface).mix(0.8))?;
        }
        let colour = match tag.ink {
            Ink::Full => self.palette.ink,
            Ink::Soft => self.palette.ink_soft,
            Ink::Data(colour) => self.palette.text(colour),
        };
        let side = match tag.side {
            Side::Left => HPos::Left,
            Side::Centre => HPos::Center,
            Side::Right => HPos::Right,
        };
        let mut font = FontDesc::new(FontFamily::Name(&self.style.family), size * self.scale, weight);
        if upwards {
            font = font.transform(FontTransform::Rotate270);
        }
        let style = font.color(&colour.plotters());
        let style = plotters::style::TextStyle { pos: Pos::new(side, VPos::Center), ..style };
        // Control characters of a data file's names have no glyphs, and are not allowed in an SVG.
        let text = tag.text.replace(char::is_control, " ");
        self.area.draw_text(&text, &style, (self.unit(tag.at.0), self.unit(tag.at.1))).map_err(failed)
    }

    // The parts of a panel.

    fn grid(&self, placed: &PanelLayout) -> Drawn {
        let plot = &placed.plot;
        for tick in placed.y_ticks.iter().filter(|tick| !tick.text.is_empty()) {
            self.horizontal(plot.left, plot.right, tick.at, self.palette.line)?;
        }
        Ok(())
    }

    fn axes(&self, panel: &Panel, placed: &PanelLayout) -> Drawn {
        let (plot, soft) = (&placed.plot, self.palette.ink_soft);
        let size = self.style.font();
        if !panel.x.hidden {
            self.horizontal(plot.left, plot.right, plot.bottom, soft)?;
        }
        let zero = placed.y.at(0.0).filter(|zero| {
            !panel.y.hidden
                && placed.bar.is_none()
                && !placed.y.logarithmic
                && *zero < plot.bottom - 1.0
                && *zero > plot.top
        });
        if let Some(zero) = zero {
            self.horizontal(plot.left, plot.right, zero, soft)?;
        }
        let length = |tick: &Tick| if tick.text.is_empty() { TICK / 2.0 } else { TICK };
        for tick in &placed.y_ticks {
            self.horizontal(plot.left - length(tick), plot.left, tick.at, soft)?;
            let at = (plot.left - TICK - 4.0, tick.at);
            self.text(&label(&tick.text, at, Side::Right), size, FontStyle::Normal, false)?;
        }
        for tick in &placed.x_ticks {
            self.vertical(tick.at, plot.bottom, plot.bottom + length(tick) + 0.5, soft)?;
            if placed.rotated {
                let at = (tick.at, plot.bottom + TICK + 4.0);
                self.text(&label(&tick.text, at, Side::Right), size, FontStyle::Normal, true)?;
            } else {
                let at = (tick.at, plot.bottom + TICK + 4.0 + size * 0.5);
                self.text(&label(&tick.text, at, Side::Centre), size, FontStyle::Normal, false)?;
            }
        }
        Ok(())
    }

    fn labels(&self, placed: &PanelLayout) -> Drawn {
        for (from, to, colour) in &placed.leaders {
            self.stroke(&[*from, *to], 1.0, self.palette.of(*colour))?;
        }
        for (from, to, colour, dashed) in &placed.samples {
            let width = if *colour == Colour::Muted { FINE } else { STROKE };
            self.curve(&[*from, *to], width, *colour, *dashed)?;
        }
        for (from, to, y) in &placed.keys {
            self.broken(*from, *to, *y)?;
        }
        for tag in &placed.texts {
            self.text(tag, self.style.font(), FontStyle::Normal, false)?;
        }
        Ok(())
    }

    fn mark(&self, mark: &Mark, panel: &Panel, placed: &PanelLayout) -> Drawn {
        let (x, y, plot) = (&placed.x, &placed.y, &placed.plot);
        match mark {
            Mark::Line { name, x: xs, y: ys, colour } => {
                let ink = self.palette.of(*colour);
                let dense = super::scale::count(xs.len()) > plot.width() * 0.5;
                let width = if dense || *colour == Colour::Muted { FINE } else { STROKE };
                // Where no name is beside it, and among many, a curve is told apart by its dashes.
                let keyed = !placed.samples.is_empty() || many_lines(panel);
                let pieces = curve(xs, ys, x, y, plot);
                let dashed = (keyed || (name.is_empty() && several_lines(panel))) && !jagged(&pieces);
                for piece in pieces {
                    if placed.bar.is_some() && piece.len() > 1 {
                        // Any colour may be behind.
                        self.stroke(&piece, width + 2.0, self.palette.surface)?;
                    }
                    match piece.as_slice() {
                        [point] => self.disc(*point, width, opaque(ink))?,
                        points => self.curve(points, width, *colour, dashed)?,
                    }
                }
            }
            Mark::Band { x: xs, low, high, colour, opacity } => {
                let ink = self.palette.of(*colour);
                let opacity = if opacity.is_finite() { opacity.clamp(0.0, 1.0) } else { 0.18 };
                for ribbon in band(xs, low, high, x, y, plot) {
                    self.polygon(&ribbon.outline(), opaque(ink).mix(opacity))?;
                    if opacity > 0.99 {
                        // The body of a series: never thinner than a line.
                        let edge = |ys: &[f64]| ribbon.xs.iter().copied().zip(ys.iter().copied()).collect::<Vec<_>>();
                        self.stroke(&edge(&ribbon.tops), 1.0, ink)?;
                        self.stroke(&edge(&ribbon.bottoms), 1.0, ink)?;
                    }
                }
            }
            Mark::Bars { edges, heights, colour } => {
                let ink = opaque(self.palette.of(*colour));
                for (left, top, right, bottom) in bars(edges, heights, placed.gap, x, y, plot, 1.0 / self.scale) {
                    self.fill(&Rect { left, top, right, bottom }, ink)?;
                }
            }
            Mark::Points { x: xs, y: ys, colour, .. } => {
                let at = xs.iter().zip(ys).filter_map(|(a, b)| Some((x.at(*a)?, y.at(*b)?)));
                self.points(at.filter(|point| plot.grown(1.0).contains(*point)).collect(), *colour)?;
            }
            Mark::Cells { x: columns, y: rows, values, range, map, .. } => {
                let ends = cells::ends(values, *range, *map);
                let grid = Grid { x: columns, y: rows, values };
                let colour = |share| map.rgb(self.style.theme, share);
                let share = |value| cells::share(value, ends, *map);
                let (filled, empty) = grid.tiles((x, y), plot, 1.0 / self.scale, colour, share, *map);
                for (rect, rgb) in &filled {
                    self.fill(rect, opaque(*rgb))?;
                }
                let quiet = opaque(self.palette.line).mix(0.35);
                for rect in &empty {
                    self.fill(rect, opaque(self.palette.surface))?;
                    self.fill(rect, quiet)?;
                    let lines = if empty.len() > MOST_HATCHED { Vec::new() } else { hatching(rect) };
                    for (from, to) in lines {
                        self.stroke(&[from, to], 1.0, self.palette.line)?;
                    }
                }
            }
            Mark::Intervals { x: xs, low, high, colour } => {
                let ink = self.palette.of(*colour);
                let places = xs.iter().zip(low).zip(high);
                let places = places.filter_map(|((at, low), high)| interval((*at, *low, *high), x, y, plot));
                let places: Vec<_> = places.collect();
                let cap = CAP.min(plot.width() / super::scale::count(places.len()).max(1.0) * 0.4);
                for (at, [top, bottom]) in places {
                    self.stroke(&[(at, top.0), (at, bottom.0)], FINE, ink)?;
                    for (end, _) in [top, bottom].iter().filter(|(_, inside)| *inside && cap >= 1.0) {
                        self.stroke(&[(at - cap, *end), (at + cap, *end)], FINE, ink)?;
                    }
                }
            }
            Mark::Spans { from, to, colours, .. } => {
                for (at, (from, to)) in from.iter().zip(to).enumerate() {
                    let Some((left, right)) = span(*from, *to, x, plot) else { continue };
                    let ink = opaque(self.palette.of(colours.get(at).copied().unwrap_or(Colour::Muted)));
                    self.fill(&Rect { left, right, ..*plot }, ink.mix(0.10))?;
                    // A hairline between the names of equal neighbours.
                    let right = if right - left > 3.0 && right < plot.right { right - 1.0 } else { right };
                    self.fill(&Rect { left, right, ..placed.strip }, ink.mix(0.32))?;
                }
            }
            Mark::Boxes { from, to, low, high, labels, colours, shades, .. } => {
                let size = self.style.font();
                for (at, ((from, to), (low, high))) in from.iter().zip(to).zip(low.iter().zip(high)).enumerate() {
                    let Some(rect) = frame((*from, *to), (*low, *high), x, y, plot) else { continue };
                    // A hairline between neighbours of one colour.
                    let right = if rect.width() > 3.0 { rect.right - 1.0 } else { rect.right };
                    let bottom = if rect.height() > 3.0 { rect.bottom - 1.0 } else { rect.bottom };
                    let rect = Rect { right, bottom, ..rect };
                    let shade = shades.get(at).copied().filter(|s| s.is_finite()).map_or(1.0, |s| s.clamp(0.0, 1.0));
                    let ink = opaque(self.palette.of(colours.get(at).copied().unwrap_or_default()));
                    self.fill(&rect, ink.mix(shade))?;
                    let text = labels.get(at).map_or("", String::as_str);
                    if text_width(text, size) <= rect.width() && size <= rect.height() + 2.0 {
                        let middle = (f64::midpoint(rect.left, rect.right), f64::midpoint(rect.top, rect.bottom));
                        let ink = Ink::Full;
                        let tag = Tag { text: text.to_owned(), at: middle, side: Side::Centre, ink, patch: false };
                        self.text(&tag, size, FontStyle::Normal, false)?;
                    }
                }
            }
            Mark::Graph { x: xs, y: ys, names, from, to, weights, labels, colour } => {
                let net = Net { x: xs, y: ys, names, from, to };
                self.graph(net, weights, labels, *colour, placed)?;
            }
            Mark::Reference { y: value, .. } => {
                let at = y.at(*value).filter(|at| (plot.top - 0.5..=plot.bottom + 0.5).contains(at));
                if let Some(at) = at.filter(|_| !placed.empty) {
                    self.broken(plot.left, plot.right, at)?;
                }
            }
        }
        Ok(())
    }

    /// Arrows first, so that the nodes lie on them.
    fn graph(&self, net: Net<'_>, weights: &[f64], labels: &[String], colour: Colour, placed: &PanelLayout) -> Drawn {
        let (x, y, size) = (&placed.x, &placed.y, self.style.font());
        let (ink, radius) = (self.palette.of(colour), net.radius(size));
        let arrows = net.arrows(x, y, radius);
        for arrow in &arrows {
            let weight = weights.get(arrow.index).copied().filter(|w| w.is_finite()).unwrap_or(0.5);
            self.stroke(&arrow.path, 1.0 + 3.0 * weight.clamp(0.0, 1.0), ink)?;
            self.polygon(&arrow.head, opaque(ink))?;
        }
        for ((at_x, at_y), name) in net.places(x, y).into_iter().zip(net.names).filter_map(|(at, n)| Some((at?, n))) {
            self.disc((at_x, at_y), radius, opaque(ink))?;
            self.disc((at_x, at_y), radius - 1.5, opaque(self.palette.surface))?;
            self.text(&plain(name, (at_x, at_y), Ink::Full, false), size, FontStyle::Normal, false)?;
        }
        for arrow in &arrows {
            let text = labels.get(arrow.index).map_or("", String::as_str);
            self.text(&plain(text, arrow.label, Ink::Soft, true), size, FontStyle::Normal, false)?;
        }
        Ok(())
    }

    /// A dashed hairline, with the surface between the dashes so that it also shows on bars.
    fn broken(&self, mut from: f64, to: f64, y: f64) -> Drawn {
        self.horizontal(from, to, y, self.palette.surface)?;
        while from < to {
            self.horizontal(from, (from + DASH.0).min(to), y, self.palette.ink_soft)?;
            from += DASH.0 + DASH.1;
        }
        Ok(())
    }

    /// The colour bar with its numbers.
    fn bar(&self, bar: &Bar) -> Drawn {
        for (rect, rgb) in slices(&bar.rect, bar.vertical, bar.map, self.style.theme) {
            self.fill(&rect, opaque(rgb))?;
        }
        let (rect, soft, size) = (&bar.rect, self.palette.ink_soft, self.style.font());
        for tick in &bar.ticks {
            if bar.vertical {
                self.horizontal(rect.right, rect.right + TICK, tick.at, soft)?;
                let at = (rect.right + TICK + 4.0, tick.at);
                self.text(&label(&tick.text, at, Side::Left), size, FontStyle::Normal, false)?;
            } else {
                self.vertical(tick.at, rect.bottom, rect.bottom + TICK, soft)?;
                let at = (tick.at, rect.bottom + TICK + 4.0 + size * 0.5);
                self.text(&label(&tick.text, at, Side::Centre), size, FontStyle::Normal, false)?;
            }
        }
        Ok(())
    }

    /// A polyline in the colour of its role, and in the dashes if lines are told apart by them.
    fn curve(&self, points: &[Point], width: f64, colour: Colour, dashed: bool) -> Drawn {
        let ink = self.palette.of(colour);
        let pattern = dashes(colour);
        if !dashed || pattern.is_empty() {
            return self.stroke(points, width, ink);
        }
        self.dashes(points, pattern, width, ink)
    }

    /// A polyline as dashes and spaces of given lengths along it.
    fn dashes(&self, points: &[Point], pattern: &[f64], width: f64, colour: Rgb) -> Drawn {
        let mut lengths = pattern.iter().copied().cycle();
        let mut next = || lengths.next().unwrap_or(f64::INFINITY);
        let mut dash = vec![points[0]];
        let (mut drawing, mut left) = (true, next());
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            loop {
                let length = (to.0 - from.0).hypot(to.1 - from.1);
                if length <= left || !length.is_finite() {
                    left -= length;
                    if drawing {
                        dash.push(to);
                    }
                    break;
                }
                let share = left / length;
                from = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
                if drawing {
                    dash.push(from);
                    self.stroke(&dash, width, colour)?;
                }
                dash.clear();
                dash.push(from);
                drawing = !drawing;
                left = next();
            }
        }
        if drawing { self.stroke(&dash, width, colour) } else { Ok(()) }
    }

    fn points(&self, points: Vec<Point>, colour: Colour) -> Drawn {
        let ink = opaque(self.palette.of(colour));
        if points.len() > MANY_POINTS {
            let mut seen = HashSet::new();
            for point in points.into_iter().filter(|(x, y)| seen.insert((self.unit(*x), self.unit(*y)))) {
                self.disc(point, 1.5, ink.mix(0.6))?;
            }
            return Ok(());
        }
        let surface = opaque(self.palette.surface);
        for (x, y) in points {
            match colour {
                Colour::First => {
                    self.disc((x, y), MARKER + 1.5, surface)?;
                    self.disc((x, y), MARKER, ink)?;
                }
                Colour::Second => {
                    let square = Rect { left: x, top: y, right: x, bottom: y };
                    self.fill(&square.grown(MARKER + 0.5), surface)?;
                    self.fill(&square.grown(MARKER - 0.5), ink)?;
                }
                Colour::Third | Colour::Fifth => {
                    let up = if colour == Colour::Third { 1.0 } else { -1.0 };
                    let triangle = |size: f64| {
                        [(x, y - size * 1.15 * up), (x + size, y + size * 0.75 * up), (x - size, y + size * 0.75 * up)]
                    };
                    self.polygon(&triangle(MARKER + 2.5), surface)?;
                    self.polygon(&triangle(MARKER + 0.5), ink)?;
                }
                Colour::Fourth => {
                    let diamond = |size: f64| [(x, y - size), (x + size, y), (x, y + size), (x - size, y)];
                    self.polygon(&diamond(MARKER + 2.75), surface)?;
                    self.polygon(&diamond(MARKER + 0.75), ink)?;
                }
                Colour::Sixth | Colour::Seventh => {
                    let turned = colour == Colour::Seventh;
                    self.polygon(&cross((x, y), MARKER + 2.0, 2.75, turned), surface)?;
                    self.polygon(&cross((x, y), MARKER + 0.75, 1.4, turned), ink)?;
                }
                Colour::Muted => {
                    self.disc((x, y), MARKER - 0.5, ink)?;
                    self.disc((x, y), MARKER - 2.0, surface)?;
                }
            }
        }
        Ok(())
    }
}

/// The outline of a plus sign, or of a multiplication sign, with arms of this length and half width.
fn cross((x, y): Point, arm: f64, half: f64, turned: bool) -> Vec<Point> {
    let quarter = [(half, -arm), (half, -half), (arm, -half)];
    let turn = |(a, b): Point, times: usize| (0..times).fold((a, b), |(a, b), _| (-b, a));
    let corners = (0..4).flat_map(|times| quarter.map(|corner| turn(corner, times)));
    let slanted = |(a, b): Point| {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        if turned { ((a - b) * half, (a + b) * half) } else { (a, b) }
    };
    corners.map(slanted).map(|(a, b)| (x + a, y + b)).collect()
}

fn several_lines(panel: &Panel) -> bool {
    panel.marks.iter().filter(|mark| matches!(mark, Mark::Line { .. })).count() > 1
}

fn opaque(colour: Rgb) -> RGBAColor {
    colour.plotters().to_rgba()
}

fn plain(text: &str, at: Point, ink: Ink, patch: bool) -> Tag {
    Tag { text: text.to_owned(), at, side: Side::Centre, ink, patch }
}

fn label(text: &str, at: Point, side: Side) -> Tag {
    Tag { text: text.to_owned(), at, side, ink: Ink::Soft, patch: false }
}
