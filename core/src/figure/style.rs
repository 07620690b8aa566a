//! How a figure looks: the theme's colours, sizes, and what a narrow page leaves out.

use super::Colour;
use plotters::style::RGBColor;

/// The family of text in a chart. A PNG always has the bundled Inter.
pub const FAMILY: &str = "Inter, system-ui, sans-serif";

/// Text is never smaller than this, in CSS pixels.
const LEAST_FONT: f64 = 11.0;

/// Below this width a figure is [`Style::compact`].
const COMPACT_BELOW: f64 = 480.0;

/// What a figure is drawn on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on the light surface of the page.
    #[default]
    Light,
    /// Light ink on the dark surface of the page.
    Dark,
    /// Black on white.
    Print,
}

/// How a figure is drawn. Lengths are CSS pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Which colours.
    pub theme: Theme,
    /// Drawing units for each CSS pixel. A canvas of CSS size `w` by `h` has a backing store of
    /// `w * scale` by `h * scale`; plotters draws on whole units, so 2 or more gives smooth curves.
    pub scale: f64,
    /// Size of tick labels and titles; at least 11.
    pub font_size: f64,
    /// The CSS font family.
    pub family: String,
    /// For phones: smaller margins, fewer ticks, labels inside the plot.
    pub compact: bool,
    /// Whether the figure's title is drawn above it; a page has it in its own markup.
    pub heading: bool,
}

impl Style {
    /// A chart in the page at scale 1, without a heading.
    #[must_use]
    pub fn new(theme: Theme) -> Self {
        Self { theme, scale: 1.0, font_size: 12.0, family: FAMILY.to_owned(), compact: false, heading: false }
    }

    /// A chart in the page, for its width in CSS pixels and the scale of its backing store.
    #[must_use]
    pub fn for_page(theme: Theme, css_width: f64, scale: f64) -> Self {
        let compact = css_width < COMPACT_BELOW;
        Self { scale, compact, font_size: if compact { LEAST_FONT } else { 12.0 }, ..Self::new(theme) }
    }

    /// A picture that stands alone: with its title, and two pixels for each CSS pixel in a PNG.
    #[must_use]
    pub fn for_file(theme: Theme) -> Self {
        Self { heading: true, scale: 2.0, ..Self::new(theme) }
    }

    /// The font size that is used.
    pub(super) fn font(&self) -> f64 {
        if self.font_size.is_finite() { self.font_size.clamp(LEAST_FONT, 40.0) } else { 12.0 }
    }

    /// The scale that is used.
    pub(super) fn factor(&self) -> f64 {
        if self.scale.is_finite() { self.scale.clamp(0.25, 16.0) } else { 1.0 }
    }
}

/// A colour without transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// For a style sheet: `#0b6b70`.
    #[must_use]
    pub fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// For plotters.
    pub(super) const fn plotters(self) -> RGBColor {
        RGBColor(self.0, self.1, self.2)
    }
}

/// The colours of a theme.
///
/// Data is drawn in Okabe and Ito's set. Their blue, vermilion and bluish green reach 3:1 on the light
/// surface (5.2, 3.9, 3.4); on the dark one sky blue, orange and bluish green do (7.7, 8.1, 5.1). The
/// accent of the page marks what can be operated, and is kept out of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// The background.
    pub surface: Rgb,
    /// Grid lines.
    pub line: Rgb,
    /// Text that names data.
    pub ink: Rgb,
    /// Axes, ticks and their text.
    pub ink_soft: Rgb,
    /// What can be operated; a crosshair.
    pub accent: Rgb,
    first: Rgb,
    second: Rgb,
    third: Rgb,
    /// Second and third where they are text, which needs 4.5:1.
    words: (Rgb, Rgb),
}

impl Palette {
    /// The shade of a role.
    #[must_use]
    pub const fn of(&self, colour: Colour) -> Rgb {
        match colour {
            Colour::First => self.first,
            Colour::Second => self.second,
            Colour::Third => self.third,
            Colour::Muted => self.ink_soft,
        }
    }

    /// The shade of a role as text.
    #[must_use]
    pub const fn text(&self, colour: Colour) -> Rgb {
        match colour {
            Colour::Second => self.words.0,
            Colour::Third => self.words.1,
            Colour::First | Colour::Muted => self.of(colour),
        }
    }
}

/// The colours of `theme`.
#[must_use]
pub const fn palette(theme: Theme) -> Palette {
    match theme {
        Theme::Light => Palette {
            surface: Rgb(0xff, 0xff, 0xff),
            line: Rgb(0xe4, 0xe0, 0xd8),
            ink: Rgb(0x1d, 0x1b, 0x18),
            ink_soft: Rgb(0x5d, 0x58, 0x50),
            accent: Rgb(0x0b, 0x6b, 0x70),
            first: Rgb(0x00, 0x72, 0xb2),
            second: Rgb(0xd5, 0x5e, 0x00),
            third: Rgb(0x00, 0x9e, 0x73),
            words: (Rgb(0xb3, 0x4f, 0x00), Rgb(0x00, 0x7a, 0x59)),
        },
        Theme::Dark => Palette {
            surface: Rgb(0x17, 0x1b, 0x1e),
            line: Rgb(0x2a, 0x30, 0x34),
            ink: Rgb(0xec, 0xe9, 0xe2),
            ink_soft: Rgb(0xa5, 0xa2, 0x9a),
            accent: Rgb(0x5c, 0xc5, 0xbd),
            first: Rgb(0x56, 0xb4, 0xe9),
            second: Rgb(0xe6, 0x9f, 0x00),
            third: Rgb(0x00, 0x9e, 0x73),
            words: (Rgb(0xe6, 0x9f, 0x00), Rgb(0x00, 0x9e, 0x73)),
        },
        Theme::Print => Palette {
            ink: Rgb(0x00, 0x00, 0x00),
            ink_soft: Rgb(0x4d, 0x4d, 0x4d),
            line: Rgb(0xdd, 0xdd, 0xdd),
            ..palette(Theme::Light)
        },
    }
}
