//! `surprisal tokenize`: dictionaries learned from a text, and texts as tokens.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use surprisal_core::token::{Alphabet, Described, Encoder, Kind, Tokenizer, from_json, to_json};

use crate::{Failure, output::write, text};

#[derive(Subcommand)]
pub(crate) enum Tokenize {
    /// Learn a dictionary from a text; prints its tokenizer.json.
    ///
    /// The symbols are the characters of the text, line ends included, of which there may be 256.
    #[command(
        after_help = "Examples:\n  surprisal tokenize train book.txt --kind bpe --size 256 --out tokenizer.json\n  \
        tr -d '\\n' < bits.txt | surprisal tokenize train - --kind lzw --size 32 --out lzw.json"
    )]
    Train(TrainArgs),
    /// Cut a text into tokens; prints their numbers.
    Encode(EncodeArgs),
    /// Put tokens together; prints the text.
    Decode(DecodeArgs),
}

#[derive(Args)]
pub(crate) struct TrainArgs {
    /// The text, or - for standard input.
    #[arg(default_value = "-")]
    file: String,
    /// How the dictionary is learned.
    #[arg(long, value_enum, default_value_t = KindOf::Bpe)]
    kind: KindOf,
    /// Tokens of the dictionary, the characters counted; `char` has these only, and `words` as many as fit.
    #[arg(long, value_name = "N", default_value_t = 256)]
    size: usize,
    /// How texts will be cut: as the kind does, merges replayed, or the longest word from the left.
    #[arg(long, value_enum, default_value_t = EncoderOf::Replay)]
    encoder: EncoderOf,
    /// Write tokenizer.json here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct EncodeArgs {
    /// The text, or - for standard input.
    #[arg(default_value = "-")]
    file: String,
    /// The dictionary.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    tokenizer: PathBuf,
    /// How the text is cut; as the file says where it is not given.
    #[arg(long, value_enum)]
    encoder: Option<EncoderOf>,
}

#[derive(Args)]
pub(crate) struct DecodeArgs {
    /// The numbers with white space between them, or - for standard input.
    #[arg(default_value = "-")]
    file: String,
    /// The dictionary.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    tokenizer: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindOf {
    /// The single characters.
    Char,
    /// All words of one length.
    Words,
    /// Byte-pair encoding.
    Bpe,
    /// Byte-pair encoding, one merge for each chunk of the text.
    SequentialBpe,
    /// Lempel, Ziv and Welch, frozen when full.
    Lzw,
    /// Unigram language model.
    Unigram,
}

#[derive(Clone, Copy, ValueEnum)]
enum EncoderOf {
    /// As the kind does: merges in their order, the likeliest path, blocks.
    Replay,
    /// The longest word that begins the rest, again and again.
    Greedy,
}

impl From<KindOf> for Kind {
    fn from(kind: KindOf) -> Self {
        match kind {
            KindOf::Char => Self::Characters,
            KindOf::Words => Self::Words,
            KindOf::Bpe => Self::Bpe,
            KindOf::SequentialBpe => Self::SequentialBpe,
            KindOf::Lzw => Self::Lzw,
            KindOf::Unigram => Self::Unigram,
        }
    }
}

impl From<EncoderOf> for Encoder {
    fn from(encoder: EncoderOf) -> Self {
        match encoder {
            EncoderOf::Replay => Self::Own,
            EncoderOf::Greedy => Self::Greedy,
        }
    }
}

pub(crate) fn run(what: &Tokenize) -> Result<ExitCode, Failure> {
    match what {
        Tokenize::Train(args) => train(args)?,
        Tokenize::Encode(args) => {
            let text = text::read(&args.file)?;
            let Described { alphabet, mut tokenizer } = load(&args.tokenizer)?;
            if let Some(encoder) = args.encoder {
                tokenizer = tokenizer.with_encoder(encoder.into());
            }
            let tokens = tokenizer.encode(&alphabet.symbols(&text)?)?;
            let numbers: Vec<String> = tokens.iter().map(u32::to_string).collect();
            write(&(numbers.join(" ") + "\n"))?;
        }
        Tokenize::Decode(args) => {
            let text = text::read(&args.file)?;
            let Described { alphabet, tokenizer } = load(&args.tokenizer)?;
            let number = |(at, word): (usize, &str)| {
                let wrong = || anyhow!("'{word}', at place {}, is no token; expected whole numbers", at + 1);
                word.parse::<u32>().map_err(|_| wrong())
            };
            let tokens = text.split_whitespace().enumerate().map(number).collect::<Result<Vec<_>, _>>()?;
            write(&alphabet.text(&tokenizer.decode(&tokens)?))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn train(args: &TrainArgs) -> Result<(), Failure> {
    let text = text::read(&args.file)?;
    let alphabet = Alphabet::of_text(&text)?;
    let symbols = alphabet.symbols(&text)?;
    // The single characters are a dictionary whatever size is asked for.
    let size = if matches!(args.kind, KindOf::Char) { alphabet.size() } else { args.size };
    let tokenizer = Tokenizer::train(args.kind.into(), &symbols, alphabet.size(), size, args.encoder.into())?;
    let json = to_json(&tokenizer, &alphabet) + "\n";
    match &args.out {
        Some(path) => {
            fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
            let tokens = tokenizer.encode(&symbols)?.len();
            write(&format!(
                "{}: {} tokens over {} characters; {} characters are {tokens} tokens\n",
                path.display(),
                tokenizer.size(),
                alphabet.size(),
                symbols.len()
            ))?;
        }
        None => write(&json)?,
    }
    Ok(())
}

/// Reads a tokenizer.json.
pub(crate) fn load(path: &std::path::Path) -> Result<Described, Failure> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(from_json(&text).with_context(|| path.display().to_string())?)
}
