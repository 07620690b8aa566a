//! Every number that the sheet of the tokenization paper must show: the claims of its experiments, over their seeds, on the
//! CPU; and what these experiments refuse.

use pollster::block_on;
use serde_json::{Value as Json, json};
use surprisal_core::{
    compute::{Compute, Cpu, Ran},
    experiment::{ExperimentError, Record, Run, Standing, Values, check::groups, find, of_paper},
    nn::{Advanced, CpuTraining, Learning, NnError, Optimiser, RunSetup, Snapshot, Training},
    pace::{Pace, Unhurried},
};

fn run(id: &str, given: &Json) -> Record {
    let entry = find(id).expect("an experiment");
    let mut run = block_on(entry.start(given, &Cpu)).expect("it starts");
    while !run.is_done() {
        block_on(run.advance(1_000_000, &Unhurried)).expect("it goes on");
    }
    run.record().clone()
}

/// What the sheet says and does not hold here on seeds 1 to 3 (see docs/EXPERIMENTS.md).
const NOT_REPRODUCED: [(&str, &str); 1] = [("tokenization-sweep", "bpe-falls")];

#[test]
fn every_claim_is_reproduced_but_those_that_are_known_not_to_be() {
    let entries = of_paper("tokenization-markov");
    assert_eq!(entries.len(), 4);
    let mut seen = 0;
    for group in groups(&entries, |_, _| true) {
        let records: Vec<Record> =
            (1..=u64::from(group.seeds)).map(|seed| run(group.entry.about.id, &group.parameters(seed))).collect();
        for verdict in group.verdicts(records.iter()) {
            println!("{} {}: {:?}, {}", verdict.experiment, verdict.claim, verdict.values, verdict.comparison);
            let known = NOT_REPRODUCED.contains(&(verdict.experiment.as_str(), verdict.claim));
            let expected = if known { Standing::NotReproduced } else { Standing::Reproduced };
            assert_eq!(verdict.standing, expected, "{verdict:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 25);
}

/// The sheet's numbers are of one seed, whose first merge is 01 or 10: on such a seed they are all here, and fall.
#[test]
fn bpe_falls_from_four_tokens_on_where_a_change_of_state_is_merged_first() {
    let published =
        [(4.0, 0.6396), (6.0, 0.6021), (8.0, 0.5625), (10.0, 0.5544), (16.0, 0.5497), (32.0, 0.5382), (64.0, 0.5333)];
    let record = run("tokenization-sweep", &json!({ "seed": 3 }));
    let table = record.table("sweep").expect("a sweep");
    let kind = table.columns.iter().find(|column| column.name == "kind").expect("a column");
    let Values::Words(kinds) = &kind.values else { panic!("words") };
    let rows = kinds.iter().zip(table.numbers("size")).zip(table.numbers("unigram"));
    let bpe: Vec<(f64, f64)> = rows.filter(|((kind, _), _)| *kind == "bpe").map(|((_, d), loss)| (*d, *loss)).collect();
    let mut before = f64::INFINITY;
    for (size, loss) in published {
        let here = bpe.iter().find(|(d, _)| *d == size).expect("a dictionary of that size").1;
        // Of a million symbols of this source the mean surprisal has a standard error of some 0.1 %, on both sides.
        assert!((here / loss - 1.0).abs() < 0.01, "{size} tokens: {here}, the sheet {loss}");
        assert!(here < before, "{size} tokens: {here} after {before}");
        before = here;
    }
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

/// Parameters that make training short.
fn small(extra: &Json) -> Json {
    let mut given = json!({
        "context": 16, "steps": 30, "train_symbols": 20_000, "tokenizer_symbols": 10_000, "test_symbols": 5000
    });
    given.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    given
}

#[test]
fn replicates_are_the_runs_of_the_next_seeds() {
    let id = "tokenization-markov";
    let alone: Vec<Record> = (4..7).map(|seed| run(id, &small(&json!({ "seed": seed })))).collect();
    let together = run(id, &small(&json!({"seed": 4, "replicates": 3})));
    for arm in ["characters", "tokens"] {
        let curves: Vec<&[f64]> = alone.iter().map(|r| r.table("losses").unwrap().numbers(arm)).collect();
        let table = together.table("losses").unwrap();
        let [mean, low, high] = ["", "_low", "_high"].map(|end| table.numbers(&format!("{arm}{end}")));
        for i in 0..mean.len() {
            let each: Vec<f64> = curves.iter().map(|c| c[i]).collect();
            assert!((mean[i] - each.iter().sum::<f64>() / 3.0).abs() < 1e-15);
            assert!(low[i] == each.iter().copied().fold(f64::INFINITY, f64::min), "{arm} {i}");
            assert!(high[i] == each.iter().copied().fold(f64::NEG_INFINITY, f64::max) && high[i] > low[i], "{arm} {i}");
        }
        let scalar = together.scalars.iter().find(|s| s.name == format!("{arm}_loss")).unwrap();
        let spread = scalar.uncertainty.as_ref().unwrap();
        assert!(spread.low == *low.last().unwrap() && spread.high == *high.last().unwrap());
    }
}

#[test]
fn a_text_is_judged_by_n_grams_on_its_held_out_end() {
    // Sentences of a small grammar: the next letter depends on a few before it.
    let mut state = 7_u32;
    let mut draw = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % n
    };
    let (who, does, what) = (["ada", "emmy", "lise"], ["reads", "writes"], ["a proof", "notes", "the law"]);
    let sentence = |d: &mut dyn FnMut(usize) -> usize| format!("{} {} {}. ", who[d(3)], does[d(2)], what[d(3)]);
    let text: String = (0..600).map(|_| sentence(&mut draw)).collect();
    let record =
        run("tokenization-markov", &small(&json!({"source": "text", "text": text, "dictionary": 40, "rate": 0.005})));
    let of = |name: &str| record.value(name);
    let (single, best) = (of("character_unigram").unwrap(), of("best_ngram").unwrap());
    assert_eq!(of("best_ngram_order"), Some(3.0));
    assert!(best < 0.3 * single, "{best} {single}");
    assert_eq!(of("entropy_rate").or(of("tokens_excess")).or(of("tokens_over_rate")), None);
    assert!(of("tokens_loss").unwrap() < single && of("tokens_over_ngram").is_some());
    // By hand: the loss of single characters on the last tenth, with counts of the rest and 1/2 more each.
    let letters: Vec<char> = text.chars().collect();
    let (learned, held) = letters.split_at(letters.len() - letters.len() / 10);
    let kinds: std::collections::BTreeSet<char> = letters.iter().copied().collect();
    let count = |c: &char| learned.iter().filter(|x| *x == c).count();
    let total = learned.len() as f64 + 0.5 * kinds.len() as f64;
    let loss = held.iter().map(|c| -((count(c) as f64 + 0.5) / total).ln()).sum::<f64>() / held.len() as f64;
    assert!((loss - single).abs() < 1e-12, "{loss} {single}");
    let seen = find("tokenization-markov").unwrap().seen(&record);
    assert!(seen.contains("the best n-gram model, of 3 characters of context"), "{seen}");
    let sweep = run("tokenization-sweep", &json!({"source": "text", "text": text, "largest": 64}));
    assert!(sweep.value("bpe_over_ngram").is_some() && sweep.value("bpe_over_rate").is_none());
}

/// A back end whose training is not a number any more from some step on, while the learning rate is too large.
struct Shaky;

struct ShakyTraining {
    inner: CpuTraining,
    fails_at: u64,
    most: f64,
}

impl Compute for Shaky {
    fn training(&self, runs: Vec<RunSetup>) -> Learning<'_, Box<dyn Training>> {
        Box::pin(async move {
            let inner = CpuTraining::new(runs)?;
            Ok(Box::new(ShakyTraining { inner, fails_at: 17, most: 0.01 }) as Box<dyn Training>)
        })
    }
}

impl Training for ShakyTraining {
    fn runs(&self) -> &[RunSetup] {
        self.inner.runs()
    }

    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Learning<'a, Vec<Advanced>> {
        Box::pin(async move {
            let mut advanced = self.inner.advance(steps, pace).await?;
            let rate = self.inner.runs()[0].optimiser.rate;
            if advanced[0].step >= self.fails_at && rate > self.most {
                let value = f64::NAN;
                advanced[0].stopped = Some(NnError::Diverged { step: self.fails_at, what: "loss", value, rate });
            }
            Ok(advanced)
        })
    }

    fn surprisal<'a>(&'a mut self, run: usize, tokens: &'a [u32], pace: &'a dyn Pace) -> Learning<'a, Vec<f32>> {
        self.inner.surprisal(run, tokens, pace)
    }

    fn snapshot(&mut self, run: usize) -> Learning<'_, Snapshot> {
        self.inner.snapshot(run)
    }

    fn restore(&mut self, run: usize, snapshot: &Snapshot) -> Result<(), NnError> {
        self.inner.restore(run, snapshot)
    }

    fn change(&mut self, run: usize, optimiser: Optimiser) -> Result<(), NnError> {
        self.inner.change(run, optimiser)
    }

    fn ran(&self) -> Ran {
        Ran::cpu()
    }
}

