//! Speed of tokenizers on a text: `cargo run --release -p surprisal-core --example token_bench -- TEXT [tokens]`.
//!
//! Learns BPE with words that begin at a space, writes the seconds and the tokenizer.json beside the text, so that another
//! program can be timed on, and compared with, the same.

use std::time::Instant;

use surprisal_core::token::{Alphabet, Tokenizer, to_json, train_bpe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which text? token_bench TEXT [tokens]")?;
    let size: usize = arguments.next().map_or(Ok(8192), |a| a.parse())?;
    let text = std::fs::read_to_string(&path)?;
    let clock = Instant::now();
    let alphabet = Alphabet::of_text(&text)?;
    let symbols = alphabet.symbols(&text)?;
    let boundary = alphabet.symbol(' ').ok_or("the text has no space")?;
    println!("read: {:.3} s, {} symbols of {}", clock.elapsed().as_secs_f64(), symbols.len(), alphabet.size());
    let clock = Instant::now();
    let learned = train_bpe(&symbols, alphabet.size(), size, Some(boundary))?;
    println!("BPE by words: {:.3} s for {} tokens", clock.elapsed().as_secs_f64(), learned.words.len());
    let tokenizer = Tokenizer::from_merges(alphabet.size(), learned);
    let clock = Instant::now();
    let tokens = tokenizer.encode(&symbols)?;
    println!("encode: {:.3} s, {} tokens", clock.elapsed().as_secs_f64(), tokens.len());
    std::fs::write(format!("{path}.tokenizer.json"), to_json(&tokenizer, &alphabet))?;
    let clock = Instant::now();
    let whole = train_bpe(&symbols, alphabet.size(), size, None)?;
    println!("BPE over words: {:.3} s for {} tokens", clock.elapsed().as_secs_f64(), whole.words.len());
    Ok(())
}
