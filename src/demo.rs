//! Recorded hosts that are built into the binary.
//!
//! Each is a real recording made in the lab (`assets/demo/`); none is written by hand. Knows
//! their names and what each is for, nothing of what is inside.

/// One recorded host.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// The name that `thinscope demo NAME` takes.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// The recording, as `thinscope capture` wrote it.
    pub recording: &'static [u8],
}

/// All of them; the first is shown when no name is given.
pub const DEMOS: &[Demo] = &[
    Demo {
        name: "direct-lvm",
        about: "Docker 20.10 on an LVM thin pool: images that share layers, a running container",
        recording: include_bytes!("../assets/demo/direct-lvm.thinscope"),
    },
    Demo {
        name: "loop-lvm",
        about: "Docker 20.10 on sparse files behind loop devices",
        recording: include_bytes!("../assets/demo/loop-lvm.thinscope"),
    },
    Demo {
        name: "containerd",
        about: "containerd 1.6 with its devmapper snapshotter, over loop devices",
        recording: include_bytes!("../assets/demo/containerd.thinscope"),
    },
    Demo {
        name: "lvm-thin",
        about: "no engine: LVM thin volumes and a snapshot, some inactive, named as Proxmox does",
        recording: include_bytes!("../assets/demo/lvm-thin.thinscope"),
    },
];

/// The recorded host of this name, the first one without a name.
pub fn find(name: Option<&str>) -> Option<&'static Demo> {
    match name {
        None => DEMOS.first(),
        Some(name) => DEMOS.iter().find(|demo| demo.name == name),
    }
}

/// All names, for a message.
pub fn names() -> String {
    if DEMOS.is_empty() {
        return "none".to_owned();
    }
    DEMOS.iter().map(|demo| demo.name).collect::<Vec<_>>().join(", ")
}
