//! One training step of a small transformer beside JAX and PyTorch natively, jax-js and TensorFlow.js in the browser.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Args, pinned, virtual_environment};
use crate::shell::{cargo, columns, loud_step, output, program, run, step};
use crate::{site, tools};

const PEERS: [&str; 2] = ["jax==0.10.2", "numpy"];
/// One thread each; JAX has a pool of its own.
const ONE_THREAD: [(&str, &str); 6] = [
    ("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"),
    ("JAX_PLATFORMS", "cpu"),
    ("NPROC", "1"),
    ("OMP_NUM_THREADS", "1"),
    ("MKL_NUM_THREADS", "1"),
    ("OPENBLAS_NUM_THREADS", "1"),
];
/// The first losses agree where they differ by less than this part: all are sums in f32, in some order.
const AGREE: f64 = 1e-4;
/// Nats by which the loss falls at least from the first step to the last; any that learns makes ten times that.
const FALL: f64 = 0.2;

/// Ours, another package's, and how many times as fast ours is meant to be.
const PAIRS: [(&str, &str, Option<f64>); 5] = [
    ("Surprisal", "JAX", Some(1.5)),
    ("Surprisal", "PyTorch", None),
    ("Surprisal, wasm", "jax-js, wasm", Some(3.0)),
    ("Surprisal, wasm", "TensorFlow.js, wasm", None),
    ("Surprisal, WebGPU", "jax-js, WebGPU", Some(4.0)),
];
/// And our dispatches are meant to be at most so great a part of theirs.
const DISPATCHES: f64 = 1.0 / 7.0;

/// What was measured of one problem in one library, the best of all its lines.
#[derive(Clone, Debug, Default)]
struct Case {
    problem: String,
    library: String,
    /// Seconds a step by the clock on the wall, and of all processors.
    seconds: Option<f64>,
    processor: Option<f64>,
    losses: Vec<f64>,
    last: Option<f64>,
    dispatches: Option<f64>,
    note: String,
}

impl Case {
    fn read(line: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(line).with_context(|| format!("a bench printed {line}"))?;
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| json[key].as_f64();
        Ok(Self {
            problem: text("problem"),
            library: text("library"),
            seconds: number("seconds"),
            processor: number("processor"),
            losses: json["losses"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect(),
            last: number("last"),
            dispatches: number("dispatches"),
            note: text("note"),
        })
    }

    /// Takes the better of two measurements; one that failed gives way.
    fn join(&mut self, other: Self) {
        let least = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).min_by(f64::total_cmp);
        let (seconds, processor) = (least(self.seconds, other.seconds), least(self.processor, other.processor));
        if self.seconds.is_none() || other.seconds.is_some_and(|time| seconds == Some(time)) {
            *self = other;
        }
        (self.seconds, self.processor) = (seconds, processor);
    }

    /// Whether it learns what the reference learns, or what is wrong.
    fn learns(&self, reference: &Self) -> Result<(), String> {
        let pairs = self.losses.iter().zip(&reference.losses);
        let compared = pairs.len();
        let worst = pairs.map(|(a, b)| (a - b).abs() / b.abs()).fold(0.0, f64::max);
        let fallen = self.losses.first().zip(self.last).is_some_and(|(first, last)| first - last > FALL);
        match (compared, worst < AGREE, fallen) {
            (0, ..) => Err("no losses".to_owned()),
            (_, false, _) => Err(format!("losses differ by {worst:.0e}")),
            (_, _, false) => Err("the loss does not fall".to_owned()),
            _ => Ok(()),
        }
    }
}

/// The best lines of each problem in each library, in the order of their first.
fn cases(text: &str) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let case = Case::read(line)?;
        match cases.iter_mut().find(|other| (&other.problem, &other.library) == (&case.problem, &case.library)) {
            Some(other) => other.join(case),
            None => cases.push(case),
        }
    }
    Ok(cases)
}

