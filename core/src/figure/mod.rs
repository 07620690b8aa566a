//! Pictures of results, as data: a [`Figure`] says what is shown, a back end of plotters draws it.
//!
//! A figure is a column of [`Panel`]s that share nothing but their width; a panel is two [`Axis`] and
//! a list of [`Mark`]s in drawing order. This is all that the lab's charts need, so a new measure adds
//! marks and no drawing code.
//!
//! The model is fixed here; everything that turns it into something to look at is in the submodules:
//!
//! ```text
//! // style: how it looks. All lengths are CSS pixels; `scale` multiplies the drawing, never the layout.
//! Style::new(theme: Theme) -> Style                          // Theme::{Light, Dark, Print}; no heading
//! Style::for_page(theme, css_width: f64, scale: f64) -> Style // compact below 480 px
//! Style::for_file(theme) -> Style                            // with the figure's title as a heading
//! palette(theme: Theme) -> Palette                           // .surface .line .ink .ink_soft .accent: Rgb
//! Colour::nth(index: usize) -> Colour                        // of curve 0, 1, 2, …: seven hues, grey, again
//! ColourMap::rgb(self, theme: Theme, share: f64) -> Rgb      // of a value at 0 to 1 of its range
//! Palette::of(&self, colour: Colour) -> Rgb                  // shapes, 3:1; Rgb::css() -> "#0072b2"
//! Palette::text(&self, colour: Colour) -> Rgb                // words, 4.5:1
//!
//! // draw: any plotters back end. The page gives a canvas of css size x scale, scale >= devicePixelRatio.
//! draw<DB: DrawingBackend>(figure: &Figure, area: &DrawingArea<DB, Shift>, style: &Style) -> Result<(), FigureError>
//! preferred_height(figure: &Figure, width: f64, style: &Style) -> u32     // CSS px for a CSS width
//!
//! // locate: what is under the pointer, all in CSS pixels, no drawing and no DOM
//! locate(figure: &Figure, style: &Style, size: (f64, f64), x: f64, y: f64) -> Option<Readout>
//! locate_nearest(figure, style, size, x, y) -> Option<Readout> // for keys: from a margin too
//! Readout { text: String, panel, mark, index: usize, at: (f64, f64), plot: (left, top, right, bottom), colour: Colour }
//!
//! // zoom: a part along x; the view of a figure is a figure
//! View::default().scaled(figure, style, size, (x, y), 0.5) -> Option<View> // between, moved, words
//! View::of(&self, figure: &Figure) -> Figure
//!
//! // files
//! to_svg(figure: &Figure, width: u32, height: u32, style: &Style) -> Result<String, FigureError>
//! to_png(figure: &Figure, width: u32, height: u32, style: &Style) -> Result<Vec<u8>, FigureError> // bitmap, native
//! to_csv(figure: &Figure) -> String
//! tables(figure: &Figure) -> Vec<Table>                      // the same numbers, for a table in the page
//!
//! // build: marks from data
//! envelope(values: &[f64], buckets: usize) -> Envelope       // { x, low, high }, x = index
//! line(x: &[f64], y: &[f64], buckets: usize, name: &str, colour: Colour) -> Mark // any ascending x, thinned
//! series(values: &[f64], x: impl Fn(f64) -> f64, buckets: usize, name: &str, colour: Colour) -> Mark
//! histogram(values: &[f64], most: usize) -> Option<Mark>     // bars of counts over round edges
//! categories(title: &str, names: Vec<String>, heights: Vec<f64>, colour: Colour) -> (Axis, Mark)
//! number(value: f64) -> String                               // 4 significant digits, thin-space groups
//! exact(value: f64) -> String                                // every digit
//! ```

mod build;
mod cells;
mod colours;
mod csv;
mod draw;
mod graph;
mod labels;
mod layout;
mod locate;
mod metrics;
mod number;
mod path;
#[cfg(all(feature = "bitmap", not(target_arch = "wasm32")))]
mod png;
mod scale;
mod style;
mod svg;
mod zoom;

