//! Every number that the sheet of the tokenization paper must show: the claims of its experiments, over their seeds, on the
//! CPU; and what these experiments refuse.

use pollster::block_on;
use serde_json::{Value as Json, json};
use surprisal_core::{
    compute::Cpu,
    experiment::{Record, Standing, check::groups, find, of_paper},
    pace::Unhurried,
};

fn run(id: &str, given: &Json) -> Record {
    let entry = find(id).expect("an experiment");
    let mut run = block_on(entry.start(given, &Cpu)).expect("it starts");
    while !run.is_done() {
        block_on(run.advance(1_000_000, &Unhurried)).expect("it goes on");
    }
    run.record().clone()
}

#[test]
fn every_claim_is_reproduced() {
    let entries = of_paper("tokenization-markov");
    assert_eq!(entries.len(), 2);
    let mut seen = 0;
    for group in groups(&entries, |_, _| true) {
        let records: Vec<Record> =
            (1..=u64::from(group.seeds)).map(|seed| run(group.entry.about.id, &group.parameters(seed))).collect();
        for verdict in group.verdicts(records.iter()) {
            println!("{} {}: {:?}, {}", verdict.experiment, verdict.claim, verdict.values, verdict.comparison);
            assert_eq!(verdict.standing, Standing::Reproduced, "{verdict:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 14);
}

#[test]
fn other_sources_dictionaries_and_wild_rates_give_numbers_no_better_than_the_source() {
    let short = |extra: Json| {
        let mut given = json!({
            "context": 16, "steps": 30, "train_symbols": 60_000, "tokenizer_symbols": 30_000, "test_symbols": 20_000
        });
        given.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        given
    };
    let cases = [
        json!({"rate": 0.1, "layers": 4, "width": 64, "heads": 8, "batch": 1}),
        json!({"source": "random", "order": 2, "tokenizer": "unigram", "dictionary": 12}),
        json!({"source": "random", "order": 1, "alphabet": 9, "tokenizer": "lzw", "dictionary": 40, "window": 4}),
        json!({"tokenizer": "sequential_bpe", "encoder": "greedy", "tied": true, "clip": 1.0}),
        json!({"tokenizer": "words", "dictionary": 18, "arms": "tokens"}),
        json!({"tokenizer": "characters", "arms": "characters", "p": 0.5, "q": 0.5}),
    ];
    for case in cases {
        let record = run("tokenization-markov", &short(case.clone()));
        let losses = record.table("losses").unwrap();
        let rate = record.value("entropy_rate").unwrap();
        let only = case.get("arms").and_then(Json::as_str);
        for name in ["characters", "tokens"] {
            let curve = losses.numbers(name);
            assert_eq!(curve.len(), 4, "{case}");
            let trained = only.is_none_or(|arm| arm == name);
            // 20,000 symbols: the standard error of a loss is below 1 %.
            assert!(!trained || curve.iter().all(|x| *x > 0.97 * rate && *x < 20.0), "{case}: {curve:?}");
        }
    }
}

#[test]
fn nonsense_is_refused_in_words() {
    let fails =
        |id: &str, given: Json| block_on(find(id).unwrap().start(&given, &Cpu)).map(drop).unwrap_err().to_string();
    let id = "tokenization-markov";
    let message = fails(id, json!({"heads": 3}));
    assert!(message.contains("divisor of the width, 16"), "{message}");
    let message = fails(id, json!({"train_symbols": 1000, "tokenizer_symbols": 1000, "dictionary": 256}));
    assert!(message.contains("larger than this text of 1000 symbols supports"), "{message}");
    let message = fails(id, json!({"train_symbols": 2000, "tokenizer_symbols": 3000}));
    assert!(message.contains("at most the text, 2000"), "{message}");
    let message = fails(id, json!({"source": "random", "alphabet": 16, "dictionary": 10}));
    assert!(message.contains("at least the alphabet, 16"), "{message}");
    let message = fails(id, json!({"source": "random", "order": 5}));
    assert!(message.contains("1 to 4 for a random chain"), "{message}");
    let message = fails(id, json!({"context": 512, "train_symbols": 1000, "tokenizer_symbols": 1000}));
    assert!(message.contains("a context of") && message.contains("tokens"), "{message}");
    let message = fails("tokenization-sweep", json!({"p": 1.5}));
    assert!(message.contains("0.05 to 0.95"), "{message}");
}
