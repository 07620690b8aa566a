//! Readers against other implementations of the same formats, on random inputs.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "small literals; a test that cannot read its input has failed"
)]

use ndarray::{Array1, Array2, ShapeBuilder};
use ndarray_npy::WriteNpyExt;
use proptest::prelude::*;
use surprisal_core::{
    data::{CsvOptions, Kind, Memory, OpenFile, Options, Values, open},
    pace::Unhurried,
};

fn read(name: &str, bytes: Vec<u8>, options: Options) -> OpenFile {
    pollster::block_on(open(Box::new(Memory::new(name, bytes)), options, &Unhurried)).unwrap()
}

fn reals(file: &OpenFile, column: usize) -> Vec<u64> {
    match pollster::block_on(file.column(column, &Unhurried)).unwrap().values {
        Some(Values::Real(v)) => v.into_iter().map(f64::to_bits).collect(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arrays_written_by_ndarray_npy(values in proptest::collection::vec(any::<f64>(), 1..300), resident in any::<bool>()) {
        let mut bytes = Vec::new();
        Array1::from_vec(values.clone()).write_npy(&mut bytes).unwrap();
        let resident_limit = if resident { 1 << 20 } else { 0 };
        let file = read("x.npy", bytes, Options { resident_limit, ..Options::default() });
        prop_assert_eq!(reals(&file, 0), values.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    }

    #[test]
    fn tables_written_by_ndarray_npy(n in 1_usize..40, d in 1_usize..9, fortran in any::<bool>(), seed in any::<u32>()) {
        let cell = |r: usize, c: usize| (seed as f64) + (r * 100 + c) as f64;
        let table = Array2::from_shape_fn((n, d).set_f(fortran), |(r, c)| cell(r, c));
        let mut bytes = Vec::new();
        table.write_npy(&mut bytes).unwrap();
        let file = read("x.npy", bytes, Options::default());
        prop_assert_eq!(file.dataset.columns.len(), d);
        for c in 0..d {
            prop_assert_eq!(reals(&file, c), (0..n).map(|r| cell(r, c).to_bits()).collect::<Vec<_>>());
        }
        prop_assert_eq!(&file.dataset.matrices[0].values, &table.into_dyn());
    }

    #[test]
    fn reals_written_as_text_come_back_to_the_bit(values in proptest::collection::vec(
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 1..100), comma in any::<bool>()) {
        let mut text = String::from("a;b\n");
        for x in &values {
            let number = format!("{x:?}");
            text += &if comma { format!("{};0,5\n", number.replace('.', ",")) } else { format!("{number};0.5\n") };
        }
        let file = read("x.csv", text.into_bytes(), Options::default());
        prop_assert_eq!(reals(&file, 0), values.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    }

    #[test]
    fn labels_of_quoted_tables(table in proptest::collection::vec(proptest::collection::vec("[a-z,;\"\n]{1,8}", 3), 1..30)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let options = Options {
            kind: Some(Kind::Csv),
            csv: CsvOptions { delimiter: Some(b','), header: Some(false), decimal: None },
            ..Options::default()
        };
        let file = read("x.csv", writer.into_inner().unwrap(), options);
        for c in 0..3 {
            let Some(Values::Symbols(symbols)) = &file.dataset.columns[c].values else { continue };
            for (r, row) in table.iter().enumerate() {
                let field = row[c].trim_ascii();
                let code = symbols.codes[r];
                if code == u32::MAX {
                    prop_assert!(field.is_empty() || ["nan", "null"].contains(&field));
                } else {
                    prop_assert_eq!(&symbols.labels[code as usize], field);
                }
            }
        }
    }
}
