//! The live view: a canvas that the engine draws on, and the camera in the user's hands.

use leptos::{html, prelude::*};
use surprisal_core::figure::{number, round_down};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent, WheelEvent};

use super::{Wanted, page::backend};
use crate::{
    live::{Act, Look, Shade, Watch},
    page::{
        canvas::WidthWatch,
        dom,
        model::{Model, model},
    },
};

/// Radians that a pixel of a drag turns the camera by.
const TURN: f64 = 0.008;
/// And a press of an arrow key.
const PRESS: f64 = 0.12;
/// The camera never looks from straight above: there it would have no upright.
const STEEP: f64 = 1.5;
const NEAR: f64 = 12.0;
const FAR: f64 = 0.4;

#[component]
pub fn Stage(title: &'static str) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let place = NodeRef::<html::Div>::new();
    let watch = StoredValue::new_local(None::<WidthWatch>);
    let keys = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(place) = place.get() else { return };
        let place: HtmlElement = place.unchecked_into();
        let measured = place.clone();
        let tell = move |width: f64| {
            let (height, density) = (f64::from(measured.client_height()), window().device_pixel_ratio());
            model.set_look(|look| *look = Look { width, height, density, ..*look });
        };
        watch.set_value(WidthWatch::new(&place, tell).ok());
    });
    Effect::new(move |_| {
        let dark = model.theme.dark.get();
        model.set_look(|look| look.dark = dark);
    });
    let on_key = move |event: KeyboardEvent| {
        // The buttons of the view have keys of their own.
        let own = event.target().is_some_and(|t| event.current_target().is_some_and(|c| t == c));
        if !own || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let size = if event.shift_key() { 4.0 * PRESS } else { PRESS };
        match event.key().as_str() {
            " " => model.toggle(),
            "." => model.step_once(),
            "r" | "R" => model.reset(),
            "s" | "S" => model.next_seed(),
            "e" | "E" => model.want(Wanted::Json),
            "?" => keys.update(|k| *k = !*k),
            "ArrowLeft" => turn(model, -size, 0.0),
            "ArrowRight" => turn(model, size, 0.0),
            "ArrowUp" => turn(model, 0.0, size),
            "ArrowDown" => turn(model, 0.0, -size),
            "+" | "=" => zoom(model, 1.2),
            "-" => zoom(model, 1.0 / 1.2),
            "0" | "Home" => upright(model),
            _ => return,
        }
        event.prevent_default();
    };
    let label = move || {
        let described = lab.described.get();
        let flat = if is_flat(model) { "from above" } else { "in perspective" };
        format!("{title}: a live view {flat}. {described}")
    };
    view! {
        <div class="stage" id="lab-stage" node_ref=place tabindex="0" role="group" aria-label=format!("Live view of {title}. Press ? for its keys")
            data-hunted=move || hunted(model).then_some("") on:keydown=on_key>
            {move || {
                lab.canvas.track();
                view! { <Surface label=Signal::derive(label)/> }
            }}
            <Numbers/>
            <ScaleBar/>
            {(!lab.embedded).then(|| view! { <Colours/> })}
            <div class="view-buttons" role="group" aria-label="Camera">
                <button type="button" class="icon" aria-label="Nearer" title="Nearer (+)" on:click=move |_| zoom(model, 1.25)>
                    <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8h10M8 3v10"/></svg>
                </button>
                <button type="button" class="icon" aria-label="Farther" title="Farther (-)" on:click=move |_| zoom(model, 0.8)>
                    <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8h10"/></svg>
                </button>
                {move || (!is_flat(model)).then(|| view! {
                    <button type="button" class="icon" aria-label="Turn the camera" title="Turn (arrow keys, or drag)" on:click=move |_| turn(model, 0.4, 0.0)>
                        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3"/></svg>
                    </button>
                })}
                <button type="button" class="icon" aria-label="The view as it was" title="As it was (0)" on:click=move |_| upright(model)>
                    <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"/></svg>
                </button>
            </div>
            {move || keys.get().then(|| view! { <Keys close=move || keys.set(false)/> })}
        </div>
    }
}

