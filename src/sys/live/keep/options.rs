//! The storage options among the words of a daemon's unit file, sysconfig file or command line.

/// Options that say where and how Docker stores, with the long form of the short ones.
const OPTIONS: [(&str, &str); 7] = [
    ("--storage-opt", "--storage-opt"),
    ("--storage-driver", "--storage-driver"),
    ("-s", "--storage-driver"),
    ("--graph", "--graph"),
    ("-g", "--graph"),
    ("--data-root", "--data-root"),
    ("--userns-remap", "--userns-remap"),
];

/// Each kept option with its value as `--name=value` on a line of its own, in the file's order.
/// Comment lines are left out; quotes and continued lines are read as a shell and systemd do as
/// far as these options need it.
pub(super) fn kept(file: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(file).replace("\\\n", " ");
    let mut out = String::new();
    for line in text.lines().map(str::trim_start) {
        if !line.starts_with(['#', ';']) {
            keep_line(line, &mut out);
        }
    }
    out.into_bytes()
}

fn keep_line(line: &str, out: &mut String) {
    let mut words = line
        // `/proc/PID/cmdline` ends its words with null bytes
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\0'))
        .filter(|word| !word.is_empty())
        .map(without_variable)
        .peekable();
    while let Some(word) = words.next() {
        let (name, own) = word.split_once('=').map_or((word, None), |(n, v)| (n, Some(v)));
        let Some((_, long)) = OPTIONS.iter().find(|(option, _)| *option == name) else {
            continue;
        };
        let value = match own {
            Some("") | None => words.next_if(|next| !next.starts_with('-')),
            some => some,
        };
        if let Some(value) = value {
            out.push_str(long);
            out.push('=');
            out.push_str(value);
            out.push('\n');
        }
    }
}

/// `VARIABLE=--option` without the variable.
fn without_variable(word: &str) -> &str {
    match word.split_once("=-") {
        Some((variable, _)) if !variable.starts_with('-') => {
            word.get(variable.len() + 1..).unwrap_or(word)
        }
        _ => word,
    }
}
