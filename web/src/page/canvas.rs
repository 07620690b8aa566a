//! A figure on a canvas: sharp at every pixel density, drawn at most once a frame.

use leptos::prelude::window;
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use surprisal_core::figure::{Figure, Style, Theme, draw, preferred_height};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{ContextAttributes2d, Element, HtmlCanvasElement, ResizeObserver};

/// Plotters draws on whole pixels: at least this many for a CSS pixel, and the browser smooths.
const LEAST_SCALE: f64 = 2.0;
/// Browsers refuse much larger canvases.
const MOST_PIXELS: f64 = 8000.0;

/// The style of a figure of this CSS width.
pub(super) fn style(dark: bool, width: f64) -> Style {
    let density = window().device_pixel_ratio();
    let scale = density.max(LEAST_SCALE).min(MOST_PIXELS / width.max(1.0));
    Style::for_page(if dark { Theme::Dark } else { Theme::Light }, width, scale)
}

/// The height of a figure in CSS pixels.
pub(super) fn height(figure: &Figure, width: f64, style: &Style) -> f64 {
    f64::from(preferred_height(figure, width, style))
}

/// Draws `figure` on a canvas of `width` by `height` CSS pixels.
///
/// # Errors
/// What the canvas or the figure says.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of canvases are small and positive")]
pub(super) fn paint(
    canvas: &HtmlCanvasElement,
    figure: &Figure,
    style: &Style,
    (width, height): (f64, f64),
) -> Result<(), String> {
    // Setting a size clears the canvas, and resets its state.
    canvas.set_width((width * style.scale).round() as u32);
    canvas.set_height((height * style.scale).round() as u32);
    // The first to ask says where the canvas lies, and plotters asks after this. In memory: where the browser emulates the GPU, a
    // chart drawn through it holds up what moves beside it for some 100 ms.
    let options = ContextAttributes2d::new();
    options.set_will_read_frequently(true);
    let none = "this browser gives no 2-D canvas";
    canvas.get_context_with_context_options("2d", &options).ok().flatten().ok_or(none)?;
    let backend = CanvasBackend::with_canvas_object(canvas.clone()).ok_or(none)?;
    draw(figure, &backend.into_drawing_area(), style).map_err(|e| e.to_string())
}

/// Tells the width of an element now and whenever it changes, until it is dropped.
pub(super) struct WidthWatch {
    observer: ResizeObserver,
    _tell: Closure<dyn FnMut(js_sys::Array)>,
}

impl WidthWatch {
    pub(super) fn new(element: &Element, tell: impl Fn(f64) + 'static) -> Result<Self, JsValue> {
        let watched = element.clone();
        let tell = Closure::<dyn FnMut(js_sys::Array)>::new(move |_| tell(watched.get_bounding_client_rect().width()));
        let observer = ResizeObserver::new(tell.as_ref().unchecked_ref())?;
        observer.observe(element);
        Ok(Self { observer, _tell: tell })
    }
}

impl Drop for WidthWatch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
