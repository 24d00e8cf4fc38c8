//! `block`: what was typed becomes a question, its answer is printed.

use super::{Trouble, choose_pool, print};
use crate::exit::Exit;
use crate::ids::ThinId;
use crate::model::block::{BlockAnswer, BlockQuestion, Position};
use crate::model::{PoolIx, Snapshot};
use crate::probe::metadata::{Depth, Wish};
use crate::report::block::Answered;
use crate::report::text::Style;
use crate::report::{json, text};
use crate::survey::{self, LookPlan};
use crate::tui::Notice;
use crate::units::parse_size;

/// Pool and question of the words that were typed. An offset in bytes becomes a block later, when
/// the size of the pool's blocks is known.
pub(super) fn asked(
    words: &[String],
    data: Option<u64>,
) -> Result<(Option<String>, BlockQuestion), Trouble> {
    let pool = pool_word(words, data.is_some());
    match (data, words) {
        (Some(block), [] | [_]) => Ok((pool, BlockQuestion::Data(block))),
        (Some(_), _) => Err(Trouble::usage("block --data takes a POOL and nothing else")),
        (None, [.., id, offset]) => {
            let id = id.parse().ok().and_then(ThinId::new).ok_or_else(|| {
                Trouble::usage(format!("{} is no thin device id", print::quoted(id)))
            })?;
            Ok((pool, BlockQuestion::Of { id, at: parse_offset(offset)? }))
        }
        (None, _) => Err(Trouble::usage(
            "block needs POOL ID OFFSET, or POOL --data BLOCK; POOL may be left out where there is \
             only one",
        )),
    }
}

fn pool_word(words: &[String], data: bool) -> Option<String> {
    let count = if data { 1 } else { 3 };
    (words.len() == count).then(|| words.first().cloned()).flatten()
}

/// The pool that is meant.
pub(super) fn pool(snapshot: &Snapshot, words: &[String], data: bool) -> Result<PoolIx, Trouble> {
    if let Some(pool) = choose_pool(snapshot, pool_word(words, data).as_deref())? {
        return Ok(pool);
    }
    match snapshot.topology.pools.as_slice() {
        [] => Err(Trouble::NothingRead("no thin pool was seen".to_owned())),
        [_] => Ok(PoolIx(0)),
        pools => {
            let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
            Err(Trouble::usage(format!("block needs one pool by name: {}", names.join(", "))))
        }
    }
}

/// An offset: bytes, with a suffix or in hexadecimal, or a block as `b:N`.
fn parse_offset(text: &str) -> Result<Position, Trouble> {
    let hex = |text: &str| match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => parse_size(text).map(|(bytes, _)| bytes.get()),
    };
    let position = match text.strip_prefix("b:") {
        Some(block) => hex(block).map(Position::Block),
        None => hex(text).map(Position::Byte),
    };
    position.ok_or_else(|| {
        Trouble::usage(format!(
            "{} is no offset: bytes are wanted, with a suffix b K M G T P or 0x before them, or a \
             block as b:N",
            print::quoted(text)
        ))
    })
}

/// Prints the answer, or says why there is none.
pub(super) fn print(
    snapshot: &Snapshot,
    pool: PoolIx,
    (question, answer): (&BlockQuestion, Option<Result<BlockAnswer, String>>),
    (as_json, style): (bool, Style),
) -> Result<Exit, Trouble> {
    let answer = match answer {
        Some(Ok(answer)) => answer,
        Some(Err(why)) => return Err(Trouble::NothingRead(why)),
        None => {
            print::gaps(snapshot);
            let name = &snapshot.topology.pool(pool).name;
            return Err(Trouble::NothingRead(format!("the metadata of {name} was not read")));
        }
    };
    let answered = Answered { topology: &snapshot.topology, pool, question, answer: &answer };
    if as_json {
        return print::stdout(|out| json::write_block(out, snapshot, &answered));
    }
    print::stdout(|out| text::write_block(out, &answered, style))
}

/// Looks once for a data block or a device's own space; the answer, or why there is none.
pub(super) fn beside(
    mut plan: LookPlan,
    (pool, question): (Option<String>, BlockQuestion),
) -> Notice {
    plan.metadata =
        Wish { block: Some((pool.clone(), question.clone())), ..Wish::of(Depth::Mappings) };
    let looked = match survey::look_once(&plan) {
        Ok(looked) => looked,
        Err(error) => return Notice::Line(error.to_string()),
    };
    let topology = &looked.snapshot.topology;
    let found = topology.find_pool(pool.as_deref());
    match (found, looked.block) {
        (_, Some(Ok(BlockAnswer { space: Some(space), .. }))) => Notice::Space(Box::new(space)),
        (Some(pool), Some(Ok(answer))) => {
            let answered = Answered { topology, pool, question: &question, answer: &answer };
            let mut text = Vec::new();
            let style = Style { ascii: false, color: false };
            // a vector takes every byte
            let _ = text::write_block(&mut text, &answered, style);
            Notice::Text(String::from_utf8_lossy(&text).into_owned())
        }
        (_, Some(Err(why))) => Notice::Line(why),
        _ => Notice::Line("the pool's metadata could not be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_bytes_or_blocks() {
        for (text, position) in [
            ("0", Position::Byte(0)),
            ("0x44f", Position::Byte(0x44f)),
            ("1M", Position::Byte(1 << 20)),
            ("b:7", Position::Block(7)),
            ("b:0x10", Position::Block(16)),
        ] {
            assert_eq!(parse_offset(text).ok(), Some(position), "{text}");
        }
        for text in ["", "x", "0x", "b:", "-1", "0xfffffffffffffffff"] {
            assert!(parse_offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_pool_id_and_offset() {
        let asked = |words: &[&str], data| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            asked(&words, data).ok()
        };
        let id = ThinId::new(7).expect("7 has less than 24 bits");
        let of = BlockQuestion::Of { id, at: Position::Byte(4096) };
        assert_eq!(asked(&["p", "7", "4K"], None), Some((Some("p".to_owned()), of.clone())));
        assert_eq!(asked(&["7", "4K"], None), Some((None, of)));
        let data = BlockQuestion::Data(9);
        assert_eq!(asked(&["p"], Some(9)), Some((Some("p".to_owned()), data.clone())));
        assert_eq!(asked(&[], Some(9)), Some((None, data)));
        for (words, data) in
            [(&["7"][..], None), (&[][..], None), (&["p", "7", "0"], Some(1)), (&["x", "0"], None)]
        {
            assert_eq!(asked(words, data), None, "{words:?}");
        }
    }
}
