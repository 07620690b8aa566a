//! A pipe that is longer than the memory it may take passes by, and its measures are those of a file. Linux tells a process's
//! peak of memory; elsewhere only the values are looked at.

#![allow(clippy::unwrap_used, reason = "a test that cannot run the program has failed")]

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    time::Instant,
};

use serde_json::Value as Json;

/// Bytes of the long pipes.
const LENGTH: usize = 256 << 20;
/// What the program may take: its beginning of 32 MiB twice, tables, and itself.
const MOST_MEMORY: u64 = 150 << 20;

fn surprisal(args: &[&str]) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("surprisal"));
    command.args(["measure", "-", "--format", "json", "--resamples", "0"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The peak of a process's memory so far, in bytes.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

/// Writes `block` again and again after `start`, to `length` bytes or a little more, and returns the report, the number of
/// blocks, and the peak of memory before the pipe was closed.
fn pass(start: &[u8], block: &[u8], length: usize, args: &[&str]) -> (Json, usize, Option<u64>) {
    let mut child = surprisal(args);
    let began = Instant::now();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(start).unwrap();
    let blocks = (length - start.len()).div_ceil(block.len());
    for _ in 0..blocks {
        stdin.write_all(block).unwrap();
    }
    let memory = peak(&child);
    drop(stdin);
    let (mut said, mut errors) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
    let megabytes = (start.len() + blocks * block.len()) as f64 / 1e6;
    println!("{args:?}: {:.0} MB/s, peak {:?} MB", megabytes / began.elapsed().as_secs_f64(), memory.map(|m| m >> 20));
    (serde_json::from_str(&said).unwrap(), blocks, memory)
}

fn plugin(counts: &[u64]) -> f64 {
    let n = counts.iter().sum::<u64>() as f64;
    counts.iter().filter(|&&c| c > 0).map(|&c| -(c as f64 / n) * (c as f64 / n).log2()).sum()
}

fn value(report: &Json, measure: &str) -> Json {
    let results = report["results"].as_array().unwrap();
    let result = results.iter().find(|r| r["measure"] == measure).unwrap();
    assert!(!result["value"].is_null(), "{result}");
    result["value"].clone()
}

#[test]
fn bytes_without_an_end_are_counted_in_constant_memory() {
    // A prime length, so that the seams of blocks lie anywhere in those of reading.
    let mut state = 1_u64;
    let block: Vec<u8> = (0..999_983)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Skewed, and one byte follows another: 200 values.
            state.to_le_bytes()[5] % 200 / 2 * 2
        })
        .collect();
    let all = [
        "--kind",
        "bytes",
        "--measure",
        "bytes.entropy",
        "--measure",
        "shannon.plugin",
        "--measure",
        "ngram.entropy",
        "--measure",
        "block_entropy",
        "--measure",
        "perm",
        "--set",
        "perm.order=4",
    ];
    let (report, blocks, memory) = pass(&[], &block, LENGTH, &all);
    let times = blocks as u64;
    let mut counts = vec![0; 256];
    block.iter().for_each(|&b| counts[usize::from(b)] += times);
    assert_eq!(report["input"]["size"], block.len() * blocks);
    assert_eq!(report["results"][0]["n"], block.len() * blocks);
    for id in ["bytes.entropy", "shannon.plugin"] {
        assert!((value(&report, id).as_f64().unwrap() - plugin(&counts)).abs() < 1e-12, "{id}");
    }
    let mut pairs = vec![0; 1 << 16];
    let pair = |a: u8, b: u8| usize::from(a) << 8 | usize::from(b);
    block.windows(2).for_each(|w| pairs[pair(w[0], w[1])] += times);
    pairs[pair(block[block.len() - 1], block[0])] += times - 1;
    let digrams = plugin(&pairs);
    assert!((value(&report, "ngram.entropy").as_f64().unwrap() - digrams).abs() < 1e-11);
    let words = value(&report, "block_entropy");
    assert!((words[1].as_f64().unwrap() - digrams).abs() < 1e-11, "{words}");
    // Ties are as frequent as equal neighbours, so that permutation entropy is below log2 4!.
    let perm = value(&report, "perm").as_f64().unwrap();
    assert!(perm > 4.0 && perm < 24.0_f64.log2(), "{perm}");
    if let Some(memory) = memory {
        assert!(memory < MOST_MEMORY, "{} MB", memory >> 20);
    }
}

