//! Draws a sample of every kind of figure into a folder, to look at them:
//! `cargo run -p surprisal-core --features bitmap --example figures -- FOLDER [FIGURE ...]`.

use std::{
    f64::consts::{PI, TAU},
    fs,
    path::PathBuf,
};
use surprisal_core::figure::{
    Axis, Colour, ColourMap, Figure, Mark, Panel, Style, Theme, categories, histogram, preferred_height, series,
    to_png, to_svg,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "figures".to_owned()));
    fs::create_dir_all(&folder)?;
    let only: Vec<String> = std::env::args().skip(2).collect();
    for figure in figures().into_iter().filter(|figure| only.is_empty() || only.contains(&figure.id)) {
        for (theme, theme_name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            for (width, height) in [(860, 420), (340, 260)] {
                let mut style = Style::for_page(theme, f64::from(width), 2.0);
                style.heading = width > 480;
                let name = format!("{}-{width}-{theme_name}", figure.id);
                fs::write(folder.join(format!("{name}.png")), to_png(&figure, width, height, &style)?)?;
                fs::write(folder.join(format!("{name}.svg")), to_svg(&figure, width, height, &style)?)?;
            }
        }
        let height = preferred_height(&figure, 560.0, &Style::for_file(Theme::Print));
        let picture = to_png(&figure, 560, height, &Style::for_file(Theme::Print))?;
        fs::write(folder.join(format!("{}-560-print.png", figure.id)), picture)?;
    }
    Ok(())
}

fn figures() -> Vec<Figure> {
    vec![
        windowed(),
        long(),
        counts(),
        patterns(3),
        patterns(5),
        letters(),
        plane(),
        profile(),
        spectrum(),
        delays(),
        phases(),
        difference(),
        filling(),
        angles(),
        fine(),
        sweep(8),
        sweep(5),
        unnamed(),
        errors(),
        states(),
        shapes(),
        thinned(),
        figure("empty", "Nothing yet", vec![panel("time (s)", "value", Vec::new())]),
    ]
}

fn figure(id: &str, title: &str, panels: Vec<Panel>) -> Figure {
    Figure { id: id.to_owned(), title: title.to_owned(), description: format!("A sample: {title}."), panels }
}

fn panel(x: &str, y: &str, marks: Vec<Mark>) -> Panel {
    Panel { x: Axis::new(x), y: Axis::new(y), marks, weight: 1.0 }
}

/// Uniform in −0.5 to 0.5, the same each time.
fn noise(count: u32) -> Vec<f64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap_or(0)) / f64::from(u32::MAX) - 0.5
    };
    (0..count).map(|_| next() + next() + next()).collect()
}

fn line(name: &str, x: Vec<f64>, y: Vec<f64>, colour: Colour) -> Mark {
    Mark::Line { name: name.to_owned(), x, y, colour }
}

fn reference(y: f64, label: &str) -> Mark {
    Mark::Reference { y, label: label.to_owned() }
}

fn windowed() -> Figure {
    let drift = |(at, value): (f64, f64)| 12.0 + 3.0 * (at / 220.0).sin() + value * if at > 900.0 { 4.0 } else { 1.2 };
    let mut values: Vec<f64> = (0..1500).map(f64::from).zip(noise(1500)).map(drift).collect();
    values[400..460].fill(f64::NAN);
    let x: Vec<f64> = (0..60).map(|at| f64::from(at) * 25.0).collect();
    let y: Vec<f64> = x.iter().map(|at| if *at > 900.0 { 2.45 } else { 1.9 + 0.2 * (at / 90.0).sin() }).collect();
    let low = y.iter().map(|y| y - 0.12).collect();
    let high = y.iter().map(|y| y + 0.1).collect();
    let above = Panel {
        weight: 1.4,
        ..panel("time (s)", "level (m)", vec![series(&values, |at| at, 1600, "", Colour::First)])
    };
    let below = panel(
        "time (s)",
        "permutation entropy (bits)",
        vec![
            Mark::Band { x: x.clone(), low, high, colour: Colour::Second, opacity: 0.18 },
            line("window of 200", x, y, Colour::Second),
            reference(2.584_962_5, "noise"),
        ],
    );
    figure("series", "Level, and its entropy in a sliding window", vec![above, below])
}

fn long() -> Figure {
    let wave = |(at, value): (f64, f64)| (at / 90_000.0).sin() * 40_000.0 + value * 12_000.0;
    let values: Vec<f64> = (0..1_000_000).map(f64::from).zip(noise(1_000_000)).map(wave).collect();
    figure(
        "long",
        "A million samples",
        vec![panel("sample", "amplitude", vec![series(&values, |at| at, 860, "", Colour::First)])],
    )
}

