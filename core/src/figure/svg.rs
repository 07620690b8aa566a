//! A figure as an SVG document.

use super::{Figure, FigureError, Style, draw};
use plotters::{
    drawing::IntoDrawingArea,
    style::{FontDesc, FontFamily, TextStyle},
};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use plotters_svg::SVGBackend;
use std::fmt::Write;

/// Whole drawing units for each CSS pixel: plotters has no fractions, curves need them.
const UNITS: u32 = 4;

/// plotters-svg divides every font size by this.
const FONT_DIVISOR: f64 = 1.24;

/// Draws `figure` on `width` by `height` CSS pixels; `style.scale` has no meaning here.
///
/// # Errors
///
/// When a side is 0 or above 16384.
pub fn to_svg(figure: &Figure, width: u32, height: u32, style: &Style) -> Result<String, FigureError> {
    if !(1..=16_384).contains(&width) || !(1..=16_384).contains(&height) {
        return Err(FigureError::Size { width, height });
    }
    let mut document = String::new();
    {
        let backend = SVGBackend::with_string(&mut document, (width * UNITS, height * UNITS));
        let area = Vector(backend).into_drawing_area();
        draw(figure, &area, &Style { scale: f64::from(UNITS), ..style.clone() })?;
    }
    let body = document.split_once('>').map_or("", |(_, body)| body);
    let mut out = String::with_capacity(body.len() + 1024);
    let (columns, rows) = (width * UNITS, height * UNITS);
    let written = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {columns} {rows}\">\n<title>{}</title>\n<desc>{}</desc>",
        escaped(&figure.title),
        escaped(&figure.description),
    );
    written.map_err(|error| FigureError::Encode(error.to_string()))?;
    // Every text is anchored at the middle of its capitals: exactly, not by the font's idea of an ex.
    out.push_str(
        &body.replace("dy=\"0.5ex\"", "dy=\"0.364em\"").replace("font-weight=\"bold\"", "font-weight=\"600\""),
    );
    Ok(out)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// plotters-svg, with font sizes as a browser understands them.
struct Vector<'a>(SVGBackend<'a>);

type Failure<'a> = DrawingErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

impl<'a> DrawingBackend for Vector<'a> {
    type ErrorType = <SVGBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.0.get_size()
    }

    fn ensure_prepared(&mut self) -> Result<(), Failure<'a>> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Result<(), Failure<'a>> {
        self.0.present()
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Result<(), Failure<'a>> {
        self.0.draw_pixel(point, color)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), Failure<'a>> {
        self.0.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), Failure<'a>> {
        self.0.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Failure<'a>> {
        self.0.draw_path(path, style)
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Result<(), Failure<'a>> {
        self.0.draw_circle(center, radius, style, fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Failure<'a>> {
        self.0.fill_polygon(path, style)
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Result<(), Failure<'a>> {
        let family = style.family();
        let font = FontDesc::new(FontFamily::Name(family.as_str()), style.size() * FONT_DIVISOR, style.style());
        let font = font.transform(style.transform());
        self.0.draw_text(text, &TextStyle { font, color: style.color(), pos: style.anchor() }, at)
    }
}
