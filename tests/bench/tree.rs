//! `thinscope tree --json` against `lsblk --json`, on the same host of 10,000 thin devices: a
//! recording for the one, a tree of sysfs files for the other.

#[path = "../common/all.rs"]
mod common;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use common::measure::{self, cost_of, line, median_cost, ms, quick, thin_devices};
use common::record::record;
use common::synthetic::Synthetic;
use common::sysfs::write_tree;

const THINSCOPE: &str = env!("CARGO_BIN_EXE_thinscope");

fn main() -> ExitCode {
    measure::run("tree", bench)
}

fn bench() -> Result<(), Box<dyn Error>> {
    let host = Synthetic::new(thin_devices());
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("host.capture");
    fs::write(&file, record(&host)?)?;
    let root = dir.path().join("root");
    write_tree(&host, &root)?;
    let (file, root) = (file.to_string_lossy(), root.to_string_lossy());

    println!("{} thin devices", host.docker.devices.len());
    let runs = if quick() { 5 } else { 20 };
    let ours = median_cost(runs, THINSCOPE, &["tree", "--json", "--from", &file])?;
    line(&format!("thinscope tree --json, median of {runs}"), &ms(ours.wall), "-");
    let theirs = cost_of("lsblk", &["--json", "--sysroot", &root])?;
    line("lsblk --json, once", &ms(theirs.wall), "-");
    let times = theirs.wall.as_secs_f64() / ours.wall.as_secs_f64();
    line("times faster", &format!("{times:.0}"), "50 at 10,000 thin devices");
    Ok(())
}
