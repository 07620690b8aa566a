//! Speed of the measures of pairs and matrices: `cargo run --release -p surprisal-core --example pairs_bench`.
//!
//! Gaussian data, correlation 0.6; prints the best of some runs as samples a second, or as milliseconds for matrices.

use std::time::{Duration, Instant};

use ndarray::ArrayD;
use serde_json::{Value, json};
use surprisal_core::{
    compute::Cpu,
    data::{Column, Matrix},
    measure::{Context, Subject, run},
    pace::Unhurried,
    rng::Philox,
};

/// The best of at least two runs, in seconds.
fn best(id: &str, params: &Value, subject: Subject<'_>) -> Result<f64, Box<dyn std::error::Error>> {
    let context = Context::new(&Cpu, &Unhurried);
    let (mut best, began) = (f64::INFINITY, Instant::now());
    for round in 0..9 {
        let start = Instant::now();
        pollster::block_on(run(id, params, subject, &context))?;
        best = best.min(start.elapsed().as_secs_f64());
        if round > 0 && began.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    Ok(best)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = Philox::new(1, 1);
    for n in [1_000_u32, 10_000, 100_000] {
        let x: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let y = x.iter().map(|x| 0.6 * x + 0.8 * rng.normal()).collect();
        let (x, y) = (Column::real("x", x), Column::real("y", y));
        let both = [&x, &y];
        for (id, subject) in [
            ("diff.kl", Subject::from(&x)),
            ("diff.kl", Subject::from(both.as_slice())),
            ("mi.ksg1", Subject::from(both.as_slice())),
            ("mi.ksg2", Subject::from(both.as_slice())),
            ("te.ksg", Subject::from(both.as_slice())),
        ] {
            let seconds = best(id, &json!({}), subject)?;
            println!("{id:10} n = {n:6}: {:8.0} k samples/s", f64::from(n) / seconds / 1e3);
        }
    }
    for (n, d) in [(300_usize, 32_usize), (1000, 64), (2000, 64)] {
        let values: Vec<f64> = (0..n * d).map(|_| rng.normal()).collect();
        let table = Matrix { name: "z".to_owned(), values: ArrayD::from_shape_vec(vec![n, d], values)? };
        for id in ["matrix.entropy", "matrix.renyi_gaussian", "dse"] {
            let seconds = best(id, &json!({ "sigma": 8.0 }).take_for(id), Subject::from(&table))?;
            println!("{id:21} {n} x {d}: {:9.2} ms", 1e3 * seconds);
        }
    }
    Ok(())
}

/// The parameters that a measure has.
trait TakeFor {
    fn take_for(self, id: &str) -> Self;
}

impl TakeFor for Value {
    fn take_for(self, id: &str) -> Self {
        if id == "matrix.entropy" { json!({}) } else { self }
    }
}
