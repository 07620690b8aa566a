//! A chart with its heading, its readout, its numbers and its downloads.

use std::sync::Arc;

use gloo_render::{AnimationFrame, request_animation_frame};
use leptos::{html, prelude::*};
use surprisal_core::figure::{
    Figure, Readout, Style, Theme, View, is_condensed, locate, locate_nearest, tables, to_csv, to_svg, zoomable,
};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Blob, HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};

use super::{
    canvas::{self, WidthWatch},
    dom,
    model::model,
};

/// The width of a downloaded picture, in CSS pixels.
const FILE_WIDTH: u32 = 960;
/// Rows of a table on the page; the rest is in the file.
const ROWS: usize = 200;
/// A drag that is shorter, in CSS pixels, is a click.
const CLICK: f64 = 6.0;
/// How much closer a key or a turn of the wheel looks.
const CLOSER: f64 = 0.5;

/// How a datum is found from a place: of the pointer, or of the keys.
type Locate = fn(&Figure, &Style, (f64, f64), f64, f64) -> Option<Readout>;
/// What is to be shown, from what is shown, the whole figure, its style and its size.
type Turn<'a> = dyn Fn(&View, &Figure, &Style, (f64, f64)) -> Option<View> + 'a;

#[component]
pub(super) fn FigureView(#[prop(into)] figure: Signal<Arc<Figure>>, stem: String, tools: bool) -> impl IntoView {
    let model = model();
    let frame = NodeRef::<html::Div>::new();
    let surface = NodeRef::<html::Canvas>::new();
    let width = RwSignal::new(0.0_f64);
    let fonts = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let readout = RwSignal::new(None::<Readout>);
    let pending = StoredValue::new_local(None::<AnimationFrame>);
    let watch = StoredValue::new_local(None::<WidthWatch>);
    let view = RwSignal::new(View::default());
    // A part of a living chart stays that part while data come in; another chart begins whole.
    let kind = Memo::new(move |_| figure.with(|f| (f.id.clone(), f.panels.len())));
    Effect::new(move |before: Option<(String, usize)>| {
        let now = kind.get();
        if before.is_some_and(|before| before != now) {
            view.set(View::default());
        }
        now
    });
    let shown = Memo::new(move |_| {
        view.with(|view| if view.is_whole() { figure.get() } else { Arc::new(figure.with(|f| view.of(f))) })
    });

    Effect::new(move |_| {
        if let Some(frame) = frame.get() {
            watch.set_value(
                WidthWatch::new(&frame, move |w| {
                    let _ = width.try_set(w);
                })
                .ok(),
            );
        }
    });
    leptos::task::spawn_local(async move {
        load_fonts().await;
        let _ = fonts.try_set(true);
    });
    let style = Memo::new(move |_| canvas::style(model.theme.dark.get(), width.get()));
    let size = Memo::new(move |_| {
        let width = width.get();
        style.with(|style| figure.with(|figure| (width, canvas::height(figure, width, style))))
    });
    Effect::new(move |_| {
        let (size, style, ready, figure) = (size.get(), style.get(), fonts.get(), shown.get());
        let Some(surface) = surface.get().filter(|_| ready && size.0 > 0.0) else { return };
        // A second change before the next frame takes the place of this one.
        pending.set_value(Some(request_animation_frame(move |_| {
            let done = canvas::paint(&surface, &figure, &style, size);
            let _ = problem.try_set(done.err());
        })));
    });

    let look =
        move |locate: Locate, x: f64, y: f64| {
            readout.set(shown.with_untracked(|figure| {
                style.with_untracked(|style| locate(figure, style, size.get_untracked(), x, y))
            }));
        };
    // The part that `next` makes of the part that is shown, if there is one.
    let turn = move |next: &Turn<'_>| {
        let next = figure.with_untracked(|figure| {
            style.with_untracked(|style| view.with_untracked(|view| next(view, figure, style, size.get_untracked())))
        });
        if let Some(next) = next {
            readout.set(None);
            view.set(next);
        }
    };
    let scale = move |at: (f64, f64), factor: f64| {
        turn(&|view, figure, style, size| view.scaled(figure, style, size, at, factor))
    };
    let within = move |x: i32, y: i32| {
        let place = frame.get_untracked()?.get_bounding_client_rect();
        Some((f64::from(x) - place.left(), f64::from(y) - place.top()))
    };
    let can_zoom = Memo::new(move |_| tools && figure.with(|figure| zoomable(figure)));
    // Where a drag began, and where it is.
    let drag = RwSignal::new(None::<((f64, f64), f64)>);
    let fingers = StoredValue::new(Vec::<(i32, f64)>::new());
    let on_down = move |event: PointerEvent| {
        let Some(at) = within(event.client_x(), event.client_y()).filter(|_| can_zoom.get_untracked()) else { return };
        if event.pointer_type() == "touch" {
            // One finger reads, two pinch.
            fingers.update_value(|fingers| fingers.push((event.pointer_id(), at.0)));
        } else if event.button() == 0 {
            drag.set(Some((at, at.0)));
            if let Some(frame) = frame.get_untracked() {
                let _ = frame.set_pointer_capture(event.pointer_id());
            }
        }
    };
    let on_move = move |event: PointerEvent| {
        let Some(at) = within(event.client_x(), event.client_y()) else { return };
        if let Some((from, _)) = drag.get_untracked() {
            drag.set(Some((from, at.0)));
        }
        let before = fingers.get_value();
        if let [(first, a), (_, b)] = before[..] {
            let moved = if event.pointer_id() == first { (at.0, b) } else { (a, at.0) };
            fingers.update_value(|fingers| (fingers[0].1, fingers[1].1) = moved);
            let factor = (a - b).abs() / (moved.0 - moved.1).abs().max(1.0);
            scale((f64::midpoint(moved.0, moved.1), at.1), factor.clamp(0.2, 5.0));
            return;
        }
        look(locate, at.0, at.1);
    };
    let on_up = move |event: PointerEvent| {
        fingers.update_value(|fingers| fingers.retain(|(id, _)| *id != event.pointer_id()));
        if let Some((from, to)) = drag.get_untracked() {
            drag.set(None);
            if (from.0 - to).abs() >= CLICK {
                turn(&|view, figure, style, size| view.between(figure, style, size, from.1, (from.0, to)));
            }
        }
    };
    let on_cancel = move |event: PointerEvent| {
        fingers.update_value(|fingers| fingers.retain(|(id, _)| *id != event.pointer_id()));
        drag.set(None);
    };
    let on_wheel = move |event: WheelEvent| {
        // Without the key the page scrolls. A pinch on a touchpad comes with it.
        if !(event.ctrl_key() || event.meta_key()) || !can_zoom.get_untracked() {
            return;
        }
        event.prevent_default();
        if let Some(at) = within(event.client_x(), event.client_y()) {
            let turns = (event.delta_y() / 100.0).clamp(-1.0, 1.0);
            scale(at, CLOSER.powf(-turns));
        }
    };
    let probe = RwSignal::new((0.5_f64, 0.5_f64));
    let reset = move || {
        readout.set(None);
        view.set(View::default());
    };
    let on_key = move |event: KeyboardEvent| {
        let step = if event.shift_key() { 0.1 } else { 0.01 };
        let (x, y) = probe.get_untracked();
        let (width, height) = size.get_untracked();
        let zooms = can_zoom.get_untracked() && !(event.ctrl_key() || event.meta_key() || event.alt_key());
        let next = match event.key().as_str() {
            "+" | "=" if zooms => {
                scale((x * width, y * height), CLOSER);
                (x, y)
            }
            "-" | "_" if zooms => {
                scale((x * width, y * height), 1.0 / CLOSER);
                (x, y)
            }
            "0" if zooms => {
                reset();
                (x, y)
            }
            "ArrowLeft" => (x - step, y),
            "ArrowRight" => (x + step, y),
            "ArrowUp" => (x, y - step),
            "ArrowDown" => (x, y + step),
            "Home" => (0.0, y),
            "End" => (1.0, y),
            _ => return,
        };
        event.prevent_default();
        if (next.0 < 0.0 || next.0 > 1.0) && !view.with_untracked(View::is_whole) {
            // At the end of a part the part moves on.
            let by = if next.0 < 0.0 { -step } else { step };
            turn(&|view, figure, style, size| view.moved(figure, style, size, y * height, by));
        }
        probe.set((next.0.clamp(0.0, 1.0), next.1.clamp(0.0, 1.0)));
        let (x, y) = probe.get_untracked();
        look(locate_nearest, x * width, y * height);
    };
    let part = move || view.with(|view| figure.with(|figure| view.words(figure)));
    let condensed = move || figure.with(|figure| is_condensed(figure));
    let hint = move || match (tools, can_zoom.get()) {
        (false, _) => "",
        (true, false) => "Move the pointer over the chart, or focus it and use the arrow keys, to read exact values.",
        (true, true) => {
            "Move the pointer over the chart, or focus it and use the arrow keys, to read exact values. Drag, pinch, ctrl and wheel, or + and − look closer."
        }
    };
    let label = Memo::new(move |_| figure.with(|f| format!("{}. {}", f.title, f.description)));
    let title = Memo::new(move |_| figure.with(|f| f.title.clone()));
    let description = Memo::new(move |_| figure.with(|f| f.description.clone()));
    let id = figure.with_untracked(|f| f.id.clone());
    view! {
        <figure class="figure" data-figure=id>
            <figcaption><h3>{move || title.get()}</h3><p class="soft">{move || description.get()}</p></figcaption>
            <div class="chart" node_ref=frame tabindex="0" role="application" aria-roledescription="chart" aria-label=move || label.get()
                style:height=move || format!("{}px", size.get().1)
                on:pointerdown=on_down on:pointermove=on_move on:pointerup=on_up on:pointercancel=on_cancel
                on:pointerleave=move |_| readout.set(None) on:wheel=on_wheel on:dblclick=move |_| reset()
                on:keydown=on_key on:blur=move |_| readout.set(None)>
                <canvas node_ref=surface role="img" aria-label=move || label.get()></canvas>
                {move || readout.get().map(|r| {
                    let (left, top, right, bottom) = r.plot;
                    let _ = (left, right);
                    view! {
                        <span class="cross" style:left=format!("{}px", r.at.0) style:top=format!("{top}px") style:height=format!("{}px", bottom - top)></span>
                        <span class="mark" style:left=format!("{}px", r.at.0) style:top=format!("{}px", r.at.1)></span>
                    }
                })}
                {move || drag.get().filter(|((x, _), to)| (x - to).abs() >= CLICK).map(|((x, _), to)| view! {
                    <span class="dragged" style:left=format!("{}px", x.min(to)) style:width=format!("{}px", (x - to).abs())></span>
                })}
            </div>
            {move || part().map(|part| view! {
                <p class="part num">
                    <span>"Shown: " {part} ". PNG, SVG and CSV have the whole chart." {move || condensed().then_some(
                        " The series is drawn as the lowest and highest of each stretch of values, and looking closer does not divide a stretch.")}</span>
                    <button type="button" class="small" on:click=move |_| {
                        reset();
                        // The button goes away, and the focus must not go with it.
                        if let Some(frame) = frame.get_untracked() {
                            let _ = frame.focus();
                        }
                    }>"Reset"</button>
                </p>
            })}
            <p class="readout num" aria-live="polite">{move || readout.get().map_or_else(|| hint().to_owned(), |r| r.text)}</p>
            {move || problem.get().map(|text| view! { <p class="reason">{text}</p> })}
            {tools.then(|| view! { <Tools figure stem/> })}
        </figure>
    }
}

