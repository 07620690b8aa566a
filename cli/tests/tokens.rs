//! Texts on the command line: dictionaries, tokens, transformers that are trained, held, resumed and judged.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::{Command, assert::Assert};
use serde_json::Value as Json;

fn surprisal() -> Command {
    Command::cargo_bin("surprisal").unwrap()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// The text of the sheet's test vectors.
const BITS: &str = "001100111001100110001100110011011001";

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_text_becomes_tokens_and_a_text_again() {
    let dir = tempfile::tempdir().unwrap();
    let text = written(dir.path(), "bits.txt", BITS);
    let json = dir.path().join("tokenizer.json");
    let train = surprisal().args(["tokenize", "train"]).arg(&text).args(["--size", "6", "--out"]).arg(&json).assert();
    assert!(stdout(&train.success()).contains("6 tokens over 2 characters; 36 characters are 11 tokens"));
    let tokens = surprisal().args(["tokenize", "encode"]).arg(&text).arg("--tokenizer").arg(&json).assert().success();
    assert_eq!(stdout(&tokens), "5 1 5 2 0 3 5 0 3 2 1\n");
    let decode = |input: &str| {
        let mut command = surprisal();
        command.args(["tokenize", "decode", "-", "--tokenizer"]).arg(&json).write_stdin(input.to_owned()).assert()
    };
    assert_eq!(stdout(&decode(&stdout(&tokens)).success()), BITS);
    assert!(stderr(&decode("5 1 six").code(1)).contains("'six', at place 3, is no token"));
    assert!(stderr(&decode("5 99").code(1)).contains("token 99; the dictionary has 6"));
    // The longest word from the left gives the same here, and LZW's dictionary is the sheet's.
    let greedy = surprisal()
        .args(["tokenize", "encode", "--encoder", "greedy", "--tokenizer"])
        .arg(&json)
        .write_stdin(BITS)
        .assert();
    assert_eq!(stdout(&greedy.success()), "5 1 5 2 0 3 5 0 3 2 1\n");
    let lzw = surprisal().args(["tokenize", "train", "--kind", "lzw", "--size", "8"]).write_stdin(BITS).assert();
    let lzw: Json = serde_json::from_str(&stdout(&lzw.success())).unwrap();
    let words = ["0", "1", "00", "01", "11", "10", "001", "111"];
    assert!(words.iter().zip(0..).all(|(word, id)| lzw["model"]["vocab"][word] == id), "{lzw}");
}

#[test]
fn every_kind_of_dictionary_gives_the_text_back() {
    let dir = tempfile::tempdir().unwrap();
    let text = written(dir.path(), "rhyme.txt", &"one fish two fish\nred fish blue fish\n".repeat(40));
    for kind in ["char", "words", "bpe", "sequential-bpe", "lzw", "unigram"] {
        for encoder in ["replay", "greedy"] {
            let json = dir.path().join(format!("{kind}-{encoder}.json"));
            let args = ["--kind", kind, "--size", "30", "--encoder", encoder, "--out"];
            surprisal().args(["tokenize", "train"]).arg(&text).args(args).arg(&json).assert().success();
            let tokens = surprisal().args(["tokenize", "encode"]).arg(&text).arg("--tokenizer").arg(&json).assert();
            let tokens = stdout(&tokens.success());
            let decoded =
                surprisal().args(["tokenize", "decode", "--tokenizer"]).arg(&json).write_stdin(tokens).assert();
            assert_eq!(stdout(&decoded.success()), fs::read_to_string(&text).unwrap(), "{kind} {encoder}");
        }
    }
}

#[test]
fn texts_that_do_not_do_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let many: String = ('\u{4e00}'..).take(300).collect();
    let train = |input: &str, args: &[&str], code: i32| {
        stderr(&surprisal().args(["tokenize", "train"]).args(args).write_stdin(input.to_owned()).assert().code(code))
    };
    assert!(train(&many, &[], 1).contains("an alphabet of 300 symbols; expected 1 to 256"));
    assert!(train("", &[], 1).contains("an alphabet of 0 symbols"));
    assert!(train("abcabc", &["--size", "100"], 1).contains("larger than this text of 6 symbols supports"));
    assert!(train("abcabc", &["--size", "2"], 1).contains("a dictionary of 2 tokens; expected 3 (the alphabet)"));
    let bytes = dir.path().join("bytes");
    fs::write(&bytes, [b'a', 0xff, b'b']).unwrap();
    let told = stderr(&surprisal().args(["tokenize", "train"]).arg(&bytes).assert().code(1));
    assert!(told.contains("is no UTF-8 at byte 1"), "{told}");
    let run = |args: &[&str], code: i32| {
        stderr(&surprisal().args(["run", "tokenization-markov", "--backend", "cpu"]).args(args).assert().code(code))
    };
    let short = written(dir.path(), "short.txt", "too short");
    let told = run(&["--text", short.to_str().unwrap()], 2);
    assert!(told.contains("9 characters: expected at least 200 of them"), "{told}");
    let text = written(dir.path(), "many.txt", &many);
    let told = run(&["--text", text.to_str().unwrap()], 1);
    assert!(told.contains("an alphabet of 300 symbols"), "{told}");
    let narrow = written(dir.path(), "narrow.txt", &"ab ".repeat(80));
    let told = run(&["--text", narrow.to_str().unwrap(), "--set", "context=512", "--set", "dictionary=4"], 1);
    assert!(told.contains("tokens; a context of"), "{told}");
    let told = run(&["--column", "1"], 2);
    assert!(told.contains("--text"), "{told}");
    let fish = surprisal().args(["run", "fish-schooling", "--text"]).arg(&narrow).assert().code(2);
    assert!(stderr(&fish).contains("fish-schooling learns from no text"));
}

