//! A table of 160 MB passes through a few megabytes of memory. Alone in its binary: it measures the process.

#![allow(clippy::unwrap_used, reason = "small literals; a test that cannot read its input has failed")]

use futures_util::future::LocalBoxFuture;
use surprisal_core::{
    data::{ByteSource, Chunk, DataError, Options, open},
    pace::Unhurried,
};

const ROWS: u64 = 5_000_000;
const ROW: u64 = 32;

/// A table that exists only where it is read: every row has 32 bytes.
struct Endless;

fn row(i: u64) -> String {
    format!("{i:07},{:05}.5,{:08},{:06}\n", i % 99_991, (i * 7919) % 99_999_989, i % 8191)
}

impl ByteSource for Endless {
    fn name(&self) -> &'static str {
        "endless.csv"
    }

    fn len(&self) -> u64 {
        ROWS * ROW
    }

    fn read<'a>(&'a self, offset: u64, len: usize) -> LocalBoxFuture<'a, Result<Vec<u8>, DataError>> {
        let end = (offset + len as u64).min(self.len());
        let mut bytes = Vec::with_capacity(len + 64);
        for i in offset / ROW..end.div_ceil(ROW) {
            bytes.extend(row(i).bytes());
        }
        bytes.drain(..usize::try_from(offset % ROW).unwrap());
        bytes.truncate(usize::try_from(end - offset).unwrap());
        Box::pin(std::future::ready(Ok(bytes)))
    }
}

/// The most memory this process ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_table_is_measured_in_constant_memory() {
    assert_eq!(row(4_999_999).len() as u64, ROW);
    let before = peak();
    let started = std::time::Instant::now();
    let file = pollster::block_on(open(Box::new(Endless), Options::default(), &Unhurried)).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    println!("scan: {:.0} MB/s", (ROWS * ROW) as f64 / 1e6 / seconds);
    assert!(file.dataset.columns.iter().all(|c| c.len == ROWS && !c.is_resident()));
    let scanned = peak() - before;
    let mut sum = 0_i64;
    let sink = &mut |c: Chunk<'_>| {
        let Chunk::Integer(v) = c else { panic!() };
        sum += v.iter().sum::<i64>();
        Ok(())
    };
    let started = std::time::Instant::now();
    pollster::block_on(file.stream(0, sink, &Unhurried)).unwrap();
    println!("stream: {:.0} MB/s", (ROWS * ROW) as f64 / 1e6 / started.elapsed().as_secs_f64());
    assert_eq!(sum, 4_999_999 * 5_000_000 / 2);
    let streamed = peak() - before;
    let column = pollster::block_on(file.column(1, &Unhurried)).unwrap();
    assert_eq!(column.values.unwrap().len() as u64, ROWS);
    let loaded = peak() - before;
    println!("peak KiB: scan {scanned}, stream {streamed}, column of 8 bytes a row {loaded}");
    assert!(scanned < 24 << 10 && streamed < 24 << 10 && loaded < (24 << 10) + ROWS * 8 / 1024);
}
