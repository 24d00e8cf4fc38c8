//! One of containerd's files: a first byte that chooses which, then what is in it or is changed in a
//! sound one.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::Altered;
use thinscope::sys::live::Live;
use thinscope::sys::{Answer, Question, ReadHost};

const CONFIG: &[u8] = b"[plugins.\"io.containerd.snapshotter.v1.devmapper\"]\n\
    root_path = \"/snap\"\npool_name = \"snap-pool\"\n";

/// The files of a sound host: the lab's.
const SOUND: [(&str, &[u8]); 4] = [
    ("snap/snap-pool.db", include_bytes!("../../data/containerd/snap-pool.db")),
    ("snap/metadata.db", include_bytes!("../../data/containerd/metadata.db")),
    (
        "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
        include_bytes!("../../data/containerd/meta.db"),
    ),
    ("etc/containerd/config.toml", CONFIG),
];

/// A file tree for this process, so that the files go through the door as a host's do.
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let root = folder.join(format!("thinscope-fuzz-{}", std::process::id()));
    for (path, content) in SOUND {
        put(&root, path, content);
    }
    root
});

fn put(root: &std::path::Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
    std::fs::write(path, content).expect("written");
}

/// A sound file with some bytes replaced: few find a valid database by themselves. Each four
/// bytes are a place and what is there.
fn altered(sound: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut whole = sound.to_vec();
    for change in changes.chunks_exact(4) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize;
        if let Some(byte) = whole.get_mut(at) {
            *byte = change[3];
        }
    }
    whole
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, content)) = input.split_first() else { return };
    let (path, sound) = SOUND[usize::from(choice & 3)];
    // a configuration, and every other database, is what was given
    let whole = path.ends_with(".toml") || choice & 4 != 0;
    put(&ROOT, path, &if whole { content.to_vec() } else { altered(sound, content) });
    let files = Live::new(Some(ROOT.clone()));
    let host = Altered(|question: &Question, answer: Answer| {
        let path = match question {
            Question::Bolt { path, .. } | Question::File { path, .. } | Question::Dir(path)
            | Question::Stat(path) => path,
            _ => return answer,
        };
        let theirs = [&b"/snap"[..], b"/etc/containerd", b"/var/lib/containerd"];
        if theirs.iter().any(|start| path.0.0.starts_with(start)) { files.ask(question) } else { answer }
    });
    shared::report(&shared::snapshot_of(&host));
    put(&ROOT, path, sound);
});
