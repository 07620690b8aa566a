//! Tables and pictures of the tokenization experiments.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::{
    experiment::{Column, Record, Table, Values},
    figure::{Axis, Colour, ColourMap, Figure, Mark, Panel, categories, number},
    nn::Maps,
    sim::markov::Chain,
};

/// What the horizontal axis of the losses shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Across {
    /// Training steps.
    #[default]
    Steps,
    /// Seconds of computing, all transformers together.
    Seconds,
    /// Source symbols that a transformer has read.
    Symbols,
    /// Floating-point operations of each transformer.
    Work,
}

/// The transformers, in the order of their colours.
pub(super) const ARMS: [&str; 2] = ["characters", "tokens"];
/// A chain is drawn with at most so many states.
const MOST_STATES: usize = 16;
/// Transitions that are less probable are not drawn where there are many states.
const LEAST_DRAWN: f64 = 0.05;
/// Symbols in a row of the text.
const ROW: f64 = 40.0;
/// Bars of a dictionary.
const MOST_WORDS: usize = 40;

/// Adds words and numbers to the columns that hold words and numbers, in their order.
pub(super) fn push(table: &mut Table, words: &[&str], numbers: &[f64]) {
    let (mut words, mut numbers) = (words.iter(), numbers.iter());
    for column in &mut table.columns {
        match &mut column.values {
            Values::Numbers(values) => values.push(numbers.next().copied().unwrap_or(f64::NAN)),
            Values::Words(values) => values.push(words.next().map_or_else(String::new, |w| (*w).to_owned())),
        }
    }
}

fn numbers(name: &str, title: &str, unit: &str) -> Column {
    Column::numbers(name, title, unit)
}

fn words<'a>(table: &'a Table, name: &str) -> &'a [String] {
    table.columns.iter().find(|c| c.name == name).map_or(&[], Column::as_words)
}

pub(super) fn strip_table(arm: &str) -> Table {
    let columns = vec![
        numbers("start", "first symbol", "1"),
        Column::words("word", "word"),
        numbers("length", "symbols", "1"),
        numbers("token", "token", "1"),
        numbers("surprisal", "surprisal", "nats/symbol"),
    ];
    Table::new(format!("The beginning of the fresh text, {arm}"), columns)
}

pub(super) fn heads_table(arm: &str) -> Table {
    let columns = vec![
        Column::words("head", "block and head"),
        numbers("entropy", "mean attention entropy", "nats"),
        numbers("most", "of a head that looks at everything alike", "nats"),
    ];
    Table::new(format!("Attention entropies, {arm}"), columns)
}

pub(super) fn laws_table(arm: &str) -> Table {
    let columns = vec![
        Column::words("context", "context"),
        Column::words("next", "next"),
        numbers("known", if arm == "tokens" { "probability, counted" } else { "probability" }, "1"),
        numbers("predicted", "predicted probability", "1"),
        numbers("occurrences", "occurrences", "1"),
    ];
    Table::new(format!("Predictions, {arm}"), columns)
}

pub(super) fn merges_table() -> Table {
    let columns = vec![
        numbers("merge", "merge", "1"),
        Column::words("word", "word"),
        Column::words("left", "left part"),
        Column::words("right", "right part"),
        numbers("count", "times that the pair stood there", "1"),
    ];
    Table::new("Merges in the order in which they were learned", columns)
}

