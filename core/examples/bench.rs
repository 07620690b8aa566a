//! Speed of the measures as their users call them: `cargo run --release -p surprisal-core --example bench -- FILE.npy…`.
//!
//! Each file holds one series. Prints one JSON line per measure and file, with the best of some runs, for
//! `cargo xtask bench`, which sets the same files before other packages.

use std::time::{Duration, Instant};

use surprisal_core::{
    compute::Cpu,
    data::Column,
    measure::{Context, run},
    pace::Unhurried,
};

/// Enough runs that the best of them met no interruption, and an end.
const RUNS: u32 = 9;
const ENOUGH: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let measures = [
        ("perm3", "perm", serde_json::json!({ "order": 3, "delay": 1 })),
        ("perm5", "perm", serde_json::json!({ "order": 5, "delay": 1 })),
        ("sampen", "sampen", serde_json::json!({ "m": 2 })),
    ];
    for path in std::env::args().skip(1) {
        let values: Vec<f64> = npyz::NpyFile::new(std::io::BufReader::new(std::fs::File::open(&path)?))?.into_vec()?;
        let column = Column::real("x", values);
        for (name, id, parameters) in &measures {
            let context = Context::new(&Cpu, &Unhurried);
            let (mut best, mut value) = (f64::INFINITY, serde_json::Value::Null);
            let began = Instant::now();
            for _ in 0..RUNS {
                let start = Instant::now();
                let outcome = pollster::block_on(run(id, parameters, &column, &context))?;
                best = best.min(start.elapsed().as_secs_f64());
                value = outcome.value.to_json();
                if began.elapsed() > ENOUGH {
                    break;
                }
            }
            let line = serde_json::json!({ "measure": name, "n": column.len, "seconds": best, "value": value });
            println!("{line}");
        }
    }
    Ok(())
}
