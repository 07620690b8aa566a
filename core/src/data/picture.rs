//! Images: one column per channel, row by row from the top left, and grey as a matrix.

use super::{Column, DataError, Matrix, Values};
use image::{ColorType, DynamicImage, ImageError, ImageFormat, ImageReader, Limits};
use ndarray::ArrayD;
use std::io::Cursor;

/// No picture may take more, whatever the limits say: twice an 8-bit colour image of 128 megapixels.
const MOST_BYTES: u64 = 768 << 20;

/// A decoded image.
pub(super) struct Picture {
    pub(super) columns: Vec<Column>,
    /// Height x width, where it fits.
    pub(super) matrix: Option<Matrix>,
    /// `PNG image, 640 x 480, 8-bit RGB`.
    pub(super) describe: String,
}

/// The format of an image that begins with `head`.
pub(super) fn format(head: &[u8]) -> Option<ImageFormat> {
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some(ImageFormat::Png),
        [0xFF, 0xD8, 0xFF, ..] => Some(ImageFormat::Jpeg),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some(ImageFormat::Tiff),
        _ => None,
    }
}

/// Decodes a whole image file, never allocating more than `limit` for its pixels.
pub(super) fn read(bytes: &[u8], limit: u64, matrix_limit: u64) -> Result<Picture, DataError> {
    let Some(format) = format(bytes) else {
        let why = "it begins neither as PNG, nor as JPEG, nor as TIFF".to_owned();
        return Err(DataError::Malformed { what: "image", offset: 0, why });
    };
    let limit = limit.min(MOST_BYTES);
    let sort = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        _ => "TIFF",
    };
    let refuse = |e: ImageError| match e {
        ImageError::Limits(_) => {
            DataError::TooLarge { what: format!("the {sort} image"), needed: limit.saturating_add(1), limit }
        }
        ImageError::Unsupported(u) => DataError::Unsupported {
            what: format!("the {sort} image ({u})"),
            instead: "grey or colour images of 8 or 16 bits a channel can",
        },
        e => DataError::Malformed { what: sort_of(format), offset: 0, why: e.to_string() },
    };
    let dimensions = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().map_err(refuse)?;
    let pixels = u64::from(dimensions.0) * u64::from(dimensions.1);
    if pixels == 0 {
        return Err(DataError::Empty { name: format!("the {sort} image"), what: "it has no pixel" });
    }
    // At least one byte for the decoder's and one for our copy of a pixel.
    if pixels.saturating_mul(2) > limit {
        let what = format!("the {sort} image of {} x {} pixels", dimensions.0, dimensions.1);
        return Err(DataError::TooLarge { what, needed: pixels.saturating_mul(2), limit });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(limit);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let image = reader.decode().map_err(refuse)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, depth, names) = channels(image)?;
    let describe = format!("{sort} image, {width} x {height}, {depth} {names}");
    let grey = channels.iter().find(|c| c.name == "grey").map(|c| &c.values);
    let cells = (width as u64).saturating_mul(height as u64).saturating_mul(8);
    let matrix = grey.filter(|_| cells <= matrix_limit).and_then(|values| {
        let values: Vec<f64> = match values {
            Some(Values::Bytes(v)) => v.iter().map(|&x| f64::from(x)).collect(),
            Some(Values::Integer(v)) => v.iter().map(|&x| x as f64).collect(), // 16 bits
            Some(Values::Real(v)) => v.clone(),
            _ => return None,
        };
        let values = ArrayD::from_shape_vec(vec![height, width], values).ok()?;
        Some(Matrix { name: "grey".to_owned(), values })
    });
    Ok(Picture { columns: channels, matrix, describe })
}

const fn sort_of(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG image",
        ImageFormat::Jpeg => "JPEG image",
        _ => "TIFF image",
    }
}

/// Luma of ITU-R BT.601.
fn luma(rgb: &[f64]) -> f64 {
    0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
}

type Channels = (Vec<Column>, &'static str, &'static str);

fn channels(image: DynamicImage) -> Result<Channels, DataError> {
    let (names, words): (&[&str], _) = match image.color() {
        ColorType::L8 | ColorType::L16 => (&["grey"], "grey"),
        ColorType::La8 | ColorType::La16 => (&["grey", "alpha"], "grey with alpha"),
        ColorType::Rgb8 | ColorType::Rgb16 | ColorType::Rgb32F => (&["red", "green", "blue"], "RGB"),
        ColorType::Rgba8 | ColorType::Rgba16 | ColorType::Rgba32F => (&["red", "green", "blue", "alpha"], "RGBA"),
        other => {
            let what = format!("an image with pixels of type {other:?}");
            return Err(DataError::Unsupported { what, instead: "grey and colour images can" });
        }
    };
    let n = names.len();
    let colour = n >= 3;
    fn plane<T: Copy, U>(raw: &[T], c: usize, n: usize, f: impl Fn(T) -> U) -> Vec<U> {
        raw.iter().skip(c).step_by(n).map(|&x| f(x)).collect()
    }
    fn grey<T: Copy + Into<f64>>(raw: &[T], n: usize) -> impl Iterator<Item = f64> + '_ {
        raw.chunks_exact(n).map(|p| luma(&[p[0].into(), p[1].into(), p[2].into()]))
    }
    let mut columns = Vec::with_capacity(n + 1);
    let depth = match image.color() {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => {
            let raw = image.into_bytes();
            columns.extend(names.iter().enumerate().map(|(c, name)| Column::bytes(*name, plane(&raw, c, n, |x| x))));
            if colour {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a mean of bytes is a byte"
                )]
                let values = grey(&raw, n).map(|x| x.round() as u8).collect();
                columns.push(Column::bytes("grey", values));
            }
            "8-bit"
        }
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let raw = match image {
                DynamicImage::ImageLuma16(i) => i.into_raw(),
                DynamicImage::ImageLumaA16(i) => i.into_raw(),
                DynamicImage::ImageRgb16(i) => i.into_raw(),
                DynamicImage::ImageRgba16(i) => i.into_raw(),
                _ => Vec::new(),
            };
            columns
                .extend(names.iter().enumerate().map(|(c, name)| Column::integer(*name, plane(&raw, c, n, i64::from))));
            if colour {
                #[expect(clippy::cast_possible_truncation, reason = "a mean of 16-bit integers is one")]
                let values = grey(&raw, n).map(|x| x.round() as i64).collect();
                columns.push(Column::integer("grey", values));
            }
            "16-bit"
        }
        _ => {
            let raw = match image {
                DynamicImage::ImageRgb32F(i) => i.into_raw(),
                DynamicImage::ImageRgba32F(i) => i.into_raw(),
                _ => Vec::new(),
            };
            columns.extend(names.iter().enumerate().map(|(c, name)| Column::real(*name, plane(&raw, c, n, f64::from))));
            columns.push(Column::real("grey", grey(&raw, n).collect()));
            "32-bit floating point"
        }
    };
    Ok((columns, depth, words))
}
