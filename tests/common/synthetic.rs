//! A host that was never built: Docker on a direct-lvm pool, with any number of thin devices, all
//! of them active. The same number always gives the same host, byte for byte.
//!
//! It answers questions like a live host, so it is recorded by the program's own code, and what
//! is measured on it is what the program really asks. Its shape is that of a busy builder: a few
//! base images, many images on top that share their lower layers, two containers for every five
//! layers.

mod docker;
mod lvm;
mod random;
mod storage;

use thinscope::sys::{Answer, FailKind, HostInfo, Question, Raw, ReadHost, Reply, RunOutput};

use super::files::Files;
pub(crate) use docker::Docker;
pub(crate) use random::Random;
pub(crate) use storage::{DmEntry, Storage};

/// When it was "looked at": a fixed moment.
pub(crate) const TIME: i64 = 1_700_000_000;

/// The whole host.
pub(crate) struct Synthetic {
    /// Images, layers, containers, and the thin devices that hold them.
    pub(crate) docker: Docker,
    /// Disks, LVM, device-mapper, mounts.
    pub(crate) storage: Storage,
    files: Files,
}

impl Synthetic {
    /// A host with this many thin devices (at least 10).
    pub(crate) fn new(thin_devices: u32) -> Self {
        let docker = Docker::new(thin_devices.max(10));
        let storage = Storage::new(&docker);
        let mut files = Files::default();
        docker.write_files(&mut files);
        storage.write_files(&docker, &mut files);
        Self { docker, storage, files }
    }
}

impl ReadHost for Synthetic {
    fn ask(&self, question: &Question) -> Answer {
        if let Some(answer) = self.files.answer(question) {
            return answer;
        }
        let found = match question {
            Question::Host => Some(Reply::Host(HostInfo {
                name: Raw::from("builder-7"),
                kernel: "6.1.0-28-amd64".to_owned(),
                euid: 0,
                time: TIME,
            })),
            Question::DmVersion => Some(Reply::DmVersion([4, 47, 0])),
            Question::DmList => Some(Reply::DmList(self.storage.listed())),
            Question::DmDevice(dev) => {
                self.storage.find(*dev).map(|entry| Reply::DmDevice(entry.device.clone()))
            }
            Question::DmStatus(dev) => {
                self.storage.find(*dev).map(|entry| Reply::Bytes(Raw::from(&*entry.status)))
            }
            Question::SysBlock => Some(Reply::SysBlock(self.storage.disks())),
            Question::Run(_) => Some(Reply::Ran(RunOutput {
                exit: Some(0),
                stdout: Raw::from(&*self.storage.lvm_report()),
                stderr: Raw::default(),
            })),
            _ => None,
        };
        found.map_or_else(
            || Answer::failed(FailKind::NotFound, "No such device or address"),
            Answer::ok,
        )
    }
}
