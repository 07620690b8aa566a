//! JSON lines.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file.jsonl", data, Some(surprisal_core::data::Kind::Json)));
