//! The names of a table's columns, and the units that they often carry.

/// Splits `temp (°C)` and `flux [Jy]` to a name and a unit.
pub(super) fn split_unit(header: &str) -> (String, Option<String>) {
    let header = header.trim();
    let whole = || (header.to_owned(), None);
    let open = match header.chars().last() {
        Some(')') => '(',
        Some(']') => '[',
        _ => return whole(),
    };
    let Some(at) = header.rfind(open) else { return whole() };
    let name = header[..at].trim_end();
    let unit = header[at + 1..header.len() - 1].trim();
    // `x (2)` is the second x, not an x in units of 2; a long text in brackets is a remark.
    let is_unit = !unit.is_empty() && unit.chars().count() <= 24 && !unit.bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() || !is_unit { whole() } else { (name.to_owned(), Some(unit.to_owned())) }
}

/// Makes every name non-empty and unique: `column 3`, `x (2)`.
pub(super) fn unique(names: &mut [String]) {
    let mut taken = std::collections::HashSet::new();
    // Where to go on counting, so that many columns of one name do not take the square of their number.
    let mut next = std::collections::HashMap::new();
    for (i, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = format!("column {}", i + 1);
        }
        if taken.contains(name) {
            let k = next.entry(name.clone()).or_insert(2_u64);
            while taken.contains(&format!("{name} ({k})")) {
                *k += 1;
            }
            *name = format!("{name} ({k})");
        }
        taken.insert(name.clone());
    }
}

/// A field of the first row, and what is below it.
pub(super) struct Top<'a> {
    /// Without white space around it.
    pub(super) field: &'a [u8],
    /// It is no number, no date and not missing.
    pub(super) is_text: bool,
    /// The column below has values that are no texts, or mostly.
    pub(super) above_values: bool,
    /// Some text below is the same.
    pub(super) repeated: bool,
}

/// Whether the first row names the columns: it does if it has a text above numbers; in a table of nothing but text,
/// if its fields are unique, not empty, and no value of their own columns.
pub(super) fn names_columns<'a>(tops: impl Iterator<Item = Top<'a>>) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut all_text = true;
    for top in tops {
        if top.is_text && top.above_values {
            return true;
        }
        all_text = all_text && top.is_text && !top.repeated && seen.insert(top.field);
    }
    all_text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let unit = |h: &str| split_unit(h);
        assert_eq!(unit("temp (°C)"), ("temp".into(), Some("°C".into())));
        assert_eq!(unit(" flux [Jy] "), ("flux".into(), Some("Jy".into())));
        assert_eq!(unit("x (2)"), ("x (2)".into(), None));
        assert_eq!(unit("(a)"), ("(a)".into(), None));
        assert_eq!(unit("a)"), ("a)".into(), None));
        assert_eq!(unit("]["), ("][".into(), None));
        assert_eq!(unit("f [])"), ("f [])".into(), None));
    }

    #[test]
    fn names_are_unique() {
        let mut names = ["a", "", "a", "a (2)", "a"].map(str::to_owned);
        unique(&mut names);
        assert_eq!(names, ["a", "column 2", "a (2)", "a (2) (2)", "a (3)"]);
    }
}
