//! Keys as a cat on the keyboard would press them, the same ones every time.

use super::synthetic::Random;

/// Keys that are no single character, as terminals send them; also broken and foreign sequences.
const SEQUENCES: [&str; 24] = [
    "\x1b[A",
    "\x1b[B",
    "\x1b[C",
    "\x1b[D",
    "\x1bOA",
    "\x1bOB",
    "\x1b[H",
    "\x1b[F",
    "\x1b[5~",
    "\x1b[6~",
    "\x1b[Z",
    "\x1b[1;5C",
    "\x1b[200~pasted\x1b[201~",
    "\x1b[200~q\x1b[201~",
    "\r",
    "\t",
    "\x7f",
    "\x1b",
    "\x0c",
    "\x15",
    "\x1b[<0;10;5M",
    "\x1b[M !!",
    "\x1b[99999;1R",
    "ä…👍",
];

/// A few hundred keys: letters, digits and signs, moves, pastes, escapes. None that is meant to
/// end or stop the program.
pub(crate) fn random_keys(seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    (0..400)
        .map(|_| {
            if random.within(0, 2) == 0 {
                return SEQUENCES[random.index(SEQUENCES.len())].to_owned();
            }
            let byte = u8::try_from(random.within(0x20, 0x7e)).unwrap_or(b' ');
            if byte == b'q' { "j".to_owned() } else { char::from(byte).to_string() }
        })
        .collect()
}
