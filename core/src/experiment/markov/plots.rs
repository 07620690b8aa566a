//! Tables and pictures of the tokenization experiments.

use crate::{
    experiment::{Column, Record, Table, Values},
    figure::{Axis, Colour, ColourMap, Figure, Mark, Panel},
    nn::Maps,
};

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

/// Losses against steps, with the lines that they are to be compared with.
pub(super) fn losses(record: &Record) -> Option<Figure> {
    let table = record.table("losses")?;
    let mut marks: Vec<Mark> = [
        ("unigram_entropy", "H₁"),
        ("entropy_rate", "H"),
        ("token_unigram", "token unigram"),
        ("token_bigram", "token bigram"),
    ]
    .iter()
    .filter_map(|(name, label)| Some(Mark::Reference { y: record.value(name)?, label: (*label).to_owned() }))
    .collect();
    for (k, name) in ["characters", "tokens"].into_iter().enumerate() {
        let y = table.numbers(name).to_vec();
        if y.iter().any(|y| y.is_finite()) {
            let x = table.numbers("step").to_vec();
            marks.push(Mark::Line { name: name.to_owned(), x, y, colour: Colour::nth(k) });
        }
    }
    Some(Figure {
        id: "losses".to_owned(),
        title: "Loss while training, with and without tokenization".to_owned(),
        description: "Loss on fresh text in nats per source symbol against training steps, for a transformer on \
                      characters and the same one on tokens, with the entropy of one symbol and the entropy rate."
            .to_owned(),
        panels: vec![Panel { x: Axis::new("step"), y: Axis::new("loss (nats/symbol)"), marks, weight: 1.0 }],
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
        let mut marks = Vec::new();
        for (name, label) in [("unigram_entropy", "H₁"), ("entropy_rate", "H")] {
            marks.extend(record.value(name).map(|y| Mark::Reference { y, label: label.to_owned() }));
        }
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
    let kinds = table.columns.iter().find(|c| c.name == "kind").map_or(&[][..], Column::as_words);
    let of = |name: &str| {
        kinds.iter().zip(table.numbers(name)).filter(|(k, _)| *k == kind).map(|(_, x)| *x).collect::<Vec<_>>()
    };
    [of("size"), of(column), of("bound")]
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count(n: usize) -> f64 {
    n as f64
}
