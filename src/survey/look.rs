//! One look at everything, for a command; and the same look written into a file.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};

use super::ask::{Asked, Progress, Whom, ask};
use super::child::member_main;
use super::common::Common;
use super::order::Order;
use super::picture::{Picture, now_ms};
use super::{LookError, LookPlan, Place, recorded};
use crate::format;
use crate::model::block::BlockAnswer;
use crate::model::{Gap, Origin, Snapshot};
use crate::probe::metadata::{self, Depth};
use crate::sys::capture::{Header, Recording, Writer};
use crate::sys::live::Live;
use crate::sys::live::brood::Brood;
use crate::sys::{HostInfo, Question, ReadHost, Reply, Source};

/// What one look brought.
#[derive(Debug)]
pub struct Looked {
    /// All that was seen.
    pub snapshot: Snapshot,
    /// Nothing at all could be seen; the gaps say why.
    pub nothing: bool,
    /// The answer about a data block, where one was asked for and its pool was read.
    pub block: Option<Result<BlockAnswer, String>>,
}

/// Looks once, at all sources at the same time, and waits for each no longer than its limit.
pub fn look_once(plan: &LookPlan) -> Result<Looked, LookError> {
    look_with(plan, None)
}

/// Children for one look, all in one process, where this one has no threads yet: the quickest way
/// of a command to its answer.
pub fn hatch() -> Option<Brood> {
    let asked = Source::ALL.into_iter().filter(|source| *source != Source::Host);
    let common = Common::default();
    Brood::hatch(&asked.map(Source::name).collect::<Vec<_>>(), move |name, ends| {
        member_main(name, ends, &common);
    })
}

/// Looks once with these children, and with others where they do not do.
pub fn look_with(plan: &LookPlan, brood: Option<Brood>) -> Result<Looked, LookError> {
    let mut picture = match recorded::begin(plan) {
        Some(begun) => begun?.read(),
        None => run(look_live(plan, brood))?,
    };
    let snapshot = picture.snapshot();
    let nothing = snapshot.topology.nodes.is_empty() && !snapshot.gaps.is_empty();
    Ok(Looked { snapshot, nothing, block: picture.block() })
}

/// Records all sources into `out`; hands back what could not be seen.
pub fn capture<W: Write>(plan: &LookPlan, out: W) -> Result<Vec<Gap>, LookError> {
    if let Place::File(path) = &plan.place {
        return Err(LookError::AlreadyRecorded(path.display().to_string()));
    }
    if let Place::Demo { name, .. } = &plan.place {
        return Err(LookError::AlreadyRecorded((*name).to_owned()));
    }
    let recordings = run(ask_all(plan))?;
    write(plan, &recordings, out)
        .map_err(|error| LookError::System { what: "the recording cannot be written", error })?;
    let (mut picture, metadata) = (picture_of(plan, &recordings), Source::Metadata);
    if let Some(read) = recordings.iter().find(|recording| recording.source() == metadata) {
        picture.metadata_recorded(read, &plan.metadata, now_ms());
    }
    Ok(picture.snapshot().gaps)
}

/// What a recording of this host is called when nobody says: by the host's name and the moment,
/// in universal time, with no character that a shell or a file system minds.
pub fn capture_name() -> PathBuf {
    let host = host_of(&ask_host().recording).unwrap_or_default();
    let name = String::from_utf8_lossy(&host.name.0);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = name.chars().take(64).map(plain).collect();
    PathBuf::from(format!("thinscope-{name}-{}.capture", format::date::stamp(host.time)))
}

fn write(plan: &LookPlan, recordings: &[Recording], out: impl Write) -> std::io::Result<()> {
    let host = recordings.iter().find_map(host_of).unwrap_or_default();
    let options = serde_json::to_value(&plan.options)?;
    let mut writer = Writer::new(out, &Header::new(host, options))?;
    for recording in recordings {
        recording.write(&mut writer)?;
    }
    writer.finish()?.flush()
}

fn host_of(recording: &Recording) -> Option<HostInfo> {
    match recording.ask(&Question::Host).result {
        Ok(Reply::Host(host)) => Some(host),
        _ => None,
    }
}

/// A runtime on this thread, for as long as the look takes.
pub(super) fn run<T>(look: impl Future<Output = T>) -> Result<T, LookError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map(|runtime| runtime.block_on(look))
        .map_err(|error| LookError::System { what: "the look cannot begin", error })
}

