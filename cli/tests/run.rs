//! Experiments on the command line: what is run, what is written, how a run goes on, and what claims say.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::{fs, fs::File, path::Path};

use assert_cmd::Command;
use ndarray::Array3;
use ndarray_npy::ReadNpyExt;
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};
use serde_json::{Value as Json, json};
use surprisal_core::{
    data::{
        ByteSource, Memory,
        trajectory::{self, TrajectoryOptions},
    },
    pace::Unhurried,
};

fn surprisal() -> Command {
    Command::cargo_bin("surprisal").unwrap()
}

fn record(args: &[&str]) -> Json {
    let output = surprisal().arg("run").args(args).args(["--backend", "cpu", "--format", "json"]).assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

fn said(assert: &assert_cmd::assert::Assert) -> String {
    let output = assert.get_output();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn an_id_a_file_a_link_and_a_record_run_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let settings = ["--set", "count=20", "--set", "seed=7", "--set", "mode=dewi", "--set", "water=periodic"];
    let by_id = record(&[&["fish-schooling", "--steps", "40"][..], &settings].concat());
    assert_eq!(by_id["experiment"], "fish-schooling");
    assert_eq!((&by_id["steps"], &by_id["backend"]), (&json!(40), &json!("cpu")));
    assert!(by_id["seen"].as_str().unwrap().contains("P ="));
    assert!(by_id["scalars"].as_array().unwrap().iter().any(|s| s["name"] == "polarization" && s["value"].is_f64()));

    let toml = dir.path().join("school.toml");
    let lines = "experiment = \"fish-schooling\"\nsteps = 40\ncount = 20\n[parameters]\nseed = 8\nmode = \"dewi\"\nwater = \"periodic\"\n";
    fs::write(&toml, lines).unwrap();
    let by_file = record(&[&text(&toml), "--set", "seed=7"]);
    let query = "count=20&seed=7&mode=dewi&water=%70eriodic&steps=40";
    let by_link = record(&[&format!("https://example.org/lab/?experiment=fish-schooling&{query}&view.speed=most")]);
    let by_page = record(&[&format!("https://example.org/lab/embed/fish-schooling.html?{query}")]);
    let json = dir.path().join("earlier.json");
    fs::write(&json, by_id.to_string()).unwrap();
    let by_record = record(&[&text(&json)]);
    for other in [&by_file, &by_link, &by_page, &by_record] {
        for part in ["parameters", "scalars", "tables"] {
            assert_eq!(other[part], by_id[part], "{part}");
        }
    }
}

#[test]
fn an_output_folder_holds_files_that_agree() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("a/school");
    let printed =
        record(&["fish-schooling", "--set", "count=12", "--steps", "60", "--out", &text(&out), "--animate", "gif"]);
    let written: Json = serde_json::from_str(&fs::read_to_string(out.join("record.json")).unwrap()).unwrap();
    assert_eq!(written, printed);
    let series = &printed["tables"].as_array().unwrap().iter().find(|t| t["name"] == "series").unwrap()["columns"];
    let column = |name: &str| -> Vec<Option<f64>> {
        let column = series.as_array().unwrap().iter().find(|c| c["name"] == name).unwrap();
        column["values"].as_array().unwrap().iter().map(Json::as_f64).collect()
    };
    let polarization = column("polarization");
    assert_eq!(polarization.len(), 7);

    let csv = fs::read_to_string(out.join("series.csv")).unwrap();
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let place = names.iter().position(|n| *n == "polarization").unwrap();
    let cells = csv.lines().skip(1).map(|line| line.split(',').nth(place).unwrap().parse().ok());
    assert_eq!(cells.collect::<Vec<Option<f64>>>(), polarization);

    let parquet = SerializedFileReader::new(File::open(out.join("series.parquet")).unwrap()).unwrap();
    let rows = parquet.get_row_iter(None).unwrap().map(|row| row.unwrap().get_double(place).ok());
    assert_eq!(rows.collect::<Vec<_>>(), polarization);

    let positions = Array3::<f64>::read_npy(File::open(out.join("positions.npy")).unwrap()).unwrap();
    let velocities = Array3::<f64>::read_npy(File::open(out.join("velocities.npy")).unwrap()).unwrap();
    assert_eq!((positions.shape(), velocities.shape()), (&[7, 12, 3][..], &[7, 12, 3][..]));
    let last = fs::read_to_string(out.join("fish-schooling_final_state.csv")).unwrap();
    let first_fish: Vec<f64> = last.lines().nth(1).unwrap().split(',').map(|c| c.parse().unwrap()).collect();
    for k in 0..3 {
        assert!((first_fish[1 + k] - positions[[6, 0, k]]).abs() < 1e-7 * positions[[6, 0, k]].abs().max(1.0));
        assert!((first_fish[4 + k] - velocities[[6, 0, k]]).abs() < 1e-7);
    }

    // The first position of the last record of the NetCDF file, whose records are at its end: 1 + 12 × 12 + 12 numbers.
    let nc = fs::read(out.join("fish-schooling.nc")).unwrap();
    assert_eq!(&nc[..8], b"CDF\x02\0\0\0\x07");
    let at = nc.len() - (1 + 12 * 12 + 12) * 8 + 8;
    assert_eq!(nc[at..at + 8], positions[[6, 0, 0]].to_be_bytes());
    // The reader for recordings takes it for what it is.
    let source: Box<dyn ByteSource> = Box::new(Memory::new("fish-schooling.nc", nc));
    let read = pollster::block_on(trajectory::open(vec![source], TrajectoryOptions::default(), &Unhurried)).unwrap();
    assert_eq!((read.dims, read.frames, read.animals.len()), (3, 7, 12));
    assert!(read.positions.iter().eq(&positions) && read.velocities.unwrap().iter().eq(&velocities));
    assert_eq!(read.times.unwrap()[6], 6.0);
    assert_eq!(fs::read_to_string(out.join("fish-schooling_order_parameters.csv")).unwrap().lines().count(), 8);
    assert!(fs::read_to_string(out.join("order.svg")).unwrap().starts_with("<svg"));
    assert!(fs::read(out.join("fish-schooling.gif")).unwrap().starts_with(b"GIF89a"));
    assert!(!out.join("checkpoint").exists());
    let left_over =
        fs::read_dir(&out).unwrap().filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left_over.count(), 0);
}