#[test]
fn a_table_without_an_end_is_counted_in_constant_memory() {
    let mut block = String::new();
    for i in 0..50_000_u32 {
        let value = f64::from(i.wrapping_mul(2_654_435_761) >> 8) / 65536.0;
        block.push_str(&format!("{},{value:.4},{}\n", i * i % 7, ["red", "green", "blue"][(i % 3) as usize]));
    }
    let args = [
        "--measure",
        "shannon.plugin",
        "--measure",
        "perm",
        "--measure",
        "entropy_rate",
        "--column",
        "count",
        "--column",
        "value",
        "--column",
        "colour",
        "--missing",
        "omit",
    ];
    // Reals and labels for some measures, and the error of a measure for one that it does not take.
    let (report, blocks, memory) = pass(b"count,value,colour\n", block.as_bytes(), LENGTH / 4, &args[..]);
    let rows = 50_000 * blocks as u64;
    let columns = report["input"]["columns"].as_array().unwrap();
    assert!(columns.iter().all(|c| c["len"] == rows), "{columns:?}");
    assert_eq!(columns.iter().map(|c| c["type"].as_str().unwrap()).collect::<Vec<_>>(), ["integer", "real", "symbols"]);
    let of = |measure: &str, column: &str| {
        let results = report["results"].as_array().unwrap();
        results.iter().find(|r| r["measure"] == measure && r["column"] == column).unwrap().clone()
    };
    let thirds = of("shannon.plugin", "colour")["value"].as_f64().unwrap();
    assert!((thirds - 3.0_f64.log2()).abs() < 1e-8, "{thirds}");
    assert!(of("entropy_rate", "colour")["value"].as_f64().unwrap() < 0.01, "the colours follow each other");
    assert_eq!(of("perm", "value")["n"], rows);
    assert!(of("perm", "colour")["why"].as_str().unwrap().contains("labels"));
    assert!(report["results"].as_array().unwrap().iter().all(|r| r["uncertainty"].is_null()));
    if let Some(memory) = memory {
        assert!(memory < MOST_MEMORY, "{} MB", memory >> 20);
    }
}

#[test]
fn what_needs_all_values_says_so_and_a_short_pipe_is_measured_like_a_file() {
    let block: Vec<u8> = (0..=255_u8).cycle().take(1 << 20).collect();
    let (report, _, _) =
        pass(&[], &block, 40 << 20, &["--kind", "bytes", "--measure", "bytes.entropy", "--measure", "lz78.count"]);
    assert!((value(&report, "bytes.entropy").as_f64().unwrap() - 8.0).abs() < 1e-12);
    let (report, _, _) = pass(&[], b"one two three\n", 100, &["--kind", "text", "--measure", "word.entropy"]);
    assert!((value(&report, "word.entropy").as_f64().unwrap() - 3.0_f64.log2()).abs() < 1e-12);

    let mut table = Command::new(assert_cmd::cargo::cargo_bin!("surprisal"));
    table.args(["measure", "-", "--kind", "bytes", "--measure", "lz78.count", "--resamples", "0"]);
    let mut child = table.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    (0..34).for_each(|_| stdin.write_all(&block).unwrap());
    drop(stdin);
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(said.contains("lz78.count needs all values at once, so the pipe was kept in a temporary file"), "{said}");
}

#[test]
fn a_value_that_does_not_fit_the_beginning_is_named() {
    let mut child = surprisal(&["--measure", "shannon.plugin"]);
    let mut stdin = child.stdin.take().unwrap();
    let row = b"1\n2\n3\n4\n".repeat(1 << 18);
    stdin.write_all(b"count\n").unwrap();
    (0..18).for_each(|_| stdin.write_all(&row).unwrap());
    // The program may have ended already.
    let _ = stdin.write_all(b"half\n");
    drop(stdin);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(errors.contains("\"half\"") && errors.contains("beginning of the pipe"), "{errors}");
}
