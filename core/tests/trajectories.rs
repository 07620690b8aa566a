//! Readers of trajectories, on the small files of `files/trajectories` (made by `make.py` beside them).
//!
//! Every file holds animal a (from 1) at frame t at x = 10 a + 2 t, y = 100 a - t, z = a / 2 + t / 4, so that
//! the expected values are written down here and not read from another reader.

use futures_util::future::LocalBoxFuture;
use proptest::prelude::*;
use surprisal_core::data::trajectory::{
    Filled, Format, Gaps, Trajectories, TrajectoryError, TrajectoryOptions, detect, open,
};
use surprisal_core::data::{ByteSource, Memory};
use surprisal_core::pace::{Cancelled, Pace, Unhurried};

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/files/trajectories/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn source(name: &str, bytes: Vec<u8>) -> Box<dyn ByteSource> {
    Box::new(Memory::new(name.rsplit('/').next().unwrap_or(name), bytes))
}

fn read_with(names: &[&str], options: TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let files = names.iter().map(|n| source(n, bytes(n))).collect();
    pollster::block_on(open(files, options, &Unhurried))
}

fn read(names: &[&str]) -> Trajectories {
    read_with(names, TrajectoryOptions::default()).unwrap_or_else(|e| panic!("{names:?}: {e}"))
}

fn detected(names: &[&str]) -> Option<Format> {
    let heads: Vec<Vec<u8>> = names.iter().map(|n| bytes(n)).collect();
    let files: Vec<(&str, &[u8])> = names.iter().copied().zip(heads.iter().map(|h| &h[..])).collect();
    detect(&files)
}

/// x, y and z of the files' animal `a`, from 0, in frame `t`.
fn place(t: usize, a: usize) -> [f64; 3] {
    let (t, a) = (t as f64, a as f64 + 1.0);
    [10.0 * a + 2.0 * t, 100.0 * a - t, a / 2.0 + t / 4.0]
}

/// Positions as expected, animal 2 missing in frames 2 and 3 where `gap`; exact, the files hold short decimals.
#[track_caller]
fn check(t: &Trajectories, animals: &[&str], gap: bool) {
    assert_eq!((t.frames, &t.animals[..]), (6, &animals.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]));
    assert_eq!(t.positions.len(), 6 * animals.len() * t.dims);
    for frame in 0..6 {
        for animal in 0..animals.len() {
            let p = t.position(frame, animal).expect("it is there");
            if gap && animal == 1 && (frame == 2 || frame == 3) {
                assert!(p.iter().all(|x| x.is_nan()), "{frame} {animal} {p:?}");
            } else {
                assert_eq!(p, &place(frame, animal)[..t.dims], "frame {frame}, animal {animal}");
            }
        }
    }
}

