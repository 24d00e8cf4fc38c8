//! The manual page: everything on one, commands with what they take.

use std::io::{self, Write};

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// Writes the page of a command line's definition.
pub(super) fn write(definition: &Command, out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    let page = Man::new(definition.clone());
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    synopsis().to_writer(&mut out)?;
    page.render_description_section(&mut out)?;
    commands(definition).to_writer(&mut out)?;
    page.render_options_section(&mut out)?;
    page.render_extra_section(&mut out)
}

fn synopsis() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["SYNOPSIS"]);
    section.text([bold("thinscope"), roman(" [OPTIONS] [COMMAND]")]);
    section
}

fn commands(definition: &Command) -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["COMMANDS"]);
    for command in definition.get_subcommands().filter(|command| !command.is_hide_set()) {
        let words: Vec<String> = command.get_arguments().map(takes).collect();
        section.control("TP", []);
        section.text([bold(command.get_name()), roman(format!(" {}", words.join(" ")))]);
        section.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            section.control("br", []);
            section.text([bold(name(argument)), roman(format!(": {help}"))]);
        }
    }
    section
}

/// `[--json]`, `[-o FILE]`, `[POOL]`, `CODE`.
fn takes(argument: &Arg) -> String {
    let name = name(argument);
    if argument.is_required_set() { name } else { format!("[{name}]") }
}

fn name(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default().join(" ");
    let flag = argument
        .get_long()
        .map(|long| format!("--{long}"))
        .or(argument.get_short().map(|short| format!("-{short}")));
    match flag {
        None => values,
        Some(flag) if argument.get_action().takes_values() => format!("{flag} {values}"),
        Some(flag) => flag,
    }
}
