//! Speed beside antropy in the same run on the same core, speed in the browser, and sizes.

mod nn;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::serve::Server;
use crate::shell::{self, cargo, columns, loud_step, output, program, run, step};
use crate::tools::{self, which};
use crate::{site, sizes};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Up to 1e5 samples, and no browser
    #[arg(long)]
    quick: bool,
    /// Leave the packages we compare with out
    #[arg(long)]
    no_peers: bool,
    /// Only schools of fish, beside dewi-kadita
    #[arg(long)]
    schools: bool,
    /// Only the catalogue's measures, beside antropy, ordpy, EntropyHub, infomeasure, scipy and scikit-learn
    #[arg(long)]
    catalogue: bool,
    /// Only one training step of a small transformer, beside JAX, PyTorch, jax-js and TensorFlow.js
    #[arg(long)]
    nn: bool,
    /// Of --nn: leave the choice of the WebGPU adapter to the browser, instead of SwiftShader
    #[arg(long, requires = "nn")]
    any_gpu: bool,
    /// Seconds that one measure of another package may take on one file
    #[arg(long, default_value_t = 120.0)]
    budget: f64,
}

/// What we compare with, as pinned for the published numbers.
const PEERS: [&str; 4] = ["antropy==0.2.3", "numpy", "scipy", "numba"];
/// And for the whole catalogue.
const CATALOGUE_PEERS: [&str; 8] = [
    "antropy==0.2.3",
    "ordpy==1.2.3",
    "EntropyHub==2.0",
    "infomeasure==0.6.3",
    "scipy",
    "numpy",
    "numba",
    "scikit-learn",
];
/// How many times as fast as the fastest of them a measure is meant to be; all others as fast.
const GOALS: [(&str, u64, f64); 8] = [
    ("perm, order 5", 0, 10.0),
    ("perm.weighted, order 5", 0, 10.0),
    ("plane, order 5", 0, 10.0),
    ("lz76", 100_000, 50.0),
    ("sampen", 100_000, 10.0),
    ("mi.ksg1", 10_000, 5.0),
    ("te.ksg", 10_000, 1.0),
    ("mi.plugin", 0, 1.0),
];
/// And for schools of fish.
const SCHOOL_PEERS: [&str; 3] = ["dewi-kadita==0.0.4", "numba", "scipy"];

/// A measure and a number of samples.
type Key = (String, u64);

pub(crate) fn main(args: &Args) -> Result<()> {
    let target = shell::target_dir()?;
    if args.schools {
        return schools(args, &target);
    }
    if args.catalogue {
        return catalogue(args, &target);
    }
    if args.nn {
        return nn::main(args, &target);
    }
    let sizes: &[u32] = if args.quick { &[10_000, 100_000] } else { &[10_000, 100_000, 1_000_000] };
    let series = step("white noise to measure", || {
        let folder = target.join("bench-data");
        std::fs::create_dir_all(&folder)?;
        sizes.iter().map(|&n| noise(&folder, n)).collect::<Result<Vec<PathBuf>>>()
    })?;
    loud_step("benches of core, profile release", || {
        run(cargo().args(["build", "--release", "-p", "surprisal-core", "--example", "bench"]))
    })?;
    let ours = step("our measures", || times(pinned(&target.join("release/examples/bench")).args(&series)))?;
    let peers = if args.no_peers {
        BTreeMap::new()
    } else {
        let python = virtual_environment(&target.join("bench-venv"), "antropy, numba", &PEERS)?;
        step(&format!("antropy, Numba warm, at most {} s each", args.budget), || {
            let mut command = pinned(&python);
            command.args(["-c", include_str!("bench.py")]).arg(args.budget.to_string()).args(&series);
            times(command.env("OMP_NUM_THREADS", "1").env("NUMBA_NUM_THREADS", "1"))
        })?
    };
    let (page, url) = serve_page(&target)?;
    let browser = if args.quick {
        BTreeMap::new()
    } else {
        step("the page in the browser (wasm SIMD)", || times(in_page("bench.mjs", &url)?.args(&series)))?
    };
    println!("\n{}", columns(&table(&ours, &peers, &browser)));
    println!("{}", sizes::table(&sizes::measure(&page)?));
    Ok(())
}

/// A program that stays on one core where that can be asked for, so that all are measured on the same one.
fn pinned(name: &Path) -> Command {
    if which("taskset").is_none() {
        return program(name);
    }
    let mut command = program("taskset");
    command.args(["-c", "1"]).arg(name);
    let works = output(program("taskset").args(["-c", "1", "true"])).is_ok();
    if works { command } else { program(name) }
}

