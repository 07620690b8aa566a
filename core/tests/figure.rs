//! Figures: what is in the files, what is under the pointer, and that nothing makes them panic.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use surprisal_core::figure::{
    Axis, Colour, Figure, FigureError, Mark, Panel, Readout, Style, Theme, categories, envelope, exact, histogram,
    locate, number, palette, preferred_height, series, tables, to_csv, to_svg,
};

fn panel(x: &str, y: &str, marks: Vec<Mark>) -> Panel {
    Panel { x: Axis::new(x), y: Axis::new(y), marks, weight: 1.0 }
}

fn figure(panels: Vec<Panel>) -> Figure {
    Figure { id: "test".to_owned(), title: "A <title>".to_owned(), description: "What & why.".to_owned(), panels }
}

fn line(name: &str, x: &[f64], y: &[f64]) -> Mark {
    Mark::Line { name: name.to_owned(), x: x.to_vec(), y: y.to_vec(), colour: Colour::First }
}

fn svg(figure: &Figure) -> String {
    to_svg(figure, 640, 320, &Style::new(Theme::Light)).unwrap()
}

/// The attributes of the elements called `name`.
fn elements<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
    svg.split('<').filter(|part| part.starts_with(&format!("{name} "))).collect()
}

/// The texts of an SVG, in drawing order.
fn texts(svg: &str) -> Vec<String> {
    svg.split("<text ")
        .skip(1)
        .filter_map(|part| Some(part.split_once('>')?.1.split('<').next()?.trim().to_owned()))
        .collect()
}

fn bars(heights: Vec<f64>) -> Figure {
    let names = (0..heights.len()).map(|at| format!("n{at}")).collect();
    let (x, mark) = categories("pattern", names, heights, Colour::First);
    figure(vec![Panel { x, ..panel("", "share", vec![mark]) }])
}

#[test]
fn numbers_are_written_for_people() {
    let cases = [
        (0.0, "0"),
        (-0.0, "0"),
        (1.000_000_1, "1"),
        (0.1 + 0.2, "0.3"),
        (1.0 / 3.0, "0.3333"),
        (-12.5, "−12.5"),
        (1957.0, "1957"),
        (9999.0, "9999"),
        (10_000.0, "10\u{202f}000"),
        (9999.96, "10\u{202f}000"),
        (1_234_567.0, "1\u{202f}234\u{202f}567"),
        (123_456.789, "123\u{202f}500"),
        (2.0e7, "2\u{2009}×\u{2009}10⁷"),
        (-1.6e-7, "−1.6\u{2009}×\u{2009}10⁻⁷"),
        (0.000_12, "0.00012"),
        (f64::INFINITY, "∞"),
        (f64::NEG_INFINITY, "−∞"),
        (f64::NAN, "not a number"),
    ];
    for (value, text) in cases {
        assert_eq!(number(value), text, "{value:e}");
    }
    assert_eq!(exact(101.7), "101.7");
    assert_eq!(exact(0.1 + 0.2), "0.30000000000000004");
    assert_eq!(exact(-33_554_432.25), "−33\u{202f}554\u{202f}432.25");
    assert_eq!(exact(1.5e-9), "1.5\u{2009}×\u{2009}10⁻⁹");
}

#[test]
fn an_svg_says_what_it_is_and_is_the_same_every_time() {
    let figure = bars(vec![0.2, 0.5, 0.3]);
    let first = svg(&figure);
    assert_eq!(first, svg(&figure));
    assert!(first.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"640\" height=\"320\""));
    assert!(first.contains("<title>A &lt;title&gt;</title>") && first.contains("<desc>What &amp; why.</desc>"));
    assert!(first.trim_end().ends_with("</svg>"));
    let colour = palette(Theme::Light).of(Colour::First).css().to_uppercase();
    assert_eq!(elements(&first, "rect").iter().filter(|rect| rect.contains(&colour)).count(), 3);
    let texts = texts(&first);
    for expected in ["n0", "n1", "n2", "pattern", "share", "0.0"] {
        assert!(texts.iter().any(|text| text == expected), "{expected} in {texts:?}");
    }
}