fn counts() -> Figure {
    let marks = histogram(&noise(20_000), 80).into_iter().collect();
    figure("histogram", "Distribution of the values", vec![panel("value (mV)", "count", marks)])
}

fn patterns(order: usize) -> Figure {
    let mut names = vec![String::new()];
    for _ in 0..order {
        let longer = |name: &String| (0..order).map(|digit| format!("{name}{digit}")).collect::<Vec<_>>();
        let distinct = |name: &String| name.chars().all(|digit| name.matches(digit).count() == 1);
        names = names.iter().flat_map(longer).filter(distinct).collect();
    }
    let shares: Vec<f64> =
        noise(u32::try_from(names.len()).unwrap_or(0)).iter().map(|value| (value + 1.6).max(0.0)).collect();
    let sum: f64 = shares.iter().sum();
    let uniform = 1.0 / f64::from(u32::try_from(names.len()).unwrap_or(1));
    let (axis, bars) =
        categories("ordinal pattern", names, shares.iter().map(|share| share / sum).collect(), Colour::First);
    let panel = Panel { x: axis, ..panel("", "relative frequency", vec![bars, reference(uniform, "equal shares")]) };
    figure(&format!("patterns{order}"), &format!("Ordinal patterns of order {order}"), vec![panel])
}

fn letters() -> Figure {
    let names = [
        "space",
        "newline",
        "e",
        "t",
        "a",
        "o",
        "i",
        "n",
        "s",
        "h",
        "r",
        "d",
        "l",
        "u",
        "c",
        "m",
        "f",
        "w",
        "carriage return",
    ];
    let heights = (0..19).map(|at| (182.0 / (f64::from(at) + 1.3)).round() * 120.0).collect();
    let (axis, bars) = categories("byte", names.map(str::to_owned).to_vec(), heights, Colour::First);
    figure("letters", "Most frequent bytes", vec![Panel { x: axis, ..panel("", "count", vec![bars]) }])
}

fn plane() -> Figure {
    let h: Vec<f64> = (0..=200).map(|at| f64::from(at) / 200.0).collect();
    let upper = h.iter().map(|h| 1.9 * h.powf(0.9) * (1.0 - h).powf(0.75) * 0.62).collect();
    let lower = h.iter().map(|h| 0.9 * h * (1.0 - h) * (0.6 + 0.4 * h)).collect();
    let points = Mark::Points {
        x: vec![0.63, 0.985, 0.48],
        y: vec![0.46, 0.02, 0.24],
        labels: ["logistic map", "white noise", "sine + noise"].map(str::to_owned).to_vec(),
        colour: Colour::First,
    };
    let trail = Mark::Points {
        x: vec![0.70, 0.76, 0.82, 0.88],
        y: vec![0.41, 0.36, 0.28, 0.2],
        labels: ["2", "3", "4", "5"].map(|delay| format!("τ = {delay}")).to_vec(),
        colour: Colour::Second,
    };
    let mut panel = panel(
        "normalized permutation entropy",
        "statistical complexity",
        vec![
            line("lower bound", h.clone(), lower, Colour::Muted),
            line("upper bound", h, upper, Colour::Muted),
            trail,
            points,
        ],
    );
    panel.x.range = Some((0.0, 1.0));
    figure("plane", "Complexity-entropy plane", vec![panel])
}

fn profile() -> Figure {
    let blocks: Vec<f64> = (0..512).map(|at| f64::from(at) * 65_536.0).collect();
    let entropy = blocks.iter().zip(noise(512)).map(|(at, dust)| {
        let base: f64 = if *at < 6e6 {
            4.6
        } else if *at < 2.4e7 {
            7.93
        } else {
            0.4
        };
        (base + dust * 0.12).clamp(0.0, 8.0)
    });
    let profile = line("", blocks.clone(), entropy.collect(), Colour::First);
    let mut panel = panel(
        "offset (bytes)",
        "entropy (bits/byte)",
        vec![profile, reference(8.0, "limit"), reference(7.81, "random blocks")],
    );
    panel.y.range = Some((0.0, 8.2));
    figure("profile", "Entropy along the file", vec![panel])
}

fn spectrum() -> Figure {
    let frequency: Vec<f64> = (1..600).map(|at| f64::from(at) * 0.02).collect();
    let power =
        |(f, dust): (&f64, f64)| 3e-3 / f.powf(1.8) * (1.0 + 0.8 * dust) + 4e-2 * (-(f - 3.0_f64).powi(2) * 90.0).exp();
    let y = frequency.iter().zip(noise(600)).map(power).collect();
    let model = frequency.iter().map(|f| 3e-3 / f.powf(1.8)).collect();
    let marks =
        vec![line("data", frequency.clone(), y, Colour::First), line("power law", frequency, model, Colour::Second)];
    let mut panel = panel("frequency (Hz)", "power (mV²/Hz)", marks);
    panel.x.logarithmic = true;
    panel.y.logarithmic = true;
    figure("spectrum", "Power spectrum", vec![panel])
}

