//! Recognition of any file, without an extension.
#![no_main]
mod common;

// libFuzzer's hook ends the program at any panic; those that become errors are none.
libfuzzer_sys::fuzz_target!(init: surprisal_core::data::hush_caught_panics(), |data: &[u8]| common::read("file", data, None));