/// Training that is short enough for a test.
const SHORT: [&str; 10] = [
    "--set",
    "context=16",
    "--set",
    "train_symbols=20000",
    "--set",
    "tokenizer_symbols=10000",
    "--set",
    "test_symbols=4000",
    "--backend",
    "cpu",
];

#[test]
fn what_was_learned_is_written_and_judges_texts() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    surprisal()
        .args(["run", "tokenization-markov", "--steps", "20"])
        .args(SHORT)
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let record: Json = serde_json::from_str(&fs::read_to_string(out.join("record.json")).unwrap()).unwrap();
    for file in ["losses.csv", "losses.parquet", "losses.svg", "laws.svg", "text.svg", "source.svg", "dictionary.svg"] {
        assert!(out.join(file).exists(), "{file}");
    }
    // The loss of the record, found again from the files alone, on the same fresh text.
    let scalar = |name: &str| {
        let all = record["scalars"].as_array().unwrap();
        all.iter().find(|s| s["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    let fresh = written(dir.path(), "fresh.txt", &fresh_text());
    for arm in ["characters", "tokens"] {
        let eval = surprisal().arg("eval").arg(out.join(arm)).arg(&fresh).args(["--format", "json"]).assert().success();
        let found: Json = serde_json::from_str(&stdout(&eval)).unwrap();
        let (loss, known) = (found["nats_per_character"].as_f64().unwrap(), scalar(&format!("{arm}_loss")));
        // The same f32 network; sums of products may be grouped otherwise.
        assert!((loss - known).abs() < 1e-6, "{arm}: {loss} {known}");
        assert_eq!(found["steps"], 20);
        let model = out.join(arm).join("model.safetensors");
        let csv = stdout(&surprisal().arg("eval").arg(&model).arg(&fresh).args(["--format", "csv"]).assert().success());
        let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let nats: f64 = rows.iter().filter_map(|row| row[4].parse::<f64>().ok()).sum();
        let covered: usize = rows[1..].iter().map(|row| row[3].parse::<usize>().unwrap()).sum();
        assert!((nats / f64::from(u32::try_from(covered).unwrap()) - known).abs() < 1e-6, "{arm}");
        assert!(rows[0][4].is_empty(), "nothing predicts the first token");
    }
    let mixed = surprisal()
        .arg("eval")
        .arg(out.join("tokens"))
        .arg(&fresh)
        .arg("--tokenizer")
        .arg(out.join("characters/tokenizer.json"))
        .assert()
        .code(1);
    assert!(stderr(&mixed).contains("predicts 10 tokens, and"), "{}", stderr(&mixed));
    let no_model = surprisal().arg("eval").arg(&fresh).arg(&fresh).assert().code(1);
    assert!(stderr(&no_model).contains("fresh.txt"), "{}", stderr(&no_model));
}

/// The fresh text of a run with seed 1 and 4000 test symbols: stream 1 of the switching source.
fn fresh_text() -> String {
    let chain = surprisal_core::sim::markov::Switching { order: 2, p: 0.8, q: 0.8 }.chain().unwrap();
    chain.text(4000, 1, 1).into_iter().map(|x| char::from(b'0' + x)).collect()
}

#[test]
fn a_column_of_words_is_a_text_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = "day,weather\n".to_owned();
    for day in 0..400 {
        let word = ["sun", "sun", "rain", "snow", "rain"][(day * day / 7 + day) % 5];
        rows.push_str(&format!("{day},{word}\n"));
    }
    let table = written(dir.path(), "weather.csv", &rows);
    let args =
        ["--column", "weather", "--steps", "10", "--set", "dictionary=6", "--set", "context=16", "--format", "json"];
    let run = surprisal()
        .args(["run", "tokenization-markov", "--backend", "cpu", "--text"])
        .arg(&table)
        .args(args)
        .assert()
        .success();
    let record: Json = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!(record["parameters"]["source"], "text");
    assert_eq!(record["parameters"]["text"].as_str().unwrap().len(), 400);
    assert!(stderr(&run).contains("0 is rain, 1 is snow, 2 is sun"), "{}", stderr(&run));
    let names: Vec<&str> = record["scalars"].as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
    assert!(names.contains(&"best_ngram") && !names.contains(&"entropy_rate"), "{names:?}");
}

/// Ctrl-C in the middle of training; then on, under another learning rate or to the same bits.
#[cfg(unix)]
#[test]
fn training_goes_on_from_its_checkpoint() {
    use std::{
        process::{Command as Process, Stdio},
        thread::sleep,
        time::{Duration, Instant},
    };
    let dir = tempfile::tempdir().unwrap();
    let args =
        ["run", "tokenization-markov", "--steps", "600", "--checkpoint-every", "7", "--set", "evaluate_every=50"];
    let whole = dir.path().join("whole");
    surprisal().args(args).args(SHORT).arg("--out").arg(&whole).assert().success();
    let interrupted = |name: &str| -> PathBuf {
        let out = dir.path().join(name);
        let mut child = Process::new(surprisal().get_program())
            .args(args)
            .args(SHORT)
            .arg("--out")
            .arg(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !out.join("checkpoint/record.json").exists() && begun.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(2));
        }
        Process::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(!out.join("record.json").exists());
        out
    };
    let read = |path: PathBuf| -> Json { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };

    let parts = interrupted("parts");
    let step = read(parts.join("checkpoint/record.json"))["steps"].as_u64().unwrap();
    assert!((1..600).contains(&step), "{step}");
    surprisal().args(["run", "--resume"]).arg(&parts).assert().success();
    assert!(!parts.join("checkpoint").exists());
    let (a, b) = (read(whole.join("record.json")), read(parts.join("record.json")));
    for part in ["parameters", "steps", "scalars", "seen"] {
        assert_eq!(a[part], b[part], "{part}");
    }
    // Every number but the clock's.
    let numbers = |record: &Json| -> Vec<(String, Json)> {
        let tables = record["tables"].as_array().unwrap().iter();
        let columns = tables.flat_map(|table| table["columns"].as_array().unwrap());
        columns
            .filter(|column| column["name"] != "seconds")
            .map(|column| (column["name"].to_string(), column["values"].clone()))
            .collect()
    };
    assert_eq!(numbers(&a), numbers(&b));
    for file in ["tokens/model.safetensors", "characters/model.safetensors"] {
        assert!(fs::read(whole.join(file)).unwrap() == fs::read(parts.join(file)).unwrap(), "{file}");
    }

    let other = interrupted("other");
    let refused = surprisal().args(["run", "--set", "width=32", "--resume"]).arg(&other).assert().code(2);
    assert!(stderr(&refused).contains("width cannot change in the middle of a run"), "{}", stderr(&refused));
    surprisal().args(["run", "--set", "rate=0.004", "--set", "across=work", "--resume"]).arg(&other).assert().success();
    let record = read(other.join("record.json"));
    assert_eq!(record["parameters"]["rate"], 0.004);
    let notes = record["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].as_str().unwrap().contains("rate was set to 0.004"), "{notes:?}");
    assert_ne!(record["scalars"], a["scalars"]);
}
