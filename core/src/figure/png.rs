//! A figure as a PNG picture, the same on every machine: the text is set in the bundled Inter.
//!
//! plotters' bitmap back end does not smooth fills and wide strokes, and its text loses the side
//! bearings of the glyphs. So the figure is drawn several times larger than the picture and averaged,
//! with fills, strokes and glyphs that suit this.

use super::{Figure, FigureError, Style, draw, metrics::text_width, scale::whole};
use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::ImageEncoder;
use plotters::drawing::IntoDrawingArea;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    text_anchor::HPos,
};
use plotters_bitmap::BitMapBackend;

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
const SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");

/// Inter's ascent and descent in em: what the rasteriser calls its size.
const FONT_HEIGHT: f64 = (1984.0 + 494.0) / 2048.0;

/// From the middle of Inter's capitals down to the baseline, in em.
const BASELINE: f64 = 0.364;

/// Pixels of the largest picture, before and after averaging.
const MOST_PIXELS: u64 = 64_000_000;

/// Draws `figure` on `width` by `height` CSS pixels, `style.scale` pixels each.
///
/// # Errors
///
/// When a side is 0 or the picture would have more than 64 million pixels.
pub fn to_png(figure: &Figure, width: u32, height: u32, style: &Style) -> Result<Vec<u8>, FigureError> {
    let scale = style.factor();
    let (columns, rows) = (pixels(f64::from(width) * scale), pixels(f64::from(height) * scale));
    let area = u64::from(columns) * u64::from(rows);
    if columns == 0 || rows == 0 || area > MOST_PIXELS {
        return Err(FigureError::Size { width: columns, height: rows });
    }
    let finer = (1..=4).rev().find(|finer| area * u64::from(finer * finer) <= MOST_PIXELS).unwrap_or(1);
    let large = (columns * finer, rows * finer);
    let mut buffer = vec![0; index(large.0) * index(large.1) * 3];
    {
        let backend = BitMapBackend::with_buffer(&mut buffer, large);
        let area = Smooth(backend).into_drawing_area();
        let style = Style { scale: scale * f64::from(finer), ..style.clone() };
        draw(figure, &area, &style)?;
    }
    let small = averaged(&buffer, (columns, rows), finer);
    let mut file = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut file);
    encoder
        .write_image(&small, columns, rows, image::ExtendedColorType::Rgb8)
        .map_err(|error| FigureError::Encode(error.to_string()))?;
    Ok(file)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and is checked against the limit"
)]
fn pixels(length: f64) -> u32 {
    length.round() as u32
}

#[expect(clippy::cast_possible_truncation, reason = "a length in pixels for the rasteriser, which has 32 bits")]
fn single(length: f64) -> f32 {
    length as f32
}

fn index(length: u32) -> usize {
    length as usize
}

/// Each pixel is the mean of `finer` by `finer` ones.
#[expect(clippy::cast_possible_truncation, reason = "a mean of bytes is a byte")]
fn averaged(large: &[u8], (columns, rows): (u32, u32), finer: u32) -> Vec<u8> {
    let (columns, rows, step) = (index(columns), index(rows), index(finer));
    let stride = columns * step * 3;
    let share = finer * finer;
    let mut small = Vec::with_capacity(columns * rows * 3);
    let mut sums = vec![0_u32; columns * 3];
    for row in 0..rows {
        sums.fill(share / 2);
        for line in large[row * step * stride..].chunks_exact(stride).take(step) {
            for (cell, sum) in line.chunks_exact(step * 3).zip(sums.chunks_exact_mut(3)) {
                for pixel in cell.chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, byte)| *sum += u32::from(*byte));
                }
            }
        }
        small.extend(sums.iter().map(|sum| (sum / share) as u8));
    }
    small
}

/// plotters' bitmap back end with winding fills and joined strokes.
struct Smooth<'a>(BitMapBackend<'a>);

type Failure<'a> = DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>;