#[test]
fn training_that_diverges_goes_back_to_the_last_evaluation_and_on_with_a_smaller_rate() {
    let entry = find("tokenization-markov").unwrap();
    let begin = |rate: f64| block_on(entry.start(&small(&json!({ "rate": rate })), &Shaky)).unwrap();
    let mut run: Run = begin(0.02);
    block_on(run.advance(12, &Unhurried)).unwrap();
    let error = block_on(run.advance(100, &Unhurried)).unwrap_err();
    assert!(matches!(error, ExperimentError::Diverged { kept: 10, .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains("the transformer on characters diverged") && told.contains("step 10"), "{told}");
    assert!(told.contains("the loss is NaN") && told.contains("smaller learning rate"), "{told}");
    assert_eq!((run.done(), run.record().steps), (10, 10));
    assert_eq!(run.record().table("losses").unwrap().numbers("step"), [0.0, 10.0]);
    let (_, saved) = block_on(run.checkpoint()).unwrap();
    assert!(saved.networks.iter().all(|n| n.step == 10 && n.params.iter().all(|x| x.is_finite())));
    // The same again, for as long as the rate is the same.
    assert!(block_on(run.advance(100, &Unhurried)).is_err());
    assert!(run.change(json!({"rate": 0.002}).as_object().unwrap()).unwrap());
    block_on(run.advance(100, &Unhurried)).unwrap();
    assert!(run.is_done() && run.record().table("losses").unwrap().numbers("step") == [0.0, 10.0, 20.0, 30.0]);
    // As if the first ten steps had been made at the larger rate on purpose.
    let mut other: Run = begin(0.02);
    block_on(other.advance(10, &Unhurried)).unwrap();
    assert!(other.change(json!({"rate": 0.002}).as_object().unwrap()).unwrap());
    block_on(other.advance(100, &Unhurried)).unwrap();
    let text = |run: &Run| serde_json::to_string(run.record()).unwrap();
    assert!(text(&run) == text(&other));
}

#[test]
fn what_is_shown_and_the_budget_change_while_it_runs() {
    let entry = find("tokenization-markov").unwrap();
    let mut run = block_on(entry.start(&small(&json!({})), &Cpu)).unwrap();
    block_on(run.advance(30, &Unhurried)).unwrap();
    let mut change = |given: Json| run.change(given.as_object().unwrap()).unwrap();
    assert!(change(json!({"across": "work"})) && change(json!({"after": "01"})) && change(json!({"steps": 40})));
    assert!(!change(json!({"width": 32})) && !change(json!({"steps": 10})));
    let title = |run: &Run| run.figures()[0].panels[0].x.title.clone();
    assert!(title(&run).contains("GFLOP"), "{}", title(&run));
    let laws = run.figures().into_iter().find(|f| f.id == "laws").unwrap();
    assert!(laws.panels[0].x.title.contains("\u{201c}01\u{201d}"), "{}", laws.panels[0].x.title);
    block_on(run.advance(100, &Unhurried)).unwrap();
    assert_eq!(run.done(), 40);
    // What only chooses the picture leaves a run the one that a claim is about.
    let claim = &entry.claims()[0];
    let mut full = entry.complete(&Json::Null).unwrap();
    full.insert("across".to_owned(), json!("seconds"));
    assert!(entry.concerns(claim, &full));
    full.insert("width".to_owned(), json!(32));
    assert!(!entry.concerns(claim, &full));
}

#[test]
fn predictions_are_laws_beside_the_source() {
    let record = run("tokenization-markov", &small(&json!({"steps": 60, "order": 1, "rate": 0.01})));
    let table = record.table("characters_laws").unwrap();
    let column = |name: &str| table.columns.iter().find(|c| c.name == name).unwrap();
    let (contexts, next) = (column("context").as_words(), column("next").as_words());
    assert_eq!(contexts.len(), 4, "two contexts of two symbols each");
    for i in 0..4 {
        let known = if contexts[i] == next[i] { 0.2 } else { 0.8 };
        assert!((table.numbers("known")[i] - known).abs() < 1e-12);
        // A first-order source is learned by looking at the current symbol: near after sixty steps.
        assert!((table.numbers("predicted")[i] - known).abs() < 0.1, "{:?}", table.numbers("predicted"));
    }
    let pair = table.numbers("predicted");
    assert!((pair[0] + pair[1] - 1.0).abs() < 1e-6 && (pair[2] + pair[3] - 1.0).abs() < 1e-6);
}