/// The lines of a bench; an absent time is a measure that was left out.
fn times(command: &mut Command) -> Result<BTreeMap<Key, Line>> {
    output(command)?.lines().filter(|line| line.starts_with('{')).map(parse).collect()
}

struct Line {
    seconds: Option<f64>,
    /// What a measurement that was left out would take, going by a shorter file.
    expected: Option<f64>,
    /// The first call of a new page.
    first: Option<f64>,
    value: Option<f64>,
}

fn parse(line: &str) -> Result<(Key, Line)> {
    let json: serde_json::Value = serde_json::from_str(line).with_context(|| format!("a bench printed {line}"))?;
    let (Some(measure), Some(n)) = (json["measure"].as_str(), json["n"].as_u64()) else {
        bail!("a bench printed {line}");
    };
    let number = |key: &str| json[key].as_f64();
    let line = Line {
        seconds: number("seconds"),
        expected: number("expected"),
        first: number("first"),
        value: number("value"),
    };
    Ok(((measure.to_owned(), n), line))
}

/// Schools of fish in one run on one core, alone and measured at every step.
fn schools(args: &Args, target: &Path) -> Result<()> {
    loud_step("bench of schools, profile release", || {
        run(cargo().args(["build", "--release", "-p", "surprisal-core", "--example", "school_bench"]))
    })?;
    let ours = step("our schools", || times(&mut pinned(&target.join("release/examples/school_bench"))))?;
    let peers = if args.no_peers {
        BTreeMap::new()
    } else {
        let folder = target.join("bench-venv-schools");
        let python = virtual_environment(&folder, "dewi_kadita, numba", &SCHOOL_PEERS)?;
        step("dewi-kadita, Numba warm, one thread", || {
            let mut command = pinned(&python);
            command.args(["-c", include_str!("school_bench.py")]);
            times(command.env("OMP_NUM_THREADS", "1").env("NUMBA_NUM_THREADS", "1"))
        })?
    };
    let mut rows = vec![["case", "fish", "steps/s", "dewi-kadita", "times"].map(str::to_owned).to_vec()];
    for (key, line) in &ours {
        let rate = |line: Option<&Line>| line.and_then(|line| line.seconds).map(|seconds| 1.0 / seconds);
        let (mine, theirs) = (rate(Some(line)), rate(peers.get(key)));
        let shown = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
        let times = mine.zip(theirs).map(|(a, b)| a / b);
        rows.push(vec![key.0.clone(), key.1.to_string(), shown(mine), shown(theirs), shown(times)]);
    }
    println!("\n{}", columns(&rows));
    println!("{}", columns(&growth(args, target)?));
    let page = if args.quick { None } else { Some(serve_page(target)?.1) };
    println!("{}", columns(&interactions(target, page.as_deref())?));
    if let Some(url) = page {
        println!("{}", columns(&frames(&url)?));
    }
    Ok(())
}

/// The folder of the page as it is deployed, and where it is served.
fn serve_page(target: &Path) -> Result<(PathBuf, String)> {
    let page = target.join("site/dist/page");
    site::build(site::Build::Dist, &page)?;
    tools::npm_packages()?;
    let url = Server::new(&page, "/", true).start()?;
    Ok((page, url))
}

/// A bench of the page in a browser.
fn in_page(script: &str, url: &str) -> Result<Command> {
    let mut command = program("node");
    command.current_dir(tools::e2e()).arg(script).arg(url).env("SURPRISAL_CHROMIUM", tools::browser()?);
    Ok(command)
}

/// How smoothly schools swim on the page where there is no GPU.
fn frames(url: &str) -> Result<Vec<Vec<String>>> {
    let text = step("schools on the page", || output(&mut in_page("bench-frames.mjs", url)?))?;
    let head = ["swimming on the page", "frames/s", "longest wait, ms", "of the page, ms", "steps/s"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let json: serde_json::Value = serde_json::from_str(line)?;
        let number = |key: &str| json[key].as_f64().map_or_else(|| "-".to_owned(), |x| format!("{x:.0}"));
        let name = json["measure"].as_str().unwrap_or_default().to_owned();
        rows.push(vec![name, number("frames"), number("longest"), number("longest_of_page"), number("steps")]);
    }
    Ok(rows)
}

