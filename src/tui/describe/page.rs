//! The page of a finding as lines: headings, paragraphs that take any width, commands as they
//! are.

use super::Line;

/// A page without its first line, which is its code.
pub(super) fn lay_out(page: &'static str) -> Vec<Line> {
    let mut lines = vec![Line::Blank, Line::Head("its page")];
    let mut paragraph = String::new();
    let text = page.split_once('\n').map_or("", |(_, rest)| rest);
    for line in text.trim().lines() {
        let head = line.strip_prefix("## ");
        // commands and items of a list keep their lines
        let alone = line.starts_with("    ") || begins_item(line);
        if line.is_empty() || head.is_some() || alone {
            flush(&mut lines, &mut paragraph);
        }
        match head {
            Some(head) => lines.push(Line::Head(head)),
            None if line.is_empty() => lines.push(Line::Blank),
            None if line.starts_with("    ") => lines.push(Line::Text(line.to_owned())),
            None => {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line.trim());
            }
        }
    }
    flush(&mut lines, &mut paragraph);
    lines
}

fn flush(lines: &mut Vec<Line>, paragraph: &mut String) {
    if !paragraph.is_empty() {
        lines.push(Line::Text(std::mem::take(paragraph)));
    }
}

/// `- one` or `1. one`.
fn begins_item(line: &str) -> bool {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with("- ") || (number.len() < line.len() && number.starts_with(". "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_flow_and_commands_stand() {
        let page = "# code\n\nOne\ntwo.\n\n## What to do\n1. First\n   goes on\n2. Second\n\n    \
                    lvs -a\n\n## Sources\nlvs(8)\n";
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(
            lay_out(page),
            [
                Line::Blank,
                Line::Head("its page"),
                text("One two."),
                Line::Blank,
                Line::Head("What to do"),
                text("1. First goes on"),
                text("2. Second"),
                Line::Blank,
                text("    lvs -a"),
                Line::Blank,
                Line::Head("Sources"),
                text("lvs(8)"),
            ]
        );
    }
}
