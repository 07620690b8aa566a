//! Figures: what is in the files, what is under the pointer, and that nothing makes them panic.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use surprisal_core::figure::{
    Axis, Colour, ColourMap, Figure, FigureError, Mark, Panel, Readout, Rgb, Style, Theme, View, categories, envelope,
    exact, histogram, line as thinned, locate, locate_nearest, number, palette, preferred_height, series, tables,
    to_csv, to_svg, zoomable,
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
        for colour in (0..8).map(Colour::nth) {
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

fn grid(values: Vec<f64>, range: Option<(f64, f64)>, map: ColourMap) -> Figure {
    let mark = Mark::Cells {
        x: vec![0.0, 0.1, 0.2, 0.3],
        y: vec![0.0, 1.0, 2.0],
        values,
        title: "order (bits)".to_owned(),
        range,
        map,
    };
    figure(vec![panel("coupling (1/s)", "noise", vec![mark])])
}

/// The attribute of an element as a number of SVG units.
fn attribute(element: &str, name: &str) -> f64 {
    let value = element.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.and_then(|value| value.parse().ok()).unwrap()
}

#[test]
fn cells_are_coloured_by_value_and_cover_the_plot() {
    let figure = grid(vec![0.0, 1.0, 0.25, 0.5, 0.75, 0.5], Some((0.0, 1.0)), ColourMap::Viridis);
    let drawn = svg(&figure);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let colour = ColourMap::Viridis.rgb(Theme::Light, share).css().to_uppercase();
        assert!(elements(&drawn, "rect").iter().any(|rect| rect.contains(&colour)), "{share}: {colour}");
    }
    // The lowest value is at the lower left corner of the plot, where the axis is.
    let (left, _, right, bottom) = at(&figure, 100.0, 100.0).plot;
    let low = ColourMap::Viridis.rgb(Theme::Light, 0.0).css().to_uppercase();
    let corner = elements(&drawn, "rect").into_iter().find(|rect| rect.contains(&low)).unwrap();
    assert_eq!(attribute(corner, "x"), left * 4.0);
    assert_eq!(attribute(corner, "y") + attribute(corner, "height"), bottom * 4.0);
    assert!((attribute(corner, "width") / 4.0 - (right - left) / 3.0).abs() < 1.0);
    let texts = texts(&drawn);
    for expected in ["order (bits)", "coupling (1/s)", "noise", "0.0", "1.0", "0.10"] {
        assert!(texts.iter().any(|text| text == expected), "{expected} in {texts:?}");
    }
}

#[test]
fn cells_stay_where_they_are_while_they_fill() {
    for style in [Style::new(Theme::Light), Style::for_page(Theme::Dark, 340.0, 2.0)] {
        let place = |values: Vec<f64>| {
            locate(&grid(values, None, ColourMap::Viridis), &style, (340.0, 320.0), 150.0, 60.0).unwrap()
        };
        let nothing = place(Vec::new());
        assert_eq!(nothing.text, "no order yet at coupling = 0.15 1/s, noise = 1.5");
        for values in [vec![0.5], vec![-1.25e-12, 3.0e9, f64::NAN], vec![1e300, -1e300, 0.0, 1.0, 2.0, 3.0]] {
            let some = place(values);
            assert_eq!((some.plot, some.at), (nothing.plot, nothing.at));
        }
    }
    let drawn = svg(&grid(vec![1.0, 2.0], None, ColourMap::Signed));
    // Hatched where nothing is: lines, which filled cells do not have.
    assert!(elements(&drawn, "polyline").len() > 10);
    let full = svg(&grid(vec![1.0; 6], None, ColourMap::Signed));
    assert!(elements(&full, "polyline").is_empty());
}

