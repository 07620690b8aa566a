//! Draws a sample of every kind of figure into a folder, to look at them:
//! `cargo run -p surprisal-core --features bitmap --example figures -- FOLDER`.

use std::{f64::consts::TAU, fs, path::PathBuf};
use surprisal_core::figure::{
    Axis, Colour, Figure, Mark, Panel, Style, Theme, categories, histogram, preferred_height, series, to_png, to_svg,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "figures".to_owned()));
    fs::create_dir_all(&folder)?;
    for figure in figures() {
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
