//! Equations in LaTeX, as experiments and measures say them beside the plain text: one displayed formula a line.
//!
//! From them come, with no second source, the `$$ … $$` of the reference, what the command line lists, and the MathML that
//! the page shows. Lines are kept apart because GitHub's Markdown takes a backslash before punctuation away before it reads
//! mathematics: no `\\`, `\,` or `\{` survives there, nor does `<`. The test `reference` refuses what would not.

/// All lines as one formula, under each other where there are several: what a display environment takes.
#[must_use]
pub fn display(lines: &[&str]) -> String {
    match lines {
        [line] => (*line).to_owned(),
        lines => format!(r"\begin{{gathered}} {} \end{{gathered}}", lines.join(r" \\ ")),
    }
}

#[cfg(test)]
mod tests {
    use super::display;

    #[test]
    fn one_line_stands_by_itself() {
        assert_eq!(display(&["a"]), "a");
        assert_eq!(display(&["a", "b"]), r"\begin{gathered} a \\ b \end{gathered}");
    }
}
