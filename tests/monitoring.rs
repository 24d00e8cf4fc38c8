//! What monitoring systems get to see, judged by their own tools: the plugin's line and exit code
//! by two public plugin libraries.

#[path = "common/judge.rs"]
mod judge;

use std::process::{Command, Output, Stdio};

use judge::{ask, lines};

const RECORDED: &str = "tests/data/older/direct-lvm.thinscope";

fn thinscope(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thinscope"));
    command.args(arguments).env_clear().env("LANG", "C.UTF-8").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    thinscope(arguments).output().expect("the binary was built for this test")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("what it prints is UTF-8")
}

/// The check of the recorded host with more arguments.
fn check(arguments: &[&str]) -> Output {
    run(&[&["--from", RECORDED, "check"], arguments].concat())
}

#[test]
fn a_healthy_recorded_host_is_ok_in_one_line() {
    let output = check(&[]);
    let line = text(&output.stdout);
    assert_eq!(code(&output), 0, "{line}");
    assert!(line.starts_with("THINSCOPE OK: docker-thinpool data "), "{line}");
    assert!(line.ends_with('\n') && line.lines().count() == 1, "{line}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let words = line.split(" | ").next().expect("a line has a first part");
    assert!(words.len() < 80, "{words}");
}

#[test]
fn each_state_has_its_exit_code() {
    for (arguments, state, exit) in [
        (&["-w", "80", "-c", "90"][..], "OK", 0),
        (&["-w", "0:0", "-c", "90"], "WARNING", 1),
        (&["-w", "0:0", "-c", "0:0"], "CRITICAL", 2),
        (&["--warning=@0:100"], "WARNING", 1),
        (&["-w", "~:-1", "-c", "~:-1"], "CRITICAL", 2),
        (&["-w", "-5:-1", "-c", "101"], "WARNING", 1),
    ] {
        let output = check(arguments);
        let line = text(&output.stdout);
        assert_eq!(code(&output), exit, "{arguments:?}: {line}");
        assert!(line.starts_with(&format!("THINSCOPE {state}: ")), "{line}");
    }
}

#[test]
fn help_version_and_whatever_is_not_understood_exit_with_three() {
    for arguments in [
        &["check", "--help"][..],
        &["check", "-h"],
        &["check", "-V"],
        &["check", "--version"],
        &["check", "--no-such-option"],
        &["check", "surplus"],
        &["check", "-w"],
        &["check", "-w", "80%"],
        &["check", "-w", "20:10"],
        &["check", "-c", ""],
        &["check", "-t", "0"],
        &["check", "-t", "soon"],
        &["--refresh", "soon", "check"],
        &["--refresh", "0", "check"],
        &["--from", "a", "--root", "b", "check"],
        &["--config", "/no/such/file", "check"],
        &["--from", "/no/such/file", "check"],
        &["--root", "/no/such/folder", "check"],
        &["--root", "Cargo.toml", "check"],
        &["--asci", "check"],
        &["--bogus", "check"],
        &["-x", "check"],
        &["--from=", "check"],
        &["--ascii=1", "check"],
        &["--refresh", "-1", "check"],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 3, "{arguments:?}: {}", text(&output.stdout));
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    for arguments in [
        &["check", "--no-such-option"][..],
        &["check", "-w", "80%"],
        &["--asci", "check"],
        &["--from=", "check"],
        &["--refresh", "-1", "check"],
        &["--root", "/no/such/folder", "check"],
    ] {
        let output = run(arguments);
        let line = text(&output.stdout);
        assert!(line.starts_with("THINSCOPE UNKNOWN: "), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    let version = run(&["check", "-V"]);
    assert!(text(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_was_typed_comes_back_harmlessly() {
    let output = run(&["check", "-w", "\u{1b}]0;owned\u{7}|x\ny"]);
    assert_eq!(code(&output), 3);
    let line = text(&output.stdout);
    assert!(!line.contains('\u{1b}') && !line.contains('|') && line.lines().count() == 1, "{line}");
}

#[test]
fn more_is_said_only_where_more_is_asked_for() {
    let quiet = check(&["-w", "0:0"]);
    assert_eq!(text(&quiet.stdout).lines().count(), 1);
    assert_eq!(text(&check(&["-w", "0:0", "-v"]).stdout).lines().count(), 1);
    let more = check(&["-w", "0:0", "-vv"]);
    assert!(text(&more.stdout).lines().count() > 1, "{}", text(&more.stdout));
    let first = |output: &Output| text(&output.stdout).lines().next().map(str::to_owned);
    let figures = |line: Option<String>| line.and_then(|l| Some(l.split_once(" | ")?.1.to_owned()));
    assert_eq!(figures(first(&quiet)), figures(first(&more)));
}

#[test]
fn an_answer_that_nobody_can_read_is_unknown() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = thinscope(&["--from", RECORDED, "check"]).stdout(full).output();
    assert_eq!(code(&output.expect("the binary was built")), 3);
}

#[test]
fn this_machine_is_never_ok_without_a_pool() {
    let output = run(&["check", "-t", "20"]);
    if text(&output.stdout).contains(" | ") {
        return; // this machine has a pool: the lab looks at such
    }
    assert_eq!(code(&output), 3, "{}", text(&output.stdout));
    assert!(text(&output.stdout).starts_with("THINSCOPE UNKNOWN: "), "{}", text(&output.stdout));
}

/// Ranges for the judges: all that the guidelines name, at and beside the recorded value.
fn ranges(value: &str) -> Vec<String> {
    let mut ranges: Vec<String> =
        ["0", "1", "100", "10:", "~:10", "@0:100", "@10", ":5", "-10:-5.5", "~:", "@~:0", "0.5:"]
            .map(str::to_owned)
            .into();
    for form in ["V", "V:", "~:V", "@V", "@V:", "V:V", "@V:V", "0:V", "@~:V", "-1:V"] {
        ranges.push(form.replace('V', value));
    }
    ranges
}

/// The value of the first figure of the recorded host.
fn recorded_value() -> String {
    let output = check(&[]);
    let (_, figures) = text(&output.stdout).split_once("'docker-thinpool data'=").expect("there");
    figures.split('%').next().expect("its unit").to_owned()
}

#[test]
fn two_public_libraries_judge_every_range_as_the_check_does() {
    let value = recorded_value();
    let ranges = ranges(&value);
    let words: Vec<&str> =
        std::iter::once(value.as_str()).chain(ranges.iter().map(String::as_str)).collect();
    let python = "import sys, nagiosplugin\nfor r in sys.argv[2:]:\n  \
                  print(int(not nagiosplugin.Range(r).match(float(sys.argv[1]))))";
    let perl = "my $v = shift; for my $r (@ARGV) { \
                my $x = Monitoring::Plugin::Range->parse_range_string($r); \
                print $x->check_range($v) ? 1 : 0, qq(\\n) }";
    let judges = [
        lines(&ask("/usr/bin/python3", &["-c", python], &words, "python3-nagiosplugin")),
        lines(&ask(
            "/usr/bin/perl",
            &["-MMonitoring::Plugin::Range", "-e", perl],
            &words,
            "libmonitoring-plugin-perl",
        )),
    ];
    for (at, range) in ranges.iter().enumerate() {
        // metadata is judged by the same range: it must not be what alerts
        let output = check(&["-v", "-w", range, "-c", "~:"]);
        let ours = text(&output.stdout).contains(" data ") && {
            let words = text(&output.stdout).split(" | ").next().unwrap_or_default().to_owned();
            words.contains(&format!("docker-thinpool data {value}% used"))
        };
        for judge in &judges {
            assert_eq!(judge[at] == "1", ours, "{range}: {}", text(&output.stdout));
        }
    }
}

#[test]
fn a_public_library_reads_the_performance_data() {
    // this library reads no `@` in performance data
    let output = check(&["-w", "0:20", "-c", "~:90"]);
    let (_, figures) = text(&output.stdout).trim_end().split_once(" | ").expect("figures");
    let perl = "for my $p (Monitoring::Plugin::Performance->parse_perfstring($ARGV[0])) { \
                print join(q(;), map { defined $_ ? $_ : q() } $p->label, $p->value, $p->uom, \
                $p->warning, $p->critical, $p->min, $p->max), qq(\\n) }";
    let read = ask(
        "/usr/bin/perl",
        &["-MMonitoring::Plugin::Performance", "-e", perl],
        &[figures],
        "libmonitoring-plugin-perl",
    );
    let read = lines(&read);
    assert_eq!(read.len(), 4, "{read:?}");
    let value = recorded_value();
    assert_eq!(read[0], format!("docker-thinpool data;{value};%;0:20;~:90;0;100"));
    assert!(read[1].starts_with("docker-thinpool data used;") && read[1].contains(";B;;;0;"));
}

/// The figures of a recorded host.
fn metrics(recorded: &str) -> String {
    let output = run(&["--from", recorded, "metrics"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// All that is recorded, with odd names too.
fn recorded_hosts() -> [&'static str; 2] {
    [RECORDED, "assets/demo/loop-lvm.thinscope"]
}

#[test]
fn prometheus_own_checker_finds_nothing_to_complain_of() {
    for host in recorded_hosts() {
        let said = judge::tell(&judge::promtool(), &["check", "metrics"], &metrics(host));
        assert_eq!(said, "", "{host}");
    }
    let bad = judge::try_tell(&judge::promtool(), &["check", "metrics"], "a_total 1\na_total 2\n");
    assert!(bad.is_err(), "the checker does refuse what is wrong");
}

#[test]
fn an_openmetrics_parser_reads_every_figure() {
    let python = "import sys\nfrom prometheus_client.openmetrics import parser\n\
                  for f in parser.text_string_to_metric_families(sys.stdin.read()):\n  \
                  for s in f.samples: print(f.type, f.unit, s.name, *sorted(s.labels.items()), s.value)";
    for host in recorded_hosts() {
        let figures = metrics(host);
        let read = judge::tell("/usr/bin/python3", &["-c", python], &figures);
        let samples = figures.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(read.lines().count(), samples, "{read}");
        assert!(read.lines().all(|line| line.starts_with("gauge ")), "{read}");
        assert!(read.contains("bytes thinscope_pool_data_used_bytes"), "{read}");
    }
}

#[test]
fn the_figures_are_those_of_the_other_reports() {
    let figures = metrics(RECORDED);
    let pools = run(&["--from", RECORDED, "pool", "--json"]);
    let pools: serde_json::Value = serde_json::from_slice(&pools.stdout).expect("it is JSON");
    let pool = &pools["pools"][0];
    for (series, key) in [
        ("data_used_bytes", "data_used_bytes"),
        ("data_size_bytes", "data_total_bytes"),
        ("metadata_used_bytes", "metadata_used_bytes"),
        ("metadata_size_bytes", "metadata_total_bytes"),
        ("chunk_size_bytes", "block_size_bytes"),
        ("transaction_id", "transaction_id"),
    ] {
        let line = format!("thinscope_pool_{series}{{pool=\"docker-thinpool\"}} {}\n", pool[key]);
        assert!(figures.contains(&line), "{line} in {figures}");
    }
    let findings = run(&["--from", RECORDED, "findings", "--json"]);
    let findings: serde_json::Value = serde_json::from_slice(&findings.stdout).expect("JSON");
    for finding in findings["findings"].as_array().expect("a list") {
        let code = finding["code"].as_str().expect("a code");
        assert!(!figures.contains(&format!("thinscope_findings{{code=\"{code}\"}} 0\n")), "{code}");
    }
}

#[test]
fn the_file_is_for_everybody_s_eyes_and_whole() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("thinscope.prom");
    let file = path.to_str().expect("an ASCII name");
    let output = run(&["--from", RECORDED, "metrics", "--output", file]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    let mode = std::fs::metadata(&path).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(std::fs::read_to_string(&path).expect("text").ends_with("\n# EOF\n"));
    // where nothing can be read, what was there is left
    let output = run(&["--from", "/no/such/file", "metrics", "--output", file]);
    assert_eq!(code(&output), 3);
    assert!(std::fs::read_to_string(&path).expect("text").ends_with("\n# EOF\n"));
    let output = run(&["--from", RECORDED, "metrics", "-o", "/no/such/folder/file"]);
    assert_eq!(code(&output), 4);
    assert!(text(&output.stderr).contains("/no/such/folder/file"), "{}", text(&output.stderr));
}

#[test]
fn the_example_rules_pass_their_own_checker_and_alert_when_they_should() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/monitoring");
    for (verb, file) in [("check", "alerts.rules.yml"), ("test", "alerts.test.yml")] {
        let file = format!("{dir}/{file}");
        judge::ask(&judge::promtool(), &[verb, "rules"], &[&file], "prometheus");
    }
}

#[test]
fn rules_and_dashboard_speak_of_figures_that_there_are() {
    let mut known: Vec<String> = metrics(RECORDED)
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned()))
        .collect();
    // read of a pool whose mappings are not in the recording
    known.push("thinscope_pool_held_bytes".to_owned());
    // told where the history carries a forecast, and a recording has none
    known.push("thinscope_pool_full_in_seconds".to_owned());
    for file in ["alerts.rules.yml", "grafana-dashboard.json"] {
        let text = std::fs::read_to_string(format!("assets/monitoring/{file}")).expect("there");
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named: Vec<&str> =
            text.split(|c| !word(c)).filter(|name| name.starts_with("thinscope_")).collect();
        assert!(named.len() > 5, "{file}");
        for name in named {
            assert!(known.iter().any(|one| one == name), "{file} speaks of {name}");
        }
    }
    let dashboard = std::fs::read("assets/monitoring/grafana-dashboard.json").expect("there");
    let dashboard: serde_json::Value = serde_json::from_slice(&dashboard).expect("it is JSON");
    assert!(dashboard["panels"].as_array().expect("panels").len() > 5);
}

/// A watch of this machine, or of what the arguments name.
fn watch(arguments: &[&str]) -> std::process::Child {
    let mut command = thinscope(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary was built for this test")
}

#[test]
fn a_recorded_host_is_watched_to_its_end() {
    for json in [false, true] {
        let arguments = ["--from", RECORDED, "watch", "--json"];
        let output = run(&arguments[..if json { 4 } else { 3 }]);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        let lines: Vec<&str> = text(&output.stdout).lines().collect();
        assert!(lines.len() >= 3, "{lines:?}");
        assert!(lines[0].contains("recorded"), "{lines:?}");
        let last = lines[lines.len() - 1];
        assert!(last.contains("a recorded host: nothing more happens"), "{last}");
        if json {
            for line in lines {
                let line: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
                assert_eq!(line["format"], 1);
                for key in ["time", "kind", "subject", "text"] {
                    assert!(line[key].is_string(), "{key} in {line}");
                }
            }
        }
    }
}

#[test]
fn a_signal_ends_a_watch_cleanly() {
    use nix::sys::signal::{Signal, kill};
    use std::io::{BufRead, BufReader};
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut child = watch(&["watch", "--json"]);
        let mut first = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it was asked for"));
        lines.read_line(&mut first).expect("it says what is there");
        let pid = i32::try_from(child.id()).expect("a pid");
        kill(nix::unistd::Pid::from_raw(pid), signal).expect("it runs");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(code(&output), 0, "{signal}: {}", text(&output.stderr));
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut lines, &mut rest).expect("text");
        assert!(!rest.contains("\"end\""), "that it was ended is no event: {rest}");
        assert!(serde_json::from_str::<serde_json::Value>(&first).is_ok(), "{first}");
    }
}

#[test]
fn a_watch_that_nobody_reads_any_more_ends_while_nothing_happens() {
    use std::io::{BufRead, BufReader};
    let mut child = watch(&["watch"]);
    let mut lines = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("it says what is there");
    drop(lines);
    let output = child.wait_with_output().expect("it ends by itself");
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}