pub(super) fn main(args: &Args, target: &Path) -> Result<()> {
    loud_step("bench of training, profile release", || {
        run(cargo().args(["build", "--release", "-p", "surprisal-core", "--example", "nn_bench"]))
    })?;
    let example = target.join("release/examples/nn_bench");
    let before = load();
    // Ours before and after: a busy machine may slow one of them down.
    let mut text = step("our step, one thread", || output(&mut pinned(&example)))?;
    if !args.no_peers {
        let python = virtual_environment(&target.join("bench-venv-nn"), "jax, numpy", &PEERS)?;
        text += &step("JAX, jitted, one thread", || output(&mut script(&python, include_str!("nn_jax.py"))))?;
        if has_torch(&python) {
            text += &step("PyTorch, one thread", || output(&mut script(&python, include_str!("nn_torch.py"))))?;
        } else {
            for problem in ["large", "small"] {
                let line = serde_json::json!({ "problem": problem, "library": "PyTorch", "note": "not installed in bench-venv-nn" });
                text += &format!("{line}\n");
            }
        }
        text += &step("our step again", || output(&mut pinned(&example)))?;
    }
    if !args.quick && !args.no_peers {
        text += &in_browser(args, target)?;
    }
    println!("\n{}", columns(&table(&cases(&text)?)));
    println!(
        "Milliseconds a step, the best of some runs: on the wall, and of all processors (CPU), which a busy machine"
    );
    println!("changes less. A goal is met where both ratios meet it and the losses agree.");
    if let (Some(before), Some(after)) = (before, load()) {
        println!("Load average {before} before and {after} after, which includes these benches themselves.");
    }
    Ok(())
}

/// A step of another package over the same problem.
fn script(python: &Path, step: &str) -> std::process::Command {
    let mut command = pinned(python);
    command.args(["-c", &format!("{}{step}", include_str!("nn_problem.py"))]).envs(ONE_THREAD);
    command
}

/// Whether PyTorch is there. Nobody gets its gigabytes of CUDA unasked: whoever wants to compare puts it there.
fn has_torch(python: &Path) -> bool {
    output(program(python).args(["-c", "import torch"])).is_ok()
}

/// Ours and two other packages in the same browser.
fn in_browser(args: &Args, target: &Path) -> Result<String> {
    tools::npm_packages()?;
    tools::peers()?;
    let browser = tools::browser()?;
    let ours = step_in_wasm(target)?;
    step("ours, jax-js and TensorFlow.js in the browser, some minutes", || {
        let mut command = program("node");
        command.current_dir(tools::e2e()).arg("peers/bench.mjs").arg(&ours);
        command.arg(if args.any_gpu { "hardware" } else { "webgpu" });
        output(command.env("SURPRISAL_CHROMIUM", browser))
    })
}

/// Our step as a module of its own, made as the page's engine is.
fn step_in_wasm(target: &Path) -> Result<PathBuf> {
    tools::wasm_target()?;
    loud_step("wasm of our step, profile web", || {
        let example = ["build", "-p", "surprisal-web", "--example", "nn_bench", "--target", tools::WASM];
        run(cargo().args(example).args(["--profile", "web"]))
    })?;
    let wasm = target.join(tools::WASM).join("web/examples/nn_bench.wasm");
    let out = target.join("site/dist/bound/nn_bench");
    site::bind(site::Build::Dist, "nn_bench", &wasm, &out)?;
    Ok(out)
}

/// The load of the last minute, where the system tells it.
fn load() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_owned)
}