#[component]
fn Surface(label: Signal<String>) -> impl IntoView {
    let model = model();
    let canvas = NodeRef::<html::Canvas>::new();
    Effect::new(move |before: Option<bool>| {
        // A canvas is given away once.
        if before == Some(true) {
            return true;
        }
        let Some(canvas) = canvas.get() else { return false };
        if let Ok(away) = canvas.transfer_control_to_offscreen() {
            model.give_canvas(&away);
            model.act(Act::Look(model.lab.look.get_untracked()));
            if !model.lab.embedded {
                model.act(Act::Watch(Watch::Seen));
            }
        } else {
            model.lab.trouble.set(Some(
                "This browser cannot draw from a worker, so there is no live view; the charts below do work".to_owned(),
            ));
        }
        true
    });
    // Where each finger or the button went down last: one turns, two come nearer.
    let held = StoredValue::new(Vec::<(i32, f64, f64)>::new());
    let at = move |event: &PointerEvent| (f64::from(event.offset_x()), f64::from(event.offset_y()));
    let down = move |event: PointerEvent| {
        let (x, y) = at(&event);
        held.update_value(|held| held.push((event.pointer_id(), x, y)));
        if let Some(target) = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok()) {
            let _ = target.set_pointer_capture(event.pointer_id());
        }
    };
    let moved = move |event: PointerEvent| {
        let (x, y) = at(&event);
        let all = held.get_value();
        let chased = hunted(model) && (all.is_empty() || event.pointer_type() == "touch");
        if chased && all.len() < 2 {
            model.act(Act::Point(Some((x, y))));
            return;
        }
        let Some((_, ox, oy)) = all.iter().find(|(id, ..)| *id == event.pointer_id()).copied() else { return };
        held.update_value(|held| {
            for one in held.iter_mut().filter(|(id, ..)| *id == event.pointer_id()) {
                (one.1, one.2) = (x, y);
            }
        });
        match all.iter().find(|(id, ..)| *id != event.pointer_id()) {
            Some((_, fx, fy)) => {
                let (before, now) = ((ox - fx).hypot(oy - fy), (x - fx).hypot(y - fy));
                zoom(model, now.max(1.0) / before.max(1.0));
            }
            None => turn(model, TURN * (ox - x), TURN * (y - oy)),
        }
    };
    let up = move |event: PointerEvent| {
        held.update_value(|held| held.retain(|(id, ..)| *id != event.pointer_id()));
    };
    let leave = move |_: PointerEvent| {
        if hunted(model) {
            model.act(Act::Point(None));
        }
    };
    let wheel = move |event: WheelEvent| {
        // A page that is scrolled past is not zoomed by accident.
        let focused = document().active_element().is_some_and(|e| e.class_list().contains("stage"));
        if focused || event.ctrl_key() {
            event.prevent_default();
            zoom(model, (-0.0015 * event.delta_y()).exp());
        }
    };
    view! {
        <canvas node_ref=canvas role="img" aria-label=label on:pointerdown=down on:pointermove=moved on:pointerup=up
            on:pointercancel=up on:pointerleave=leave on:wheel=wheel></canvas>
    }
}

fn is_flat(model: Model) -> bool {
    model.lab.begun.with(|b| b.as_ref().is_some_and(|b| b.flat))
}

fn hunted(model: Model) -> bool {
    model.lab.begun.with(|b| b.as_ref().is_some_and(|b| b.hunted))
}

fn turn(model: Model, yaw: f64, pitch: f64) {
    model.set_look(|look| {
        look.yaw = (look.yaw + yaw) % std::f64::consts::TAU;
        look.pitch = (look.pitch + pitch).clamp(-STEEP, STEEP);
    });
}

fn zoom(model: Model, by: f64) {
    model.set_look(|look| look.zoom = (look.zoom * by).clamp(FAR, NEAR));
}

fn upright(model: Model) {
    let first = Look::default();
    model.set_look(|look| *look = Look { yaw: first.yaw, pitch: first.pitch, zoom: 1.0, ..*look });
}

