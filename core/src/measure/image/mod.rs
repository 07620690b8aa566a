//! Grey images: the entropy of their levels, everywhere and in small windows, and how often small patches recur.

mod grey;
mod patches;

pub use grey::{Grey, LocalMap};
pub use patches::{Permutation2d, Sample2d};

use std::borrow::Cow;

use super::{Image, MeasureError, discrete::invalid};

/// The part of an image that `text` names: `rows,columns` as ranges `from:to` in which negative numbers count from the end;
/// an empty text is the whole.
fn crop<'a>(id: &str, image: Image<'a>, text: &str) -> Result<Image<'a>, MeasureError> {
    if text.trim().is_empty() {
        return Ok(image);
    }
    let refuse = || {
        let size = format!("an image of {} rows and {} columns", image.rows, image.columns);
        invalid(id, "crop", text.to_owned(), &format!("expected rows,columns such as 40:80,-40: within {size}"))
    };
    let (rows, columns) = text.split_once(',').ok_or_else(refuse)?;
    let range = |text: &str, len: usize| {
        let (from, to) = text.split_once(':')?;
        let place = |text: &str, absent: usize| match text.trim() {
            "" => Some(absent),
            number => match number.parse::<i64>().ok()? {
                back if back < 0 => len.checked_sub(usize::try_from(back.unsigned_abs()).ok()?),
                place => usize::try_from(place).ok(),
            },
        };
        let (from, to) = (place(from, 0)?, place(to, len)?);
        (from < to && to <= len).then_some(from..to)
    };
    let rows = range(rows, image.rows).ok_or_else(refuse)?;
    let columns = range(columns, image.columns).ok_or_else(refuse)?;
    let values: Vec<f64> =
        rows.clone().flat_map(|r| &image.values[r * image.columns..][columns.clone()]).copied().collect();
    Ok(Image { values: Cow::Owned(values), rows: rows.len(), columns: columns.len() })
}

fn empty(image: &Image<'_>) -> Result<(), MeasureError> {
    if image.values.is_empty() {
        return Err(MeasureError::TooShort { n: 0, what: "an image".to_owned(), needed: 1 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_count_from_either_end_and_stay_inside() {
        let image = Image { values: (0..12).map(f64::from).collect(), rows: 3, columns: 4 };
        let cut = |text: &str| crop("image.grey", image.clone(), text);
        assert_eq!(*cut("1:,-2:").unwrap().values, [6.0, 7.0, 10.0, 11.0]);
        assert_eq!(*cut("0:1, :").unwrap().values, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(cut("").unwrap().values.len(), 12);
        for wrong in ["1", "2:1,:", "0:4,:", ":,a:b", "-4:,:"] {
            assert!(cut(wrong).unwrap_err().to_string().contains("within an image of 3 rows"), "{wrong}");
        }
    }
}