fn delays() -> Figure {
    let x: Vec<f64> = (1..=40).map(f64::from).collect();
    let curve = |phase: f64, level: f64| {
        x.iter().map(|x| level + 0.3 * (x / 40.0 * TAU + phase).cos() * (-x / 30.0).exp()).collect::<Vec<_>>()
    };
    let marks = vec![
        line("order 3", x.clone(), curve(0.0, 0.80), Colour::First),
        line("order 4", x.clone(), curve(0.4, 0.78), Colour::Second),
        line("order 5", x.clone(), curve(0.8, 0.76), Colour::Third),
        reference(0.95, "shuffled"),
    ];
    figure("delays", "Entropy by delay", vec![panel("delay (samples)", "normalized entropy", marks)])
}

fn edges(count: u32, low: f64, high: f64) -> Vec<f64> {
    (0..=count).map(|at| low + (high - low) * f64::from(at) / f64::from(count)).collect()
}

fn cells(
    size: (u32, u32),
    x: (f64, f64),
    y: (f64, f64),
    value: impl Fn(f64, f64) -> f64,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (x, y) = (edges(size.0, x.0, x.1), edges(size.1, y.0, y.1));
    let middle = |pair: &[f64]| f64::midpoint(pair[0], pair[1]);
    let values =
        y.windows(2).flat_map(|up| x.windows(2).map(|across| value(middle(across), middle(up))).collect::<Vec<_>>());
    let values = values.collect();
    (x, y, values)
}

fn phases() -> Figure {
    let order = |k: f64, noise: f64| 1.0 / (1.0 + (-(k - 1.2 - 2.0 * noise) * 4.0).exp());
    let (x, y, values) = cells((30, 20), (0.0, 3.0), (0.0, 0.8), order);
    let mark = Mark::Cells {
        x,
        y,
        values,
        title: "order parameter".to_owned(),
        range: Some((0.0, 1.0)),
        map: ColourMap::Viridis,
    };
    let border = line("", vec![1.2, 2.8], vec![0.0, 0.8], Colour::Muted);
    figure(
        "phases",
        "Order over coupling and noise",
        vec![panel("coupling (1/s)", "noise (rad/s)", vec![mark, border])],
    )
}

fn difference() -> Figure {
    let (x, y, values) = cells((24, 16), (-4.0, 4.0), (-3.0, 3.0), |x, y| 3.1e-8 * x * (-(x * x + y * y) / 4.0).exp());
    let mark = Mark::Cells {
        x,
        y,
        values,
        title: "transfer entropy, difference (bits/step)".to_owned(),
        range: None,
        map: ColourMap::Signed,
    };
    figure(
        "difference",
        "Difference of two runs",
        vec![panel("left-right distance (body lengths)", "front-back distance (body lengths)", vec![mark])],
    )
}

fn filling() -> Figure {
    let (x, y, mut values) = cells((40, 25), (0.0, 4.0), (0.0, 1.0), |x, y| (x * 2.0).sin() * y + 1.3);
    values[417..].fill(f64::NAN);
    let mark = Mark::Cells { x, y, values, title: "H (bits)".to_owned(), range: None, map: ColourMap::Viridis };
    figure("filling", "A sweep that is running", vec![panel("coupling", "noise", vec![mark])])
}

fn angles() -> Figure {
    let (x, y, values) = cells((60, 40), (-3.0, 3.0), (-2.0, 2.0), |x, y| y.atan2(x));
    let mark =
        Mark::Cells { x, y, values, title: "heading (rad)".to_owned(), range: Some((-PI, PI)), map: ColourMap::Cyclic };
    figure("angles", "Angles", vec![panel("x (m)", "y (m)", vec![mark])])
}

fn fine() -> Figure {
    let (x, y, values) =
        cells((2000, 300), (0.0, 100.0), (0.0, 30.0), |x, y| (x * 0.7).sin() * (y * 0.5 + x * 0.1).cos());
    let mark = Mark::Cells { x, y, values, title: "density (1/m)".to_owned(), range: None, map: ColourMap::Viridis };
    figure("fine", "More cells than pixels", vec![panel("time (s)", "position (m)", vec![mark])])
}

