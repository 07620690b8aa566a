//! Sequences.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file.fasta", data, Some(surprisal_core::data::Kind::Fasta)));
