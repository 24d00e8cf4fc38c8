//! Reading pool metadata against the thin tools: ratios on the same images in the same run.
//!
//! `cargo bench --bench sharing`. `THIN_LS` and `THIN_DUMP` name other tools to compare with,
//! as `PROGRAM [ARGUMENT]` (a newer release is one program, `pdata_tools thin_ls`).
//!
//! Each contender is a process of its own and is timed from outside, wall and CPU, the contenders
//! taking turns; printed is the median, and how many times ours goes into theirs.

#[path = "../common/door.rs"]
mod door;
#[path = "../common/meta_writer.rs"]
mod meta_writer;

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meta_writer::Pool;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use thinscope::thinmeta::{BLOCK, BlockSource, Reader, Whole};

const ROUNDS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ours", question, image] => answer(question, Path::new(image)),
        [] => compare_all(),
        ["images", folder] => drop(images(Path::new(folder))),
        ref images => images.iter().for_each(|image| compare(Path::new(image))),
    }
}

/// Our side of a comparison, in a process of its own.
fn answer(question: &str, image: &Path) {
    let source = door::open(image).expect("the image opens");
    let reader = || Reader::open(&*source).expect("a superblock");
    match question {
        "bytes" => return sum_all(&*source),
        "details" => print_details(&reader()),
        "whole" => {
            let whole = Whole::read(&reader()).expect("readable");
            assert_eq!(whole.damages.list(), []);
        }
        _ => print_sharing(&reader()),
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    eprintln!("peak memory{}", peak.trim_start_matches("VmHWM"));
}

fn print_details(reader: &Reader<'_>) {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for (id, detail) in reader.details().expect("readable").value.iter() {
        writeln!(out, "{id} {} {}", detail.mapped.get(), detail.transaction).expect("a pipe");
    }
}

fn print_sharing(reader: &Reader<'_>) {
    let details = reader.details().expect("readable").value;
    let shared = reader.forest_and_sharing(&details).expect("readable");
    let mut out = BufWriter::new(std::io::stdout().lock());
    for row in shared.sharing.devices {
        let (mapped, alone) = (row.mapped.get(), row.exclusive.get());
        writeln!(out, "{:>11}{mapped:>11}{alone:>11}{:>11}", row.id.get(), mapped - alone)
            .expect("a pipe");
    }
}

/// Reads and sums what the metadata has in use, and does nothing with it: the floor.
fn sum_all(source: &dyn BlockSource) {
    let reader = Reader::open(source).expect("a superblock");
    let used = reader.metadata_usage().expect("readable").value.allocated;
    let mut buffer = vec![0; (256 + 1) * BLOCK];
    let start = buffer.as_ptr().align_offset(BLOCK);
    let mut total = 0_u64;
    for first in (0..used).step_by(256) {
        let blocks = usize::try_from((used - first).min(256)).expect("at most 256");
        let into = &mut buffer[start..start + blocks * BLOCK];
        source.read_at(first * BLOCK as u64, into).expect("readable");
        total += into.chunks(BLOCK).map(|b| u64::from(crc32c::crc32c(&b[4..]))).sum::<u64>();
    }
    println!("{total}");
}

fn compare_all() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("room for images");
    for (what, image) in images(folder.path()) {
        println!("\n{what}");
        compare(&image);
    }
}

/// The images that are compared, made one after the other.
fn images(folder: &Path) -> [(&'static str, PathBuf); 4] {
    let at = |name: &str| folder.join(name);
    [
        (
            "10 million mappings of 1,000 devices, none shared",
            unshared(&at("unshared"), 1000, 10_000),
        ),
        (
            "1,000 layers over a base of 200,000 mappings, each with 64 blocks of its own in ten places",
            layers(&at("layers"), 200_000, (32, 8)),
        ),
        (
            "1,000 layers over a base of 200,000 mappings, each with 64 blocks of its own in one place",
            layers(&at("appended"), 200_000, (64, 0)),
        ),
        ("10,000 devices of 20 mappings each", unshared(&at("tiny"), 10_000, 20)),
    ]
}

fn unshared(image: &Path, devices: u64, each: u64) -> PathBuf {
    let mut xml = format!(
        "<superblock uuid=\"\" time=\"1\" transaction=\"1\" data_block_size=\"128\" \
         nr_data_blocks=\"{}\">\n",
        devices * each
    );
    for device in 0..devices {
        writeln!(
            xml,
            "<device dev_id=\"{device}\" mapped_blocks=\"{each}\" transaction=\"1\" \
             creation_time=\"0\" snap_time=\"0\"><range_mapping origin_begin=\"0\" \
             data_begin=\"{}\" length=\"{each}\" time=\"0\"/></device>",
            device * each
        )
        .expect("a string takes all");
    }
    xml += "</superblock>\n";
    let source = image.with_extension("xml");
    std::fs::write(&source, xml).expect("room for images");
    let file = std::fs::File::create(image).expect("room for images");
    file.set_len(512 << 20).expect("room for images");
    let mut restore = Command::new("thin_restore");
    restore.arg("-i").arg(&source).arg("-o").arg(image).stdout(Stdio::null());
    let made = restore.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "thin_restore cannot be run; install thin-provisioning-tools"
    );
    image.to_owned()
}

