//! The screen on a metadata image of 1 GB: how soon the first answer is there, and how soon a key
//! is answered while all mappings are read.
//!
//! `cargo bench --bench image`; an image named as an argument is taken instead of a new one.

#[path = "../common/all.rs"]
mod common;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use common::measure::{self, line, median, ms, quick};
use common::pty::{Screen, Start};

const THINSCOPE: &str = env!("CARGO_BIN_EXE_thinscope");
const SIZE: (u16, u16) = (40, 120);
const LIMIT: Duration = Duration::from_secs(120);
// one word each: a terminal is sent the cells that change, and a blank may not
/// What the pool's pane says once the details are read.
const FIGURES: &str = "transaction";
/// What the line above the keys says while mappings are read.
const READING: &str = "stops)";
/// A column that is there when they were.
const READ: &str = "EXCL";
/// The head of the help, and how long it is shown.
const HELP: &str = "going";
const SHOWN: Duration = Duration::from_millis(60);

fn main() -> ExitCode {
    measure::run("image", bench)
}

fn bench() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let named = std::env::args().skip(1).find(|arg| arg != "--bench");
    let image = match named {
        Some(image) => image.into(),
        None => make(folder.path())?,
    };
    println!("{} MB of metadata", std::fs::metadata(&image)?.len() / 1_000_000);
    let image = image.to_string_lossy();
    first_answer(&image)?;
    while_reading(&image)
}

/// 1,000 devices whose mappings fill a gigabyte; in a quick run a tenth of it.
fn make(folder: &Path) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let (image, source) = (folder.join("image"), folder.join("source"));
    let each = if quick() { 3_000 } else { 30_000 };
    let mut xml = io::BufWriter::new(std::fs::File::create(&source)?);
    let blocks = 1000 * each;
    writeln!(
        xml,
        "<superblock uuid=\"\" time=\"1\" transaction=\"1\" data_block_size=\"128\" nr_data_blocks=\"{blocks}\">"
    )?;
    for device in 0..1000 {
        let begin = device * each;
        writeln!(
            xml,
            "<device dev_id=\"{device}\" mapped_blocks=\"{each}\" transaction=\"1\" creation_time=\"0\" snap_time=\"0\"><range_mapping origin_begin=\"0\" data_begin=\"{begin}\" length=\"{each}\" time=\"0\"/></device>"
        )?;
    }
    writeln!(xml, "</superblock>")?;
    xml.flush()?;
    std::fs::File::create(&image)?.set_len(each * 1000 * 35)?;
    let mut restore = Command::new("thin_restore");
    restore.arg("-i").arg(&source).arg("-o").arg(&image).stdout(Stdio::null());
    let made = restore.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").status()?;
    if made.success() { Ok(image) } else { Err("thin_restore made no image".into()) }
}

fn open(image: &str) -> io::Result<Screen> {
    let env = [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")];
    let args = ["--metadata", image];
    Screen::start(Start { program: THINSCOPE, args: &args, env: &env, size: SIZE })
}

/// From the start of the process to every device with what it maps.
fn first_answer(image: &str) -> io::Result<()> {
    let mut took = Vec::new();
    for _ in 0..5 {
        let mut screen = open(image)?;
        took.push(screen.wait_for(FIGURES, LIMIT)?);
        screen.press("q")?;
        screen.wait_for_end(LIMIT)?;
    }
    line("start to what every device maps, median of 5", &ms(median(took)), "1000 ms");
    Ok(())
}

/// From a key to its answer while the mappings are read, and until all of them are.
fn while_reading(image: &str) -> Result<(), Box<dyn Error>> {
    let mut screen = open(image)?;
    screen.wait_for(FIGURES, LIMIT)?;
    screen.forget();
    let since = Instant::now();
    screen.press("m")?;
    screen.wait_for(READING, LIMIT)?;
    line("m to the first progress", &ms(since.elapsed()), "-");
    let mut keys = Vec::new();
    for _ in 0..10 {
        screen.forget();
        let pressed = Instant::now();
        screen.press("?")?;
        screen.wait_for(HELP, LIMIT)?;
        keys.push(pressed.elapsed());
        screen.press("?")?;
        std::thread::sleep(SHOWN);
    }
    let slowest = keys.iter().max().copied().unwrap_or_default();
    line("a key's answer meanwhile, median of 10", &ms(median(keys)), "-");
    line("a key's answer meanwhile, slowest of 10", &ms(slowest), "-");
    screen.wait_for(READ, LIMIT)?;
    line("m to who shares what", &ms(since.elapsed()), "-");
    screen.press("q")?;
    screen.wait_for_end(LIMIT)?;
    Ok(())
}