/// The states of the source and its transitions. A switching source is two states, `order` places apart; another chain is
/// its contexts, or, where these are too many, its symbols one place apart.
pub(super) fn chain(source: &Source) -> Option<Table> {
    let columns = vec![
        Column::words("from", "from"),
        Column::words("to", "to"),
        numbers("probability", "probability", "1"),
        numbers("places", "places from the one to the other", "1"),
    ];
    let mut table = Table::new("The chain", columns);
    let name = |symbols: &[u8]| source.alphabet.text(symbols);
    let a = source.alphabet();
    if let Some(s) = source.switching {
        for (from, law) in [(0, [1.0 - s.p, s.p]), (1, [s.q, 1.0 - s.q])] {
            for (to, p) in (0..).zip(law) {
                push(&mut table, &[&name(&[from]), &name(&[to])], &[p, f64::from(s.order)]);
            }
        }
        return Some(table);
    }
    let digits = |mut context: usize, order: u32| -> Vec<u8> {
        let mut out = vec![0; order as usize];
        for digit in out.iter_mut().rev() {
            *digit = u8::try_from(context % a).unwrap_or(u8::MAX);
            context /= a;
        }
        out
    };
    let narrow: Option<Chain> = (source.chain.contexts() > MOST_STATES || source.chain.order() == 0)
        .then(|| source.chain.shortened(1))
        .filter(|c| c.contexts() <= MOST_STATES && c.order() == 1);
    let shown = match &narrow {
        Some(narrow) => narrow,
        None if source.chain.contexts() <= MOST_STATES && source.chain.order() > 0 => &source.chain,
        None => return None,
    };
    for context in 0..shown.contexts() {
        let from = digits(context, shown.order());
        for (x, p) in shown.row(context).iter().enumerate() {
            let mut to = from[1..].to_vec();
            to.push(u8::try_from(x).unwrap_or(u8::MAX));
            push(&mut table, &[&name(&from), &name(&to)], &[*p, 1.0]);
        }
    }
    Some(table)
}

/// The mean over heads of attention maps, as a table of queries, keys and weights.
pub(super) fn attention(maps: &Maps) -> Table {
    let number = |name: &str, title: &str| Column::numbers(name, title, "1");
    let columns = vec![number("query", "query"), number("key", "key"), number("weight", "mean weight over heads")];
    let mut table = Table::new("What the heads of the last block look at", columns);
    let n = maps.length;
    let heads = maps.weights.len() / (n * n).max(1);
    for (place, _) in maps.weights.iter().enumerate().take(n * n) {
        let sum: f64 = (0..heads).map(|h| maps.weights[h * n * n + place]).sum();
        table.push(&[count(place / n), count(place % n), sum / count(heads)]);
    }
    table
}

/// The words of a dictionary with their shares of the text.
pub(super) fn dictionary(words: Vec<String>, counts: &[f64], total: f64) -> Table {
    let numbers = |name: &str, title: &str, values: Vec<f64>| Column {
        values: Values::Numbers(values),
        ..Column::numbers(name, title, "1")
    };
    let ids = (0..words.len()).map(count).collect();
    let lengths = words.iter().map(|w| count(w.chars().count())).collect();
    let columns = vec![
        numbers("token", "token", ids),
        Column { values: Values::Words(words), ..Column::words("word", "word") },
        numbers("length", "symbols", lengths),
        numbers("share", "share of the tokens", counts.iter().map(|c| c / total).collect()),
    ];
    Table::new("The dictionary", columns)
}

/// The lines that losses are compared with, as far as the record has them.
fn references(record: &Record) -> Vec<Mark> {
    let ngram = match record.value("best_ngram_order") {
        Some(order) => format!("{}-gram of characters", number(order + 1.0)),
        None => String::new(),
    };
    [
        ("unigram_entropy", "H₁"),
        ("entropy_rate", "H"),
        ("character_unigram", "single characters"),
        ("best_ngram", ngram.as_str()),
        ("token_unigram", "token unigram"),
        ("token_bigram", "token bigram"),
    ]
    .iter()
    .filter_map(|(name, label)| Some(Mark::Reference { y: record.value(name)?, label: (*label).to_owned() }))
    .collect()
}