/// A thousand snapshots of a base, each with so many blocks behind it and so many places of four
/// blocks within it.
fn layers(image: &Path, base: u64, (behind, places): (u64, u64)) -> PathBuf {
    const LAYERS: u32 = 1000;
    let mut pool = Pool::new(base + u64::from(LAYERS) * 64, 252);
    pool.create(1);
    (0..base).for_each(|block| pool.write(1, block));
    for layer in 0..LAYERS {
        pool.snapshot(layer + 2, 1);
        (0..behind).for_each(|n| pool.write(layer + 2, base + n));
        let spread = (0..places).flat_map(|at| (0..4).map(move |n| at * 23_003 + n));
        spread.for_each(|at| pool.write(layer + 2, (at + u64::from(layer) * 97) % base));
    }
    std::fs::write(image, pool.image(65_536)).expect("room for images");
    image.to_owned()
}

/// What one process took.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

fn compare(image: &Path) {
    let tool = |name: &str, fallback: &str| std::env::var(name).unwrap_or_else(|_| fallback.into());
    let ls = "-o DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS --no-headers";
    let ls = format!("{} {ls}", tool("THIN_LS", "/usr/sbin/thin_ls"));
    let dump = format!("{} --skip-mappings", tool("THIN_DUMP", "/usr/sbin/thin_dump"));
    let ours = std::env::current_exe().expect("our own path");
    let ours = |question: &str| format!("{} ours {question}", ours.display());
    let pairs = [
        ("exclusive and shared", ours("sharing"), "thin_ls", ls),
        ("details", ours("details"), "thin_dump --skip-mappings", dump),
        ("everything", ours("whole"), "reading and summing", ours("bytes")),
    ];
    for (what, mine, name, theirs) in pairs {
        let (mut mine_took, mut their_took) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            mine_took.push(time(&mine, image));
            their_took.push(time(&theirs, image));
        }
        let (mine, theirs) = (median(&mut mine_took), median(&mut their_took));
        println!(
            "  {what}: {} against {name} {}: wall {:.2} times, CPU {:.2} times faster",
            describe(mine),
            describe(theirs),
            theirs.wall.as_secs_f64() / mine.wall.as_secs_f64(),
            theirs.cpu.as_secs_f64() / mine.cpu.as_secs_f64(),
        );
    }
    let peak = Command::new(std::env::current_exe().expect("our own path"))
        .args(["ours", "sharing"])
        .arg(image)
        .stdout(Stdio::null())
        .output()
        .expect("ourselves");
    println!("  {}", String::from_utf8_lossy(&peak.stderr).trim());
}

fn describe(took: Took) -> String {
    format!("{:.0} ms ({:.0} ms CPU)", took.wall.as_secs_f64() * 1e3, took.cpu.as_secs_f64() * 1e3)
}

fn median(all: &mut [Took]) -> Took {
    all.sort_by_key(|took| took.wall);
    let wall = all[all.len() / 2].wall;
    all.sort_by_key(|took| took.cpu);
    Took { wall, cpu: all[all.len() / 2].cpu }
}

fn time(command: &str, image: &Path) -> Took {
    let mut words = command.split_whitespace();
    let program = words.next().expect("a program");
    let (before, start) = (children_cpu(), Instant::now());
    let status = Command::new(program)
        .args(words)
        .arg(image)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|why| panic!("{program} cannot be run: {why}"));
    let wall = start.elapsed();
    assert!(status.success(), "{command} failed");
    Took { wall, cpu: children_cpu().saturating_sub(before) }
}

fn children_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("our own children");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.try_into().expect("time goes forward"))
}