#[test]
fn the_pointer_reads_cells_intervals_and_spans() {
    let values: Vec<f64> = (0..6).map(f64::from).collect();
    let figure_of_cells = grid(values, None, ColourMap::Viridis);
    let (left, top, right, bottom) = at(&figure_of_cells, 100.0, 100.0).plot;
    for (index, text) in [
        "order = 0 bits at coupling = 0.05 1/s, noise = 0.5",
        "order = 1 bits at coupling = 0.15 1/s, noise = 0.5",
        "order = 2 bits at coupling = 0.25 1/s, noise = 0.5",
        "order = 3 bits at coupling = 0.05 1/s, noise = 1.5",
    ]
    .into_iter()
    .enumerate()
    {
        let (column, row) = (index % 3, index / 3);
        let share = |at: usize, of: f64| (f64::from(u32::try_from(at).unwrap()) + 0.4) / of;
        let found =
            at(&figure_of_cells, left + (right - left) * share(column, 3.0), bottom - (bottom - top) * share(row, 2.0));
        assert_eq!((found.text.as_str(), found.index), (text, index));
    }

    let errors =
        Mark::Intervals { x: vec![1.0, 2.0], low: vec![0.5, 1.0], high: vec![1.5, 4.0], colour: Colour::First };
    let spans = Mark::Spans {
        from: vec![0.0, 1.5],
        to: vec![1.5, 3.0],
        labels: vec!["calm".to_owned(), "turning".to_owned()],
        colours: vec![Colour::First, Colour::Second],
    };
    let both = figure(vec![panel("time (s)", "flow (m/s)", vec![spans.clone(), errors])]);
    assert_eq!(at(&both, 200.0, 100.0).text, "flow = 0.5 to 1.5 m/s at time = 1 s (calm)");
    assert_eq!(at(&both, 600.0, 100.0).text, "flow = 1 to 4 m/s at time = 2 s (turning)");
    let alone = figure(vec![panel("time (s)", "flow (m/s)", vec![spans])]);
    assert_eq!(at(&alone, 600.0, 100.0).text, "turning for time from 1.5 to 3 s");
    assert!(texts(&svg(&alone)).contains(&"turning".to_owned()));
}

#[test]
fn the_numbers_behind_the_marks_of_experiments() {
    let cells = grid(vec![1.0, f64::NAN, 3.0, 4.0], None, ColourMap::Viridis);
    assert_eq!(
        to_csv(&cells),
        "coupling (1/s),noise,order (bits)\r\n0.05,0.5,1\r\n0.15,0.5,\r\n0.25,0.5,3\r\n0.05,1.5,4\r\n0.15,1.5,\r\n0.25,1.5,\r\n"
    );
    let errors = Mark::Intervals { x: vec![1.0], low: vec![0.5], high: vec![1.5], colour: Colour::First };
    assert_eq!(to_csv(&figure(vec![panel("n", "H", vec![errors])])), "n,lower H,upper H\r\n1,0.5,1.5\r\n");
    let spans = Mark::Spans { from: vec![0.0], to: vec![2.0], labels: vec!["calm".to_owned()], colours: Vec::new() };
    assert_eq!(to_csv(&figure(vec![panel("t", "v", vec![spans])])), "span,\"t, from\",\"t, to\"\r\ncalm,0,2\r\n");
}

#[test]
fn colour_maps_rise_balance_and_close() {
    let lightness = |rgb: Rgb| contrast(&rgb.css(), "#000000");
    for theme in [Theme::Light, Theme::Dark, Theme::Print] {
        let along = |map: ColourMap| (0..=64).map(move |at| map.rgb(theme, f64::from(at) / 64.0));
        let viridis: Vec<f64> = along(ColourMap::Viridis).map(lightness).collect();
        assert!(viridis.windows(2).all(|pair| pair[1] >= pair[0]));
        let signed: Vec<f64> = along(ColourMap::Signed).map(lightness).collect();
        let towards_middle = if theme == Theme::Dark { -1.0 } else { 1.0 };
        for side in [signed[..=32].to_vec(), signed[32..].iter().rev().copied().collect()] {
            assert!(side.windows(2).all(|pair| (pair[1] - pair[0]) * towards_middle > 0.0), "{theme:?} {side:?}");
        }
        assert_eq!(ColourMap::Cyclic.rgb(theme, 0.0), ColourMap::Cyclic.rgb(theme, 1.0));
    }
}

fn lines(count: usize, x: &[f64], name: impl Fn(usize) -> String) -> Figure {
    let mark = |at: usize| {
        let y = x.iter().map(|x| x * (1.0 + f64::from(u32::try_from(at).unwrap()) * 0.01)).collect();
        Mark::Line { name: name(at), x: x.to_vec(), y, colour: Colour::nth(at) }
    };
    figure(vec![panel("t", "v", (0..count).map(mark).collect())])
}

