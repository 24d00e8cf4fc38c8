//! Writes the recording that the benchmarks measure, to try things on by hand:
//! `cargo run --example synthetic -- 10000 host.capture`.

#[path = "../common/all.rs"]
mod common;

use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [devices, file] = words.as_slice() else {
        return Err("usage: synthetic THIN-DEVICES FILE".into());
    };
    let host = common::synthetic::Synthetic::new(devices.parse()?);
    fs::write(file, common::record::record(&host)?)?;
    Ok(())
}
