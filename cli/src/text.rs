//! Texts from files, standard input, or a column whose values are symbols.

use std::{collections::BTreeMap, io::Read as _};

use anyhow::{Context as _, anyhow, ensure};
use surprisal_core::{
    data::{self, OpenFile, Symbols, Values},
    token::{Alphabet, TokenError},
};

use crate::{Failure, progress::Progress, source::FileSource};

/// A text is kept in memory and in the record of its run.
const MOST_BYTES: u64 = 64 << 20;

/// The text of `file`, or of standard input for `-`: UTF-8, taken as it is, line ends included.
pub(crate) fn read(file: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = MOST_BYTES + 1;
    if file == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        let open = std::fs::File::open(file).with_context(|| format!("cannot open {file}"))?;
        open.take(limit).read_to_end(&mut bytes).with_context(|| format!("cannot read {file}"))?;
    }
    let name = if file == "-" { "standard input" } else { file };
    check_length(bytes.len(), name)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Data(anyhow!("{name} is no UTF-8 at byte {at}; a text of bytes is none of characters"))
    })
}

fn check_length(bytes: usize, name: &str) -> anyhow::Result<()> {
    let most = MOST_BYTES >> 20;
    ensure!(bytes as u64 <= MOST_BYTES, "{name} is larger than {most} MiB; a text is kept in memory as a whole");
    Ok(())
}

/// The values of a column as a text: each different value is a character, its own where all are single characters. What
/// stands for what is told in the notes.
pub(crate) fn column(file: &str, name: &str, notes: &mut Vec<String>, progress: &Progress) -> Result<String, Failure> {
    progress.begin("reading");
    let source = FileSource::open(file)?;
    let open = pollster::block_on(data::open(Box::new(source), data::Options::default(), progress))?;
    let index = place(&open, name)?;
    let column = pollster::block_on(open.column(index, progress))?;
    progress.end();
    let values = column.values.context("the column has no values")?;
    let words = words(&values, &column.name)?;
    let known: BTreeMap<&str, ()> = words.iter().map(|w| (w.as_str(), ())).collect();
    if known.len() > 256 {
        return Err(TokenError::Alphabet { found: known.len() }.into());
    }
    if known.keys().all(|word| word.chars().count() == 1) {
        return Ok(words.concat());
    }
    let alphabet = Alphabet::of_numbers(known.len())?;
    let letters: BTreeMap<&str, char> = known.keys().copied().zip(alphabet.characters().iter().copied()).collect();
    let told: Vec<String> = letters.iter().map(|(word, letter)| format!("{letter} is {word}")).collect();
    notes.push(format!("the values of {} are written as characters: {}", column.name, told.join(", ")));
    Ok(words.iter().filter_map(|word| letters.get(word.as_str())).collect())
}

fn place(open: &OpenFile, name: &str) -> Result<usize, Failure> {
    let all = &open.dataset.columns;
    let by_number = || name.parse::<usize>().ok().filter(|n| (1..=all.len()).contains(n)).map(|n| n - 1);
    all.iter().position(|c| c.name == name).or_else(by_number).ok_or_else(|| {
        let known = all.iter().map(|c| format!("'{}'", c.name)).collect::<Vec<_>>().join(", ");
        Failure::Usage(format!("no column is called '{name}'; the file has {known}"))
    })
}

fn words(values: &Values, name: &str) -> anyhow::Result<Vec<String>> {
    let missing = |at: usize| anyhow!("{name} has no value in row {}; a text has no gaps", at + 1);
    let real = |list: &[f64]| -> anyhow::Result<Vec<String>> {
        let word = |(at, x): (usize, &f64)| if x.is_finite() { Ok(x.to_string()) } else { Err(missing(at)) };
        list.iter().enumerate().map(word).collect()
    };
    match values {
        Values::Integer(list) => Ok(list.iter().map(i64::to_string).collect()),
        Values::Bytes(list) => Ok(list.iter().map(u8::to_string).collect()),
        Values::Real(list) | Values::Time(list) => real(list),
        Values::Symbols(Symbols { codes, labels }) => {
            let word = |(at, code): (usize, &u32)| labels.get(*code as usize).cloned().ok_or_else(|| missing(at));
            codes.iter().enumerate().map(word).collect()
        }
    }
}