/// The bundled font must be there before text is drawn with it.
async fn load_fonts() {
    let Ok(fonts) = js_sys::Reflect::get(&document(), &"fonts".into()) else { return };
    let fonts: web_sys::FontFaceSet = fonts.unchecked_into();
    for font in ["12px Inter", "600 12px Inter"] {
        let _ = wasm_bindgen_futures::JsFuture::from(fonts.load(font)).await;
    }
}

#[component]
fn Tools(figure: Signal<Arc<Figure>>, stem: String) -> impl IntoView {
    let name = StoredValue::new(format!("{stem}-{}", figure.with_untracked(|f| f.id.clone())));
    let open = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let png = move |_| problem.set(figure.with_untracked(|f| save_png(f, &name.get_value())).err());
    let svg = move |_| {
        let made = figure.with_untracked(|f| {
            let (style, height) = file_style(f);
            to_svg(f, FILE_WIDTH, height, &style).map_err(|e| e.to_string())
        });
        match made {
            Ok(text) => dom::save_text(&text, "image/svg+xml", &format!("{}.svg", name.get_value())),
            Err(why) => problem.set(Some(why)),
        }
    };
    let csv = move |_| {
        dom::save_text(&figure.with_untracked(|f| to_csv(f)), "text/csv", &format!("{}.csv", name.get_value()))
    };
    view! {
        <div class="tools">
            <button type="button" class="quiet" on:click=png>"PNG"</button>
            <button type="button" class="quiet" on:click=svg>"SVG"</button>
            <button type="button" class="quiet" on:click=csv>"CSV"</button>
            <button type="button" class="quiet" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|o| *o = !*o)>
                {move || if open.get() { "Hide numbers" } else { "Show numbers" }}
            </button>
        </div>
        {move || problem.get().map(|text| view! { <p class="reason">{text}</p> })}
        {move || open.get().then(|| view! { <Numbers figure=figure.get()/> })}
    }
}

