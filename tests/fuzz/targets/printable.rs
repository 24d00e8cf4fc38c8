//! Names from outside: whatever comes in, nothing that a terminal acts on goes out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinscope::text::Printable;

fuzz_target!(|bytes: &[u8]| {
    let once = Printable::from_bytes(bytes);
    assert!(!once.as_str().chars().any(char::is_control));
    assert_eq!(Printable::from_text(once.as_str()), once);
});