/// Each source's answers become facts as soon as they are there, and are dropped.
async fn look_live(plan: &LookPlan, mut brood: Option<Brood>) -> Picture {
    let mut picture = Picture::new(Origin::Live, plan.options.clone(), &plan.sources);
    if let Some(brood) = &mut brood {
        brood.keep(|name| plan.sources.iter().any(|source| source.name() == name));
    }
    let mut looks = start_all(plan, brood.as_mut());
    let mut left = plan.sources.clone();
    let mut early = None;
    while let Some(done) = looks.join_next().await {
        if let Ok(recording) = done {
            picture.answered(&recording, now_ms());
            left.retain(|source| *source != recording.source());
        }
        if left == [Source::Lvm, Source::Metadata] {
            early = Early::begin(plan, &mut picture, brood.as_mut());
        }
    }
    if plan.sources.contains(&Source::Metadata) {
        look_at_pools(plan, &mut picture, (brood.as_mut(), early)).await;
    }
    picture
}

/// The metadata of the pools that are known without LVM, read while that still looks: where an
/// active pool's lies, the kernel tells.
struct Early {
    asked: metadata::Asked,
    answer: JoinHandle<Asked>,
}

impl Early {
    fn begin(plan: &LookPlan, picture: &mut Picture, brood: Option<&mut Brood>) -> Option<Self> {
        let asked = picture.metadata_wanted(&plan.metadata);
        // what takes long is not begun on the chance that LVM knows of no other pool
        if asked.places.is_empty() || asked.depth != Depth::Details || asked.reserve.is_some() {
            return None;
        }
        let whom = whom(brood, Source::Metadata);
        let (plan, wanted) = (plan.clone(), asked.clone());
        let answer = async move { look_at_places(&plan, wanted, (false, None), whom).await };
        Some(Self { asked, answer: tokio::spawn(answer) })
    }

    /// What was read, where it is all that is wanted now.
    async fn answer_to(self, wanted: &metadata::Asked) -> Option<Asked> {
        if !wanted.is_like(&self.asked) {
            self.answer.abort();
            return None;
        }
        let answer = self.answer.await.ok()?;
        let is_all = answer.facts.as_ref().is_none_or(|seen| wanted.needs_no_texts(seen));
        is_all.then_some(answer)
    }
}

/// Metadata, when it is known where it lies; again, and the engines' files and device-mapper
/// before, when it holds ids that nobody named, or an engine's record does not fit what was seen:
/// what is being made has no name for a moment, and what is being activated no device.
async fn look_at_pools(
    plan: &LookPlan,
    picture: &mut Picture,
    (brood, early): (Option<&mut Brood>, Option<Early>),
) {
    let wanted = picture.metadata_wanted(&plan.metadata);
    let early = match early {
        Some(early) => early.answer_to(&wanted).await,
        None => None,
    };
    let asked = if let Some(asked) = early {
        asked
    } else {
        let whom = whom(brood, Source::Metadata);
        look_at_places(plan, wanted, (false, None), whom).await
    };
    picture.metadata_answered(asked, now_ms());
    if plan.sources.iter().any(|source| Source::ENGINES.contains(source)) && picture.is_unsure() {
        for engine in look_at_engines(plan).await {
            picture.answered(&engine, now_ms());
        }
        if plan.sources.contains(&Source::Dm) {
            picture.answered(&look_at(plan, Source::Dm).await.recording, now_ms());
        }
        let asked =
            look_at_metadata(plan, picture.metadata_wanted(&plan.metadata), (false, None)).await;
        picture.metadata_answered(asked, now_ms());
    }
}

/// The engines' files, all at the same time.
async fn look_at_engines(plan: &LookPlan) -> Vec<Recording> {
    let wanted = Source::ENGINES.into_iter().filter(|source| plan.sources.contains(source));
    let mut looks = JoinSet::new();
    for source in wanted {
        let plan = plan.clone();
        looks.spawn(async move { look_at(&plan, source).await.recording });
    }
    looks.join_all().await
}

/// The pools' metadata: what the child made of it, or its blocks for a recording.
pub(super) async fn look_at_metadata(
    plan: &LookPlan,
    asked: metadata::Asked,
    how: (bool, Progress),
) -> Asked {
    look_at_places(plan, asked, how, Whom::Fresh).await
}