impl<'a> DrawingBackend for Smooth<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

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

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), Failure<'a>> {
        self.0.draw_rect(from, to, style, fill)
    }

    /// Segments with round joints.
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Failure<'a>> {
        let radius = f64::from(style.stroke_width()) / 2.0;
        let points: Vec<(f64, f64)> = path.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
        for pair in points.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            let length = (bx - ax).hypot(by - ay);
            if length > 0.0 {
                let (nx, ny) = (-(by - ay) / length * radius, (bx - ax) / length * radius);
                self.wound(&[(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)], style)?;
            }
        }
        for (x, y) in points.iter().skip(1).take(points.len().saturating_sub(2)) {
            self.wound(&round((*x, *y), radius), style)?;
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        at: BackendCoord,
        radius: u32,
        style: &S,
        _: bool,
    ) -> Result<(), Failure<'a>> {
        self.wound(&round((f64::from(at.0), f64::from(at.1)), f64::from(radius)), style)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Failure<'a>> {
        let points: Vec<(f64, f64)> = path.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
        self.wound(&points, style)
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Result<(), Failure<'a>> {
        let (em, colour) = (style.size(), style.color());
        let bytes = if matches!(style.style(), FontStyle::Bold) { SEMIBOLD } else { REGULAR };
        let failure = |error| DrawingErrorKind::FontError(Box::new(error));
        let font = FontRef::try_from_slice(bytes).map_err(failure)?;
        let font = font.as_scaled(PxScale::from(single(em * FONT_HEIGHT)));
        let width = text_width(text, em);
        let mut pen = single(match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        });
        let baseline = single(em * BASELINE);
        let turn = style.transform();
        let (columns, rows) = self.get_size();
        for character in text.chars() {
            let id = font.glyph_id(character);
            let glyph = id.with_scale_and_position(font.scale(), point(pen, baseline));
            pen += font.h_advance(id);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            let (left, top) = (whole(f64::from(corner.x)), whole(f64::from(corner.y)));
            let mut pixels = Vec::new();
            outline.draw(|x, y, coverage| pixels.push((x, y, coverage)));
            for (x, y, coverage) in pixels {
                let place =
                    i32::try_from(x).ok().zip(i32::try_from(y).ok()).map(|(x, y)| turn.transform(left + x, top + y));
                let Some((x, y)) = place.map(|(x, y)| (at.0 + x, at.1 + y)) else { continue };
                if u32::try_from(x).is_ok_and(|x| x < columns) && u32::try_from(y).is_ok_and(|y| y < rows) {
                    let alpha = colour.alpha * f64::from(coverage.min(1.0));
                    self.0.draw_pixel((x, y), BackendColor { alpha, rgb: colour.rgb })?;
                }
            }
        }
        Ok(())
    }
}

impl<'a> Smooth<'a> {
    /// Fills what a path winds around, a span of pixels at a time.
    fn wound<S: BackendStyle>(&mut self, points: &[(f64, f64)], style: &S) -> Result<(), Failure<'a>> {
        let (columns, rows) = self.get_size();
        let mut edges: Vec<(f64, f64, f64, f64, i32)> = Vec::with_capacity(points.len());
        for (at, from) in points.iter().enumerate() {
            let to = points[(at + 1) % points.len()];
            if from.1 < to.1 {
                edges.push((from.1, to.1, from.0, to.0, 1));
            } else if from.1 > to.1 {
                edges.push((to.1, from.1, to.0, from.0, -1));
            }
        }
        edges.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some(top) = edges.first().map(|edge| edge.0.max(0.0)) else { return Ok(()) };
        let bottom = edges.iter().map(|edge| edge.1).fold(0.0, f64::max).min(f64::from(rows));
        let mut waiting = edges.into_iter().peekable();
        let mut active: Vec<(f64, f64, f64, f64, i32)> = Vec::new();
        let mut crossings: Vec<(f64, i32)> = Vec::new();
        for row in whole(top.floor())..whole(bottom.ceil()) {
            let middle = f64::from(row) + 0.5;
            while let Some(edge) = waiting.next_if(|edge| edge.0 <= middle) {
                active.push(edge);
            }
            active.retain(|edge| edge.1 > middle);
            crossings.clear();
            crossings.extend(
                active.iter().map(|(y0, y1, x0, x1, turn)| (x0 + (middle - y0) / (y1 - y0) * (x1 - x0), *turn)),
            );
            crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut winding = 0;
            for pair in crossings.windows(2) {
                winding += pair[0].1;
                let from = whole(pair[0].0.max(0.0));
                let to = whole(pair[1].0.min(f64::from(columns)));
                if winding != 0 && to > from {
                    self.0.draw_rect((from, row), (to, row + 1), &style.color(), true)?;
                }
            }
        }
        Ok(())
    }
}

/// A circle as a polygon.
fn round((x, y): (f64, f64), radius: f64) -> Vec<(f64, f64)> {
    let sides = (radius * 2.0).clamp(12.0, 96.0).round();
    let angle = |side: f64| std::f64::consts::TAU * side / sides;
    let mut points = Vec::new();
    let mut side = 0.0;
    while side < sides {
        points.push((x + radius * angle(side).cos(), y + radius * angle(side).sin()));
        side += 1.0;
    }
    points
}