#[test]
fn more_than_three_lines_are_told_apart_without_colour() {
    let strokes = |count: usize| {
        let drawn = svg(&lines(count, &[0.0, 1.0], |at| format!("line {at}")));
        let palette = palette(Theme::Light);
        let with = |at: usize| {
            let colour = palette.of(Colour::nth(at)).css().to_uppercase();
            elements(&drawn, "polyline").iter().filter(|line| line.contains(&colour)).count()
        };
        (0..count).map(with).collect::<Vec<_>>()
    };
    assert!(strokes(3).iter().all(|pieces| *pieces <= 2), "{:?}", strokes(3));
    let many = strokes(8);
    assert!(many[0] <= 3 && many[7] <= 3 && many[1..7].iter().all(|pieces| *pieces > 20), "{many:?}");
    let mut different = many[1..7].to_vec();
    different.sort_unstable();
    different.dedup();
    assert!(different.len() >= 5, "{many:?}");
}

#[test]
fn eight_lines_are_named_at_their_ends_or_above_a_narrow_plot() {
    let figure = lines(8, &[0.0, 1.0], |at| format!("line {at}"));
    let named = |drawn: &str| texts(drawn).iter().filter(|text| text.starts_with("line")).count();
    let wide = svg(&figure);
    assert_eq!(named(&wide), 8);
    let style = Style::for_page(Theme::Light, 340.0, 1.0);
    let narrow = to_svg(&figure, 340, 300, &style).unwrap();
    assert_eq!(named(&narrow), 8);
    let (_, top, _, _) = locate(&figure, &style, (340.0, 300.0), 170.0, 200.0).unwrap().plot;
    let names = elements(&narrow, "text").into_iter().filter(|text| text.contains("line"));
    assert!(names.map(|text| attribute(text, "y")).all(|y| y < top * 4.0));
    // The page's own width is the limit of a name, four tenths of it.
    let long = lines(4, &[0.0, 1.0], |at| format!("{at}: {}", "a long name ".repeat(20)));
    assert_eq!(texts(&svg(&long)).iter().filter(|text| text.ends_with('…')).count(), 4);
    let (left, _, right, _) = at(&long, 320.0, 160.0).plot;
    assert!(right - left > 640.0 * 0.5, "{left} {right}");
    let fitting = lines(4, &[0.0, 1.0], |at| format!("{at}: a name of thirty letters"));
    assert!(!texts(&svg(&fitting)).iter().any(|text| text.ends_with('…')));
}

#[test]
fn a_long_line_keeps_the_extremes_where_they_are() {
    let x: Vec<f64> = (0..100_000).map(|at| f64::from(at).powi(2)).collect();
    let mut y: Vec<f64> = (0..100_000).map(|at| f64::from(at % 7)).collect();
    (y[50_000], y[70_000], y[80_000]) = (99.0, -99.0, f64::NAN);
    let Mark::Line { x: kept_x, y: kept_y, .. } = thinned(&x, &y, 500, "run", Colour::Second) else {
        panic!("no line")
    };
    assert!(kept_x.len() <= 1003 && kept_x.len() == kept_y.len(), "{}", kept_x.len());
    assert!(kept_x.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!((kept_x[0], kept_x[kept_x.len() - 1]), (x[0], x[99_999]));
    for at in [50_000, 70_000] {
        let place = kept_x.iter().position(|kept| *kept == x[at]).unwrap();
        assert_eq!(kept_y[place], y[at]);
    }
    assert_eq!(kept_y.iter().filter(|y| y.is_nan()).count(), 1);
    assert_eq!(thinned(&[0.0, 1.0], &[2.0, 3.0], 10, "a", Colour::First), line("a", &[0.0, 1.0], &[2.0, 3.0]));
    assert_eq!(thinned(&[], &[1.0], 0, "", Colour::First), line("", &[], &[]));
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
    (0_usize..8).prop_map(Colour::nth)
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
        (values(), values(), values(), ".{0,12}", prop::option::of((value(), value())), map())
            .prop_map(|(x, y, values, title, range, map)| Mark::Cells { x, y, values, title, range, map }),
        (values(), values(), values(), colour()).prop_map(|(x, low, high, colour)| Mark::Intervals {
            x,
            low,
            high,
            colour
        }),
        (values(), values(), prop::collection::vec(".{0,8}", 0..40), prop::collection::vec(colour(), 0..40))
            .prop_map(|(from, to, labels, colours)| Mark::Spans { from, to, labels, colours }),
        (values(), values(), values(), values(), words(), words(), prop::collection::vec(colour(), 0..40), values())
            .prop_map(|(from, to, low, high, labels, notes, colours, shades)| Mark::Boxes {
                from,
                to,
                low,
                high,
                labels,
                notes,
                colours,
                shades
            }),
        (values(), values(), words(), nodes(), nodes(), values(), words(), colour()).prop_map(
            |(x, y, names, from, to, weights, labels, colour)| Mark::Graph {
                x,
                y,
                names,
                from,
                to,
                weights,
                labels,
                colour
            }
        ),
    ]
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(".{0,8}", 0..40)
}

