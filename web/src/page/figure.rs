//! A chart with its heading, its readout, its numbers and its downloads.

use std::sync::Arc;

use gloo_render::{AnimationFrame, request_animation_frame};
use leptos::{html, prelude::*};
use surprisal_core::figure::{Figure, Readout, Style, Theme, locate, tables, to_csv, to_svg};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Blob, HtmlCanvasElement, KeyboardEvent, PointerEvent};

use super::{
    canvas::{self, WidthWatch},
    dom,
    model::model,
};

/// The width of a downloaded picture, in CSS pixels.
const FILE_WIDTH: u32 = 960;
/// Rows of a table on the page; the rest is in the file.
const ROWS: usize = 200;

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
        let (size, style, ready, figure) = (size.get(), style.get(), fonts.get(), figure.get());
        let Some(surface) = surface.get().filter(|_| ready && size.0 > 0.0) else { return };
        // A second change before the next frame takes the place of this one.
        pending.set_value(Some(request_animation_frame(move |_| {
            let done = canvas::paint(&surface, &figure, &style, size);
            let _ = problem.try_set(done.err());
        })));
    });

    let look =
        move |x: f64, y: f64| {
            readout.set(figure.with_untracked(|figure| {
                style.with_untracked(|style| locate(figure, style, size.get_untracked(), x, y))
            }));
        };
    let on_move = move |event: PointerEvent| {
        if let Some(frame) = frame.get_untracked() {
            let place = frame.get_bounding_client_rect();
            look(f64::from(event.client_x()) - place.left(), f64::from(event.client_y()) - place.top());
        }
    };
    let probe = RwSignal::new((0.5_f64, 0.5_f64));
    let on_key = move |event: KeyboardEvent| {
        let step = if event.shift_key() { 0.1 } else { 0.01 };
        let (x, y) = probe.get_untracked();
        let next = match event.key().as_str() {
            "ArrowLeft" => (x - step, y),
            "ArrowRight" => (x + step, y),
            "ArrowUp" => (x, y - step),
            "ArrowDown" => (x, y + step),
            "Home" => (0.0, y),
            "End" => (1.0, y),
            _ => return,
        };
        event.prevent_default();
        probe.set((next.0.clamp(0.0, 1.0), next.1.clamp(0.0, 1.0)));
        let (width, height) = size.get_untracked();
        // Where there is no datum under the probe, the nearest column of the plot that has one is read.
        let (x, y) = probe.get_untracked();
        look(x * width, y * height);
    };
    let hint = if tools {
        "Move the pointer over the chart, or focus it and use the arrow keys, to read exact values."
    } else {
        ""
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
                on:pointermove=on_move on:pointerleave=move |_| readout.set(None) on:keydown=on_key on:blur=move |_| readout.set(None)>
                <canvas node_ref=surface role="img" aria-label=move || label.get()></canvas>
                {move || readout.get().map(|r| {
                    let (left, top, right, bottom) = r.plot;
                    let _ = (left, right);
                    view! {
                        <span class="cross" style:left=format!("{}px", r.at.0) style:top=format!("{top}px") style:height=format!("{}px", bottom - top)></span>
                        <span class="mark" style:left=format!("{}px", r.at.0) style:top=format!("{}px", r.at.1)></span>
                    }
                })}
            </div>
            <p class="readout num" aria-live="polite">{move || readout.get().map_or_else(|| hint.to_owned(), |r| r.text)}</p>
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
