//! Looks at a live pool that somebody else writes to all the while, for the lab's check `load`: it
//! says which pool and how many looks, and compares what they gave with what `thin_ls` says.

use std::fmt::Write as _;
use std::path::PathBuf;

use thinscope::ids::DevNo;
use thinscope::probe::metadata::{Asked, Depth, Laid, PoolPlace, Ways, read_metadata};
use thinscope::sys::Medium;
use thinscope::sys::live::Live;

/// A word of the check's.
fn said(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|word| !word.is_empty())
}

fn device(name: &str) -> Option<DevNo> {
    Some(said(name)?.parse().expect("a device number"))
}

/// Writes `N.txt` for each look, a row `ID MAPPED EXCLUSIVE SHARED` for each device, or `N.gap`
/// with the reason.
#[test]
fn each_look_is_written_down() {
    let (Some(metadata), Some(folder)) = (device("LOOKS_METADATA"), said("LOOKS_INTO")) else {
        return eprintln!("not run: the check `load` says where to look");
    };
    let count: u32 = said("LOOKS").and_then(|count| count.parse().ok()).expect("a number");
    let at = Ok(Laid::whole(Medium::Device(metadata), Some(metadata)));
    let place = PoolPlace { data: device("LOOKS_DATA"), ..PoolPlace::new("p".to_owned(), at) };
    let asked = Asked {
        places: vec![place],
        depth: Depth::Mappings,
        block: None,
        one_by_one: false,
        reserve: None,
        freed: Vec::new(),
    };
    let folder = PathBuf::from(folder);
    for nth in 0..count {
        let (name, text) = look(&asked);
        std::fs::write(folder.join(format!("{nth}.{name}")), text).expect("room for a look");
    }
    println!("{count} looks");
}

fn look(asked: &Asked) -> (&'static str, String) {
    let seen = read_metadata(&Live::new(None), asked, Ways::default());
    let read = match &seen.pools[0].read {
        Ok(read) => read,
        Err(why) => return ("gap", why.clone()),
    };
    assert_eq!(read.damage_count, 0, "{:?}", read.damages);
    let mappings = read.mappings.as_ref().expect("they were asked for");
    assert_eq!(mappings.leaked.get(), 0, "nothing is lost in a pool that is written to");
    let mut rows = String::new();
    for device in &read.devices {
        let exclusive = read.exclusive(device.id).expect("it was read whole").get();
        let (id, mapped) = (device.id.get(), device.mapped.get());
        writeln!(rows, "{id} {mapped} {exclusive} {}", mapped - exclusive).expect("a string");
    }
    ("txt", rows)
}
