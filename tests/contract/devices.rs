//! Small devices of the tests' own, gone when they are dropped.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

use thinscope::ids::DevNo;

use crate::tools::{dmsetup, dmsetup_rows, run};

/// Devices that lead nowhere (`error`): no module is needed and nothing can hang on them.
pub(crate) struct Devices(Vec<Vec<u8>>);

impl Devices {
    /// Name and table each, many with one call.
    pub(crate) fn concise(tables: &[(&str, &str)]) -> Self {
        Self::create(tables, "rw")
    }

    /// One that may not be written to.
    pub(crate) fn concise_read_only(name: &str, table: &str) -> Self {
        Self::create(&[(name, table)], "ro")
    }

    fn create(tables: &[(&str, &str)], mode: &str) -> Self {
        let devices = Self(tables.iter().map(|(name, _)| name.as_bytes().to_vec()).collect());
        let words: Vec<_> =
            tables.iter().map(|(name, table)| format!("{name},,,{mode},{table}")).collect();
        let created = Command::new("dmsetup")
            .args(["--noudevsync", "create", "--concise"])
            .arg(words.join(";"))
            .status();
        assert!(created.expect("dmsetup is installed").success());
        devices
    }

    /// With names of any bytes; without nodes, which udev could not name.
    pub(crate) fn hostile(names: &[&[u8]]) -> Self {
        let made = Self(names.iter().map(|name| name.to_vec()).collect());
        for name in names {
            let status = Command::new("dmsetup")
                .args(["--manglename", "none", "--noudevsync", "--noudevrules", "create"])
                .arg(OsStr::from_bytes(name))
                .args(["--table", "0 8 error"])
                .status();
            assert!(status.expect("dmsetup is installed").success(), "{name:?}");
        }
        made
    }

    pub(crate) fn number(&self, name: &str) -> DevNo {
        assert!(self.0.iter().any(|one| one == name.as_bytes()));
        number(name)
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        let _ = Command::new("dmsetup")
            .args(["--manglename", "none", "--noudevsync", "remove"])
            .args(self.0.iter().map(|name| OsStr::from_bytes(name)))
            .status();
    }
}

fn number(name: &str) -> DevNo {
    let rows = dmsetup_rows("name");
    let found = rows.iter().find(|(_, row)| row.iter().any(|word| word == name));
    *found.unwrap_or_else(|| panic!("{name} is there")).0
}

/// A thin pool over two loop files with one active thin device of 8 MiB.
pub(crate) struct ThinPool {
    name: String,
    files: Vec<PathBuf>,
    loops: Vec<String>,
}

const DATA: u64 = 64 << 20;
const METADATA: u64 = 4 << 20;

impl ThinPool {
    pub(crate) fn new(what: &str) -> Self {
        Self::of(what, DATA)
    }

    /// One whose table takes half of its data device: it can grow.
    pub(crate) fn half(what: &str) -> Self {
        Self::of(what, DATA / 2)
    }

    fn of(what: &str, bytes: u64) -> Self {
        let mut made =
            Self { name: format!("contract-{what}"), files: Vec::new(), loops: Vec::new() };
        for (part, size) in [("metadata", METADATA), ("data", DATA)] {
            let path = PathBuf::from(format!("/var/tmp/contract-{what}-{part}"));
            File::create(&path).and_then(|file| file.set_len(size)).expect("there is room");
            let text = path.to_str().expect("a plain path");
            let device = run("losetup", &["--find", "--show", text]);
            made.files.push(path);
            made.loops.push(device.trim().to_owned());
        }
        dmsetup(&["--noudevsync", "create", &made.pool_name(), "--table", &made.pool_table(bytes)]);
        dmsetup(&["message", &made.pool_name(), "0", "create_thin 7"]);
        // by number: the node under /dev/mapper comes when udev gets to it
        let table = format!("0 16384 thin {} 7", made.pool());
        dmsetup(&["--noudevsync", "create", &made.thin_name(), "--table", &table]);
        made
    }

    fn pool_table(&self, bytes: u64) -> String {
        format!("0 {} thin-pool {} {} 128 0", bytes / 512, self.loops[0], self.loops[1])
    }

    /// Size of its data device.
    pub(crate) const DATA: u64 = DATA;

    pub(crate) fn pool_name(&self) -> String {
        format!("{}-pool", self.name)
    }

    pub(crate) fn thin_name(&self) -> String {
        format!("{}-thin", self.name)
    }

    pub(crate) fn pool(&self) -> DevNo {
        number(&self.pool_name())
    }

    pub(crate) fn thin(&self) -> DevNo {
        number(&self.thin_name())
    }

    /// The thin device's node that the kernel itself makes, at once.
    pub(crate) fn thin_node(&self) -> String {
        format!("/dev/dm-{}", self.thin().minor)
    }

    /// Blocks of data that the pool has by its own status: used and total.
    pub(crate) fn data_blocks(&self) -> (u64, u64) {
        let status = dmsetup(&["status", "--noflush", &self.pool_name()]);
        let word = status.split(' ').nth(5).expect("a pool tells its data blocks");
        let (used, total) = word.split_once('/').expect("used of total");
        (used.parse().expect("a number"), total.parse().expect("a number"))
    }

    /// Kernel name of the data device and its file.
    pub(crate) fn data_loop(&self) -> (String, PathBuf) {
        (self.loops[1].trim_start_matches("/dev/").to_owned(), self.files[1].clone())
    }

    /// Maps one block of 64 KiB, and has it committed.
    pub(crate) fn write_to_thin(&self) {
        let mut device =
            File::options().write(true).open(self.thin_node()).expect("it can be opened");
        device.write_all(&[1; 4096]).and_then(|()| device.sync_all()).expect("it can be written");
    }

    /// Writes that the metadata device has seen: field 5 of its `stat`.
    pub(crate) fn metadata_writes(&self) -> u64 {
        let name = self.loops[0].trim_start_matches("/dev/");
        let stat = std::fs::read_to_string(format!("/sys/block/{name}/stat")).expect("sysfs");
        stat.split_whitespace().nth(4).and_then(|word| word.parse().ok()).expect("a number")
    }

    /// Puts a table into the inactive slot until it is dropped.
    pub(crate) fn load_another_table(&self) -> Undo {
        dmsetup(&["load", &self.thin_name(), "--table", "0 16384 error"]);
        Undo(vec!["clear".to_owned(), self.thin_name()])
    }

    /// Suspends the pool, and never for longer than the test takes.
    pub(crate) fn suspend(&self) -> Undo {
        dmsetup(&["suspend", "--noflush", "--nolockfs", &self.pool_name()]);
        Undo(vec!["resume".to_owned(), self.pool_name()])
    }
}

impl Drop for ThinPool {
    fn drop(&mut self) {
        for name in [self.thin_name(), self.pool_name()] {
            let _ =
                Command::new("dmsetup").args(["--noudevsync", "remove", "--retry", &name]).output();
        }
        for device in &self.loops {
            let _ = Command::new("losetup").args(["--detach", device]).output();
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// A dmsetup call that takes something back.
pub(crate) struct Undo(Vec<String>);

impl Drop for Undo {
    fn drop(&mut self) {
        let _ = Command::new("dmsetup").args(&self.0).output();
    }
}
