//! The command line as its users meet it: output, JSON contract, exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use std::{fs, path::PathBuf};

use assert_cmd::Command;
use serde_json::Value as Json;

fn surprisal() -> Command {
    Command::cargo_bin("surprisal").unwrap()
}

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn json(args: &[&str]) -> Json {
    let output = surprisal().args(args).assert().success().get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

fn sunspots() -> String {
    repository("static/samples/sunspots.csv").to_string_lossy().into_owned()
}

fn text(assert: &assert_cmd::assert::Assert) -> String {
    let output = assert.get_output();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn json_keeps_its_contract() {
    let report = json(&[
        "measure",
        &sunspots(),
        "--column",
        "count",
        "--measure",
        "perm",
        "--set",
        "perm.order=4",
        "--format",
        "json",
    ]);
    assert_eq!(report["surprisal"], env!("CARGO_PKG_VERSION"));
    let input = &report["input"];
    assert_eq!(input["name"], "sunspots.csv");
    assert_eq!(input["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(input["kind"], "csv");
    assert!(input["columns"].as_array().unwrap().iter().any(|c| c["name"] == "count"));
    let result = &report["results"][0];
    assert_eq!(result["measure"], "perm");
    assert_eq!(result["column"], "count");
    assert_eq!(result["parameters"]["order"], 4);
    assert_eq!(result["parameters"]["delay"], 1);
    assert_eq!(result["unit"], "bits");
    assert_eq!(result["backend"], "cpu");
    assert!(result["adapter"].is_null());
    let value = result["value"].as_f64().unwrap();
    let (low, high) = (result["uncertainty"]["low"].as_f64().unwrap(), result["uncertainty"]["high"].as_f64().unwrap());
    assert!(low < value && value < high && value < 24.0_f64.log2());
    assert!(result["seconds"].as_f64().unwrap() >= 0.0);
}

#[test]
fn units_and_standard_input() {
    let ask = |unit: &str| {
        let output = surprisal()
            .args(["measure", "-", "--kind", "csv", "--measure", "shannon.plugin", "--unit", unit])
            .args(["--format", "json", "--resamples", "0"])
            .write_stdin("letter\na\nb\na\nb\n")
            .assert()
            .success();
        let report: Json = serde_json::from_slice(&output.get_output().stdout).unwrap();
        (report["results"][0]["value"].as_f64().unwrap(), report["results"][0]["unit"].as_str().unwrap().to_owned())
    };
    assert_eq!(ask("bit"), (1.0, "bits".to_owned()));
    assert_eq!(ask("nat"), (std::f64::consts::LN_2, "nats".to_owned()));
}

#[test]
fn a_measure_that_cannot_be_computed_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaps.csv");
    fs::write(&path, "x,y\n1,5\n,5\n3,5\n2,5\n4,5\n0,5\n7,5\n6,5\n9,5\n").unwrap();
    let path = path.to_string_lossy();
    let report = json(&["measure", &path, "--measure", "perm", "--measure", "sampen", "--format", "json"]);
    let results = report["results"].as_array().unwrap();
    let of = |measure: &str, column: &str| {
        results.iter().find(|r| r["measure"] == measure && r["column"] == column).unwrap()
    };
    assert!(of("perm", "x")["value"].is_null());
    assert!(of("perm", "x")["why"].as_str().unwrap().contains("index 1 (1 of 9)"), "{}", of("perm", "x"));
    assert_eq!(of("sampen", "y")["why"], "undefined: zero variance");
    let omitted =
        json(&["measure", &path, "--column", "x", "--measure", "perm", "--missing", "omit", "--format", "json"]);
    assert!(omitted["results"][0]["value"].is_number());
    assert_eq!(omitted["results"][0]["details"]["omitted"], 1);
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_would_be_right() {
    for (args, words) in [
        (vec!["measure", "FILE", "--measure", "sampem"], "did you mean 'sampen'?"),
        (vec!["measure", "FILE", "--column", "nothing"], "no column is called 'nothing'; the file has"),
        (vec!["measure", "FILE", "--set", "perm.order=99"], "expected a whole number from 2 to 8"),
        (vec!["measure", "FILE", "--set", "perm.colour=red"], "perm has no parameter 'colour'; it has order, delay"),
        (vec!["measure", "FILE", "--set", "perm"], "is not of the form MEASURE.parameter=value"),
        (vec!["measure", "FILE", "--set", "sampen.r=wide", "--measure", "perm"], "not among the measures"),
        (vec!["measure"], "required"),
        (vec!["paint"], "unrecognized subcommand"),
    ] {
        let file = sunspots();
        let args: Vec<&str> = args.iter().map(|a| if *a == "FILE" { file.as_str() } else { a }).collect();
        let assert = surprisal().args(&args).assert().code(2);
        assert!(text(&assert).contains(words), "{args:?}: {}", text(&assert));
    }
}

#[test]
fn bad_data_is_exit_code_1_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    for (name, contents, words) in [
        ("ragged.csv", &b"a,b\n1,2\n3,4,5\n6,7\n"[..], "line 3"),
        ("empty.csv", &b""[..], "no byte"),
        ("short.npy", &b"\x93NUMPY\x01\x00v\x00{'descr'"[..], "short.npy"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        let assert = surprisal().arg("measure").arg(&path).assert().code(1);
        let said = text(&assert);
        assert!(said.contains("error") && (said.contains(words) || name == "short.npy"), "{name}: {said}");
    }
    let assert = surprisal().args(["measure", "no/such/file.csv"]).assert().code(1);
    assert!(text(&assert).contains("cannot open no/such/file.csv"));
}

#[test]
fn damage_that_another_crate_panics_at_is_an_error_in_words() {
    for name in ["panics.parquet", "panics.arrow"] {
        let path = repository("core/tests/files/hostile").join(name);
        let said = text(&surprisal().arg("measure").arg(path).assert().code(1));
        assert!(said.starts_with("error: not a valid ") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn pictures_are_written_as_svg_and_png() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    surprisal()
        .args(["measure", &sunspots(), "--column", "count", "--measure", "perm.complexity_plane", "--plot"])
        .arg(&pictures)
        .assert()
        .success();
    let svg = fs::read_to_string(pictures.join("count-perm.complexity_plane-plane.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("statistical complexity"));
    let png = fs::read(pictures.join("count-perm.complexity_plane-plane.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}

#[test]
fn measures_are_listed_with_their_parameters() {
    let list = json(&["list", "measures", "--format", "json"]);
    let perm = list.as_array().unwrap().iter().find(|m| m["id"] == "perm").unwrap();
    assert_eq!(perm["title"], "Permutation entropy");
    assert!(perm["tex"].as_str().unwrap().contains(r"-\sum_\pi p(\pi) \log_2 p(\pi)"));
    let order = perm["parameters"].as_array().unwrap().iter().find(|p| p["name"] == "order").unwrap();
    assert_eq!(order["kind"]["minimum"], 2.0);
    assert_eq!(order["kind"]["maximum"], 8.0);
    assert_eq!(order["default"], 3);
}

#[test]
fn golden_folders_are_verified_and_a_disagreement_is_exit_code_1() {
    let golden = repository("core/tests/golden/measures");
    // Five records of NSB hold the NaN of a package that overflows: they are listed with the reason, and fail nothing.
    let output = surprisal().args(["verify", "--format", "json"]).arg(&golden).assert().success();
    let report: Json = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(report["total"]["disagree"], 0);
    assert_eq!(report["total"]["agree"], 617);
    assert_eq!(report["total"]["not_covered"], 5);

    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden.join("inputs/bern.npy"), folder.path().join("bern.npy")).unwrap();
    let record = |value: f64, id: &str, measure: &str| serde_json::json!({"id": id, "input": "bern.npy", "measure": measure, "params": {}, "value": value, "unit": "bits"});
    let records = serde_json::json!([record(0.5, "wrong", "shannon.plugin"), record(0.5, "unknown", "no.such")]);
    fs::write(folder.path().join("mine.json"), records.to_string()).unwrap();
    let assert = surprisal().arg("verify").arg(folder.path()).assert().code(1);
    let said = text(&assert);
    assert!(said.contains("disagree: wrong shannon.plugin: expected 0.5, got 0.99"), "{said}");
    assert!(said.contains("not covered: unknown no.such"), "{said}");
    assert!(said.contains("0 agree, 1 disagree, 1 not covered"), "{said}");
}

#[test]
fn folders_of_school_states_are_verified() {
    let golden = repository("core/tests/golden/fish");
    let output = surprisal().args(["verify", "--format", "json"]).arg(&golden).assert().success();
    let report: Json = serde_json::from_slice(&output.get_output().stdout).unwrap();
    // 60 snapshots as they are and rounded to f32, 27 cases, 60 rows of series: 12 values each; and 4 errors. Not covered: the
    // other rows of 12 series, and the statistics ("runs", "targets") of four files.
    assert_eq!(
        report["total"],
        serde_json::json!({"agree": 12 * (60 + 60 + 27 + 60) + 4, "disagree": 0, "not_covered": 20})
    );
    let records = report["records"].as_array().unwrap();
    let one = records.iter().find(|r| r["id"] == "case1_swarm_s42_t00050/polarization").unwrap();
    assert_eq!((&one["measure"], &one["status"]), (&"school.polarization".into(), &"agree".into()));
    assert!(records.iter().any(|r| r["id"] == "position_nan/error" && r["status"] == "agree"));
}

/// Another folder of the format, with names of its own: one right and one wrong value, and what is said about broken files.
#[test]
fn a_school_folder_of_ones_own_is_judged_and_its_faults_are_named() {
    let golden = repository("core/tests/golden/fish");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::copy(golden.join("case1_swarm_s42_t00050_pos.npy"), path("x.npy")).unwrap();
    fs::copy(golden.join("case1_swarm_s42_t00050_vel.npy"), path("v.npy")).unwrap();
    let write = |pos: &str, n_fish: u32| {
        let metrics = serde_json::json!({"polarization": 0.023652134654910163, "rotation": 0.5});
        let snapshot = serde_json::json!({"name": "mine", "seed": 5, "step": 2, "n_fish": n_fish, "box_size": 25.0, "pos": pos, "vel": "v.npy", "metrics": metrics});
        let all = serde_json::json!({"snapshots": [snapshot], "series_columns": ["polarization"]});
        fs::write(path("tuesday.json"), all.to_string()).unwrap();
    };
    let run = || surprisal().arg("verify").arg(folder.path()).assert().code(1);

    write("x.npy", 150);
    let said = text(&run());
    assert!(said.contains("disagree: mine/rotation school.rotation: expected 0.5, got 0.0532"), "{said}");
    assert!(said.contains("there is no file tuesday_s5_series_f32.npy"), "{said}");
    assert!(said.contains("1 agree, 1 disagree, 1 not covered"), "{said}");

    write("x.npy", 149);
    assert!(text(&run()).contains("'mine' should have 149 fish, and has 150 positions"));
    write("gone.npy", 150);
    let said = text(&run());
    assert!(said.contains("snapshot mine") && said.contains("gone.npy"), "{said}");
    fs::copy(golden.join("case1_swarm_s42_series_f32.npy"), path("wide.npy")).unwrap();
    write("wide.npy", 150);
    let said = text(&run());
    assert!(said.contains("wide.npy has 12 columns, and three are expected"), "{said}");
    let whole = fs::read(path("x.npy")).unwrap();
    fs::write(path("cut.npy"), &whole[..whole.len() / 2]).unwrap();
    write("cut.npy", 150);
    let said = text(&run());
    assert!(said.contains("cut.npy"), "{said}");
    fs::write(path("tuesday.json"), r#"{"cases": [{"name": "a", "box_size": 1, "positions": [[0, NaN]]}]}"#).unwrap();
    let said = text(&run());
    assert!(said.contains("tuesday.json, case 1: 'a': positions[0] should be three numbers"), "{said}");
}

#[test]
fn the_default_report_of_every_sample_works() {
    for entry in fs::read_dir(repository("static/samples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["README.md", "index.json", "make.py"].contains(&name.as_str()) {
            continue;
        }
        let assert =
            surprisal().arg("measure").arg(&path).args(["--format", "csv", "--missing", "omit"]).assert().success();
        assert!(text(&assert).lines().count() > 1, "{name}: {}", text(&assert));
    }
}

/// A table with three columns of numbers, two of symbols, and labels of the rows.
fn several() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("several.csv");
    let mut text = "x,y,z,a,b,class\n".to_owned();
    for i in 0..120_u32 {
        let t = f64::from(i);
        let (x, z) = ((t * 12.9898).sin() * 7.7, (t * 78.233).cos() * 3.1);
        let (a, class) = (["u", "v", "w"][(i % 3) as usize], ["one", "two"][(i / 60) as usize]);
        text.push_str(&format!("{x},{},{z},{a},{},{class}\n", x * 0.9 + z * 0.1, ["p", "q"][(i % 2) as usize]));
    }
    fs::write(&path, text).unwrap();
    (folder, path.to_string_lossy().into_owned())
}

#[test]
fn pairs_are_all_pairs_or_those_that_are_named() {
    let (_folder, path) = several();
    let pairs = |args: &[&str]| -> Vec<(String, Vec<String>)> {
        let all = [&["measure", &path, "--format", "json", "--resamples", "0"], args].concat();
        let report = json(&all);
        let words = |v: &Json| v.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        let results = report["results"].as_array().unwrap();
        assert!(results.iter().all(|r| r["value"].is_number()), "{report:#}");
        results.iter().map(|r| (r["column"].as_str().unwrap().to_owned(), words(&r["with"]))).collect()
    };
    let pair = |a: &str, b: &[&str]| (a.to_owned(), b.iter().map(|b| (*b).to_owned()).collect::<Vec<_>>());
    let undirected = [pair("x", &["y"]), pair("x", &["z"]), pair("y", &["z"])];
    assert_eq!(pairs(&["--measure", "mi.ksg1"]), undirected);
    assert_eq!(pairs(&["--measure", "te.ksg"]).len(), 6);
    assert_eq!(pairs(&["--measure", "te.ksg"])[1], pair("y", &["x"]));
    assert_eq!(pairs(&["--measure", "mi.plugin"]).len(), 3);
    assert_eq!(pairs(&["--measure", "cond.plugin"]).len(), 6);
    let block = ["--measure", "mi.ksg2", "--column", "x", "--with", "y", "--with", "z"];
    assert_eq!(pairs(&block), [pair("x", &["y", "z"])]);
    assert_eq!(pairs(&["--measure", "mi.ksg1", "--with", "z"]), [pair("x", &["z"]), pair("y", &["z"])]);
    assert_eq!(pairs(&["--measure", "matrix.entropy"]), [pair("x", &["y", "z"])]);
    let labelled = ["--measure", "dsmi", "--column", "x", "--column", "y", "--with", "class"];
    assert_eq!(pairs(&labelled), [pair("x", &["y", "class"])]);
    assert_eq!(pairs(&["--measure", "diff.kl", "--column", "x", "--with", "z"]), [pair("x", &["z"])]);
    // a law that is given needs no second column
    let law = ["measure", &path, "--column", "a", "--measure", "kl.plugin", "--set", "kl.plugin.q=0.5,0.25,0.25"];
    let report = json(&[&law[..], &["--format", "json"]].concat());
    let exact = 3.0_f64.log2().mul_add(-1.0, 5.0 / 3.0);
    assert!((report["results"][0]["value"].as_f64().unwrap() - exact).abs() < 1e-12);
    assert!(report["results"][0].get("with").is_none());
    let assert = surprisal().args(["measure", &path, "--measure", "mi.ksg1", "--resamples", "40"]).assert().success();
    assert!(text(&assert).contains("x with y"), "{}", text(&assert));
}

#[test]
fn the_null_is_in_the_details_and_nothing_else_needs_a_second_column() {
    let (_folder, path) = several();
    let report =
        json(&["measure", &path, "--measure", "mi.plugin", "--column", "a", "--with", "b", "--format", "json"]);
    let details = &report["results"][0]["details"];
    assert_eq!(details["null_shuffles"], 200);
    let detail = |key: &str| details[key].as_f64().unwrap();
    assert!(detail("null_low") <= detail("null_mean") && detail("null_mean") <= detail("null_high"));
    assert!(detail("p_value") > 0.0 && detail("p_value") <= 1.0);
    for (args, words) in [
        (&["--with", "y"][..], "name the measure too"),
        (&["--with", "nobody", "--measure", "mi.ksg1"], "no column is called 'nobody'"),
        (&["--column", "x", "--measure", "mi.ksg1"], "takes two columns of numbers, and one was chosen"),
        (&["--measure", "image.grey"], "takes an image or an array of two axes, and this file has none"),
        (&["--measure", "kl.plugin", "--set", "kl.plugin.smoothing=-1"], "expected a number from 0 to 1000"),
    ] {
        let assert = surprisal().args(["measure", &path]).args(args).assert().code(2);
        assert!(text(&assert).contains(words), "{args:?}: {}", text(&assert));
    }
    let assert =
        surprisal().args(["measure", &path, "--column", "x", "--column", "a", "--measure", "mi.ksg1"]).assert();
    assert!(text(&assert.code(1)).contains("takes numbers, and this column holds labels"));
}

#[test]
fn arrays_are_measured_by_name() {
    let golden = repository("core/tests/golden/measures/inputs");
    let file = |name: &str| golden.join(name).to_string_lossy().into_owned();
    let one = |args: &[&str]| json(&[&["measure"], args, &["--format", "json"]].concat())["results"][0].clone();
    let result = one(&[&file("rep_iso.npy"), "--measure", "matrix.entropy"]);
    assert_eq!(result["column"], "values");
    assert!((result["value"].as_f64().unwrap() - 3.944457591870132).abs() < 1e-8);
    let result = one(&[&file("attention.npy"), "--measure", "attention.entropy"]);
    assert_eq!(result["value"].as_array().unwrap().len(), 4);
    let result = one(&[&file("image.npy"), "--column", "values", "--measure", "image.local_map"]);
    assert!((result["value"].as_f64().unwrap() - 5.095174965505717).abs() < 1e-9);
    // the columns one by one, then the points in space
    let all = json(&["measure", &file("gauss3.npy"), "--measure", "diff.kl", "--format", "json"]);
    let results = all["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    assert!((results[3]["value"].as_f64().unwrap() - 6.140483727875695).abs() < 1e-8);
}

#[test]
fn surrogates_are_in_the_record_and_the_table_and_do_not_depend_on_threads() {
    let args = [
        "--column",
        "count",
        "--measure",
        "perm",
        "--measure",
        "hist.entropy",
        "--surrogates",
        "iaaft=19",
        "--seed",
        "3",
    ];
    let report = json(&[&["measure", &sunspots()], &args[..], &["--format", "json"]].concat());
    let result = &report["results"][0];
    let s = &result["surrogates"];
    assert_eq!((&s["kind"], &s["count"], &s["seed"]), (&"iaaft".into(), &19.into(), &3.into()));
    let one = |key: &str| s[key][0].as_f64().unwrap();
    assert!(one("low") <= one("mean") && one("mean") <= one("high"), "{s}");
    // Ranks among twenty, the value itself among those that are not above it and among those that are not below.
    for key in ["p_low", "p_high", "p_value"] {
        let rank = one(key) * 20.0;
        assert!((rank - rank.round()).abs() < 1e-9 && (1.0..=20.0).contains(&rank.round()), "{s}");
    }
    assert!(one("p_low") + one("p_high") > 1.049, "{s}");
    assert!(s["spectrum_error"].as_f64().unwrap() < 0.05, "{s}");
    // The same numbers from the library, one after the other.
    let again = json(&[&["measure", &sunspots()], &args[..], &["--format", "json"]].concat());
    assert_eq!(again["results"][0]["surrogates"], *s);
    let warnings = report["results"][1]["warnings"].to_string();
    assert!(warnings.contains("surrogates_equal"), "{warnings}");
    let table = surprisal().args(["measure", &sunspots()]).args(args).assert().success();
    assert!(text(&table).contains("for 19 iaaft surrogates (mean "), "{}", text(&table));
    let csv = surprisal().args(["measure", &sunspots()]).args(args).args(["--format", "csv"]).assert().success();
    assert!(text(&csv).lines().nth(1).unwrap().contains("p_value"), "{}", text(&csv));

    let (_folder, path) = several();
    let labels = json(&[
        "measure",
        &path,
        "--column",
        "a",
        "--measure",
        "lz76.count",
        "--surrogates",
        "phase=9",
        "--format",
        "json",
    ]);
    assert!(labels["results"][0]["value"].is_number(), "the value stands without surrogates");
    assert!(labels["results"][0]["warnings"].to_string().contains("not compared with surrogates"));
    // Beside a measure that is compared one of pairs stands alone, and says why.
    let mut mixed = vec!["measure", &path, "--column", "x", "--column", "y", "--resamples", "0", "--format", "json"];
    mixed.extend(["--measure", "perm", "--measure", "mi.ksg1", "--surrogates", "shuffle=9"]);
    let mixed = json(&mixed);
    let of = |id: &str| mixed["results"].as_array().unwrap().iter().find(|r| r["measure"] == id).unwrap().clone();
    assert_eq!(of("perm")["surrogates"]["count"], 9);
    let pair = of("mi.ksg1");
    assert!(pair["value"].is_number() && pair["surrogates"].is_null(), "{pair}");
    assert!(pair["warnings"].to_string().contains("not compared with surrogates: surrogates are for"), "{pair}");
    for (args, words) in [
        (
            ["--measure", "mi.ksg1", "--surrogates", "iaaft=9"],
            "surrogates are for measures of one column, and mi.ksg1 is not",
        ),
        (["--measure", "perm", "--surrogates", "twist=9"], "expected shuffle, phase or iaaft"),
    ] {
        let assert = surprisal().args(["measure", &path]).args(args).assert().code(2);
        assert!(text(&assert).contains(words), "{args:?}: {}", text(&assert));
    }
}

#[test]
fn a_preset_puts_the_estimators_side_by_side() {
    let (_folder, path) = several();
    let report = json(&[
        "measure",
        &path,
        "--column",
        "a",
        "--preset",
        "estimators",
        "--measure",
        "lz78.count",
        "--format",
        "json",
    ]);
    let ids: Vec<&str> = report["results"].as_array().unwrap().iter().map(|r| r["measure"].as_str().unwrap()).collect();
    let shannon = ["shannon.plugin", "shannon.miller_madow", "shannon.grassberger", "shannon.chao_shen", "shannon.nsb"];
    assert_eq!(ids, [&shannon[..], &["lz78.count"]].concat());
}
