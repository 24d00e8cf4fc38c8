//! Performance data: `'label'=value[UOM];warn;crit;min;max`, one after another.

use std::fmt::{self, Write};

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) label: String,
    /// `None` is printed as `U`: the value could not be determined.
    pub(super) value: Option<f64>,
    /// `%`, `B`, `s` or nothing.
    pub(super) unit: &'static str,
    pub(super) warn: String,
    pub(super) crit: String,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Figure {
    /// Without thresholds, from zero up.
    pub(super) fn new(label: String, value: Option<f64>, unit: &'static str) -> Self {
        let (warn, crit) = (String::new(), String::new());
        Self { label, value, unit, warn, crit, min: Some(0.0), max: None }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_label(f, &self.label)?;
        match self.value {
            Some(value) => write!(f, "={}{}", number(value), self.unit)?,
            None => f.write_str("=U")?,
        }
        let bound = |value: Option<f64>| value.map(number).unwrap_or_default();
        let parts = [self.warn.clone(), self.crit.clone(), bound(self.min), bound(self.max)];
        let known = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        parts[..known].iter().try_for_each(|part| write!(f, ";{part}"))
    }
}

/// In quotes; a quote in it is doubled, and what would end label or data is replaced.
fn write_label(f: &mut fmt::Formatter<'_>, label: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in label.chars() {
        match c {
            '\'' => f.write_str("''")?,
            '=' | '|' => f.write_char('_')?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('\'')
}

/// Digits only: no exponent, at most two decimals, none where they say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_its_unit_thresholds_and_bounds() {
        let mut figure = Figure::new("docker-thinpool data".into(), Some(61.05), "%");
        figure.warn = "80".into();
        figure.crit = "@90:100".into();
        figure.max = Some(100.0);
        assert_eq!(figure.to_string(), "'docker-thinpool data'=61.05%;80;@90:100;0;100");
        let bytes = Figure::new("p data used".into(), Some(62_277_025_792.0), "B");
        assert_eq!(bytes.to_string(), "'p data used'=62277025792B;;;0");
        let none = Figure { min: None, ..Figure::new("n".into(), Some(3.0), "") };
        assert_eq!(none.to_string(), "'n'=3");
    }

    #[test]
    fn what_is_not_known_is_u_without_a_unit() {
        assert_eq!(Figure::new("p".into(), None, "%").to_string(), "'p'=U;;;0");
    }

    #[test]
    fn a_label_cannot_end_itself() {
        let figure = Figure::new("it's a=b|c".into(), Some(0.0), "");
        assert_eq!(figure.to_string(), "'it''s a_b_c'=0;;;0");
    }

    #[test]
    fn large_numbers_have_no_exponent() {
        assert_eq!(number(1e18), "1000000000000000000");
        assert_eq!(number(100.0), "100");
        assert_eq!(number(0.004), "0");
        assert_eq!(number(80.5), "80.5");
    }
}
