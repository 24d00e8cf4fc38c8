//! Agreeing: by words of the command line, else by typing them, never by default.

use std::io::{self, BufRead, IsTerminal, Write};

use nix::sys::termios::{FlushArg, tcflush};

use crate::plan::{Consent, Danger, Plan};
use crate::run::{Trouble, print};

/// Gets all consents that a plan needs, or says which is missing.
pub(super) fn agree(plan: &Plan, yes: &[String]) -> Result<(), Trouble> {
    let missing: Vec<&Consent> =
        plan.consents.iter().filter(|consent| !is_given(consent, yes)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let people = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !people || !yes.is_empty() {
        return Err(Trouble::Refused(lacking(&missing, yes)));
    }
    missing.into_iter().try_for_each(ask)
}

fn is_given(consent: &Consent, yes: &[String]) -> bool {
    consent.words.iter().any(|word| yes.contains(word))
}

fn lacking(missing: &[&Consent], yes: &[String]) -> String {
    let words: Vec<String> = missing
        .iter()
        .map(|consent| format!("--yes={} ({})", consent.words.join(" or --yes="), consent.to))
        .collect();
    let wrong = if yes.is_empty() { "" } else { ", and what was given agrees to something else" };
    format!("nothing was done: consent is missing{wrong}: {}", words.join("; "))
}

/// One question at the terminal.
fn ask(consent: &Consent) -> Result<(), Trouble> {
    let word = consent.words.first().map_or("", String::as_str);
    let question = match consent.danger {
        Danger::Reversible => format!("{}: Enter to go on, anything else to leave", consent.to),
        Danger::HardToUndo | Danger::Destroys => {
            format!("{}: type {word} to go on", consent.to)
        }
    };
    // what was typed before the question could be read agrees to nothing
    let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
    let mut line = String::new();
    let asked = write!(io::stderr(), "{question}: ").and_then(|()| io::stderr().flush());
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut line));
    let typed = line.trim();
    let agreed = match consent.danger {
        Danger::Reversible => matches!(read, Ok(read) if read > 0) && typed.is_empty(),
        _ => read.is_ok() && consent.words.iter().any(|word| word == typed),
    };
    if agreed {
        return Ok(());
    }
    print::message(&"nothing was done");
    Err(Trouble::Stopped)
}
