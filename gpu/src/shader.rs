//! From the files beside the kernels to the WGSL text that a compiler is given.
//!
//! Three directives, each a line of its own:
//!
//! - `#import "name"` is replaced by `wgsl/name.wgsl`;
//! - `#repeat x FROM TO` … `#end` writes the lines between once for each number from FROM up to but not including
//!   TO, with `$x` replaced by the number. Bounds are numbers, constants, or sums of them (`M+1`). Small loops
//!   are written out because compilers differ in what they unroll, and an array that stays indexed costs registers.
//!
//! Numbers that Rust and WGSL share come from Rust: they stand as `const` declarations at the top of the text.

use std::fmt::Write as _;

/// Threads in a workgroup, for all kernels: what every adapter offers.
pub(crate) const THREADS: u32 = 256;
/// The largest number of workgroups in one dimension of a dispatch. Kernels stride over their input or are
/// dispatched in batches, so none needs a second dimension.
pub(crate) const MAX_GROUPS: u32 = 65_535;

const SHARED: [(&str, &str); 12] = [
    ("batch", include_str!("wgsl/batch.wgsl")),
    ("count", include_str!("wgsl/count.wgsl")),
    ("nn", include_str!("wgsl/nn.wgsl")),
    ("nn_job", include_str!("wgsl/nn_job.wgsl")),
    ("nn_linear", include_str!("wgsl/nn_linear.wgsl")),
    ("nn_norm", include_str!("wgsl/nn_norm.wgsl")),
    ("nn_update", include_str!("wgsl/nn_update.wgsl")),
    ("nn_window", include_str!("wgsl/nn_window.wgsl")),
    ("random", include_str!("wgsl/random.wgsl")),
    ("swarm", include_str!("wgsl/swarm.wgsl")),
    ("swarm_types", include_str!("wgsl/swarm_types.wgsl")),
    ("symbols", include_str!("wgsl/symbols.wgsl")),
];

/// The WGSL text of `source` with its imports and constants.
///
/// # Panics
/// On a directive that does not parse: the sources are part of this program, and a test composes all of them.
pub(crate) fn compose(source: &str, constants: &[(&str, u32)]) -> String {
    let mut text = String::new();
    for (name, value) in constants.iter().chain(&[("THREADS", THREADS)]) {
        let _ = writeln!(text, "const {name}: u32 = {value}u;");
    }
    let mut whole = String::new();
    for line in source.lines() {
        match line.trim().strip_prefix("#import ") {
            Some(name) => {
                let wanted = name.trim_matches('"');
                let file = SHARED.iter().find(|(name, _)| *name == wanted);
                whole.push_str(file.unwrap_or_else(|| panic!("no shared WGSL called {name}")).1);
            }
            None => whole.push_str(line),
        }
        whole.push('\n');
    }
    expand(&mut whole.lines(), constants, &mut text);
    text
}

/// Copies lines up to the end of the block, with its repetitions written out.
fn expand<'a>(lines: &mut impl Iterator<Item = &'a str>, constants: &[(&str, u32)], out: &mut String) {
    while let Some(line) = lines.next() {
        let Some(head) = line.trim().strip_prefix("#repeat ") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let [name, from, to] = head.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("#repeat x FROM TO, not {line}")
        };
        let (from, to) = (bound(from, constants), bound(to, constants));
        let mut body = Vec::new();
        let mut depth = 1;
        for inner in lines.by_ref() {
            match inner.trim() {
                "#end" => depth -= 1,
                start if start.starts_with("#repeat ") => depth += 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            body.push(inner);
        }
        for number in from..to {
            let block = body.join("\n").replace(&format!("${name}"), &number.to_string());
            expand(&mut block.lines(), constants, out);
        }
    }
}

fn bound(text: &str, constants: &[(&str, u32)]) -> u32 {
    let term = |term: &str| {
        let constant = constants.iter().find(|(name, _)| *name == term).map(|(_, value)| *value);
        constant.or_else(|| term.parse().ok()).unwrap_or_else(|| panic!("{term} is no number and no constant"))
    };
    text.split('+').map(term).sum()
}

#[cfg(test)]
mod tests {
    use super::compose;

    #[test]
    fn repetitions_nest_and_take_constants() {
        let text = compose("#repeat s 0 N\n#repeat j $s+1 N\nx_$s < x_$j\n#end\n#end\nlast", &[("N", 3)]);
        let body = text.lines().filter(|line| !line.starts_with("const")).collect::<Vec<_>>();
        assert_eq!(body, ["x_0 < x_1", "x_0 < x_2", "x_1 < x_2", "last"]);
        assert!(text.starts_with("const N: u32 = 3u;\nconst THREADS: u32 = 256u;\n"));
    }
}
