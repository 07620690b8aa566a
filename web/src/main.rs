//! The page of Surprisal and its engine, in one wasm module: the same `main` runs in the window, where it
//! shows, and in a worker, where it computes. The two speak [`protocol`] and share nothing else.

// The pure parts are compiled, linted and tested natively too; there they have no caller.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the callers are wasm-only"))]

mod camera;
mod cli_line;
mod colour;
mod knob;
mod live;
mod plan;
mod protocol;
mod setup;
mod show;
mod trial;

#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod page;

#[cfg(target_arch = "wasm32")]
fn main() {
    use wasm_bindgen::JsCast;
    if js_sys::global().is_instance_of::<web_sys::DedicatedWorkerGlobalScope>() {
        engine::start();
    } else {
        page::start();
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("surprisal-web runs in a browser: cargo xtask serve");
}