/// What the record says of a parameter that only chooses what is shown.
fn shown<T: serde::de::DeserializeOwned + Default>(record: &Record, key: &str) -> T {
    record.parameters.get(key).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

/// Losses while training, with the lines that they are to be compared with.
pub(super) fn losses(record: &Record) -> Option<Figure> {
    let table = record.table("losses")?;
    let mut marks = references(record);
    let (title, against) = match shown::<Across>(record, "across") {
        Across::Steps => ("step", "training steps"),
        Across::Seconds => ("seconds of all transformers together", "seconds of computing"),
        Across::Symbols => ("source symbols that a transformer has read", "source symbols read"),
        Across::Work => ("work of the transformer (GFLOP)", "floating-point operations"),
    };
    for (k, name) in ARMS.into_iter().enumerate() {
        let x = match shown::<Across>(record, "across") {
            Across::Steps => table.numbers("step"),
            Across::Seconds => table.numbers("seconds"),
            Across::Symbols => table.numbers("symbols"),
            Across::Work => table.numbers(&format!("{name}_work")),
        };
        let [y, low, high] = ["", "_low", "_high"].map(|end| table.numbers(&format!("{name}{end}")).to_vec());
        if y.iter().any(|y| y.is_finite()) {
            let (x, colour) = (x.to_vec(), Colour::nth(k));
            if low.iter().zip(&high).any(|(low, high)| high > low) {
                marks.push(Mark::Band { x: x.clone(), low, high, colour, opacity: 0.18 });
            }
            marks.push(Mark::Line { name: name.to_owned(), x, y, colour });
        }
    }
    let band = match record.parameters.get("replicates").and_then(serde_json::Value::as_u64) {
        Some(n) if n > 1 => format!(" Means over {n} seeds; the bands are their least and largest."),
        _ => String::new(),
    };
    Some(Figure {
        id: "losses".to_owned(),
        title: "Loss while training, with and without tokenization".to_owned(),
        description: format!(
            "Loss on fresh text in nats per source symbol against {against}, for a transformer on characters and the same one \
             on tokens, beside what tables of counts and the source itself allow.{band}"
        ),
        panels: vec![Panel { x: Axis::new(title), y: Axis::new("loss (nats/symbol)"), marks, weight: 1.0 }],
    })
}

/// The chain as a graph, and how its text begins.
pub(super) fn source(record: &Record) -> Option<Figure> {
    let strip = record.table("strip")?;
    let mut panels = Vec::new();
    let mut places = 1.0;
    if let Some(table) = record.table("chain") {
        places = table.numbers("places").first().copied().unwrap_or(1.0);
        panels.push(Panel {
            x: Axis::hidden(-3.0, 3.0),
            y: Axis::hidden(-1.7, 1.7),
            marks: vec![graph(table)],
            weight: 1.0,
        });
    }
    let letters = words(strip, "word");
    let mut kinds: Vec<&String> = letters.iter().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let colours: Vec<Colour> =
        letters.iter().map(|w| Colour::nth(kinds.iter().position(|k| *k == w).unwrap_or(0))).collect();
    panels.push(text(strip, &colours, &vec![0.3; letters.len()], "the fresh text begins"));
    let apart = match places {
        k if k > 1.0 => format!(" An arrow leads from a symbol to the one {} places behind it.", number(k)),
        _ => String::new(),
    };
    Some(Figure {
        id: "source".to_owned(),
        title: "The source of the symbols".to_owned(),
        description: format!(
            "Its states with the probabilities of what follows, and the first symbols of a text.{apart}"
        ),
        panels,
    })
}

/// States on an ellipse, and the transitions that are worth drawing.
fn graph(table: &Table) -> Mark {
    let (from, to) = (words(table, "from"), words(table, "to"));
    let mut names: Vec<String> = from.to_vec();
    names.sort();
    names.dedup();
    let n = count(names.len());
    // Two states lie side by side; more begin at the top.
    let turn =
        |i: usize| if names.len() == 2 { 0.5 * TAU + TAU * count(i) / n } else { 0.25 * TAU - TAU * count(i) / n };
    let node = |name: &String| names.iter().position(|known| known == name).and_then(|i| u32::try_from(i).ok());
    let wide = if names.len() == 2 { 1.0 } else { 2.0 };
    let mut mark = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((a, b), p) in from.iter().zip(to).zip(table.numbers("probability")) {
        let least = if names.len() > 4 { LEAST_DRAWN } else { 0.0 };
        if let (Some(a), Some(b)) = (node(a), node(b))
            && *p > least
        {
            mark.0.push(a);
            mark.1.push(b);
            mark.2.push(*p);
            // Among many states the readout tells the numbers.
            mark.3.push(if names.len() <= 6 { number((p * 1000.0).round() / 1000.0) } else { String::new() });
        }
    }
    let (from, to, weights, labels) = mark;
    Mark::Graph {
        x: (0..names.len()).map(|i| wide * turn(i).cos()).collect(),
        y: (0..names.len()).map(|i| turn(i).sin()).collect(),
        names,
        from,
        to,
        weights,
        labels,
        colour: Colour::First,
    }
}

/// A text in rows, its pieces coloured: a word that does not fit into a row goes on in the next one.
fn text(table: &Table, colours: &[Colour], shades: &[f64], title: &str) -> Panel {
    let (mut from, mut to, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut labels, mut notes, mut kinds, mut fill) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0.0_f64;
    let (starts, lengths, tokens) = (table.numbers("start"), table.numbers("length"), table.numbers("token"));
    for (i, word) in words(table, "word").iter().enumerate() {
        let (start, end) = (starts[i], starts[i] + lengths[i]);
        let nats = table.numbers("surprisal")[i];
        let told = if nats.is_finite() { format!(", {} nats a symbol", number(nats)) } else { String::new() };
        let note = format!("token {} ({word}) at symbol {}{told}", number(tokens[i]), number(start + 1.0));
        let mut at = start;
        let mut letters = word.chars();
        while at < end {
            let row = (at / ROW).floor();
            let stop = end.min((row + 1.0) * ROW);
            from.push(at - row * ROW);
            to.push(stop - row * ROW);
            low.push(-row - 1.0);
            high.push(-row);
            let mut part = String::new();
            while at < stop {
                part.extend(letters.next());
                at += 1.0;
            }
            labels.push(part);
            notes.push(note.clone());
            kinds.push(colours[i]);
            fill.push(shades[i]);
            rows = rows.max(row + 1.0);
        }
    }
    let marks = vec![Mark::Boxes { from, to, low, high, labels, notes, colours: kinds, shades: fill }];
    Panel {
        x: Axis::hidden(0.0, ROW),
        y: Axis { title: title.to_owned(), ..Axis::hidden(-rows.max(1.0), 0.0) },
        marks,
        weight: 0.5,
    }
}

/// The beginning of the fresh text cut into tokens, and how surprising each piece is to the transformers.
pub(super) fn tokens(record: &Record) -> Option<Figure> {
    let cut = record.table("tokens_text");
    let mut panels = Vec::new();
    if let Some(table) = cut {
        let ids = table.numbers("token");
        let colours: Vec<Colour> = ids.iter().map(|id| colour(*id)).collect();
        panels.push(text(table, &colours, &vec![0.35; ids.len()], "cut into tokens"));
    }
    for (k, arm) in ARMS.into_iter().enumerate() {
        let Some(table) = record.table(&format!("{arm}_text")) else { continue };
        let nats = table.numbers("surprisal");
        // Full at twice what a fair choice between two symbols holds.
        let shades: Vec<f64> = nats
            .iter()
            .map(|x| if x.is_finite() { (x / (2.0 * std::f64::consts::LN_2)).clamp(0.02, 1.0) * 0.6 } else { 0.0 })
            .collect();
        let colours = vec![Colour::nth(k); nats.len()];
        panels.push(text(table, &colours, &shades, &format!("surprisal on {arm}: the fuller the more")));
    }
    (!panels.is_empty()).then(|| Figure {
        id: "text".to_owned(),
        title: "The text as the transformers see it".to_owned(),
        description:
            "The beginning of the fresh text, coloured by token, and shaded by how surprising each piece is to each \
                      transformer, in nats per source symbol."
                .to_owned(),
        panels,
    })
}

/// The colour of a token; neighbours in the dictionary differ.
fn colour(id: f64) -> Colour {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a token's number")]
    Colour::nth(id.max(0.0) as usize % 7)
}

/// The dictionary: how often each word is used, and the merges that made them.
pub(super) fn words_of(record: &Record) -> Option<Figure> {
    let table = record.table("dictionary")?;
    let most = MOST_WORDS.min(table.len());
    let names = words(table, "word")[..most].to_vec();
    let shares = table.numbers("share")[..most].to_vec();
    let mut panels = Vec::new();
    if let Some(merges) = record.table("merges") {
        let most = MOST_WORDS.min(merges.len());
        let name = |i: usize| format!("{}+{}", words(merges, "left")[i], words(merges, "right")[i]);
        let names = (0..most).map(name).collect();
        let counts = merges.numbers("count")[..most].to_vec();
        let (x, bars) = categories("merge, in the order of learning", names, counts, Colour::Third);
        panels.push(Panel { x, y: Axis::new("times the pair stood there"), marks: vec![bars], weight: 1.0 });
    }
    let (x, bars) = categories("word", names, shares, Colour::First);
    panels.push(Panel { x, y: Axis::new("share of the tokens"), marks: vec![bars], weight: 1.0 });
    let rest = if table.len() > most { format!(" The first {most} of {}.", table.len()) } else { String::new() };
    Some(Figure {
        id: "dictionary".to_owned(),
        title: "The dictionary".to_owned(),
        description: format!("The merges as they were learned, and how much of the text each word makes up.{rest}"),
        panels,
    })
}

/// What is predicted behind a context, beside what follows it.
pub(super) fn laws(record: &Record) -> Option<Figure> {
    let wanted = shown::<String>(record, "after");
    let mut panels = Vec::new();
    let mut told = Vec::new();
    for (k, arm) in ARMS.into_iter().enumerate() {
        let Some(table) = record.table(&format!("{arm}_laws")).filter(|t| !t.is_empty()) else { continue };
        let contexts = words(table, "context");
        let chosen = contexts.iter().find(|c| **c == wanted).or(contexts.first())?;
        if !wanted.is_empty() && *chosen != wanted {
            told.push(format!("\u{201c}{wanted}\u{201d} is no context of the transformer on {arm}."));
        }
        let here: Vec<usize> = (0..contexts.len()).filter(|i| contexts[*i] == *chosen).collect();
        let pick = |name: &str| here.iter().map(|i| table.numbers(name)[*i]).collect::<Vec<f64>>();
        let names = here.iter().map(|i| words(table, "next")[*i].clone()).collect::<Vec<_>>();
        let places: Vec<f64> = (0..names.len()).map(count).collect();
        let what = if arm == "tokens" { "token" } else { "symbol" };
        let kept = if chosen.is_empty() { "anything".to_owned() } else { format!("\u{201c}{chosen}\u{201d}") };
        let (x, bars) = categories(&format!("next {what} after {kept}"), names, pick("known"), Colour::Muted);
        let points = Mark::Points {
            x: places,
            y: pick("predicted"),
            labels: vec![String::new(); here.len()],
            colour: Colour::nth(k),
        };
        panels.push(Panel {
            x,
            y: Axis::new(format!("probability, {arm}")).within(0.0, 1.0),
            marks: vec![bars, points],
            weight: 1.0,
        });
    }
    let told = if told.is_empty() { String::new() } else { format!(" {}", told.join(" ")) };
    (!panels.is_empty()).then(|| Figure {
        id: "laws".to_owned(),
        title: "Predicted and true".to_owned(),
        description: format!(
            "Bars: what follows a context (of characters by the source, of tokens counted on the training text). Points: what \
             the transformer predicts, averaged over that context's occurrences.{told}"
        ),
        panels,
    })
}

/// How widely each head looks.
pub(super) fn heads(record: &Record) -> Option<Figure> {
    let mut panels = Vec::new();
    for (k, arm) in ARMS.into_iter().enumerate() {
        let Some(table) = record.table(&format!("{arm}_heads")) else { continue };
        let names = words(table, "head").to_vec();
        let (x, bars) = categories("block and head", names, table.numbers("entropy").to_vec(), Colour::nth(k));
        let most =
            table.numbers("most").first().map(|y| Mark::Reference { y: *y, label: "everything alike".to_owned() });
        let marks = std::iter::once(bars).chain(most).collect();
        panels.push(Panel { x, y: Axis::new(format!("attention entropy, {arm} (nats)")), marks, weight: 0.6 });
    }
    (!panels.is_empty()).then(|| Figure {
        id: "heads".to_owned(),
        title: "How widely the heads look".to_owned(),
        description:
            "The mean entropy of the attention of each head over the first tokens of the fresh text, and that of a \
                      head that looks at everything behind it alike."
                .to_owned(),
        panels,
    })
}

/// What an arm looks at.
pub(super) fn map(record: &Record, arm: &str) -> Option<Figure> {
    let table = record.table(&format!("{arm}_attention"))?;
    let n = table.len().isqrt();
    let edges: Vec<f64> = (0..=n).map(|i| count(i) - 0.5).collect();
    let seen = table.numbers("query").iter().zip(table.numbers("key")).zip(table.numbers("weight"));
    let values = seen.map(|((query, key), w)| if key <= query { *w } else { f64::NAN }).collect();
    let title = "attention weight".to_owned();
    let marks = vec![Mark::Cells {
        x: edges.clone(),
        y: edges,
        values,
        title,
        range: Some((0.0, 1.0)),
        map: ColourMap::default(),
    }];
    Some(Figure {
        id: format!("{arm}-attention"),
        title: format!("What the transformer on {arm} looks at"),
        description:
            "The mean over heads of attention weights in the last block, query by key, over the first tokens of \
                      the fresh text."
                .to_owned(),
        panels: vec![Panel { x: Axis::new("key"), y: Axis::new("query"), marks, weight: 1.0 }],
    })
}

/// Losses of tables of counts against the size of the dictionary.
pub(super) fn sweep(record: &Record) -> Option<Figure> {
    let table = record.table("sweep")?;
    let names = [("bpe", "BPE"), ("lzw", "LZW"), ("words", "words")];
    let panel = |column: &str, title: &str, bounds: bool| {
        let mut marks = references(record);
        for (k, (kind, label)) in names.into_iter().enumerate() {
            let [x, y, bound] = curve(table, kind, column);
            if kind == "lzw" && bounds && bound.iter().any(|y| y.is_finite()) {
                let name = "theorem's bound for LZW".to_owned();
                marks.push(Mark::Line { name, x: x.clone(), y: bound, colour: Colour::nth(names.len()) });
            }
            if y.iter().any(|y| y.is_finite()) {
                marks.push(Mark::Line { name: label.to_owned(), x, y, colour: Colour::nth(k) });
            }
        }
        let x = Axis { logarithmic: true, ..Axis::new("tokens in the dictionary") };
        Panel { x, y: Axis::new(title), marks, weight: 1.0 }
    };
    Some(Figure {
        id: "sweep".to_owned(),
        title: "Tables of counts over tokens against the size of the dictionary".to_owned(),
        description:
            "Losses of unigram and bigram models over tokens, in nats per source symbol, against the number of \
                      tokens, for three ways to learn the dictionary, with the theorem's bound for LZW."
                .to_owned(),
        panels: vec![
            panel("unigram", "token unigram (nats/symbol)", true),
            panel("bigram", "token bigram (nats/symbol)", false),
        ],
    })
}

/// Sizes, values and bounds of one kind of dictionary.
pub(super) fn curve(table: &Table, kind: &str, column: &str) -> [Vec<f64>; 3] {
    let kinds = words(table, "kind");
    let of = |name: &str| {
        kinds.iter().zip(table.numbers(name)).filter(|(k, _)| *k == kind).map(|(_, x)| *x).collect::<Vec<_>>()
    };
    [of("size"), of(column), of("bound")]
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) const fn count(n: usize) -> f64 {
    n as f64
}