#[test]
fn idtracker() {
    let h5 = read(&["idtracker/trajectories.h5"]);
    check(&h5, &["red", "green", "blue"], true);
    let csv = read(&["idtracker/attributes.json", "idtracker/trajectories.csv", "idtracker/id_probabilities.csv"]);
    check(&csv, &["red", "green", "blue"], true);
    let tidy = read(&["idtracker/trajectories_tidy.csv", "idtracker/attributes_tidy.json"]);
    check(&tidy, &["red", "green", "blue"], true);
    for (t, format) in [(&h5, Format::IdtrackerHdf5), (&csv, Format::IdtrackerCsv), (&tidy, Format::IdtrackerTidy)] {
        assert_eq!((t.source, t.frame_rate, t.unit_per_length), (format, Some(25.0), Some(20.0)));
        assert_eq!((t.body_length, t.extent, t.y_down), (Some(40.0), Some([640.0, 480.0]), true));
        assert_eq!(t.length_unit.as_deref(), Some("px"));
        assert!(t.velocities.is_none());
    }
    let alone = read(&["idtracker/trajectories.csv"]);
    assert_eq!((alone.source, alone.frame_rate, alone.unit_per_length), (Format::IdtrackerCsv, Some(25.0), None));
    // The whole folder: the HDF5 file is taken.
    let folder = ["areas.csv", "attributes.json", "trajectories.npy", "trajectories.csv", "trajectories.h5"];
    let folder: Vec<String> = folder.iter().map(|n| format!("idtracker/{n}")).collect();
    let all = read(&folder.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(all.source, Format::IdtrackerHdf5);
    assert!(all.notes.iter().any(|n| n == "not read: trajectories.npy, trajectories.csv"), "{:?}", all.notes);
    assert_eq!(all.provenance.len(), 5);
}

#[test]
fn pickles_name_the_file_to_use() {
    assert_eq!(detected(&["idtracker/trajectories.npy"]), Some(Format::Pickled));
    let e = read_with(&["idtracker/trajectories.npy"], TrajectoryOptions::default()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "trajectories.npy is a pickled Python dictionary, which is not read; open trajectories.h5, or \
         trajectories.csv with its attributes.json, from the same folder"
    );
}

#[test]
fn trex() {
    let npz = ["trex/shoal_id0.npz", "trex/shoal_id1.npz", "trex/shoal_id2.npz"];
    let csv = ["trex/shoal_fish0.csv", "trex/shoal_fish1.csv", "trex/shoal_fish2.csv"];
    for names in [&npz[..], &csv[..], &["trex.zip"][..]] {
        assert_eq!(detected(names), Some(Format::Trex), "{names:?}");
        let t = read(names);
        assert_eq!((t.source, t.frames, t.dims, t.y_down), (Format::Trex, 6, 2, true));
        assert_eq!(t.animals, ["0", "1", "2"]);
        assert_eq!(t.frame_numbers.as_deref(), Some(&[0, 1, 2, 3, 4, 5][..]));
        assert_eq!((t.length_unit.as_deref(), t.unit_per_length), (Some("cm"), Some(1.0)));
        // f32 times: 25 to within their rounding.
        assert!((t.frame_rate.unwrap() - 25.0).abs() < 1e-4, "{:?}", t.frame_rate);
        for frame in 0..6 {
            for animal in 0..3 {
                let absent = (animal == 1 && (frame == 2 || frame == 3)) || (animal == 2 && frame < 2);
                let p = t.position(frame, animal).unwrap();
                if absent {
                    assert!(p[0].is_nan() && p[1].is_nan());
                } else {
                    assert_eq!(p, &place(frame, animal)[..2]);
                }
            }
        }
        let v = t.velocities.as_ref().unwrap();
        assert_eq!(&v[..2], [50.0, -25.0]);
        assert!(v[4].is_nan(), "animal 2 is not there yet");
        assert_eq!(t.headings.is_some(), names != csv);
    }
    assert_eq!(read(&npz[..2]).animals, ["0", "1"]);
    let e = read_with(&[npz[0], csv[0]], TrajectoryOptions::default()).unwrap_err();
    assert!(e.to_string().contains("another file is of animal \"0\""), "{e}");
}

#[test]
fn sleap() {
    for name in ["sleap.matlab.analysis.h5", "sleap.standard.analysis.h5", "sleap.csv"] {
        let head = TrajectoryOptions {
            body_part: Some("head".into()),
            heading: Some(("tail".into(), "head".into())),
            ..TrajectoryOptions::default()
        };
        let t = read_with(&[name], head).unwrap();
        assert_eq!(t.animals, ["one", "two", "three"], "{name}");
        assert_eq!((t.frame_rate, t.unit_per_length, t.y_down), (None, None, true));
        assert_eq!(t.position(5, 2).unwrap(), [place(5, 2)[0] + 1.0, place(5, 2)[1]]);
        let h = t.headings.as_ref().unwrap();
        assert_eq!(h[0], 0.0);
        assert!(h[4 * 3].is_nan(), "one tail is unseen");
        // The mean of both, but where the tail is unseen.
        let mut mean = read(&[name]);
        assert_eq!(mean.position(4, 0).unwrap(), [place(4, 0)[0] + 1.0, place(4, 0)[1]]);
        mean.positions[4 * 6] -= 1.0;
        check(&mean, &["one", "two", "three"], true);
    }
    let options = TrajectoryOptions { body_part: Some("fin".into()), ..TrajectoryOptions::default() };
    let e = read_with(&["sleap.csv"], options).unwrap_err();
    assert_eq!(e.to_string(), "in sleap.csv, body part \"fin\": it is not among head, tail");
}

#[test]
fn deeplabcut() {
    let several = &["ind1", "ind2", "ind3"][..];
    for (name, animals, format) in [
        ("dlc.csv", &["1"][..], Format::DeepLabCutCsv),
        ("dlc.multi.csv", several, Format::DeepLabCutCsv),
        ("dlc.h5", &["1"], Format::DeepLabCutHdf5),
        ("dlc.multi.h5", several, Format::DeepLabCutHdf5),
        ("dlc.fixed.h5", several, Format::DeepLabCutHdf5),
    ] {
        assert_eq!(detected(&[name]), Some(format));
        assert_eq!(read(&[name]).source, format);
        let mut t = read(&[name]);
        // The tail is not trusted in frame 4.
        assert_eq!(t.position(4, 0).unwrap()[0], place(4, 0)[0] + 1.0);
        t.positions[4 * animals.len() * 2] -= 1.0;
        check(&t, animals, true);
        let all = TrajectoryOptions { likelihood: 0.05, ..TrajectoryOptions::default() };
        check(&read_with(&[name], all).unwrap(), animals, false);
    }
}

#[test]
fn plain_tables() {
    let t = read(&["long.csv"]);
    check(&t, &["1", "2", "3"], true);
    assert_eq!((t.source, t.frame_rate, t.y_down), (Format::LongCsv, None, false));
    assert_eq!(&t.velocities.as_ref().unwrap()[..2], [50.0, -25.0]);
    check(&read(&["long.csv.gz"]), &["1", "2", "3"], true);
    let t = read(&["long3.tsv"]);
    check(&t, &["f0", "f1", "f2"], false);
    assert_eq!((t.dims, t.frame_rate), (3, Some(25.0)));
    let t = read(&["wide.csv"]);
    assert_eq!((t.source, &t.animals[..]), (Format::WideCsv, &["1".to_owned(), "2".to_owned()][..]));
    assert_eq!(t.position(5, 0).unwrap(), [20.5, 95.0]);
    let t = read(&["Fish_final_state.csv"]);
    assert_eq!((t.frames, t.dims, t.source), (1, 3, Format::FinalState));
    assert_eq!(t.position(0, 2).unwrap(), place(0, 2));
    assert_eq!(&t.velocities.unwrap()[6..], [1.0, 2.0, 3.0]);
}

#[test]
fn arrays() {
    let t = read(&["flock.npy", "flock_vel.npy"]);
    check(&t, &["1", "2", "3"], false);
    assert_eq!(&t.velocities.as_ref().unwrap()[..3], [50.0, -25.0, 6.25]);
    let t = read(&["flock.npz"]);
    check(&t, &["1", "2", "3"], true);
    assert_eq!((t.frame_rate, t.dims, t.source), (Some(25.0), 2, Format::Numpy));
}

#[test]
fn netcdf() {
    for name in ["school.nc", "school3.nc"] {
        assert_eq!(detected(&[name]), Some(Format::NetCdf), "{name}");
        let t = read(&[name]);
        check(&t, &["0", "1", "2"], false);
        assert_eq!((t.source, t.frame_rate, t.extent), (Format::NetCdf, Some(10.0), Some([25.0, 25.0])));
        assert_eq!(&t.velocities.as_ref().unwrap()[..3], [20.0, -10.0, 2.5]);
        assert_eq!(t.length_unit.as_deref(), Some("simulation_length_units"));
    }
}

#[test]
fn shiners() {
    for name in ["shiners.json", "shiners.frames.json"] {
        assert_eq!(detected(&[name]), Some(Format::Shiners));
        let t = read(&[name]);
        // Fish 7 and 9 share the first place; in frame 3 nobody has it.
        assert_eq!((t.frames, t.animals.len()), (6, 2));
        assert_eq!(t.position(5, 0).unwrap(), &place(5, 0)[..2]);
        assert_eq!(t.position(5, 1).unwrap(), &place(5, 1)[..2]);
        assert!(!t.is_present(3, 0));
        let ids = t.identities.as_ref().unwrap();
        assert_eq!([ids[0], ids[3 * 2], ids[4 * 2]], [0, u32::MAX, 2]);
        // No line is drawn from one identity to the next.
        assert_eq!(t.gaps().gaps, 0);
        let (t, filled) = t.fill_gaps(10);
        assert_eq!((filled.gaps, t.is_present(3, 0)), (0, false));
    }
}

#[test]
fn gaps_are_filled_and_counted() {
    let t = read(&["idtracker/trajectories.h5"]);
    let report = t.gaps();
    let expected = Gaps {
        missing_per_animal: vec![0, 2, 0],
        missing: 2,
        gaps: 1,
        longest_gap: 2,
        frames_complete: 4,
        fewest_present: 2,
        most_present: 3,
    };
    assert_eq!(report, expected);
    let (left, filled) = t.clone().fill_gaps(1);
    assert_eq!(filled, Filled { gaps: 0, positions: 0, left_gaps: 1, left_positions: 2 });
    assert!(!left.is_present(2, 1));
    let (full, filled) = t.fill_gaps(2);
    assert_eq!(filled, Filled { gaps: 1, positions: 2, left_gaps: 0, left_positions: 0 });
    for frame in 0..6 {
        // The line is exact up to the rounding of (b - a) / 3.
        let p = full.position(frame, 1).unwrap();
        assert!((p[0] - place(frame, 1)[0]).abs() < 1e-12 && (p[1] - place(frame, 1)[1]).abs() < 1e-12);
    }
    assert!(full.notes.last().unwrap().starts_with("1 gaps of at most 2 frames filled"));
}

#[test]
fn from_pixels_to_a_snapshot() {
    let t = read(&["idtracker/trajectories.h5"]);
    let t = t.with_scale(20.0, "cm").unwrap().y_up().with_velocities().unwrap();
    assert_eq!((t.length_unit.as_deref(), t.body_length, t.extent), (Some("cm"), Some(2.0), Some([32.0, 24.0])));
    // 2 px right and 1 px up in a frame of 1/25 s, at 20 px/cm.
    let s = t.snapshot(4).unwrap();
    assert_eq!(s.animals, [0, 2], "animal 2 has just come back: no central difference");
    for v in &s.velocities {
        assert!((v[0] - 2.5).abs() < 1e-12 && (v[1] - 1.25).abs() < 1e-12 && v[2] == 0.0, "{v:?}");
    }
    assert_eq!(s.positions[0], [18.0 / 20.0, 24.0 - 96.0 / 20.0, 0.0]);
    assert!(t.snapshot(0).unwrap().animals.is_empty(), "no frame before the first");
    assert_eq!(t.snapshot(6), None);

    let t = read(&["sleap.csv"]);
    let e = t.clone().with_velocities().unwrap_err();
    assert!(matches!(e, TrajectoryError::Needs { .. }), "{e}");
    let t = t.with_frame_rate(25.0).unwrap().with_velocities().unwrap();
    assert_eq!(t.snapshot(1).unwrap().velocities[0], [50.0, -25.0, 0.0]);
    assert!(t.with_frame_rate(f64::NAN).is_err());
    // Positions without any direction.
    let s = read(&["sleap.csv"]).snapshot(0).unwrap();
    assert_eq!((s.positions.len(), s.velocities.len()), (3, 0));
    // Options do the same.
    let options = TrajectoryOptions {
        frame_rate: Some(50.0),
        scale: Some(2.0),
        length_unit: Some("cm".into()),
        ..TrajectoryOptions::default()
    };
    let t = read_with(&["sleap.csv"], options).unwrap();
    assert_eq!((t.frame_rate, t.unit_per_length, t.length_unit.as_deref()), (Some(50.0), Some(1.0), Some("cm")));
}

#[test]
fn frame_numbers_with_a_step_and_jumps() {
    let text = b"frame,id,x,y\n0,1,0,0\n5,1,10,0\n10,1,20,0\n20,1,40,0\n";
    let t = pollster::block_on(open(vec![source("a.csv", text.to_vec())], TrajectoryOptions::default(), &Unhurried));
    let t = t.unwrap().with_frame_rate(10.0).unwrap();
    assert_eq!(t.frame_numbers.as_deref(), Some(&[0, 5, 10, 15, 20][..]));
    let (t, filled) = t.fill_gaps(1);
    assert_eq!((filled.gaps, t.position(3, 0).unwrap()), (1, &[30.0, 0.0][..]));
    // 10 in 5 frames of 0.1 s.
    assert_eq!(t.with_velocities().unwrap().velocities.unwrap()[2], 20.0);
}

#[test]
fn detection_leaves_tables_alone() {
    for name in ["iris.csv", "xy.csv", "time.csv", "id.csv", "dates.csv", "words.csv", "image.npy", "matrix.npy"] {
        let name = format!("tables/{name}");
        assert_eq!(detected(&[&name]), None, "{name}");
        let e = read_with(&[&name], TrajectoryOptions::default()).unwrap_err();
        assert!(matches!(e, TrajectoryError::Unrecognised { .. }), "{name}: {e}");
    }
    for (names, format) in [
        (&["idtracker/trajectories.csv"][..], Format::IdtrackerCsv),
        (&["idtracker/trajectories_tidy.csv"], Format::IdtrackerTidy),
        (&["idtracker/trajectories.h5"], Format::IdtrackerHdf5),
        (&["idtracker/attributes.json", "wide.csv"], Format::IdtrackerCsv),
        (&["sleap.matlab.analysis.h5"], Format::SleapHdf5),
        (&["sleap.csv"], Format::SleapCsv),
        (&["long.csv"], Format::LongCsv),
        (&["long.csv.gz"], Format::LongCsv),
        (&["wide.csv"], Format::WideCsv),
        (&["flock.npy"], Format::Numpy),
        (&["flock.npz"], Format::Numpy),
        (&["Fish_final_state.csv"], Format::FinalState),
        (&["dlc.h5"], Format::DeepLabCutHdf5),
        (&["tables/iris.csv", "long.csv"], Format::LongCsv),
    ] {
        assert_eq!(detected(names), Some(format), "{names:?}");
    }
    assert_eq!(detect(&[]), None);
    assert_eq!(detect(&[("trajectories.parquet", b"PAR1\x15\x00")]), Some(Format::Parquet));
}

#[test]
fn a_path_without_names_has_to_be_asked_for() {
    let text = b"t,x,y\n0,1,2\n0.5,3,4\n";
    assert_eq!(detect(&[("a.csv", text)]), None);
    let options = TrajectoryOptions { format: Some(Format::LongCsv), ..TrajectoryOptions::default() };
    let t = pollster::block_on(open(vec![source("a.csv", text.to_vec())], options, &Unhurried)).unwrap();
    assert_eq!((&t.animals[..], t.frame_rate), (&["1".to_owned()][..], Some(2.0)));
    assert_eq!(t.positions, [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn work_is_cancelled() {
    /// Allows so many ticks.
    struct Stop(std::cell::Cell<u32>);
    impl Pace for Stop {
        fn tick(&self, _: u64, _: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
            let left = self.0.get().checked_sub(1);
            self.0.set(left.unwrap_or(0));
            Box::pin(std::future::ready(left.map(|_| ()).ok_or(Cancelled)))
        }
    }
    // Two ticks while the file is read, one for its rows.
    for ticks in 0..3 {
        let files = vec![source("long.csv", bytes("long.csv"))];
        let e = pollster::block_on(open(files, TrajectoryOptions::default(), &Stop(ticks.into()))).unwrap_err();
        assert!(matches!(e, TrajectoryError::Cancelled(_)), "{ticks}: {e}");
    }
}

#[test]
fn errors_name_the_place() {
    let of = |name: &str, text: &str| {
        let files = vec![source(name, text.as_bytes().to_vec())];
        pollster::block_on(open(files, TrajectoryOptions::default(), &Unhurried)).unwrap_err().to_string()
    };
    let rows = "frame,id,x,y\n1,1,2,3\n".to_owned();
    assert_eq!(of("a.csv", &(rows + "1,1,4,5\n")), "in a.csv, line 3: animal \"1\" is in frame 1 a second time");
    let many: String = (0..9).map(|i| format!("{i},1,2,3\n")).collect();
    let e = of("a.csv", &format!("frame,id,x,y\n{many}9,1,red,3\n"));
    assert_eq!(e, "in a.csv: line 11, field 3 (column \"x\"): found \"red\", expected a number, or nothing");
    let e = of("a.csv", &format!("frame,id,x,y\n{many}9,1,3\n"));
    assert!(e.contains("line 11: expected 4 fields"), "{e}");
    let e = of("s.json", "{\"px\": [[1]], \"py\": [[1]], \"onfish\": [[1, 2]]}");
    assert_eq!(e, "in s.json, px: frame 0 has 1 values, onfish has 2");
    let e = of("s.json", "{\"px\": [[1]], \"py\": [[oops]], \"onfish\": [[1]]}");
    assert!(e.contains("line 1 column"), "{e}");
    let small = TrajectoryOptions { max_bytes: 100, ..TrajectoryOptions::default() };
    let e = read_with(&["long.csv"], small).unwrap_err();
    assert_eq!(e.to_string(), "in long.csv: long.csv needs 302 bytes, the limit is 100 bytes");
}

#[test]
fn claims_are_refused_before_allocation() {
    // An NPY header of 10^12 doubles over a few bytes.
    let mut npy = bytes("flock.npy");
    let at = npy.windows(9).position(|w| w == b"(6, 3, 3)").unwrap();
    npy.splice(at..at + 9, *b"(9999999999, 33, 3)");
    npy.drain(at + 60..at + 70);
    let of = |name: &str, data: Vec<u8>| {
        let read = open(vec![source(name, data)], TrajectoryOptions::default(), &Unhurried);
        pollster::block_on(read).unwrap_err().to_string()
    };
    let e = of("flock.npy", npy);
    assert!(e.contains("need more than the"), "{e}");
    let e = of("huge.h5", bytes("huge.h5"));
    let expected = "in huge.h5, dataset trajectories: shape [1000000000, 10, 2] needs 160000000000 bytes";
    assert!(e.starts_with(expected), "{e}");
    // The length of the dimension `fish` in the header of NetCDF-3.
    let mut nc = bytes("school3.nc");
    let at = nc.windows(8).position(|w| w == b"\0\0\0\x04fish").unwrap() + 8;
    nc[at..at + 4].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF]);
    let e = of("school3.nc", nc);
    assert!(e.contains("variable") || e.contains("NetCDF-3"), "{e}");
    // A sparse table of few rows.
    let text = "frame,id,x,y\n".to_owned() + &(0..1000).map(|i| format!("{i},{i},1,2\n")).collect::<String>();
    let small = TrajectoryOptions { max_bytes: 100_000, ..TrajectoryOptions::default() };
    let e = pollster::block_on(open(vec![source("a.csv", text.into_bytes())], small, &Unhurried)).unwrap_err();
    assert!(e.to_string().contains("1000 animals over 1000 frames needs 16000000 bytes"), "{e}");
}

const ALL: [&str; 21] = [
    "idtracker/trajectories.h5",
    "idtracker/trajectories.csv",
    "idtracker/trajectories_tidy.csv",
    "idtracker/trajectories.npy",
    "trex/shoal_id1.npz",
    "trex/shoal_fish1.csv",
    "sleap.matlab.analysis.h5",
    "sleap.csv",
    "dlc.csv",
    "dlc.multi.csv",
    "dlc.h5",
    "dlc.fixed.h5",
    "long.csv",
    "long.csv.gz",
    "wide.csv",
    "Fish_final_state.csv",
    "flock.npy",
    "flock.npz",
    "school.nc",
    "school3.nc",
    "shiners.json",
];

/// Opens, and does with the result all that can be done: no panic, whatever comes.
fn survive(name: &str, data: Vec<u8>) -> bool {
    let short = &data[..data.len().min(64 << 10)];
    let _ = detect(&[(name, short)]);
    let options = TrajectoryOptions { max_bytes: 16 << 20, ..TrajectoryOptions::default() };
    match pollster::block_on(open(vec![source(name, data)], options, &Unhurried)) {
        Ok(t) => {
            assert_eq!(t.positions.len(), t.frames * t.animals.len() * t.dims);
            let (t, _) = t.y_up().fill_gaps(3);
            let t = t.with_frame_rate(25.0).and_then(Trajectories::with_velocities).expect("a positive rate");
            assert!(t.snapshot(0).is_some() && t.snapshot(t.frames).is_none());
            true
        }
        Err(e) => {
            assert!(!e.to_string().is_empty());
            false
        }
    }
}

#[test]
fn every_prefix_is_read_or_refused() {
    for name in ALL {
        let whole = bytes(name);
        // All short prefixes, then a spread of them: the binary files have up to 20 kB.
        let step = (whole.len() / 400).max(1);
        for len in (0..whole.len()).filter(|&l| l < 128 || l % step == 0 || l + 64 > whole.len()) {
            survive(name, whole[..len].to_vec());
        }
        assert_eq!(survive(name, whole), !name.ends_with("trajectories.npy"), "{name}");
    }
}

#[test]
fn every_changed_byte_is_survived() {
    for name in ["idtracker/trajectories.h5", "sleap.standard.analysis.h5", "school.nc", "school3.nc", "flock.npz"] {
        let whole = bytes(name);
        for at in (0..whole.len()).step_by((whole.len() / 700).max(1)) {
            for value in [0xFF, 0, whole[at] ^ 1] {
                let mut data = whole.clone();
                data[at] = value;
                survive(name, data);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_damage_is_survived(file in 0..ALL.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut data = bytes(ALL[file]);
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        survive(ALL[file], data);
    }

    /// What is written as a long table comes back, whatever the order of its rows.
    #[test]
    fn long_tables_come_back(
        seen in prop::collection::btree_map((0_u32..12, 0_u32..5), (-1e3_f64..1e3, -1e3_f64..1e3), 1..40),
        reverse in any::<bool>(),
    ) {
        let mut rows: Vec<String> = seen.iter().map(|((f, a), (x, y))| format!("{f},{a},{x},{y}\n")).collect();
        if reverse {
            rows.reverse();
        }
        let text = format!("frame,id,x,y\n{}", rows.concat());
        let t = pollster::block_on(open(vec![source("a.csv", text.into_bytes())], TrajectoryOptions::default(), &Unhurried));
        let t = t.unwrap();
        let frames = t.frame_numbers.clone().unwrap();
        let mut count = 0;
        for (f, number) in frames.iter().enumerate() {
            for (a, name) in t.animals.iter().enumerate() {
                let key = (u32::try_from(*number).unwrap(), name.parse().unwrap());
                let expected = seen.get(&key);
                prop_assert_eq!(t.is_present(f, a), expected.is_some());
                if let Some(&(x, y)) = expected {
                    prop_assert_eq!(t.position(f, a).unwrap(), &[x, y][..]);
                    count += 1;
                }
            }
        }
        prop_assert_eq!(count, seen.len());
    }
}
