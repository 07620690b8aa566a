//! Columns of files that a test has read.

use surprisal_core::{
    data::{Column, OpenFile, Values},
    pace::Unhurried,
};

/// Column `name` with its values, read whole and streamed.
pub(crate) fn column(file: &OpenFile, name: &str) -> Column {
    let Some(i) = file.dataset.columns.iter().position(|c| c.name == name) else {
        panic!("no column {name:?} among {:?}", names(file));
    };
    let column = pollster::block_on(file.column(i, &Unhurried)).unwrap();
    let mut streamed = 0;
    let sink = &mut |c: surprisal_core::data::Chunk<'_>| {
        streamed += c.len();
        Ok(())
    };
    pollster::block_on(file.stream(i, sink, &Unhurried)).unwrap();
    assert_eq!(streamed as u64, column.len, "{name}");
    assert_eq!(column.values.as_ref().unwrap().len() as u64, column.len, "{name}");
    assert_eq!(column.values.as_ref().unwrap().missing() as u64, column.missing, "{name}");
    column
}

pub(crate) fn numbers(column: &Column) -> Vec<f64> {
    match column.values.as_ref().expect("in memory") {
        Values::Real(v) | Values::Time(v) => v.clone(),
        Values::Integer(v) => v.iter().map(|&x| x as f64).collect(),
        Values::Bytes(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Values::Symbols(s) => panic!("symbols {:?}", s.labels),
    }
}

/// The labels of every value; nothing where there is none.
pub(crate) fn words(column: &Column) -> Vec<&str> {
    let Some(Values::Symbols(s)) = &column.values else { panic!("{column:?}") };
    s.codes.iter().map(|&c| s.labels.get(c as usize).map_or("", String::as_str)).collect()
}

pub(crate) fn names(file: &OpenFile) -> Vec<&str> {
    file.dataset.columns.iter().map(|c| c.name.as_str()).collect()
}