#[test]
fn flat_and_small_experiments_write_files_too() {
    let dir = tempfile::tempdir().unwrap();
    for (id, kind, magic) in [("vicsek", "png", &b"\x89PNG"[..]), ("boids", "gif", b"GIF89a")] {
        let out = dir.path().join(id);
        record(&[id, "--set", "count=15", "--steps", "20", "--every", "4", "--out", &text(&out), "--animate", kind]);
        assert!(fs::read(out.join(format!("{id}.{kind}"))).unwrap().starts_with(magic));
        assert!(fs::read(out.join(format!("{id}.nc"))).unwrap().starts_with(b"CDF\x02\0\0\0\x06"));
    }
    let out = dir.path().join("turned");
    record(&["fish-rotation", "--set", "count=10", "--set", "steps_before=10", "--out", &text(&out)]);
    assert!(out.join("record.json").exists() && !out.join("checkpoint").exists());
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let toml = dir.path().join("bad.toml");
    fs::write(&toml, "experiment = \"fish-schooling\"\ncount = -4\n").unwrap();
    let nameless = dir.path().join("nameless.toml");
    fs::write(&nameless, "count = 4\n").unwrap();
    for (args, words) in [
        (vec!["run", "fish-scholing"], "did you mean 'fish-schooling'?"),
        (
            vec!["run", "fish-schooling", "--set", "colour=red"],
            "fish-schooling has no parameter 'colour'; it has mode, count",
        ),
        (vec!["run", "fish-schooling", "--set", "count=0"], "expected a whole number from"),
        (vec!["run", "fish-schooling", "--set", "count"], "is not of the form key=value"),
        (vec!["run", "fish-schooling", "--set", "start=uniform"], "open water has no size to fill"),
        (vec!["run", "fish-phase-map", "--steps", "5"], "fish-phase-map has no parameter 'steps'"),
        (vec!["run", "TOML"], "fish-schooling.count = -4: expected a whole number"),
        (vec!["run", "NAMELESS"], "names no experiment"),
        (vec!["run", "https://example.org/?seed=3"], "names no experiment"),
        (vec!["run", "https://example.org/?experiment=vicsek&noise=loud"], "expected a number"),
        (vec!["run", "vicsek", "--animate", "gif"], "add --out DIR"),
        (vec!["run"], "required"),
        (vec!["check", "fish"], "no experiment is called 'fish'"),
        (vec!["check", "fish-rotation", "--claim", "moon"], "has no claim 'moon'; it has corrected, library"),
    ] {
        let (toml, nameless) = (text(&toml), text(&nameless));
        let name = |a: &&str| match *a {
            "TOML" => toml.clone(),
            "NAMELESS" => nameless.clone(),
            other => other.to_owned(),
        };
        let assert = surprisal().args(args.iter().map(name)).current_dir(dir.path()).assert().code(2);
        assert!(said(&assert).contains(words), "{args:?}: {}", said(&assert));
    }
    let assert = surprisal().args(["run", "--resume"]).arg(dir.path()).assert().code(1);
    assert!(said(&assert).contains("holds no checkpoint"), "{}", said(&assert));
    let assert = surprisal().args(["run", "no/such.toml"]).assert().code(1);
    assert!(said(&assert).contains("cannot read no/such.toml"), "{}", said(&assert));
}