#[test]
fn only_a_file_has_the_heading() {
    let figure = bars(vec![1.0]);
    assert!(!texts(&svg(&figure)).contains(&"A &lt;title&gt;".to_owned()));
    let file = to_svg(&figure, 640, 320, &Style::for_file(Theme::Print)).unwrap();
    assert!(texts(&file).contains(&"A &lt;title&gt;".to_owned()), "{:?}", texts(&file));
}

#[test]
fn sizes_that_cannot_be_drawn_are_refused() {
    let figure = bars(vec![1.0]);
    for (width, height) in [(0, 10), (10, 0), (100_000, 10)] {
        assert_eq!(to_svg(&figure, width, height, &Style::new(Theme::Dark)), Err(FigureError::Size { width, height }));
    }
    assert!(to_svg(&figure, 1, 1, &Style::new(Theme::Dark)).is_ok());
}

#[test]
fn values_that_are_not_numbers_break_a_line() {
    let figure = figure(vec![panel("t", "v", vec![line("", &[0., 1., 2., 3., 4.], &[1., 2., f64::NAN, 2., 1.])])]);
    assert_eq!(elements(&svg(&figure), "polyline").len(), 2);
}

#[test]
fn many_names_are_thinned_until_they_fit() {
    let svg = svg(&bars((0..120).map(|at| 1.0 + f64::from(at % 7)).collect()));
    let names = texts(&svg).iter().filter(|text| text.starts_with('n')).count();
    assert!((5..60).contains(&names), "{names}");
}

#[test]
fn labels_at_line_ends_do_not_overlap() {
    let lines = (0..6).map(|at| line(&format!("line {at}"), &[0.0, 1.0], &[0.0, 1.0 + f64::from(at) * 0.02])).collect();
    let svg = svg(&figure(vec![panel("t", "v", lines)]));
    let places = elements(&svg, "text").into_iter().filter(|text| text.contains(">\nline") || text.contains(">line"));
    let mut heights: Vec<f64> =
        places.filter_map(|text| text.split(" y=\"").nth(1)?.split('"').next()?.parse().ok()).collect();
    heights.sort_by(f64::total_cmp);
    assert_eq!(heights.len(), 6);
    // Four units of the SVG to a pixel, text of 12 pixels.
    assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= 4.0 * 12.0), "{heights:?}");
}

#[test]
fn the_pointer_reads_exact_values() {
    let years: Vec<f64> = (1950..1970).map(f64::from).collect();
    let counts: Vec<f64> = years.iter().map(|year| (year - 1950.0) * 10.0 + 31.7).collect();
    let style = Style::new(Theme::Light);
    let figure = figure(vec![panel("year", "count", vec![line("", &years, &counts)])]);
    let size = (640.0, 320.0);
    // Find each datum from where it says it is.
    let start = locate(&figure, &style, size, 320.0, 160.0).unwrap();
    let (left, _, right, _) = start.plot;
    for (index, (year, count)) in years.iter().zip(&counts).enumerate() {
        let x = left + (right - left) * (year - 1950.0) / 19.0;
        let found = locate(&figure, &style, size, x + 2.0, start.at.1).unwrap();
        assert_eq!((found.panel, found.mark, found.index), (0, 0, index));
        assert_eq!(found.text, format!("count = {} at year = {year}", exact(*count)));
        assert!((found.at.0 - x).abs() < 1e-6);
    }
    assert_eq!(locate(&figure, &style, size, -50.0, 160.0), None);
}

fn at(figure: &Figure, x: f64, y: f64) -> Readout {
    locate(figure, &Style::new(Theme::Light), (640.0, 320.0), x, y).unwrap()
}

