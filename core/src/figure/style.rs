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
/// surface (5.2, 3.9, 3.4); on the dark one sky blue, orange and bluish green do (7.5, 7.7, 5.1). The
/// others keep their hue where they have to change their lightness. The accent of the page marks what can
/// be operated, and is kept out of the data.
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
    /// First to seventh.
    shapes: [Rgb; 7],
    /// The same where they are text, which needs 4.5:1.
    words: [Rgb; 7],
}

impl Palette {
    /// The shade of a role.
    #[must_use]
    pub const fn of(&self, colour: Colour) -> Rgb {
        self.shade(&self.shapes, colour)
    }

    /// The shade of a role as text.
    #[must_use]
    pub const fn text(&self, colour: Colour) -> Rgb {
        self.shade(&self.words, colour)
    }

    const fn shade(&self, shades: &[Rgb; 7], colour: Colour) -> Rgb {
        match colour {
            Colour::First => shades[0],
            Colour::Second => shades[1],
            Colour::Third => shades[2],
            Colour::Fourth => shades[3],
            Colour::Fifth => shades[4],
            Colour::Sixth => shades[5],
            Colour::Seventh => shades[6],
            Colour::Muted => self.ink_soft,
        }
    }
}

/// Dashes and spaces along a line in CSS pixels: what tells colours apart without colour. Empty: solid.
pub(super) const fn dashes(colour: Colour) -> &'static [f64] {
    match colour {
        Colour::First | Colour::Muted => &[],
        Colour::Second => &[6.0, 4.0],
        Colour::Third => &[2.0, 3.0],
        Colour::Fourth => &[9.0, 3.0, 2.0, 3.0],
        Colour::Fifth => &[11.0, 4.0],
        Colour::Sixth => &[9.0, 3.0, 2.0, 3.0, 2.0, 3.0],
        Colour::Seventh => &[3.5, 2.5],
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
            shapes: [
                Rgb(0x00, 0x72, 0xb2),
                Rgb(0xd5, 0x5e, 0x00),
                Rgb(0x00, 0x9e, 0x73),
                Rgb(0xc2, 0x66, 0x9a),
                Rgb(0xc9, 0x83, 0x00),
                Rgb(0x3a, 0x9b, 0xd6),
                Rgb(0x8a, 0x8c, 0x00),
            ],
            words: [
                Rgb(0x00, 0x72, 0xb2),
                Rgb(0xb3, 0x4f, 0x00),
                Rgb(0x00, 0x7a, 0x59),
                Rgb(0xa3, 0x4d, 0x80),
                Rgb(0x8f, 0x5d, 0x00),
                Rgb(0x1d, 0x78, 0xb0),
                Rgb(0x6b, 0x6d, 0x00),
            ],
        },
        Theme::Dark => Palette {
            surface: Rgb(0x17, 0x1b, 0x1e),
            line: Rgb(0x2a, 0x30, 0x34),
            ink: Rgb(0xec, 0xe9, 0xe2),
            ink_soft: Rgb(0xa5, 0xa2, 0x9a),
            accent: Rgb(0x5c, 0xc5, 0xbd),
            shapes: [
                Rgb(0x56, 0xb4, 0xe9),
                Rgb(0xe6, 0x9f, 0x00),
                Rgb(0x00, 0x9e, 0x73),
                Rgb(0xcc, 0x79, 0xa7),
                Rgb(0xd5, 0x5e, 0x00),
                Rgb(0x3d, 0x7f, 0xe0),
                Rgb(0xf0, 0xe4, 0x42),
            ],
            words: [
                Rgb(0x56, 0xb4, 0xe9),
                Rgb(0xe6, 0x9f, 0x00),
                Rgb(0x00, 0x9e, 0x73),
                Rgb(0xcc, 0x79, 0xa7),
                Rgb(0xe8, 0x70, 0x3a),
                Rgb(0x5b, 0x96, 0xee),
                Rgb(0xf0, 0xe4, 0x42),
            ],
        },
        Theme::Print => Palette {
            ink: Rgb(0x00, 0x00, 0x00),
            ink_soft: Rgb(0x4d, 0x4d, 0x4d),
            line: Rgb(0xdd, 0xdd, 0xdd),
            ..palette(Theme::Light)
        },
    }
}