#[cfg(all(feature = "bitmap", not(target_arch = "wasm32")))]
pub use png::to_png;
pub use {
    build::{Envelope, categories, envelope, histogram, line, series},
    colours::ColourMap,
    csv::{Table, tables, to_csv},
    draw::draw,
    layout::preferred_height,
    locate::{Readout, locate, locate_nearest},
    number::{exact, number, round_down},
    style::{FAMILY, Palette, Rgb, Style, Theme, palette},
    svg::to_svg,
    zoom::{View, is_condensed, zoomable},
};

use serde::{Deserialize, Serialize};

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// The back end failed.
    #[error("the figure could not be drawn: {0}")]
    Draw(String),
    /// The encoder failed.
    #[error("the picture could not be encoded: {0}")]
    Encode(String),
    /// Nothing to draw on, or more than a picture should have.
    #[error("a picture of {width} by {height} pixels cannot be made")]
    Size {
        /// In pixels of the file.
        width: u32,
        /// In pixels of the file.
        height: u32,
    },
}

/// A picture of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Short and unique within a result: `series`, `distribution`, `patterns`, `plane`, `profile`.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What is seen, in one or two sentences, for people who cannot see it.
    pub description: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

impl Figure {
    /// Without anything in it.
    #[must_use]
    pub const fn empty() -> Self {
        Self { id: String::new(), title: String::new(), description: String::new(), panels: Vec::new() }
    }
}

/// One coordinate system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, back to front.
    pub marks: Vec<Mark>,
    /// Height relative to the other panels of the figure.
    pub weight: f64,
}

/// One axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// With its unit in parentheses: `time (s)`.
    pub title: String,
    /// Lower and upper end; `None` fits the marks with a margin.
    pub range: Option<(f64, f64)>,
    /// Base-10 logarithmic.
    pub logarithmic: bool,
    /// Names at 0, 1, 2, … instead of numbers.
    pub names: Vec<String>,
    /// No line, ticks or grid: places that stand for nothing but themselves.
    #[serde(default)]
    pub hidden: bool,
}

