//! Trajectories: whatever the bytes are, under the names that decide.
#![no_main]

use surprisal_core::{
    data::{
        ByteSource, Memory,
        trajectory::{TrajectoryOptions, detect, open},
    },
    pace::Unhurried,
};

const NAMES: [&str; 8] = [
    "trajectories.csv",
    "a_id1.npz",
    "a.analysis.h5",
    "a.nc",
    "a.json",
    "a.npy",
    "a.csv.gz",
    "a.csv",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(first) % NAMES.len()];
    let _ = detect(&[(name, bytes)]);
    let options = TrajectoryOptions { max_bytes: 16 << 20, ..TrajectoryOptions::default() };
    let files: Vec<Box<dyn ByteSource>> = vec![Box::new(Memory::new(name, bytes.to_vec()))];
    let Ok(read) = pollster::block_on(open(files, options, &Unhurried)) else { return };
    assert_eq!(read.positions.len(), read.frames * read.animals.len() * read.dims);
    let (read, _) = read.y_up().fill_gaps(5);
    let Ok(read) = read.with_frame_rate(25.0).and_then(|t| t.with_velocities()) else { return };
    assert!(read.snapshot(0).is_some());
});
