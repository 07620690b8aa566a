//! The reference documentation, `docs/measures`, is what the catalogue says, the pages for frames what the experiments say, and
//! the typeset equations of the page what both say in LaTeX.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

#[path = "common/documents.rs"]
mod documents;

use std::{collections::BTreeMap, fmt::Write as _};

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};
use serde_json::{Value as Json, json};
use surprisal_core::{
    data::{Column, ColumnType, Values},
    experiment::registry,
    latex,
    measure::{Accepts, Entry, Family, Parameter, ParameterKind, catalogue},
};

/// The common parameters, told once in the index.
const COMMON: [&str; 2] = ["first", "missing"];

fn accepts(of: Accepts) -> &'static str {
    match of {
        Accepts::Series => "one column of numbers in time order",
        Accepts::Symbols => {
            "one column of discrete values: labels, integers or bytes; of real numbers, on request, each distinct value is a symbol"
        }
        Accepts::Bytes => "one column of bytes: any file, text included",
        Accepts::Points => "points in space: a column of numbers, several together, or a table",
        Accepts::Pair => "two columns of numbers, or two groups of them",
        Accepts::SymbolPair => "two columns of discrete values, or two groups of them",
        Accepts::Table => "observations in rows: an array of two axes, or columns of numbers side by side",
        Accepts::Image => "a grey image: an image file, or an array of two axes",
        Accepts::Attention => "attention weights: an array (…, queries, keys)",
        Accepts::Nothing => "no data: a constant of the theory",
    }
}

/// The types of column that a measure can take as they pass by, so that the column need not fit into memory.
fn streams(entry: &Entry) -> &'static str {
    let column = |values| Column::new("x", values);
    let columns = [column(Values::Real(vec![])), column(Values::Bytes(vec![])), column(Values::Integer(vec![]))];
    let suits = |c: &&Column| entry.about.accepts.suits(c.ty) || entry.about.accepts == Accepts::Symbols;
    let can = |c: &Column| entry.accumulator(&Json::Null, c).unwrap().is_some();
    let of: Vec<ColumnType> = columns.iter().filter(suits).filter(|c| can(c)).map(|c| c.ty).collect();
    if !of.is_empty() {
        return "yes: it counts values as they pass by, and a column may be larger than the memory";
    }
    // What it does with its defaults is not all that it can do.
    if entry.about.id == "slope" {
        return "with `zscore=false` only: the standard deviation is known when all values have passed";
    }
    if entry.about.accepts == Accepts::Nothing { "it takes no data" } else { "no: it needs all values at once" }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn default(p: &Parameter) -> String {
    match &p.default {
        Json::Null => "empty".to_owned(),
        Json::String(s) if s.is_empty() => "empty".to_owned(),
        Json::String(s) => code(s),
        other => code(&other.to_string()),
    }
}

fn range(p: &Parameter) -> String {
    match &p.kind {
        ParameterKind::Integer(b) | ParameterKind::Number(b) => match (b.minimum, b.maximum) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (Some(low), None) => format!("at least {low}"),
            (None, Some(high)) => format!("at most {high}"),
            (None, None) => "a number".to_owned(),
        },
        ParameterKind::Boolean => "true, false".to_owned(),
        ParameterKind::Choice { options } => options.iter().map(|o| code(o)).collect::<Vec<_>>().join(", "),
        ParameterKind::Text | ParameterKind::Free => "see help".to_owned(),
    }
}

fn page(entry: &Entry) -> String {
    let about = entry.about;
    let mut text =
        format!("# {}\n\n`{}` · [{}](README.md)\n\n{}\n\n", about.title, about.id, about.family.title(), about.summary);
    for line in about.tex {
        let _ = write!(text, "$${line}$$\n\n");
    }
    let gpu = if about.gpu { "counts also on a GPU, to the bit" } else { "CPU only" };
    let directed = if entry.directed { "; the order of the two matters" } else { "" };
    for (what, said) in [
        ("input", format!("{}{directed}", accepts(about.accepts))),
        ("unit", about.unit.to_owned()),
        ("uncertainty", about.uncertainty.to_owned()),
        ("bias", about.bias.to_owned()),
        ("cost", format!("{}; {gpu}", about.cost)),
        ("passing by", streams(entry).to_owned()),
        ("source", about.source.to_owned()),
    ] {
        let _ = writeln!(text, "- **{what}**: {said}");
    }
    let own: Vec<&Parameter> = entry.parameters().iter().filter(|p| !COMMON.contains(&p.name.as_str())).collect();
    if own.is_empty() {
        text.push_str("\nNo parameters of its own.\n");
    } else {
        text.push_str("\n| parameter | default | values | |\n|---|---|---|---|\n");
        for p in own {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                code(&p.name),
                default(p),
                range(p),
                p.help.replace('|', "\\|")
            );
        }
    }
    text
}

