//! A plan as a shell script that does the same by hand, with what must hold said in comments, and
//! every word quoted.

use super::{Plan, Step};

/// One command as a line of shell.
pub fn line(argv: &[String]) -> String {
    argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word, in quotes where a shell would read more into it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:=,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The whole script.
pub fn script(plan: &Plan) -> String {
    let mut out = String::from("#!/bin/sh\n");
    let mut comment = |text: &str| comment(&mut out, text);
    comment(&format!("thinscope {}", plan.intent));
    comment(&format!("made for host {} by thinscope {}", plan.basis.host, plan.basis.version));
    comment("thinscope checks before and after every step; this script only runs the commands.");
    comment("Read each comment, and stop where what it says is not so.");
    plan.warnings.iter().for_each(|warning| comment(&format!("warning: {warning}")));
    out.push_str("set -eu\n");
    for (at, step) in plan.steps.iter().enumerate() {
        write_step(&mut out, at + 1, step);
    }
    for next in &plan.next {
        comment_after(&mut out, next);
    }
    out
}

fn comment(out: &mut String, text: &str) {
    // a newline in a name would end the comment; names were made printable before, this is a belt
    for text in text.split(['\n', '\r']) {
        out.push_str("# ");
        out.push_str(text);
        out.push('\n');
    }
}

fn comment_after(out: &mut String, text: &str) {
    out.push('\n');
    comment(out, &format!("then: {text}"));
}

fn write_step(out: &mut String, number: usize, step: &Step) {
    out.push('\n');
    comment(out, &format!("{number}. {}", step.action.title()));
    comment(out, &format!("   {}", step.why));
    step.before.iter().for_each(|check| comment(out, &format!("   before: {check}")));
    for argv in step.action.commands() {
        out.push_str(&line(&argv));
        out.push('\n');
    }
    step.after.iter().for_each(|check| comment(out, &format!("   after: {check}")));
    comment(out, &format!("   undo: {}", step.action.undo()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_would_read_are_quoted() {
        let words = ["dmsetup", "load", "a b", "it's", "", "$(reboot)", ">1024"];
        let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(line(&argv), r"dmsetup load 'a b' 'it'\''s' '' '$(reboot)' '>1024'");
    }
}
