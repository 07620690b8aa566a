//! Every experiment of the registry, small: it runs to its end, its record reads back, its figures draw, its parameters
//! refuse nonsense, and it repeats bit for bit.

use pollster::block_on;
use serde_json::{Value as Json, json};
use surprisal_core::{
    compute::Cpu,
    experiment::{self, Entry, ExperimentError, Record, Run},
    figure::{Style, Theme, to_svg},
    pace::Unhurried,
};

/// Parameters that make an experiment short.
fn short(id: &str) -> Json {
    match id {
        "fish-schooling" => json!({"count": 30, "steps": 60, "measure_every": 5, "replicates": 2}),
        "fish-phase-map" => json!({"count": 20, "points": 3, "replicates": 2, "steps_each": 40}),
        "fish-hysteresis" => json!({"count": 20, "points": 3, "steps_each": 40}),
        "fish-cases" => json!({"length": 0.11, "measure_every": 10}),
        "fish-residence" => json!({"count": 20, "steps": 200}),
        "fish-rotation" => json!({"count": 30, "steps_before": 200, "angles": 7}),
        "vicsek" => json!({"count": 60, "steps": 60}),
        "boids" => json!({"count": 60, "steps": 60}),
        "tokenization-markov" => json!({
            "steps": 25, "context": 16, "train_symbols": 20_000, "tokenizer_symbols": 10_000, "test_symbols": 5000
        }),
        "markov-landscape" => json!({"starts": 5, "steps": 300}),
        "tokenization-context" => json!({"symbols": 20_000, "windows": 4}),
        "tokenization-sweep" => json!({
            "largest": 64, "train_symbols": 60_000, "tokenizer_symbols": 30_000, "test_symbols": 20_000
        }),
        other => panic!("no short parameters for {other}"),
    }
}

fn start(entry: &'static Entry, given: &Json) -> Run {
    block_on(entry.start(given, &Cpu)).expect("it starts")
}

fn finish(run: &mut Run, slice: u32) {
    while !run.is_done() {
        let before = run.done();
        block_on(run.advance(slice, &Unhurried)).expect("it goes on");
        assert!(run.done() > before, "{run:?} does not move on");
    }
}

#[test]
fn every_experiment_runs_to_its_end_and_its_record_reads_back() {
    for entry in experiment::registry() {
        let id = entry.about.id;
        let mut run = start(entry, &short(id));
        finish(&mut run, 17);
        assert_eq!(run.done(), run.total(), "{id}");
        let text = serde_json::to_string(run.record()).unwrap();
        let again = Record::parse(&text).unwrap();
        assert!(serde_json::to_string(&again).unwrap() == text, "{id}: the record reads back as another");
        assert!(!run.record().scalars.is_empty() && !run.record().tables.is_empty(), "{id}");
        for table in &run.record().tables {
            assert!(table.columns.iter().all(|c| c.len() == table.len()), "{id}: {} is ragged", table.name);
        }
        let figures = run.figures();
        assert!(!figures.is_empty(), "{id} has no figure");
        for figure in &figures {
            to_svg(figure, 800, 500, &Style::new(Theme::Light)).unwrap();
        }
        assert!(!run.seen().is_empty());
    }
}

#[test]
fn a_run_does_not_depend_on_how_it_is_sliced() {
    for entry in experiment::registry() {
        let id = entry.about.id;
        let record = |slice| {
            let mut run = start(entry, &short(id));
            finish(&mut run, slice);
            run.record().clone()
        };
        let (a, b) = (record(1_000_000), record(7));
        assert!(serde_json::to_string(&a).unwrap() == serde_json::to_string(&b).unwrap(), "{id} depends on its slices");
    }
}

#[test]
fn a_record_reproduces_its_run() {
    let entry = experiment::find("fish-schooling").unwrap();
    let mut first = start(entry, &short("fish-schooling"));
    finish(&mut first, 100);
    let mut second = start(entry, &Json::Object(first.record().parameters.clone()));
    finish(&mut second, 100);
    let text = |run: &Run| serde_json::to_string(run.record()).unwrap();
    assert!(text(&first) == text(&second), "the second run differs");
}

#[test]
fn a_checkpoint_goes_on_where_it_was() {
    for id in ["fish-schooling", "vicsek", "boids", "tokenization-markov"] {
        let entry = experiment::find(id).unwrap();
        let mut whole = start(entry, &short(id));
        finish(&mut whole, 100);
        let mut first = start(entry, &short(id));
        // In the middle of two evaluations of the training.
        block_on(first.advance(if id == "tokenization-markov" { 13 } else { 25 }, &Unhurried)).unwrap();
        let (record, saved) = block_on(first.checkpoint()).unwrap();
        assert!(!saved.is_empty());
        let record = Record::parse(&serde_json::to_string(&record).unwrap()).unwrap();
        let mut second = start(entry, &Json::Object(record.parameters.clone()));
        second.resume(&record, &saved).unwrap();
        finish(&mut second, 100);
        let text = |run: &Run| serde_json::to_string(run.record()).unwrap();
        assert!(text(&whole) == text(&second), "{id} goes on elsewhere");
    }
}

#[test]
fn bad_parameters_say_what_would_be_right() {
    let fails = |id: &str, given: Json| -> String {
        let entry = experiment::find(id).unwrap();
        block_on(entry.start(&given, &Cpu)).map(drop).unwrap_err().to_string()
    };
    let message = fails("fish-schooling", json!({"count": 0}));
    assert!(message.contains("count") && message.contains("from 1 to"), "{message}");
    let message = fails("fish-schooling", json!({"orientation_width": -1.0}));
    assert!(message.contains("orientation_width") && message.contains("from 0"), "{message}");
    let message = fails("fish-schooling", json!({"water": "periodic", "box_size": 10.0}));
    assert!(message.contains("box_size is 10") && message.contains("17.25"), "{message}");
    let message = fails("fish-schooling", json!({"start": "uniform"}));
    assert!(message.contains("open water"), "{message}");
    let message = fails("fish-schooling", json!({"fishes": 3}));
    assert!(message.contains("has no parameter 'fishes'"), "{message}");
    let Err(unknown) = experiment::find("fish-scooling") else { panic!("found") };
    assert!(matches!(&unknown, ExperimentError::Unknown { suggestion: Some(s), .. } if s == "fish-schooling"));
}

#[test]
fn a_live_change_keeps_the_school_and_a_larger_one_begins_anew() {
    let entry = experiment::find("fish-schooling").unwrap();
    let mut run = start(entry, &short("fish-schooling"));
    block_on(run.advance(20, &Unhurried)).unwrap();
    let change = |run: &mut Run, given: Json| run.change(given.as_object().unwrap());
    assert!(change(&mut run, json!({"orientation_width": 6.0})).unwrap());
    assert_eq!((run.done(), run.record().parameters["orientation_width"].as_f64()), (20, Some(6.0)));
    assert!(!change(&mut run, json!({"count": 40})).unwrap());
    assert!(change(&mut run, json!({"noise": -1.0})).is_err());
    finish(&mut run, 100);
}