/// What a fish costs in larger and larger schools of equal density.
fn growth(args: &Args, target: &Path) -> Result<Vec<Vec<String>>> {
    loud_step("bench of large schools, profile release", || {
        run(cargo().args(["build", "--release", "-p", "surprisal-core", "--example", "swarm_bench"]))
    })?;
    let largest = if args.quick { "100000" } else { "1000000" };
    let found = step("large schools", || times(pinned(&target.join("release/examples/swarm_bench")).arg(largest)))?;
    let mut rows =
        vec![["order of sums", "fish", "ns a fish and step", "times that of the least"].map(str::to_owned).to_vec()];
    let mut least = BTreeMap::new();
    for ((name, fish), line) in found.iter().filter(|((name, _), _)| name != "all pairs") {
        let Some(seconds) = line.seconds else { continue };
        #[expect(clippy::cast_precision_loss, reason = "a count of fish is far below 2^53")]
        let cost = seconds / *fish as f64 * 1e9;
        let first = *least.entry(name.clone()).or_insert(cost);
        rows.push(vec![name.clone(), fish.to_string(), format!("{cost:.0}"), format!("{:.2}", cost / first)]);
    }
    Ok(rows)
}

/// Ordered pairs that are looked at in a second, wherever a school can swim.
fn interactions(target: &Path, page: Option<&str>) -> Result<Vec<Vec<String>>> {
    tools::vulkan()?;
    loud_step("bench of schools on the GPU, profile release", || {
        run(cargo().args(["build", "--release", "-p", "surprisal-gpu", "--example", "school_pairs"]))
    })?;
    let examples = target.join("release/examples");
    let here = step("all pairs on one core", || times(pinned(&examples.join("swarm_bench")).arg("0")))?;
    let adapter = step("all pairs on the adapter at hand", || times(&mut program(examples.join("school_pairs"))))?;
    let mut rows = vec![["1000 fish, all pairs, on", "steps/s", "million pairs/s"].map(str::to_owned).to_vec()];
    let mut add = |name: &str, (_, fish): &Key, line: &Line| {
        let rate = line.seconds.map_or(0.0, |seconds| 1.0 / seconds);
        #[expect(clippy::cast_precision_loss, reason = "a count of fish is far below 2^53")]
        let pairs = (*fish as f64).powi(2) * rate / 1e6;
        rows.push(vec![name.to_owned(), format!("{rate:.1}"), format!("{pairs:.1}")]);
    };
    here.iter().for_each(|(key, line)| add("this processor, one core", key, line));
    adapter.iter().for_each(|(key, line)| add(&key.0, key, line));
    if let Some(url) = page {
        let found = step("all pairs in the browser", || times(&mut in_page("bench-schools.mjs", url)?))?;
        found.iter().for_each(|(key, line)| add(&format!("the page, {}", key.0), key, line));
    }
    Ok(rows)
}

/// A measure of another package.
struct Peer {
    library: String,
    line: Line,
}

/// The catalogue beside other packages, on the same core in the same run.
fn catalogue(args: &Args, target: &Path) -> Result<()> {
    let sizes: &[u32] = if args.quick { &[3_000, 10_000] } else { &[3_000, 10_000, 100_000, 1_000_000] };
    let series = step("white noise to measure", || {
        let folder = target.join("bench-data");
        std::fs::create_dir_all(&folder)?;
        sizes.iter().map(|&n| noise(&folder, n)).collect::<Result<Vec<PathBuf>>>()
    })?;
    loud_step("bench of the catalogue, profile release", || {
        run(cargo().args(["build", "--release", "-p", "surprisal-core", "--example", "catalogue_bench"]))
    })?;
    let example = target.join("release/examples/catalogue_bench");
    let ours = step("our measures", || times(pinned(&example).args(&series)))?;
    let mut peers: BTreeMap<Key, Vec<Peer>> = BTreeMap::new();
    if !args.no_peers {
        let imports = "antropy, ordpy, EntropyHub, infomeasure, scipy, numba, sklearn";
        let python = virtual_environment(&target.join("bench-venv-catalogue"), imports, &CATALOGUE_PEERS)?;
        let text = step(&format!("other packages, warm, one thread, at most {} s each", args.budget), || {
            let mut command = pinned(&python);
            command.args(["-c", include_str!("catalogue_bench.py")]).arg(args.budget.to_string()).args(&series);
            for threads in ["OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
                command.env(threads, "1");
            }
            output(&mut command)
        })?;
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let json: serde_json::Value = serde_json::from_str(line)?;
            let library = json["library"].as_str().unwrap_or_default().to_owned();
            let (key, line) = parse(line)?;
            peers.entry(key).or_default().push(Peer { library, line });
        }
    }
    println!("\n{}", columns(&catalogue_table(&ours, &peers)));
    Ok(())
}

