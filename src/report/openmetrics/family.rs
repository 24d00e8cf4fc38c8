//! Metric families as text: what OpenMetrics and Prometheus' older text format both read.
//!
//! Every family is a gauge: the other types are written differently in the two formats, and the
//! node exporter reads the older one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

/// One family: its name, what it is, and its samples.
#[derive(Debug)]
pub(super) struct Family {
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    samples: Vec<String>,
    known: BTreeSet<String>,
}

/// A label's name and value.
pub(super) type Label<'a> = (&'static str, &'a str);

impl Family {
    /// Without samples. `name` ends in `unit`, where it has one.
    pub(super) fn new(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        debug_assert!(unit.is_empty() || name.ends_with(unit), "{name} is measured in {unit}");
        Self { name, unit, help, samples: Vec::new(), known: BTreeSet::new() }
    }

    /// Adds a sample; what is not known has none. Of two with the same labels the first counts:
    /// one line twice makes a reader refuse the whole file.
    pub(super) fn add(&mut self, labels: &[Label<'_>], value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        let labels = written(labels);
        if self.known.insert(labels.clone()) {
            self.samples.push(format!("{}{labels} {value}", self.name));
        }
    }

    /// Prints it, unless it has no sample.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.samples.is_empty() {
            return Ok(());
        }
        writeln!(out, "# HELP {} {}", self.name, self.help)?;
        writeln!(out, "# TYPE {} gauge", self.name)?;
        if !self.unit.is_empty() {
            writeln!(out, "# UNIT {} {}", self.name, self.unit)?;
        }
        self.samples.iter().try_for_each(|sample| writeln!(out, "{sample}"))
    }
}

/// `{a="b",c="d"}`, or nothing.
fn written(labels: &[Label<'_>]) -> String {
    let mut text = String::new();
    for (nth, (name, value)) in labels.iter().enumerate() {
        text.push(if nth == 0 { '{' } else { ',' });
        let _ = write!(text, "{name}=\"");
        for c in value.chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(family: &Family) -> String {
        let mut out = Vec::new();
        family.write(&mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn a_family_has_its_head_once_and_a_line_for_each_sample() {
        let mut family = Family::new("a_bytes", "bytes", "What it is.");
        family.add(&[("pool", "one")], Some(1_099_511_627_776.0));
        family.add(&[("pool", "two"), ("role", "base")], Some(0.25));
        assert_eq!(
            text(&family),
            "# HELP a_bytes What it is.\n# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n\
             a_bytes{pool=\"one\"} 1099511627776\na_bytes{pool=\"two\",role=\"base\"} 0.25\n"
        );
    }

    #[test]
    fn a_label_s_value_cannot_end_itself() {
        let mut family = Family::new("a", "", "A.");
        family.add(&[("pool", "x\"} 7\n\\x1b")], Some(1.0));
        assert!(text(&family).ends_with("a{pool=\"x\\\"} 7\\n\\\\x1b\"} 1\n"), "{}", text(&family));
    }

    #[test]
    fn what_is_not_known_has_no_sample_and_no_head() {
        let mut family = Family::new("a", "", "A.");
        family.add(&[], None);
        family.add(&[], Some(f64::NAN));
        assert_eq!(text(&family), "");
    }

    #[test]
    fn the_same_labels_twice_are_one_sample() {
        let mut family = Family::new("a", "", "A.");
        family.add(&[("pool", "p")], Some(1.0));
        family.add(&[("pool", "p")], Some(2.0));
        assert!(text(&family).ends_with("a{pool=\"p\"} 1\n") && text(&family).lines().count() == 3);
    }
}