fn nodes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0_u32..50, 0..40)
}

fn map() -> impl Strategy<Value = ColourMap> {
    prop::sample::select(vec![ColourMap::Viridis, ColourMap::Signed, ColourMap::Cyclic])
}

/// A chain of two states and a text of three words, between axes that are not drawn.
#[test]
fn graphs_and_boxes_are_drawn_read_and_exported() {
    let text = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let graph = Mark::Graph {
        x: vec![-1.0, 1.0],
        y: vec![0.0, 0.0],
        names: text(&["rain", "sun"]),
        from: vec![0, 0, 1],
        to: vec![0, 1, 0],
        weights: vec![0.3, 0.7, 1.0],
        labels: text(&["0.3", "0.7", "1"]),
        colour: Colour::First,
    };
    let boxes = Mark::Boxes {
        from: vec![0.0, 2.0, 5.0],
        to: vec![2.0, 5.0, 6.0],
        low: vec![0.0; 3],
        high: vec![1.0; 3],
        labels: text(&["ab", "cde", "f"]),
        notes: text(&["token 7", "", "token 9"]),
        colours: vec![Colour::First, Colour::Second, Colour::First],
        shades: vec![0.3; 3],
    };
    let panel = |marks, x, y| Panel { x, y, marks, weight: 1.0 };
    let figure = figure(vec![
        panel(vec![graph], Axis::hidden(-2.0, 2.0), Axis::hidden(-1.0, 1.0)),
        panel(vec![boxes], Axis::hidden(0.0, 6.0), Axis::hidden(0.0, 1.0)),
    ]);
    let style = Style::new(Theme::Light);
    let svg = to_svg(&figure, 640, 400, &style).unwrap();
    let written = texts(&svg);
    for word in ["rain", "sun", "0.7", "ab", "cde"] {
        assert!(written.iter().any(|text| text == word), "{word} is not written: {written:?}");
    }
    assert_eq!(svg.matches("<circle").count(), 4, "two nodes, each a disc on a disc");
    // Three arrows, each a line and a head.
    assert_eq!((svg.matches("<polyline").count(), svg.matches("<polygon").count()), (3, 3));
    let below = (0..400).filter_map(|y| locate(&figure, &style, (640.0, 400.0), 20.0, f64::from(y)));
    assert!(below.into_iter().any(|found| found.text == "token 7"));
    let seen: Vec<String> = (0..640)
        .flat_map(|x| (0..40).map(move |y| (f64::from(x), f64::from(y) * 5.0)))
        .filter_map(|(x, y)| locate(&figure, &style, (640.0, 400.0), x, y))
        .map(|found| found.text)
        .collect();
    for arrow in ["rain → rain: 0.3", "rain → sun: 0.7", "sun → rain: 1"] {
        assert!(seen.iter().any(|text| text == arrow), "{arrow} is nowhere");
    }
    let csv = to_csv(&figure);
    assert!(csv.contains("rain,sun,0.7,0.7\r\n") && csv.contains("cde,,2,5,0,1,0.3\r\n"), "{csv}");
}

fn axis() -> impl Strategy<Value = Axis> {
    (
        ".{0,20}",
        prop::option::of((value(), value())),
        any::<bool>(),
        prop::collection::vec(".{0,9}", 0..30),
        any::<bool>(),
    )
        .prop_map(|(title, range, logarithmic, names, hidden)| Axis { title, range, logarithmic, names, hidden })
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
        let places: Vec<f64> = (0..u32::try_from(values.len()).unwrap()).map(f64::from).collect();
        let Mark::Line { x, y, .. } = thinned(&places, &values, most, "", Colour::First) else { panic!("no line") };
        prop_assert!(x.len() == y.len() && x.len() <= values.len());
        let found = envelope(&values, most);
        prop_assert_eq!(found.x.len(), values.len().min(most.max(1)));
    }
}