fn table(cases: &[Case]) -> Vec<Vec<String>> {
    let head = [
        "problem",
        "library",
        "ms",
        "CPU ms",
        "ours ms",
        "ours CPU ms",
        "times",
        "by CPU",
        "goal",
        "",
        "dispatches",
        "",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut problems: Vec<&str> = Vec::new();
    for case in cases {
        if !problems.contains(&case.problem.as_str()) {
            problems.push(&case.problem);
        }
    }
    for problem in problems {
        let find = |library: &str| cases.iter().find(|c| c.problem == problem && c.library == library);
        let Some(reference) = find("Surprisal") else { continue };
        for (name, theirs, goal) in PAIRS {
            let ours = find(name);
            // With nothing beside it, ours has one line of its own.
            let alone = || !PAIRS.iter().any(|(other, peer, _)| *other == name && find(peer).is_some());
            let told = rows.iter().any(|row| row[0] == problem && row[1] == name);
            match (find(theirs), ours) {
                (Some(theirs), _) => rows.push(row(reference, ours, theirs, goal)),
                (None, Some(_)) if alone() && !told => {
                    let none = Case { problem: problem.to_owned(), library: name.to_owned(), ..Case::default() };
                    rows.push(row(reference, ours, &none, None));
                }
                _ => {}
            }
        }
    }
    rows
}

/// One line of the table: another package, and ours beside it.
fn row(reference: &Case, ours: Option<&Case>, theirs: &Case, goal: Option<f64>) -> Vec<String> {
    let milliseconds =
        |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{:.3}", 1e3 * seconds));
    let ratio = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a / b);
    let shown = |times: Option<f64>| times.map_or_else(|| "-".to_owned(), |times| format!("{times:.2}"));
    let mine = ours.cloned().unwrap_or_default();
    let times = [ratio(theirs.seconds, mine.seconds), ratio(theirs.processor, mine.processor)];
    let mut notes = Vec::new();
    for (who, case) in [("", theirs), ("ours: ", &mine)] {
        if !case.note.is_empty() {
            notes.push(format!("{who}{}", case.note));
        }
        if case.seconds.is_some()
            && let Err(wrong) = case.learns(reference)
        {
            notes.push(format!("{who}{wrong}"));
        }
    }
    let counts = [theirs, &mine].iter().all(|case| case.seconds.is_some() && case.learns(reference).is_ok());
    let met = match (goal, counts) {
        (None, _) => "",
        (Some(_), false) => "does not count",
        (Some(goal), true) if times.iter().flatten().all(|times| *times >= goal) => "met",
        _ => "MISSED",
    };
    let dispatches = match (mine.dispatches, theirs.dispatches) {
        (Some(mine), Some(theirs)) => {
            let met = if mine <= theirs * DISPATCHES { "met" } else { "MISSED" };
            format!("{mine} of {theirs}, goal 1/7: {met}")
        }
        _ => String::new(),
    };
    vec![
        theirs.problem.clone(),
        theirs.library.clone(),
        milliseconds(theirs.seconds),
        milliseconds(theirs.processor),
        milliseconds(mine.seconds),
        milliseconds(mine.processor),
        shown(times[0]),
        shown(times[1]),
        goal.map_or_else(String::new, |goal| goal.to_string()),
        met.to_owned(),
        dispatches,
        notes.join("; "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str]) -> String {
        columns(&table(&cases(&lines.join("\n")).unwrap()))
    }

    fn line(library: &str, milliseconds: f64, loss: f64, more: &str) -> String {
        let seconds = milliseconds * 1e-3;
        format!(
            r#"{{"problem":"large","library":"{library}","seconds":{seconds},"processor":{seconds},"losses":[3.5,{loss}],"last":1.0{more}}}"#
        )
    }

    #[test]
    fn a_goal_is_met_only_beside_equal_losses() {
        let ours = line("Surprisal", 2.0, 3.0, "");
        let text = rows(&[&ours, &line("JAX", 4.0, 3.00001, "")]);
        assert!(text.contains("2.00") && text.contains(" met"), "{text}");
        assert!(rows(&[&ours, &line("JAX", 2.5, 3.0, "")]).contains("MISSED"));
        let text = rows(&[&ours, &line("JAX", 4.0, 3.1, "")]);
        assert!(text.contains("does not count") && text.contains("losses differ by 3e-2"), "{text}");
        let text = rows(&[&ours, &line("JAX", 4.0, 3.0, "").replace(r#""last":1.0"#, r#""last":3.4"#)]);
        assert!(text.contains("does not count") && text.contains("does not fall"), "{text}");
    }

    #[test]
    fn the_best_of_all_lines_is_compared() {
        let busy = line("JAX", 8.0, 3.0, r#","note":"slow""#);
        let failed = r#"{"problem":"large","library":"JAX","note":"failed: late"}"#;
        let found = cases(&[failed, &busy, &line("JAX", 4.0, 3.0, ""), failed].join("\n")).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].seconds, found[0].note.as_str()), (Some(0.004), ""));
        // By one clock one line may be better, by another the other.
        let mixed = line("JAX", 4.0, 3.0, "").replace(r#""processor":0.004"#, r#""processor":0.01"#);
        let found = cases(&[&busy, &mixed].map(String::as_str).join("\n")).unwrap();
        assert_eq!((found[0].seconds, found[0].processor), (Some(0.004), Some(0.008)));
    }

    #[test]
    fn what_did_not_run_is_said_and_its_dispatches_are_counted() {
        let text = rows(&[
            &line("Surprisal", 2.0, 3.0, ""),
            r#"{"problem":"large","library":"PyTorch","note":"not installed"}"#,
            r#"{"problem":"large","library":"Surprisal, WebGPU","dispatches":19,"note":"not run: software adapter"}"#,
            &line("jax-js, WebGPU", 900.0, 3.0, r#","dispatches":181"#),
        ]);
        assert!(text.contains("not installed") && text.contains("ours: not run: software adapter"), "{text}");
        assert!(text.contains("19 of 181, goal 1/7: met") && text.contains("does not count"), "{text}");
    }
}