async fn look_at_places(
    plan: &LookPlan,
    asked: metadata::Asked,
    (record, progress): (bool, Progress),
    whom: Whom,
) -> Asked {
    if asked.places.is_empty() {
        // a host without pools has none
        let recording = Recording::new(Source::Metadata);
        return at_once(recording);
    }
    let asked = metadata::Asked { one_by_one: record, ..asked };
    let order = Order { metadata: Some(asked), record, ..order(plan, Source::Metadata) };
    ask(plan, order, progress, whom).await
}

/// The recordings in the order of [`Source::ALL`]. Metadata and device-mapper may be read twice,
/// with the engines' files in between, as in a look.
async fn ask_all(plan: &LookPlan) -> Vec<Recording> {
    let mut recordings = start_all(plan, None).join_all().await;
    let mut picture = picture_of(plan, &recordings);
    let mut read = look_at_metadata(plan, picture.metadata_wanted(&plan.metadata), (true, None))
        .await
        .recording;
    picture.metadata_recorded(&read, &plan.metadata, now_ms());
    if picture.is_unsure() {
        let again = look_at_engines(plan).await;
        recordings.retain(|recording| !Source::ENGINES.contains(&recording.source()));
        recordings.extend(again);
        if let Some(dm) = recordings.iter_mut().find(|one| one.source() == Source::Dm) {
            dm.append(look_at(plan, Source::Dm).await.recording);
        }
        let asked = picture_of(plan, &recordings).metadata_wanted(&plan.metadata);
        read.append(look_at_metadata(plan, asked, (true, None)).await.recording);
    }
    recordings.push(read);
    recordings.sort_by_key(Recording::source);
    recordings
}

fn picture_of(plan: &LookPlan, recordings: &[Recording]) -> Picture {
    let mut picture = Picture::new(Origin::Live, plan.options.clone(), &plan.sources);
    for recording in recordings {
        picture.answered(recording, now_ms());
    }
    picture
}

/// All sources at the same time. Those that take longest begin first: starting a process takes
/// this one's time.
fn start_all(plan: &LookPlan, mut brood: Option<&mut Brood>) -> JoinSet<Recording> {
    const SLOWEST_FIRST: [Source; 7] = [
        Source::Lvm,
        Source::Docker,
        Source::Containerd,
        Source::Dm,
        Source::Block,
        Source::Mounts,
        Source::Host,
    ];
    let mut looks = JoinSet::new();
    for source in SLOWEST_FIRST.into_iter().filter(|source| plan.sources.contains(source)) {
        let plan = plan.clone();
        let whom = whom(brood.as_deref_mut(), source);
        looks.spawn(async move { look_by(&plan, source, whom).await.recording });
    }
    looks
}

/// One source of the live host. Who the host is, is asked right here: nothing of it can hang.
async fn look_at(plan: &LookPlan, source: Source) -> Asked {
    look_by(plan, source, Whom::Fresh).await
}

/// The same by somebody.
pub(super) async fn look_by(plan: &LookPlan, source: Source, whom: Whom) -> Asked {
    if source == Source::Host {
        return ask_host();
    }
    ask(plan, order(plan, source), None, whom).await
}

/// The member of the brood that looks at this source, where there is one.
fn whom(brood: Option<&mut Brood>, source: Source) -> Whom {
    brood.and_then(|brood| brood.take(source.name())).map_or(Whom::Fresh, Whom::Member)
}

/// The order for one source.
pub(super) fn order(plan: &LookPlan, source: Source) -> Order {
    let root = match &plan.place {
        // the child stands in another folder
        Place::Live { root: Some(root) } => Some(std::path::absolute(root).unwrap_or(root.clone())),
        _ => None,
    };
    Order::look(source, root, plan.options.clone(), plan.limits.of(source))
}

fn ask_host() -> Asked {
    let mut recording = Recording::new(Source::Host);
    recording.push(Question::Host, Live::new(None).ask(&Question::Host));
    at_once(recording)
}

/// What nobody had to be asked for.
fn at_once(recording: Recording) -> Asked {
    let (facts, sign, child, stuck) = (None, None, None, Vec::new());
    Asked { recording, facts, sign, child, stuck, took: Duration::ZERO }
}