/// The goal of a row.
fn goal(key: &Key) -> f64 {
    GOALS.iter().find(|(name, n, _)| *name == key.0 && (*n == 0 || *n == key.1)).map_or(1.0, |(_, _, times)| *times)
}

fn catalogue_table(ours: &BTreeMap<Key, Line>, peers: &BTreeMap<Key, Vec<Peer>>) -> Vec<Vec<String>> {
    let head = ["measure", "n", "samples/s", "fastest other", "samples/s", "times", "goal", "", "values"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (key, line) in ours {
        let Some(mine) = line.seconds else { continue };
        #[expect(clippy::cast_precision_loss, reason = "sample counts are far below 2^53")]
        let rate = |seconds: f64| thousands(key.1 as f64 / seconds);
        let all = peers.get(key).map_or(&[][..], Vec::as_slice);
        // What was too slow for the budget is slower than what was not.
        let time = |p: &Peer| p.line.seconds.or(p.line.expected).unwrap_or(f64::INFINITY);
        let fastest = all.iter().min_by(|a, b| time(a).total_cmp(&time(b)));
        let goal = goal(key);
        let (name, theirs, times, met) = match fastest {
            None => ("-".to_owned(), "-".to_owned(), "-".to_owned(), ""),
            Some(peer) => {
                let times = time(peer) / mine;
                let about = if peer.line.seconds.is_some() { "" } else { "about " };
                let met = if times >= goal { "met" } else { "MISSED" };
                (peer.library.clone(), format!("{about}{}", rate(time(peer))), format!("{about}{times:.1}"), met)
            }
        };
        let differs =
            |p: &&Peer| line.value.zip(p.line.value).is_some_and(|(a, b)| (a - b).abs() > 1e-6 * b.abs().max(1e-3));
        let known = all.iter().filter(|p| p.line.value.is_some()).count();
        let others: Vec<String> =
            all.iter().filter(differs).map(|p| format!("{} {}", p.library, p.line.value.unwrap_or(f64::NAN))).collect();
        let values = match (known, others.is_empty()) {
            (0, _) => String::new(),
            (_, true) => "equal".to_owned(),
            _ => format!("{} here, {}", line.value.unwrap_or(f64::NAN), others.join(", ")),
        };
        let goal = format!("{goal:.0}");
        rows.push(vec![
            key.0.clone(),
            key.1.to_string(),
            rate(mine),
            name,
            theirs,
            times,
            goal,
            met.to_owned(),
            values,
        ]);
    }
    rows
}

fn virtual_environment(folder: &Path, imports: &str, packages: &[&str]) -> Result<PathBuf> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let ready = |python: &Path| output(program(python).args(["-c", &format!("import {imports}")])).is_ok();
    if ready(&python) {
        return Ok(python);
    }
    step(&format!("a virtual environment with {}", packages[0]), || {
        output(program("python3").args(["-m", "venv"]).arg(folder))?;
        output(program(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))
    })
    .context("cargo xtask bench --no-peers does without Python")?;
    Ok(python)
}