#[test]
fn a_view_is_the_same_data_seen_closer() {
    let x: Vec<f64> = (0..101).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| x * x).collect();
    let whole = figure(vec![
        panel("", "first", vec![line("", &x, &y)]),
        panel("sample", "second", vec![line("", &x, &y)]),
        Panel { y: Axis::new("fixed").within(0.0, 1.0), ..panel("sample", "", vec![line("", &x, &y)]) },
    ]);
    let (style, size) = (Style::new(Theme::Light), (640.0, 320.0));
    assert!(zoomable(&whole) && View::default().is_whole());
    let start = locate(&whole, &style, size, 320.0, 60.0).unwrap();
    let (left, _, right, _) = start.plot;
    let quarter = (right - left) / 4.0;
    let view = View::default().between(&whole, &style, size, 60.0, (left + quarter, right - quarter)).unwrap();
    let part = view.of(&whole);
    // Panels over the same numbers stay beneath each other.
    assert_eq!(part.panels[0].x.range, Some((25.0, 75.0)));
    assert_eq!(part.panels[1].x.range, part.panels[2].x.range);
    assert_eq!(view.words(&whole).unwrap(), "sample 25 to 75");
    // The height fits what is seen, and what was fixed stays.
    let (low, high) = part.panels[0].y.range.unwrap();
    assert!(low < 625.0 && low > 200.0 && high > 5625.0 && high < 6200.0, "{low} to {high}");
    assert_eq!(part.panels[2].y.range, Some((0.0, 1.0)));
    assert_eq!(part.panels[0].marks, whole.panels[0].marks);
    let seen = locate(&part, &style, size, f64::midpoint(left, right), 60.0).unwrap();
    assert_eq!(seen.text, "first = 2500 at x = 50");
    // Keys are over a margin at both ends of the canvas, and read the ends of what is shown.
    for (x, text) in [(0.0, "first = 625 at x = 25"), (640.0, "first = 5625 at x = 75")] {
        assert_eq!(locate(&part, &style, size, x, 60.0), None);
        assert_eq!(locate_nearest(&part, &style, size, x, 60.0).unwrap().text, text);
    }
    // There and back.
    let closer = view.scaled(&whole, &style, size, (320.0, 60.0), 0.5).unwrap();
    assert_ne!(closer, view);
    assert!(view.scaled(&whole, &style, size, (320.0, 60.0), 100.0).unwrap().is_whole());
    let moved = view.moved(&whole, &style, size, 60.0, 10.0).unwrap();
    assert_eq!(moved.words(&whole).unwrap(), "sample 50 to 100");
    assert_eq!(moved.moved(&whole, &style, size, 60.0, 1.0), None);
    // Two data are as close as it gets.
    let mut least = View::default();
    for _ in 0..60 {
        least = least.scaled(&whole, &style, size, (320.0, 60.0), 0.5).unwrap();
    }
    let (low, high) = least.of(&whole).panels[0].x.range.unwrap();
    assert!((1.5..2.5).contains(&(high - low)));
}

#[test]
fn names_and_planes_have_no_closer_view() {
    assert!(!zoomable(&bars(vec![0.2, 0.5, 0.3])));
    let points = Mark::Points { x: vec![0.5], y: vec![0.5], labels: vec![String::new()], colour: Colour::First };
    let bound = Mark::Line { name: String::new(), x: vec![0.0, 0.5, 1.0], y: vec![0.0; 3], colour: Colour::Muted };
    let plane = figure(vec![panel("H", "C", vec![bound, points])]);
    assert!(!zoomable(&plane));
    assert_eq!(View::default().scaled(&plane, &Style::new(Theme::Light), (640.0, 320.0), (320.0, 160.0), 0.5), None);
}

#[test]
fn a_bar_that_is_seen_in_part_decides_the_height() {
    let mark = Mark::Bars { edges: vec![0., 1., 2., 3., 4.], heights: vec![9., 2., 1., 4.], colour: Colour::First };
    let counts = figure(vec![panel("value", "count", vec![mark])]);
    let (style, size) = (Style::new(Theme::Light), (640.0, 320.0));
    let (left, _, right, _) = locate(&counts, &style, size, 320.0, 160.0).unwrap().plot;
    let at = |x: f64| left + x / 4.0 * (right - left);
    let view = View::default().between(&counts, &style, size, 160.0, (at(1.5), at(3.5))).unwrap();
    let (low, high) = view.of(&counts).panels[0].y.range.unwrap();
    assert!(low == 0.0 && (4.0..4.5).contains(&high), "{low} to {high}");
}