#[test]
fn the_pointer_reads_bars_points_bands_and_units() {
    let figure_of_bars = bars(vec![0.25, 0.75]);
    assert_eq!(at(&figure_of_bars, 200.0, 100.0).text, "share = 0.25 at pattern = n0");
    assert_eq!(at(&figure_of_bars, 500.0, 100.0).text, "share = 0.75 at pattern = n1");

    let counted = Mark::Bars { edges: vec![0.0, 0.25, 0.5], heights: vec![3.0, 4.0], colour: Colour::First };
    let counted = figure(vec![panel("value (mV)", "count", vec![counted])]);
    assert_eq!(at(&counted, 150.0, 200.0).text, "count = 3 for value from 0 to 0.25 mV");

    let band = Mark::Band {
        x: vec![0.0, 1.0],
        low: vec![1.0, 2.0],
        high: vec![1.0, 5.0],
        colour: Colour::First,
        opacity: 1.0,
    };
    let band = figure(vec![panel("time (s)", "level (m)", vec![band])]);
    assert_eq!(at(&band, 600.0, 100.0).text, "level = 2 to 5 m at time = 1 s");
    assert_eq!(at(&band, 60.0, 250.0).text, "level = 1 m at time = 0 s");

    let point = Mark::Points { x: vec![0.5], y: vec![0.5], labels: vec!["here".to_owned()], colour: Colour::Second };
    let plane = figure(vec![Panel {
        x: Axis::new("H").within(0.0, 1.0),
        y: Axis::new("C").within(0.0, 1.0),
        marks: vec![
            Mark::Line { name: String::new(), x: vec![0.0, 1.0], y: vec![0.4, 0.4], colour: Colour::Muted },
            point,
        ],
        weight: 1.0,
    }]);
    assert_eq!(at(&plane, 320.0, 150.0).text, "here: C = 0.5 at H = 0.5");
}

#[test]
fn the_pointer_knows_its_panel() {
    let style = Style::new(Theme::Light);
    let figure = figure(vec![
        panel("t", "upper", vec![line("", &[0.0, 1.0], &[0.0, 1.0])]),
        panel("t", "lower", vec![line("", &[0.0, 1.0], &[0.0, 1.0])]),
    ]);
    assert_eq!(locate(&figure, &style, (640.0, 320.0), 320.0, 80.0).unwrap().panel, 0);
    assert_eq!(locate(&figure, &style, (640.0, 320.0), 320.0, 240.0).unwrap().panel, 1);
}

#[test]
fn an_envelope_keeps_the_extremes() {
    let values: Vec<f64> = (0..1_000_000).map(|at| if at == 777_777 { 9.0 } else { f64::from(at % 5) }).collect();
    let found = envelope(&values, 800);
    assert_eq!((found.x.len(), found.low.len(), found.high.len()), (800, 800, 800));
    assert_eq!((found.x[0], found.x[799]), (0.0, 999_999.0));
    assert_eq!(found.high.iter().filter(|high| **high == 9.0).count(), 1);
    assert!(found.low.iter().all(|low| *low == 0.0));
    assert!(matches!(series(&values, |at| at, 800, "", Colour::First), Mark::Band { .. }));
    let few = envelope(&[3.0, f64::NAN, 1.0], 10);
    assert_eq!((few.x.as_slice(), few.low[0], few.high[2]), ([0.0, 1.0, 2.0].as_slice(), 3.0, 1.0));
    assert!(few.low[1].is_nan());
    assert_eq!(series(&[1.0, 2.0], |at| at / 2.0, 10, "a", Colour::First), line("a", &[0.0, 0.5], &[1.0, 2.0]));
    let drawn = svg(&figure(vec![panel("sample", "value", vec![series(&values, |at| at, 800, "", Colour::First)])]));
    assert!(drawn.len() < 200_000, "{}", drawn.len());
    let line = Mark::Line {
        name: String::new(),
        x: (0..1_000_000).map(f64::from).collect(),
        y: values,
        colour: Colour::First,
    };
    let drawn = svg(&figure(vec![panel("sample", "value", vec![line])]));
    assert!(drawn.len() < 400_000, "{}", drawn.len());
}