/// Something drawn in a panel. All vectors of one mark have the same length, but for edges and the cells
/// between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "lowercase")]
pub enum Mark {
    /// A polyline; a NaN in `y` breaks it.
    Line {
        /// The label at its end; empty for none.
        name: String,
        /// Ascending.
        x: Vec<f64>,
        /// One for each `x`.
        y: Vec<f64>,
        /// Its place in the categorical palette.
        colour: Colour,
    },
    /// A filled band between two curves: the range of a long series within each pixel, or an interval.
    Band {
        /// Ascending.
        x: Vec<f64>,
        /// Lower edge.
        low: Vec<f64>,
        /// Upper edge.
        high: Vec<f64>,
        /// Its place in the categorical palette.
        colour: Colour,
        /// 1 for the body of a series, 0.18 for an uncertainty.
        opacity: f64,
    },
    /// Bars from zero. `edges` has one entry more than `heights`.
    Bars {
        /// Ascending.
        edges: Vec<f64>,
        /// One for each bar.
        heights: Vec<f64>,
        /// Its place in the categorical palette.
        colour: Colour,
    },
    /// Single points with a label each (empty for none).
    Points {
        /// Horizontal.
        x: Vec<f64>,
        /// Vertical.
        y: Vec<f64>,
        /// What is written beside each point.
        labels: Vec<String>,
        /// Its place in the categorical palette.
        colour: Colour,
    },
    /// A dashed horizontal line with a label.
    Reference {
        /// Where.
        y: f64,
        /// What it stands for.
        label: String,
    },
    /// A grid of coloured cells, and the colour bar that explains them: one to a panel. Where it is
    /// depends on the edges and the title alone, so a grid can fill while it is looked at.
    Cells {
        /// Ascending edges of the columns: one more than there are columns.
        x: Vec<f64>,
        /// Ascending edges of the rows.
        y: Vec<f64>,
        /// Row by row from the first edge of `y`; NaN is not there yet.
        values: Vec<f64>,
        /// Of the colour bar, with its unit in parentheses.
        title: String,
        /// The values at the ends of the colour bar; `None` fits the values. A cyclic map begins again
        /// after it; its `None` is −π to π.
        range: Option<(f64, f64)>,
        /// Which colours.
        map: ColourMap,
    },
    /// Vertical error bars with caps. Belongs before the points that it is about.
    Intervals {
        /// Horizontal.
        x: Vec<f64>,
        /// Lower end.
        low: Vec<f64>,
        /// Upper end.
        high: Vec<f64>,
        /// Its place in the categorical palette.
        colour: Colour,
    },
    /// Stretches of x behind the data, named in a strip above the plot: states over time.
    Spans {
        /// Where each begins.
        from: Vec<f64>,
        /// Where each ends.
        to: Vec<f64>,
        /// What each is; written where there is room, always in the readout.
        labels: Vec<String>,
        /// One for each.
        colours: Vec<Colour>,
    },
    /// Filled boxes with a word in each: a text cut into pieces, the steps of a plan.
    Boxes {
        /// Left ends.
        from: Vec<f64>,
        /// Right ends.
        to: Vec<f64>,
        /// Lower ends.
        low: Vec<f64>,
        /// Upper ends.
        high: Vec<f64>,
        /// Written where there is room.
        labels: Vec<String>,
        /// What the readout says of each; the label where there is none.
        notes: Vec<String>,
        /// One for each.
        colours: Vec<Colour>,
        /// How full the colour is, 0 to 1; words stay legible up to 0.4.
        shades: Vec<f64>,
    },
    /// Named nodes and arrows between them, as wide as their weights: a chain of states. Belongs between hidden axes.
    Graph {
        /// Horizontal places of the nodes.
        x: Vec<f64>,
        /// Vertical places of the nodes.
        y: Vec<f64>,
        /// The nodes' names.
        names: Vec<String>,
        /// The node that each arrow leaves.
        from: Vec<u32>,
        /// The node that it reaches, which may be the same.
        to: Vec<u32>,
        /// 0 to 1, for each arrow.
        weights: Vec<f64>,
        /// What is written beside each arrow.
        labels: Vec<String>,
        /// Its place in the categorical palette.
        colour: Colour,
    },
}

/// The fixed roles of colour in a chart (Okabe and Ito's set, in the theme's shade; grey is their black).
///
/// Each has a dash and a marker of its own as well. Lines have their dashes where more than three share a
/// panel, and where their name is not beside them; very jagged ones stay solid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// The data. Blue; solid; discs.
    #[default]
    First,
    /// A second curve in the same panel. Red or orange; dashed; squares.
    Second,
    /// A third. Green; dotted; triangles.
    Third,
    /// Purple; dash-dot; diamonds.
    Fourth,
    /// Orange or red; long dashes; triangles that point down.
    Fifth,
    /// The other blue; dash-dot-dot; crosses.
    Sixth,
    /// Yellow; short dashes; diagonal crosses.
    Seventh,
    /// Bounds, limits and other context. Grey; solid and thin; rings.
    Muted,
}

impl Colour {
    /// In their order.
    const ALL: [Self; 8] =
        [Self::First, Self::Second, Self::Third, Self::Fourth, Self::Fifth, Self::Sixth, Self::Seventh, Self::Muted];

    /// The colour of curve `index`, from 0; after eight they begin again.
    #[must_use]
    pub const fn nth(index: usize) -> Self {
        Self::ALL[index % Self::ALL.len()]
    }

    /// From 0; context is last.
    fn place(self) -> usize {
        Self::ALL.iter().position(|colour| *colour == self).unwrap_or(Self::ALL.len())
    }
}

impl Axis {
    /// A linear axis that fits its marks.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// An axis that is not drawn.
    #[must_use]
    pub fn hidden(low: f64, high: f64) -> Self {
        Self { hidden: true, range: Some((low, high)), ..Self::default() }
    }

    /// The same axis with fixed ends.
    #[must_use]
    pub fn within(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }
}
