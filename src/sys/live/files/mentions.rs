//! Which of a few words a large file holds: a program is searched, not loaded.

use std::fs::File;
use std::io::{self, Read};

use memchr::memmem::Finder;

/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// Programs are smaller; what lies beyond is not looked at.
const MOST: u64 = 512 << 20;
/// Longest word.
const LONGEST: usize = 64;

/// For each word whether it was met; reading ends when all were.
pub(super) fn find_words(file: File, words: &[String]) -> io::Result<Vec<bool>> {
    let finders: Vec<Finder<'_>> = words.iter().map(|word| Finder::new(word.as_bytes())).collect();
    let mut found: Vec<bool> = words.iter().map(|word| word.len() > LONGEST).collect();
    if found.contains(&true) {
        return Err(io::Error::other("a word is too long to be looked for"));
    }
    let mut file = file.take(MOST);
    let mut text = Vec::with_capacity(CHUNK + LONGEST);
    loop {
        // a word may lie over two pieces
        let kept = text.len().min(LONGEST);
        text.drain(..text.len() - kept);
        let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        let more = file.by_ref().take(limit).read_to_end(&mut text)?;
        for (found, finder) in found.iter_mut().zip(&finders) {
            *found = *found || finder.find(&text).is_some();
        }
        if more == 0 || !found.contains(&false) {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn mentions(bytes: &[u8], words: &[&str]) -> Vec<bool> {
        let mut file = tempfile::tempfile().expect("a temporary file can be made");
        file.write_all(bytes).expect("written");
        file.rewind().expect("rewound");
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        find_words(file, &words).expect("read")
    }

    #[test]
    fn a_word_over_the_edge_of_two_pieces_is_found() {
        for before in [CHUNK - 7, CHUNK - 1, CHUNK, 2 * CHUNK - 3] {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(b"dm.thinpooldev");
            assert_eq!(mentions(&bytes, &["dm.thinpooldev", "absent"]), [true, false], "{before}");
        }
        assert_eq!(mentions(b"", &["x"]), [false]);
    }

    #[test]
    fn a_word_longer_than_what_is_kept_between_pieces_is_refused() {
        let file = tempfile::tempfile().expect("a temporary file can be made");
        assert!(find_words(file, &["x".repeat(LONGEST + 1)]).is_err());
    }
}
