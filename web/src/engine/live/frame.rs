//! Waiting for the next frame, or for the next task.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel};

/// The time between two frames where the browser does not say.
const FRAME_MS: u32 = 16;

/// The next frame.
pub(super) async fn next() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let known = js_sys::Reflect::has(&scope, &"requestAnimationFrame".into()).unwrap_or(false);
    let mut asked = false;
    if known {
        let frame = Promise::new(&mut |resolve, _| asked = scope.request_animation_frame(&resolve).is_ok());
        if asked {
            let _ = JsFuture::from(frame).await;
        }
    }
    if !asked {
        gloo_timers::future::TimeoutFuture::new(FRAME_MS).await;
    }
}

/// The next turn of the event loop: browsers delay timers in hidden tabs, but not messages.
pub(super) async fn task() {
    let Ok(channel) = MessageChannel::new() else { return };
    let wait = Promise::new(&mut |resolve, _| {
        channel.port1().set_onmessage(Some(&resolve));
        let _ = channel.port2().post_message(&JsValue::NULL);
    });
    let _ = JsFuture::from(wait).await;
}
