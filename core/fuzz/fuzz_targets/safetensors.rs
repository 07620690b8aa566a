//! Tensors.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file.safetensors", data, Some(surprisal_core::data::Kind::Safetensors)));
