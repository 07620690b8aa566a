//! Measures of several columns, tables, images and attention on hostile input: a value, a state or a typed error, and never
//! a panic or a NaN.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use ndarray::ArrayD;
use serde_json::json;
use surprisal_core::{
    compute::Cpu,
    data::{Column, Matrix, Symbols, Values},
    measure::{Accepts, Context, MeasureError, Subject, Value, catalogue},
    pace::Unhurried,
};

fn columns(n: u32) -> Vec<Column> {
    let reals = |of: fn(u32) -> f64| (0..n).map(of).collect::<Vec<f64>>();
    vec![
        Column::real("ramp", reals(|i| f64::from(i) * 0.37)),
        Column::real("scattered", reals(|i| (f64::from(i) * 12.9898).sin() * 43_758.545_3 % 1.0)),
        Column::real("constant", reals(|_| 2.5)),
        Column::real("huge", reals(|i| if i % 2 == 0 { 1e308 } else { -1e308 * f64::from(i + 1) / f64::from(i + 2) })),
        Column::real("tiny", reals(|i| f64::from(i) * 5e-324)),
        Column::real("gaps", reals(|i| if i % 3 == 1 { f64::NAN } else { f64::from(i).sqrt() })),
        Column::real("nothing", reals(|_| f64::INFINITY)),
        Column::integer("counts", (0..n).map(|i| i64::from(i % 4)).collect()),
        Column::integer("extreme", (0..n).map(|i| if i % 2 == 0 { i64::MIN } else { i64::MAX }).collect()),
        Column::bytes("bytes", (0..n).map(|i| u8::try_from(i % 256).unwrap()).collect()),
        Column::new(
            "labels",
            Values::Symbols(Symbols {
                codes: (0..n).map(|i| if i % 5 == 4 { Symbols::MISSING } else { i % 3 }).collect(),
                labels: vec!["a".into(), "b".into(), "c".into()],
            }),
        ),
    ]
}

fn check(id: &str, what: &str, subject: Subject<'_>) {
    for missing in ["error", "omit"] {
        for resamples in [0, 3] {
            let context = Context::new(&Cpu, &Unhurried).with_resamples(resamples, 1);
            let entry = surprisal_core::measure::find(id).unwrap();
            let outcome = pollster::block_on(entry.run(&json!({ "missing": missing }), subject, &context));
            let is_nan = |values: &[f64]| values.iter().any(|v| v.is_nan());
            match outcome {
                Ok(outcome) => {
                    let nan = match &outcome.value {
                        Value::Scalar(x) => is_nan(&[*x]),
                        Value::Vector(v) => is_nan(v),
                        Value::Curves(c) => c.iter().any(|v| is_nan(v)),
                        Value::Undefined(_) => false,
                    };
                    assert!(!nan, "{id} of {what}: {:?}", outcome.value);
                    if outcome.value.scalar().is_some_and(f64::is_infinite) {
                        let warned = outcome.warnings.iter().any(|w| w.code == "infinite");
                        assert!(warned, "{id} of {what} is infinite without a reason");
                    }
                    if let Some(u) = outcome.uncertainty {
                        assert!(u.low <= u.high, "{id} of {what}: {u:?}");
                    }
                }
                Err(MeasureError::Backend { backend, message }) => panic!("{id} of {what}: {backend}: {message}"),
                Err(error) => assert!(error.to_string().len() > 20, "{error}"),
            }
        }
    }
}

#[test]
fn pairs_of_any_columns_of_any_length_are_answered() {
    let of_pairs = |a: Accepts| matches!(a, Accepts::Pair | Accepts::SymbolPair | Accepts::Points | Accepts::Table);
    for n in [0, 1, 2, 5, 6, 40] {
        let columns = columns(n);
        for entry in catalogue().iter().filter(|e| of_pairs(e.about.accepts)) {
            let id = entry.about.id;
            for first in &columns {
                check(id, &format!("{} ({n})", first.name), Subject::from(first));
                for second in &columns {
                    let what = format!("{} with {} ({n})", first.name, second.name);
                    check(id, &what, Subject::from([first, second].as_slice()));
                    check(id, &what, Subject::from(first).with(&[second]));
                }
            }
        }
    }
}

/// The value at a place.
type Fill = fn(usize) -> f64;

#[test]
fn arrays_of_any_shape_are_answered() {
    let shapes: [&[usize]; 12] = [
        &[],
        &[3],
        &[0, 4],
        &[4, 0],
        &[1, 1],
        &[2, 3],
        &[3, 2],
        &[12, 5],
        &[40, 33],
        &[2, 3, 3],
        &[2, 0, 3],
        &[1, 2, 2, 2],
    ];
    let fills: [(&str, Fill); 7] = [
        ("zeros", |_| 0.0),
        ("ones", |_| 1.0),
        ("a ramp", |i| i as f64),
        ("halves", |i| 0.5 * (i % 3) as f64),
        ("huge numbers", |i| if i % 2 == 0 { 1e300 } else { -1e300 }),
        ("signs", |i| (i as f64 * 0.7).sin()),
        ("gaps", |i| if i == 4 { f64::NAN } else { (i % 7) as f64 }),
    ];
    let labels = Column::integer("labels", (0..12).map(|i| i % 3).collect());
    for shape in shapes {
        let len = shape.iter().product();
        for (fill, of) in fills {
            let values = ArrayD::from_shape_vec(shape.to_vec(), (0..len).map(of).collect()).unwrap();
            let matrix = Matrix { name: "m".to_owned(), values };
            for entry in catalogue().iter().filter(|e| e.about.accepts != Accepts::Nothing) {
                let what = format!("{fill} of shape {shape:?}");
                check(entry.about.id, &what, Subject::from(&matrix));
                check(entry.about.id, &what, Subject::from(&matrix).with(&[&labels]));
            }
        }
    }
}

#[test]
fn nothing_at_all_is_answered() {
    for entry in catalogue() {
        check(entry.about.id, "nothing", Subject::default());
    }
}