fn table(ours: &BTreeMap<Key, Line>, peers: &BTreeMap<Key, Line>, browser: &BTreeMap<Key, Line>) -> Vec<Vec<String>> {
    let head = [
        "measure",
        "n",
        "samples/s",
        "antropy",
        "times",
        "in the browser",
        "native is faster by",
        "first call of a page",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (key, line) in ours {
        #[expect(clippy::cast_precision_loss, reason = "sample counts are far below 2^53")]
        let rate = |line: Option<&Line>| line.and_then(|line| line.seconds).map(|seconds| key.1 as f64 / seconds);
        let (mine, theirs, wasm) = (rate(Some(line)), rate(peers.get(key)), rate(browser.get(key)));
        let ratio =
            |a: Option<f64>, b: Option<f64>| a.zip(b).map_or_else(|| "-".to_owned(), |(a, b)| format!("{:.1}", a / b));
        let mut times = ratio(mine, theirs);
        let mut theirs = theirs.map_or_else(|| "-".to_owned(), thousands);
        if let Some(seconds) = peers.get(key).and_then(|peer| peer.expected) {
            // Not run: the budget is too small for it.
            theirs = format!("{:.0} s extrapolated", seconds);
            times = line.seconds.map_or_else(|| "-".to_owned(), |mine| format!("about {:.0}", seconds / mine));
        }
        if let (Some(a), Some(b)) = (line.value, peers.get(key).and_then(|peer| peer.value))
            && (a - b).abs() > 1e-6 * b.abs()
        {
            times.push_str(&format!(" (values differ: {a} and {b})"));
        }
        rows.push(vec![
            key.0.clone(),
            key.1.to_string(),
            mine.map_or_else(|| "-".to_owned(), thousands),
            theirs,
            times,
            wasm.map_or_else(|| "-".to_owned(), thousands),
            ratio(mine, wasm),
            browser
                .get(key)
                .and_then(|line| line.first)
                .map_or_else(|| "-".to_owned(), |s| format!("{:.1} ms", 1e3 * s)),
        ]);
    }
    rows
}

/// `12.3 M`, `27.5 k`.
fn thousands(rate: f64) -> String {
    if rate >= 1e6 { format!("{:.1} M", rate / 1e6) } else { format!("{:.1} k", rate / 1e3) }
}

/// A file of standard normal values, always the same ones.
fn noise(folder: &Path, n: u32) -> Result<PathBuf> {
    let path = folder.join(format!("noise-{n}.npy"));
    if path.is_file() {
        return Ok(path);
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = || {
        // xorshift64*: plenty for white noise.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
        let bits = (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64;
        (bits + 0.5) / 9_007_199_254_740_992.0
    };
    let values = (0..n).map(|_| (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos());
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n},), }}");
    // Magic, version and length take ten bytes; the whole is a multiple of 64 and ends with a line feed.
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len())?.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.flat_map(f64::to_le_bytes));
    std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_an_npy_file_of_standard_normal_values() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = std::fs::read(noise(folder.path(), 10_000).unwrap()).unwrap();
        let start = bytes.len() - 80_000;
        assert_eq!(start % 64, 0);
        assert!(bytes.starts_with(b"\x93NUMPY") && bytes[start - 1] == b'\n');
        let values: Vec<f64> =
            bytes[start..].as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e4;
        assert!(mean.abs() < 0.04 && (variance - 1.0).abs() < 0.06, "{mean} {variance}");
    }

    #[test]
    fn the_table_says_what_was_left_out_and_what_differs() {
        let ours = [parse(r#"{"measure":"perm3","n":1000,"seconds":0.001,"value":2.5}"#).unwrap()].into();
        let peers = [parse(r#"{"measure":"perm3","n":1000,"seconds":0.01,"value":2.0}"#).unwrap()].into();
        let text = columns(&table(&ours, &peers, &BTreeMap::new()));
        assert!(
            text.contains("1.0 M") && text.contains("100.0 k") && text.contains("10.0 (values differ: 2.5 and 2)"),
            "{text}"
        );
        let slow = [parse(r#"{"measure":"perm3","n":1000,"seconds":null,"expected":900}"#).unwrap()].into();
        let text = columns(&table(&ours, &slow, &BTreeMap::new()));
        assert!(text.contains("900 s extrapolated") && text.contains("about 900000"), "{text}");
        assert!(parse("{}").is_err());
    }

    #[test]
    fn the_fastest_of_the_others_decides_about_the_goal() {
        let line = |text: &str| parse(text).unwrap();
        let ours = [
            line(r#"{"measure":"lz76","n":100000,"seconds":0.01,"value":7.0}"#),
            line(r#"{"measure":"svd","n":3000,"seconds":0.01,"value":1.5}"#),
            line(r#"{"measure":"bubble, m 6","n":3000,"seconds":0.01,"value":1.5}"#),
        ];
        let peer = |library: &str, text: &str| {
            let (key, line) = parse(text).unwrap();
            (key, Peer { library: library.to_owned(), line })
        };
        let mut peers: BTreeMap<Key, Vec<Peer>> = BTreeMap::new();
        for (key, peer) in [
            peer("slow", r#"{"measure":"lz76","n":100000,"seconds":null,"expected":90}"#),
            peer("antropy", r#"{"measure":"lz76","n":100000,"seconds":0.3,"value":7}"#),
            peer("antropy", r#"{"measure":"svd","n":3000,"seconds":0.02,"value":1.6}"#),
        ] {
            peers.entry(key).or_default().push(peer);
        }
        let text = columns(&catalogue_table(&ours.into(), &peers));
        let row = |name: &str| text.lines().find(|l| l.trim_start().starts_with(name)).unwrap().to_owned();
        let lz = row("lz76");
        assert!(
            lz.contains("antropy") && lz.contains("30.0") && lz.contains("MISSED") && lz.contains("equal"),
            "{text}"
        );
        let svd = row("svd");
        assert!(svd.contains("2.0") && svd.contains(" met") && svd.contains("1.5 here, antropy 1.6"), "{text}");
        assert!(!row("bubble").contains("MISSED"), "{text}");
    }
}
