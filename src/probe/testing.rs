//! A host that answers from a map, and short ways to write what it answers. For tests only.

use std::collections::HashMap;

use super::block::BlockSeen;
use super::dm::{DmSeen, SeenDm};
use crate::ids::DevNo;
use crate::sys::{
    Answer, DmDevice, DmTarget, FailKind, HostPath, Keep, Question, Raw, ReadHost, Reply,
    SysBlockDevice,
};

/// Answers what it was given and knows nothing else.
pub(crate) struct FakeHost(pub(crate) HashMap<Question, Answer>);

impl FakeHost {
    pub(crate) fn new(answers: impl IntoIterator<Item = (Question, Answer)>) -> Self {
        Self(answers.into_iter().collect())
    }
}

impl ReadHost for FakeHost {
    fn ask(&self, question: &Question) -> Answer {
        self.0
            .get(question)
            .cloned()
            .unwrap_or_else(|| Answer::failed(FailKind::NotRecorded, "never asked"))
    }
}

impl Answer {
    pub(crate) fn ok_bytes(text: impl Into<Vec<u8>>) -> Self {
        Self::ok(Reply::Bytes(Raw(text.into())))
    }
}

/// The question for a file.
pub(crate) fn file(path: &str) -> Question {
    Question::File { path: HostPath::new(path), keep: Keep::All, within: None }
}

/// A whole block device.
pub(crate) fn block(name: &str, dev: &str, sectors: u64, more: &[(&str, &str)]) -> SysBlockDevice {
    let mut raw = SysBlockDevice { name: name.into(), ..SysBlockDevice::default() };
    raw.attrs.insert("dev".to_owned(), dev.into());
    raw.attrs.insert("size".to_owned(), sectors.to_string().as_str().into());
    for (key, value) in more {
        raw.attrs.insert((*key).to_owned(), (*value).into());
    }
    raw
}

/// A partition.
pub(crate) fn part(name: &str, dev: &str, sectors: u64, number: u32) -> SysBlockDevice {
    block(name, dev, sectors, &[("partition", &number.to_string())])
}

/// A device-mapper device from `dmsetup table` lines; dependencies are what the lines name.
pub(crate) fn dm(name: &str, uuid: &str, table: &str) -> DmDevice {
    let mut device = DmDevice { name: name.into(), uuid: uuid.into(), ..DmDevice::default() };
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.splitn(4, ' ');
        let start = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let length = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let kind = words.next().unwrap_or_default().to_owned();
        let params = words.next().unwrap_or_default();
        device.deps.extend(params.split(' ').filter_map(|word| word.parse::<DevNo>().ok()));
        device.table.push(DmTarget { start, length, kind, params: params.into() });
    }
    device.deps.sort_unstable();
    device.deps.dedup();
    device
}

/// Device-mapper with these devices.
pub(crate) fn seen_dm(devices: &[((u32, u32), DmDevice)]) -> DmSeen {
    let devices = devices
        .iter()
        .map(|((major, minor), device)| SeenDm::new(DevNo::new(*major, *minor), device.clone()))
        .collect();
    DmSeen { version: Some([4, 47, 0]), devices, ..DmSeen::default() }
}

/// Block devices as the probe reads them.
pub(crate) fn seen_blocks(devices: Vec<SysBlockDevice>) -> BlockSeen {
    let answer = Answer::ok(Reply::SysBlock(devices));
    super::block::read_block(&FakeHost::new([(Question::SysBlock, answer)]))
}