fn sweep(count: u32) -> Figure {
    let x: Vec<f64> = (0..=60).map(|at| f64::from(at) / 20.0).collect();
    let names = ["0.1", "0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "no coupling at all"];
    let marks = (0..count).zip(names).map(|(at, name)| {
        let y = x.iter().map(|x| 1.0 / (1.0 + (-(x - 0.6 - 0.25 * f64::from(at)) * 4.0).exp())).collect();
        line(name, x.clone(), y, Colour::nth(at as usize))
    });
    let panel = panel("time (s)", "order parameter", marks.collect());
    figure(&format!("sweep{count}"), "Order for each noise", vec![panel])
}

fn unnamed() -> Figure {
    let x: Vec<f64> = (0..=100).map(|at| f64::from(at) / 5.0).collect();
    let marks = (0..7_u32).map(|at| {
        let y = x.iter().map(|x| (x / 3.0).sin() + 0.6 * f64::from(at)).collect();
        let name =
            if at == 2 { "a rather long name of a curve that nobody will ever read to its end" } else { "short" };
        line(name, x.clone(), y, Colour::nth(at as usize))
    });
    figure("long-names", "Long names", vec![panel("time (s)", "level (m)", marks.collect())])
}

fn errors() -> Figure {
    let x: Vec<f64> = vec![10.0, 20.0, 40.0, 80.0, 160.0, 320.0];
    let mut marks = Vec::new();
    for (colour, level, name) in [(Colour::First, 1.0, "CPU"), (Colour::Second, 1.6, "GPU")] {
        let x: Vec<f64> = x.iter().map(|x| x * (0.9 + 0.1 * level)).collect();
        let y: Vec<f64> = x.iter().map(|x| level * (1.0 - (-x / 60.0).exp())).collect();
        let half = |x: &f64| 0.9 / x.sqrt();
        let low = x.iter().zip(&y).map(|(x, y)| y - half(x)).collect();
        let high = x.iter().zip(&y).map(|(x, y)| y + half(x) * 1.4).collect();
        let labels =
            x.iter().enumerate().map(|(at, _)| if at == 5 { name.to_owned() } else { String::new() }).collect();
        marks.push(Mark::Intervals { x: x.clone(), low, high, colour });
        marks.push(Mark::Points { x, y, labels, colour });
    }
    let mut panel = panel("group size", "mutual information (bits)", marks);
    panel.x.logarithmic = true;
    figure("errors", "Estimates with their intervals", vec![panel])
}

fn states() -> Figure {
    let x: Vec<f64> = (0..=600).map(|at| f64::from(at) / 5.0).collect();
    let level = |x: f64| {
        if x < 38.0 {
            0.15
        } else if x < 84.0 {
            0.93
        } else if x < 90.0 {
            0.5
        } else {
            0.3
        }
    };
    let y = |dust: f64| x.iter().zip(noise(601)).map(|(x, value)| level(*x) + value * dust).collect::<Vec<_>>();
    let spans = Mark::Spans {
        from: vec![0.0, 38.0, 84.0, 90.0],
        to: vec![38.0, 84.0, 90.0, 120.0],
        labels: ["swarm", "schooling", "turning", "milling"].map(str::to_owned).to_vec(),
        colours: vec![Colour::First, Colour::Third, Colour::Seventh, Colour::Second],
    };
    let marks = vec![
        spans.clone(),
        line("polarization", x.clone(), y(0.05), Colour::First),
        line("milling", x.clone(), y(0.1).iter().map(|y| 0.9 - y).collect(), Colour::Second),
    ];
    let below = vec![spans, line("", x.clone(), y(0.3), Colour::First)];
    figure(
        "states",
        "States over time",
        vec![panel("time (s)", "order", marks), panel("time (s)", "speed (m/s)", below)],
    )
}

fn shapes() -> Figure {
    let marks = (0..8_u32).map(|at| {
        let x: Vec<f64> = (0..9).map(f64::from).collect();
        let y = x.iter().map(|x| f64::from(at) + 0.3 * (x * 0.9 + f64::from(at)).sin()).collect();
        Mark::Points { x, y, labels: Vec::new(), colour: Colour::nth(at as usize) }
    });
    figure("shapes", "A marker for each colour", vec![panel("x", "y", marks.collect())])
}

fn thinned() -> Figure {
    let x: Vec<f64> = (0..200_000).map(|at| (f64::from(at) / 20_000.0).powi(2)).collect();
    let y: Vec<f64> = x.iter().zip(noise(200_000)).map(|(x, dust)| (x / 8.0).sin() + dust * 0.2).collect();
    let marks = vec![surprisal_core::figure::line(&x, &y, 800, "run 1", Colour::First)];
    figure("thinned", "Two hundred thousand uneven samples", vec![panel("time (s)", "speed (m/s)", marks)])
}
