//! Writes the synthetic host's block devices as a tree of files that `lsblk --sysroot` reads.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use thinscope::sys::{Question, Raw, ReadHost, Reply, SysBlockDevice};

use super::synthetic::{DmEntry, Synthetic};

/// Writes `sys/` and `proc/` into a folder.
pub(crate) fn write_tree(host: &Synthetic, root: &Path) -> io::Result<()> {
    fs::create_dir_all(root.join("sys/dev/block"))?;
    for disk in host.storage.disks() {
        write_disk(root, &disk)?;
    }
    for entry in &host.storage.devices {
        write_dm(root, entry)?;
    }
    write_proc(host, root)
}

fn write_disk(root: &Path, disk: &SysBlockDevice) -> io::Result<()> {
    let name = text(&disk.name);
    let dir = root.join("sys/block").join(&name);
    write_common(&dir, disk.attrs.iter().map(|(key, value)| (&**key, text(value))))?;
    link_number(root, &text(&disk.attrs["dev"]), &name)?;
    for part in &disk.parts {
        let below = format!("{name}/{}", text(&part.name));
        let attrs = part.attrs.iter().map(|(key, value)| (&**key, text(value)));
        write_common(&root.join("sys/block").join(&below), attrs)?;
        link_number(root, &text(&part.attrs["dev"]), &below)?;
    }
    Ok(())
}

fn write_dm(root: &Path, entry: &DmEntry) -> io::Result<()> {
    let name = format!("dm-{}", entry.dev.minor);
    let dir = root.join("sys/block").join(&name);
    let sectors: u64 = entry.device.table.iter().map(|line| line.length).sum();
    let attrs = [
        ("dev", entry.dev.to_string()),
        ("size", sectors.to_string()),
        ("ro", "0".to_owned()),
        ("removable", "0".to_owned()),
        ("hidden", "0".to_owned()),
        ("dm/name", text(&entry.device.name)),
        ("dm/uuid", text(&entry.device.uuid)),
        ("dm/suspended", "0".to_owned()),
    ];
    write_common(&dir, attrs)?;
    link_number(root, &entry.dev.to_string(), &name)?;
    for below in &entry.device.deps {
        let below = if below.major == entry.dev.major {
            format!("dm-{}", below.minor)
        } else {
            "vdb".to_owned()
        };
        symlink(format!("../../{below}"), dir.join("slaves").join(&below))?;
        let holders = root.join("sys/block").join(&below).join("holders");
        symlink(format!("../../{name}"), holders.join(&name))?;
    }
    Ok(())
}

/// What every block device has.
fn write_common<'a>(
    dir: &Path,
    attrs: impl IntoIterator<Item = (&'a str, String)>,
) -> io::Result<()> {
    const QUEUE: [(&str, &str); 7] = [
        ("rotational", "1"),
        ("logical_block_size", "512"),
        ("physical_block_size", "512"),
        ("minimum_io_size", "512"),
        ("optimal_io_size", "0"),
        ("discard_granularity", "0"),
        ("scheduler", "none"),
    ];
    let queue = QUEUE.map(|(key, value)| (format!("queue/{key}"), value.to_owned()));
    let attrs = attrs.into_iter().map(|(key, value)| (key.to_owned(), value));
    for folder in ["slaves", "holders", "queue"] {
        fs::create_dir_all(dir.join(folder))?;
    }
    for (key, value) in attrs.chain(queue) {
        let path = dir.join(key);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(path, format!("{value}\n"))?;
    }
    Ok(())
}

fn link_number(root: &Path, dev: &str, below_sys_block: &str) -> io::Result<()> {
    let link = root.join("sys/dev/block").join(dev);
    symlink(format!("../../block/{below_sys_block}"), link)
}

fn write_proc(host: &Synthetic, root: &Path) -> io::Result<()> {
    let path = "/proc/self/mountinfo";
    let question = Question::File {
        path: thinscope::sys::HostPath::new(path),
        keep: thinscope::sys::Keep::All,
        within: None,
    };
    let Ok(Reply::Bytes(table)) = host.ask(&question).result else {
        return Err(io::Error::other("the synthetic host has no mount table"));
    };
    fs::create_dir_all(root.join("proc/self"))?;
    fs::write(root.join("proc/self/mountinfo"), &table.0)?;
    fs::write(root.join("proc/swaps"), "Filename\tType\tSize\tUsed\tPriority\n")
}

fn text(raw: &Raw) -> String {
    String::from_utf8_lossy(&raw.0).into_owned()
}