#[component]
fn Numbers(figure: Arc<Figure>) -> impl IntoView {
    tables(&figure).into_iter().map(|table| {
        let rest = table.rows.len().saturating_sub(ROWS);
        let name = table.caption.clone();
        view! {
            <div class="scroll numbers" tabindex="0" role="region" aria-label=name>
                <table>
                    <caption>{table.caption}</caption>
                    <thead><tr>{table.columns.into_iter().map(|c| view! { <th scope="col">{c}</th> }).collect_view()}</tr></thead>
                    <tbody>{table.rows.into_iter().take(ROWS).map(|row| view! {
                        <tr>{row.into_iter().map(|cell| view! { <td class="num">{cell}</td> }).collect_view()}</tr>
                    }).collect_view()}</tbody>
                </table>
                {(rest > 0).then(|| view! { <p class="soft">{rest} " more rows are in the CSV."</p> })}
            </div>
        }
    }).collect_view()
}

fn file_style(figure: &Figure) -> (Style, u32) {
    let style = Style::for_file(Theme::Print);
    let height = surprisal_core::figure::preferred_height(figure, f64::from(FILE_WIDTH), &style);
    (style, height)
}

/// Draws the figure on a canvas of its own, white, twice as dense, and saves it.
fn save_png(figure: &Figure, name: &str) -> Result<(), String> {
    let (style, height) = file_style(figure);
    let style = Style { scale: 2.0, ..style };
    let canvas = document().create_element("canvas").map_err(dom::reason)?.unchecked_into::<HtmlCanvasElement>();
    canvas::paint(&canvas, figure, &style, (f64::from(FILE_WIDTH), f64::from(height)))?;
    let file = format!("{name}.png");
    let ready = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            dom::save(&blob, &file);
        }
    });
    canvas.to_blob(ready.unchecked_ref()).map_err(dom::reason)
}
