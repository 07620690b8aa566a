//! `surprisal eval`: how well a trained transformer predicts a text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde::Serialize;
use surprisal_core::{
    figure::number,
    nn::{Checkpoint, Gpt, Trainer},
    token::Described,
};

use crate::{Failure, Format, output::write, text, tokenize};

#[derive(Args)]
pub(crate) struct EvalArgs {
    /// A model.safetensors of `surprisal run --out`, or the folder that it is in.
    checkpoint: PathBuf,
    /// The text, or - for standard input.
    file: String,
    /// The tokenizer.json; the one beside the model where it is not given.
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// How results are printed: csv has a row for every token.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What is found, in nats.
#[derive(Serialize)]
struct Found {
    checkpoint: String,
    text: String,
    /// Steps that the transformer was trained for.
    steps: u64,
    characters: usize,
    tokens: usize,
    /// Tokens behind the first: those that are predicted.
    predicted: usize,
    /// Σ −ln Pr over the predicted tokens.
    nats: f64,
    /// By the characters of the predicted tokens.
    nats_per_character: f64,
    bits_per_character: f64,
    nats_per_token: f64,
}

pub(crate) fn run(args: &EvalArgs) -> Result<ExitCode, Failure> {
    let model =
        if args.checkpoint.is_dir() { args.checkpoint.join("model.safetensors") } else { args.checkpoint.clone() };
    let beside = || model.parent().unwrap_or(Path::new(".")).join("tokenizer.json");
    let path = args.tokenizer.clone().unwrap_or_else(beside);
    let bytes = fs::read(&model).with_context(|| format!("cannot read {}", model.display()))?;
    let checkpoint = Checkpoint::from_bytes(&bytes).with_context(|| model.display().to_string())?;
    let Described { alphabet, tokenizer } = tokenize::load(&path)?;
    let (have, wanted) = (tokenizer.size().max(2), checkpoint.config.vocabulary);
    if have != wanted {
        let (model, path) = (model.display(), path.display());
        return Err(
            anyhow!("{model} predicts {wanted} tokens, and {path} has {have}: they do not belong together").into()
        );
    }
    let text = text::read(&args.file)?;
    let tokens = tokenizer.encode(&alphabet.symbols(&text)?)?;
    let mut trainer = Trainer::<f32>::new(Gpt::new(checkpoint.config)?, checkpoint.optimiser, 0)?;
    trainer.restore(&checkpoint)?;
    let losses = trainer.surprisal(&tokens)?;

    if matches!(args.format, Format::Csv) {
        let mut csv = "position,token,word,characters,nats,nats_per_character\n".to_owned();
        let mut position = 0;
        for (at, token) in tokens.iter().enumerate() {
            let word = &tokenizer.words()[*token as usize];
            let nats = at.checked_sub(1).map(|i| f64::from(losses[i]));
            let each = nats.map(|nats| (nats / as_f64(word.len())).to_string()).unwrap_or_default();
            let nats = nats.map(|nats| nats.to_string()).unwrap_or_default();
            let quoted = format!("\"{}\"", alphabet.text(word).replace('"', "\"\""));
            csv.push_str(&format!("{position},{token},{quoted},{},{nats},{each}\n", word.len()));
            position += word.len();
        }
        write(&csv)?;
        return Ok(ExitCode::SUCCESS);
    }
    let nats: f64 = losses.iter().map(|x| f64::from(*x)).sum();
    let length = |token: &u32| tokenizer.words()[*token as usize].len();
    let covered: usize = tokens[1..].iter().map(length).sum();
    let found = Found {
        checkpoint: model.display().to_string(),
        text: args.file.clone(),
        steps: checkpoint.step,
        characters: text.chars().count(),
        tokens: tokens.len(),
        predicted: losses.len(),
        nats,
        nats_per_character: nats / as_f64(covered),
        bits_per_character: nats / as_f64(covered) / std::f64::consts::LN_2,
        nats_per_token: nats / as_f64(losses.len()),
    };
    match args.format {
        Format::Json => write(&(serde_json::to_string_pretty(&found)? + "\n"))?,
        _ => write(&format!(
            "{} characters as {} tokens, by a transformer of {} tokens and {} steps\n\
             {} nats a character ({} bits), {} nats a token\n",
            found.characters,
            found.tokens,
            wanted,
            found.steps,
            number(found.nats_per_character),
            number(found.bits_per_character),
            number(found.nats_per_token),
        ))?,
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn as_f64(n: usize) -> f64 {
    n as f64
}