fn index() -> String {
    let mut text = "# Measures\n\nWritten from the catalogue by `core/tests/reference.rs`. The same is printed by `surprisal list measures`.\n".to_owned();
    for family in Family::ALL {
        let _ = write!(text, "\n## {}\n\n| id | | unit | cost |\n|---|---|---|---|\n", family.title());
        for entry in catalogue().iter().filter(|e| e.about.family == family) {
            let about = entry.about;
            let _ = writeln!(
                text,
                "| [`{0}`]({0}.md) | {1} | {2} | {3} |",
                about.id,
                about.title,
                about.unit,
                about.cost.replace('|', "\\|")
            );
        }
    }
    text.push_str("\n## Parameters of every measure\n\n| parameter | default | values | |\n|---|---|---|---|\n");
    let any = catalogue().first().unwrap();
    for p in any.parameters().iter().filter(|p| COMMON.contains(&p.name.as_str())) {
        let _ = writeln!(text, "| {} | {} | {} | {} |", code(&p.name), default(p), range(p), p.help);
    }
    text
}

#[test]
fn the_pages_are_those_of_the_catalogue() {
    let mut pages: BTreeMap<String, String> =
        catalogue().iter().map(|e| (format!("measures/{}.md", e.about.id), page(e))).collect();
    pages.insert("measures/README.md".to_owned(), index());
    documents::check(&pages, Some("measures"));
}

/// What a page in a frame says before its module has come. A list of its own, so that building the page does not first build
/// all of `core` for the machine that builds.
#[test]
fn the_pages_for_frames_say_what_the_experiments_say() {
    let about = registry().iter().map(|entry| entry.about);
    let list: Vec<_> = about.map(|a| json!({ "id": a.id, "title": a.title, "claim": a.claim })).collect();
    let text = serde_json::to_string_pretty(&list).unwrap() + "\n";
    documents::check(&BTreeMap::from([("../xtask/experiments.json".to_owned(), text)]), None);
}

/// Every equation there is: whose it is, in plain text, in LaTeX.
fn equations() -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
    let measures = catalogue().iter().map(|e| (e.about.id, e.about.equation, e.about.tex));
    measures.chain(registry().iter().map(|e| (e.about.id, e.about.equation, e.about.tex)))
}

/// What the page shows of the equations: a line holds whose it is, a tab, and the MathML, with the plain text for those who
/// cannot have it.
///
/// The converter runs here and not in the page: all of them take some 9 kB of what the page downloads, compressed, and
/// no time to convert; a converter takes several times that. This test keeps the copy from going stale. MathML Core needs
/// neither a style sheet nor, for these formulas, style attributes, which the page's policy would ignore.
#[test]
fn the_typeset_equations_are_those_of_the_catalogue() {
    let converter = LatexToMathML::new(MathCoreConfig::default()).unwrap();
    let mut typeset = BTreeMap::new();
    for (id, plain, lines) in equations() {
        let tex = latex::display(lines);
        let converted = converter.convert_with_local_state(&tex, MathDisplay::Block);
        let mathml = converted.unwrap_or_else(|e| panic!("{id}: {e} in {tex}")).mathml;
        for forbidden in [" style=", " class=", "href", "<merror", "<script", "\t", "\n"] {
            assert!(!mathml.contains(forbidden), "{id}: {forbidden:?} in {mathml}");
        }
        let content = mathml.strip_prefix("<math display=\"block\">").unwrap();
        let plain = plain.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let twice = typeset.insert(id, format!("<math display=\"block\" alttext=\"{plain}\">{content}"));
        assert!(twice.is_none(), "{id} is both a measure and an experiment");
    }
    let text = typeset.iter().map(|(id, mathml)| format!("{id}\t{mathml}\n")).collect();
    documents::check(&BTreeMap::from([("../web/src/equations.tsv".to_owned(), text)]), None);
}

#[test]
fn every_equation_is_there_and_survives_markdown() {
    for (id, plain, lines) in equations() {
        assert!(!plain.trim().is_empty() && !lines.is_empty(), "{id} has no equation");
        for line in lines {
            let said = format!("{id}: {line}");
            assert!(!line.trim().is_empty() && line.trim() == *line, "{said}");
            // Not read as mathematics on GitHub: HTML, emphasis, code, links, the end of the formula.
            assert!(!line.contains(['<', '*', '~', '`', '$', '\t', '\n']) && !line.contains("]("), "{said}");
            let pairs = || line.chars().zip(line.chars().skip(1));
            assert!(!pairs().any(|(a, b)| a == '\\' && b.is_ascii_punctuation()), "an escape in {said}");
            // What may begin an emphasis.
            assert!(!pairs().any(|(a, b)| b == '_' && !a.is_alphanumeric()), "an underscore after {said}");
        }
    }
}

#[test]
fn every_measure_says_its_unit_its_uncertainty_and_its_bias() {
    for entry in catalogue() {
        let about = entry.about;
        for (what, said) in [
            ("unit", about.unit),
            ("uncertainty", about.uncertainty),
            ("bias", about.bias),
            ("cost", about.cost),
            ("source", about.source),
        ] {
            assert!(!said.trim().is_empty() && !said.contains('\n'), "{}: no {what}", about.id);
        }
    }
}