#[test]
fn a_histogram_counts_everything_once() {
    let values: Vec<f64> = (0..1000).map(|at| f64::from(at * at % 997) / 10.0).collect();
    let Some(Mark::Bars { edges, heights, .. }) = histogram(&values, 60) else { panic!("no bars") };
    assert_eq!(edges.len(), heights.len() + 1);
    assert_eq!(heights.iter().sum::<f64>(), 1000.0);
    assert!(histogram(&[f64::NAN], 10).is_none());
    let Some(Mark::Bars { edges, heights, .. }) = histogram(&[4.0; 7], 10) else { panic!("no bars") };
    assert_eq!((edges, heights), (vec![3.5, 4.5], vec![7.0]));
}

#[test]
fn the_numbers_behind_a_figure() {
    let plain = figure(vec![panel("time (s)", "v, w", vec![line("", &[0.0, 1e-7], &[0.1 + 0.2, f64::NAN])])]);
    assert_eq!(to_csv(&plain), "time (s),\"v, w\"\r\n0,0.30000000000000004\r\n1e-7,\r\n");
    let mut both = bars(vec![0.25]);
    both.panels[0].marks.push(Mark::Reference { y: 0.5, label: "half".to_owned() });
    assert_eq!(
        to_csv(&both),
        "share against pattern\r\npattern,share\r\nn0,0.25\r\n\r\nreferences of share\r\nreference,share\r\nhalf,0.5\r\n"
    );
    assert!(tables(&both).iter().all(|table| table.rows.iter().all(|row| row.len() == table.columns.len())));
}