/// Polarization and rotation now.
#[component]
fn Numbers() -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let order = move |pick: fn(&(f64, f64)) -> f64| {
        lab.state.with(|s| s.order.as_ref().map(pick)).map_or_else(|| "\u{2013}".to_owned(), |x| format!("{x:.3}"))
    };
    let flock = move || lab.state.with(|s| s.view.map(|v| v.count)).unwrap_or(0.0);
    view! {
        <dl class="numbers-now num">
            <div title="Polarization: the length of the mean direction, 0 to 1"><dt>"P"</dt><dd id="polarization">{move || order(|o| o.0)}</dd></div>
            <div title="Rotation about the centre, 0 to 1"><dt>"M"</dt><dd id="rotation">{move || order(|o| o.1)}</dd></div>
            <div title="Particles shown"><dt>"N"</dt><dd>{move || number(flock())}</dd></div>
            {move || backend(model).map(|word| view! { <div class="soft" title="Where it is computed"><dt class="hidden">"Computed on"</dt><dd>{word.to_uppercase()}</dd></div> })}
        </dl>
    }
}

/// A round length at the middle of the view.
#[component]
fn ScaleBar() -> impl IntoView {
    let lab = model().lab;
    let scale = Memo::new(move |_| lab.state.with(|s| s.view.map_or(0.0, |v| v.scale)));
    let length = move || {
        let scale = scale.get();
        (scale > 0.0).then(|| round_down(90.0 / scale))
    };
    view! {
        <p class="scale-bar num" class:none=move || length().is_none()>
            <span class="scale-line" style:width=move || format!("{}px", length().unwrap_or(0.0) * scale.get())></span>
            <span>{move || length().map(|l| format!("{} {}", number(l), if l == 1.0 { "unit" } else { "units" }))}</span>
        </p>
    }
}

/// What colour stands for, with its ends as numbers.
#[component]
fn Colours() -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let shade = Memo::new(move |_| lab.look.with(|l| l.shade));
    let ends = move || lab.state.with(|s| s.view.map_or((0.0, 0.0), |v| (v.low, v.high)));
    let text = move |x: f64| match shade.get() {
        Shade::Heading => format!("{x:.0}\u{b0}"),
        Shade::Alignment => format!("{x:.0}"),
        _ => number((x * 100.0).round() / 100.0),
    };
    let choose = move |event| {
        if let Some(shade) = Shade::of(&event_target_value(&event)) {
            model.set_look(|look| look.shade = shade);
        }
    };
    let offered = move || Shade::ALL.into_iter().filter(move |s| *s != Shade::Depth || !is_flat(model));
    view! {
        <div class="colours num">
            <select aria-label="Colour stands for" id="view-colour" on:change=choose>
                {move || offered().map(|s| view! {
                    <option value=s.word() selected=move || shade.get() == s>{s.word()}</option>
                }).collect_view()}
            </select>
            <span class="ramp" class:cyclic=move || shade.get() == Shade::Heading aria-hidden="true"></span>
            <span class="ramp-ends"><span>{move || text(ends().0)}</span><span>{move || text(ends().1)}</span></span>
        </div>
    }
}

/// The keys of the live view.
#[component]
fn Keys(close: impl Fn() + Copy + 'static) -> impl IntoView {
    let list = [
        ("Space", "run or pause"),
        (".", "one step"),
        ("R", "reset"),
        ("S", "new seed"),
        ("E", "save the record"),
        ("Esc", "pause"),
        ("\u{2190} \u{2192} \u{2191} \u{2193}", "turn the camera, faster with Shift"),
        ("+ \u{2212} 0", "nearer, farther, as it was"),
        ("?", "this list"),
    ];
    view! {
        <div class="keys">
            <dl>{list.into_iter().map(|(key, what)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div> }).collect_view()}</dl>
            <p class="soft small-text">"They work while the live view has the focus."</p>
            <button type="button" class="small" on:click=move |_| { close(); dom::focus("lab-stage"); }>"Close"</button>
        </div>
    }
}