#[test]
fn experiments_are_listed_with_parameters_and_claims() {
    let output = surprisal().args(["list", "experiments", "--format", "json"]).assert().success();
    let list: Json = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let fish = list.as_array().unwrap().iter().find(|e| e["id"] == "fish-schooling").unwrap();
    let noise = fish["parameters"].as_array().unwrap().iter().find(|p| p["name"] == "noise").unwrap();
    assert!(noise["kind"]["maximum"].is_number() && noise["default"] == 0.05);
    assert!(fish["claims"].as_array().unwrap().iter().any(|c| c["settings"]["orientation_width"] == 6.0));
    let table = said(&surprisal().args(["list", "experiments"]).assert().success());
    assert!(table.contains("fish-schooling\n") && table.contains("seed=1  Seed of all random numbers."), "{table}");
}

#[test]
fn claims_are_checked_by_runs() {
    let check = |args: &[&str], code| {
        let output = surprisal().args(["check", "fish-rotation"]).args(args).assert().code(code);
        String::from_utf8_lossy(&output.get_output().stdout).into_owned()
    };
    let report: Json = serde_json::from_str(&check(&["--format", "json"], 0)).unwrap();
    assert_eq!((&report["experiment"], &report["seeds"]), (&json!("fish-rotation"), &json!(5)));
    assert_eq!((&report["reproduced"], &report["not_reproduced"]), (&json!(2), &json!(0)));
    let claims = report["claims"].as_array().unwrap();
    assert_eq!(claims[0]["claim"], "corrected");
    assert_eq!(claims[0]["values"].as_array().unwrap().len(), 5);
    assert!(claims.iter().all(|c| c["standing"] == "reproduced" && c["standard_error"].is_f64()));
    // Too few seeds decide nothing, and the one that is run is the first.
    let table = check(&["--seeds", "1", "--claim", "library"], 1);
    assert!(table.contains("not enough runs: fish-rotation.library") && table.contains("1 of 1 seeds hold"), "{table}");
    let first = claims[1]["values"][0].as_f64().unwrap();
    let alone = check(&["--seeds", "1", "--claim", "fish-rotation.library", "--format", "json"], 1);
    let alone: Json = serde_json::from_str(&alone).unwrap();
    assert_eq!(alone["claims"][0]["values"], json!([first]));
}

/// Ctrl-C in the middle; then on from the checkpoint, to the same bits as a run that nobody stopped.
#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    use std::{
        process::{Command as Process, Stdio},
        thread::sleep,
        time::{Duration, Instant},
    };

    let dir = tempfile::tempdir().unwrap();
    let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
    let args = ["run", "fish-schooling", "--backend", "cpu", "--set", "count=60", "--set", "measure_every=25"];
    let length = ["--steps", "4010", "--every", "50", "--checkpoint-every", "100"];
    surprisal().args(args).args(length).arg("--out").arg(&whole).assert().success();

    let program = surprisal().get_program().to_owned();
    let mut child = Process::new(program)
        .args(args)
        .args(length)
        .arg("--out")
        .arg(&parts)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !parts.join("checkpoint/record.json").exists() && begun.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(2));
    }
    Process::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
    assert!(told.contains("go on with: surprisal run --resume"), "{told}");
    assert!(!parts.join("record.json").exists());
    let kept: Json = serde_json::from_str(&fs::read_to_string(parts.join("checkpoint/record.json")).unwrap()).unwrap();
    assert!((100..4010).contains(&kept["steps"].as_u64().unwrap()), "{}", kept["steps"]);

    // A new run does not write over it.
    let assert = surprisal().args(args).arg("--out").arg(&parts).assert().code(2);
    assert!(said(&assert).contains("holds an interrupted run"), "{}", said(&assert));

    surprisal().args(["run", "--resume"]).arg(&parts).assert().success();
    assert!(!parts.join("checkpoint").exists());
    let bytes = |dir: &Path, name: &str| fs::read(dir.join(name)).unwrap();
    for name in ["positions.npy", "velocities.npy", "fish-schooling.nc", "series.csv", "fish-schooling_final_state.csv"]
    {
        assert!(bytes(&whole, name) == bytes(&parts, name), "{name}");
    }
    let record = |dir: &Path| -> Json { serde_json::from_slice(&bytes(dir, "record.json")).unwrap() };
    let (whole, parts) = (record(&whole), record(&parts));
    for part in ["parameters", "steps", "scalars", "tables", "seen"] {
        assert_eq!(whole[part], parts[part], "{part}");
    }
}
