//! The history as text: a line that says so, a line a sample, a line that says how many.

use serde_json::{Value, json};

use super::{History, Sample};
use crate::model::Usage;
use crate::text::Printable;
use crate::units::Bytes;

/// The version of the format.
const FORMAT: u64 = 1;
/// No larger file is read: 64 pools with all samples that are kept come to less.
pub const LARGEST: u64 = 4 << 20;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A newer version, or something else, wrote it: it is left as it is.
    OfAnotherVersion,
    /// It has no end, or lines that are none: what could be read counts.
    Cut,
}

impl History {
    /// As text.
    pub fn write(&self) -> String {
        let mut lines = vec![json!({ "thinscope_history": FORMAT })];
        for (pool, samples) in &self.pools {
            for one in samples {
                let (data, metadata) = (one.data, one.metadata);
                lines.push(json!([
                    pool.as_str(),
                    one.time,
                    data.used,
                    data.total,
                    metadata.used,
                    metadata.total
                ]));
            }
        }
        lines.push(json!({ "samples": self.len() }));
        let mut text = String::new();
        for line in lines {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        text
    }

    /// From text; what could be read, and what is wrong with the rest.
    pub fn parse(bytes: &[u8]) -> (Self, Option<Damage>) {
        let mut history = Self::default();
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split_inclusive('\n');
        let head = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
        match head.as_ref().and_then(|head| head.get("thinscope_history")?.as_u64()) {
            Some(FORMAT) => {}
            // nothing at all: a disk that was full, or a power cut
            None if bytes.iter().all(|byte| *byte == 0) => return (history, Some(Damage::Cut)),
            _ => return (history, Some(Damage::OfAnotherVersion)),
        }
        let (mut whole, mut ended) = (true, false);
        for line in lines {
            match parse_line(line) {
                Some(Line::Sample(pool, sample)) => {
                    history.pools.entry(pool).or_default().push(sample);
                }
                Some(Line::End(samples)) => ended = samples == history.len() as u64,
                None => whole = false,
            }
        }
        history.pools.retain(|_, samples| {
            samples.sort_by_key(|sample| sample.time);
            !samples.is_empty()
        });
        history.evict(|_| true, super::MOST_POOLS);
        (history, (!whole || !ended).then_some(Damage::Cut))
    }
}

enum Line {
    Sample(Printable, Sample),
    End(u64),
}

fn parse_line(line: &str) -> Option<Line> {
    let value: Value = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
    if let Some(samples) = value.get("samples") {
        return samples.as_u64().map(Line::End);
    }
    let (pool, time, sizes): (String, i64, [u64; 4]) = match value.as_array()?.as_slice() {
        [pool, time, a, b, c, d] => (
            pool.as_str()?.to_owned(),
            time.as_i64()?,
            [a.as_u64()?, b.as_u64()?, c.as_u64()?, d.as_u64()?],
        ),
        _ => return None,
    };
    let [data_used, data_total, metadata_used, metadata_total] = sizes.map(Bytes);
    let data = Usage { used: data_used, total: data_total };
    let metadata = Usage { used: metadata_used, total: metadata_total };
    Some(Line::Sample(Printable::from(pool), Sample { time, data, metadata }))
}