/// WCAG's contrast of two colours.
fn contrast(a: &str, b: &str) -> f64 {
    let channel = |css: &str, at: usize| {
        let value = f64::from(u8::from_str_radix(&css[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |css: &str| 0.2126 * channel(css, 1) + 0.7152 * channel(css, 3) + 0.0722 * channel(css, 5);
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

#[test]
fn colours_can_be_seen_in_every_theme() {
    for theme in [Theme::Light, Theme::Dark, Theme::Print] {
        let palette = palette(theme);
        let surface = palette.surface.css();
        for colour in [Colour::First, Colour::Second, Colour::Third, Colour::Muted] {
            assert!(contrast(&palette.of(colour).css(), &surface) >= 3.0, "{theme:?} {colour:?}");
            assert!(contrast(&palette.text(colour).css(), &surface) >= 4.5, "{theme:?} {colour:?}");
        }
        assert!(contrast(&palette.ink_soft.css(), &surface) >= 4.5 && contrast(&palette.ink.css(), &surface) >= 7.0);
    }
}

#[test]
fn nothing_to_show_is_said() {
    for marks in [
        vec![],
        vec![line("a", &[], &[])],
        vec![line("a", &[1.0], &[f64::NAN])],
        vec![Mark::Reference { y: 1.0, label: "r".to_owned() }],
    ] {
        let figure = figure(vec![panel("x", "y", marks)]);
        assert!(texts(&svg(&figure)).contains(&"no data".to_owned()));
        assert_eq!(locate(&figure, &Style::new(Theme::Light), (640.0, 320.0), 320.0, 160.0), None);
    }
    assert!(svg(&figure(Vec::new())).contains("</svg>"));
}

#[cfg(feature = "bitmap")]
#[test]
fn a_png_is_the_same_every_time_and_has_the_asked_size() {
    use surprisal_core::figure::to_png;
    let figure = bars(vec![0.2, 0.5, 0.3]);
    let style = Style::for_file(Theme::Light);
    let first = to_png(&figure, 300, 200, &style).unwrap();
    assert_eq!(first, to_png(&figure, 300, 200, &style).unwrap());
    let picture = image::load_from_memory(&first).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (600, 400));
    assert_eq!(picture.get_pixel(0, 0).0, [255, 255, 255]);
    assert_eq!(picture.get_pixel(599, 399).0, [255, 255, 255]);
    assert!(picture.pixels().any(|pixel| pixel.0 == [0, 0x72, 0xb2]));
    assert!(to_png(&figure, 0, 200, &style).is_err() && to_png(&figure, 20_000, 20_000, &style).is_err());
}

#[test]
fn ranges_narrower_than_the_numbers_are_drawn() {
    let second =
        |y: &[f64]| Mark::Line { name: String::new(), x: vec![0.0, 5e-324], y: y.to_vec(), colour: Colour::Second };
    for y in [[0.0, 5e-324], [1.0, 1.0 + f64::EPSILON], [f64::MIN, f64::MAX]] {
        let mut panel = panel("x", "y", vec![second(&y), second(&y)]);
        panel.y.range = Some((y[0], y[1]));
        panel.x.range = Some((0.0, 5e-324));
        assert!(svg(&figure(vec![panel])).contains("</svg>"));
    }
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -100.0..100.0_f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, 1e300]),
    ]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(value(), 0..40)
}

fn colour() -> impl Strategy<Value = Colour> {
    prop::sample::select(vec![Colour::First, Colour::Second, Colour::Third, Colour::Muted])
}

fn mark() -> impl Strategy<Value = Mark> {
    prop_oneof![
        (".{0,12}", values(), values(), colour()).prop_map(|(name, x, y, colour)| Mark::Line { name, x, y, colour }),
        (values(), values(), values(), colour(), value()).prop_map(|(x, low, high, colour, opacity)| Mark::Band {
            x,
            low,
            high,
            colour,
            opacity
        }),
        (values(), values(), colour()).prop_map(|(edges, heights, colour)| Mark::Bars { edges, heights, colour }),
        (values(), values(), prop::collection::vec(".{0,8}", 0..40), colour())
            .prop_map(|(x, y, labels, colour)| Mark::Points { x, y, labels, colour }),
        (value(), ".{0,12}").prop_map(|(y, label)| Mark::Reference { y, label }),
    ]
}

fn axis() -> impl Strategy<Value = Axis> {
    (".{0,20}", prop::option::of((value(), value())), any::<bool>(), prop::collection::vec(".{0,9}", 0..30))
        .prop_map(|(title, range, logarithmic, names)| Axis { title, range, logarithmic, names })
}

fn any_figure() -> impl Strategy<Value = Figure> {
    let panel = (axis(), axis(), prop::collection::vec(mark(), 0..5), value());
    let panel = panel.prop_map(|(x, y, marks, weight)| Panel { x, y, marks, weight });
    prop::collection::vec(panel, 0..3).prop_map(figure)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_figure_is_drawn(figure in any_figure(), width in 1_u32..900, height in 1_u32..600, compact: bool, heading: bool) {
        let style = Style { compact, heading, ..Style::new(Theme::Dark) };
        let drawn = to_svg(&figure, width, height, &style).unwrap();
        prop_assert_eq!(drawn.matches("<text").count(), drawn.matches("</text>").count());
        let height = preferred_height(&figure, f64::from(width), &style);
        prop_assert!((120..=2000).contains(&height));
        let _ = to_csv(&figure);
    }

    #[test]
    fn any_pointer_is_answered(figure in any_figure(), x in -50.0..900.0_f64, y in -50.0..600.0_f64) {
        if let Some(found) = locate(&figure, &Style::new(Theme::Light), (640.0, 320.0), x, y) {
            prop_assert!(found.at.0.is_finite() && found.at.1.is_finite() && !found.text.is_empty());
        }
    }

    #[test]
    fn any_values_have_a_histogram(values in values(), most in 0_usize..50) {
        if let Some(Mark::Bars { edges, heights, .. }) = histogram(&values, most) {
            prop_assert_eq!(edges.len(), heights.len() + 1);
            let finite = values.iter().filter(|value| value.is_finite()).count();
            prop_assert_eq!(heights.iter().sum::<f64>(), f64::from(u32::try_from(finite).unwrap()));
        }
        let found = envelope(&values, most);
        prop_assert_eq!(found.x.len(), values.len().min(most.max(1)));
    }
}
