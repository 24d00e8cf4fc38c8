//! Looks at a host again and again for the screen, and publishes a snapshot whenever something
//! is known anew.
//!
//! On a thread of its own with a runtime of its own, so that parsing never delays a key. Each
//! source is asked by one look at a time, and at most one more waits. A quiet host costs a few
//! milliseconds every some seconds: only signs of change are asked for.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::ask::{Asked, Progress, Whom, ask};
use super::look::{look_at_metadata, look_by, order};
use super::order::{Order, Signs, Sums};
use super::picture::{Picture, now_ms};
use super::signs::{signs_of, states_of};
use super::turn::Turn;
use super::{LookError, LookPlan, recorded};
use crate::model::{Origin, Snapshot};
use crate::probe::lvm;
use crate::probe::metadata::{self, Depth};
use crate::sys::live::child::ProbeChild;
use crate::sys::live::watch::{Event, watch as watch_kernel};
use crate::sys::{HostPath, Source};

/// How often signs of change of the slower sources are looked for, at least.
const SLOW: Duration = Duration::from_secs(30);
/// How long a look under way is waited for before something is suspended: LVM's takes longest.
const LONGEST_LOOK: Duration = lvm::LONGEST;

/// What the survey is told from outside.
#[derive(Debug)]
enum Told {
    /// Look at everything now.
    Again,
    /// Read the pools' mappings from now on.
    Mappings,
    /// Read them once, through a metadata snapshot if need be, which is noted down there.
    Reserved(HostPath),
    /// Stop reading them where they are large.
    NoMappings,
    /// The kernel says that something happened.
    Event(Event),
    /// Begin no look until told to go on, and say when none is under way.
    Pause(std::sync::mpsc::Sender<()>),
    /// Go on.
    GoOn,
}

/// As long as this is held, the survey does not look.
#[derive(Debug)]
pub struct Pause {
    tell: mpsc::UnboundedSender<Told>,
}

impl Drop for Pause {
    fn drop(&mut self) {
        let _ = self.tell.send(Told::GoOn);
    }
}

/// A survey that goes on. It ends when this is dropped.
#[derive(Debug)]
pub struct Survey {
    tell: mpsc::UnboundedSender<Told>,
}

/// The newest snapshot, changing.
pub type Watched = watch::Receiver<Arc<Snapshot>>;

impl Survey {
    /// Begins. A snapshot is there at once, in which nothing is seen yet; of a recorded host one
    /// more follows, and stays.
    /// `refresh` is how often a quiet host is looked at.
    pub fn start(plan: LookPlan, refresh: Duration) -> Result<(Watched, Self), LookError> {
        let (tell, told) = mpsc::unbounded_channel();
        if let Some(begun) = recorded::begin(&plan) {
            return Ok((Self::read_recorded(begun?)?, Self { tell }));
        }
        let mut picture = Picture::new(Origin::Live, plan.options.clone(), &plan.sources);
        plan.sources.iter().for_each(|source| picture.asking(*source));
        let (publish, watched) = watch::channel(Arc::new(picture.snapshot()));
        let events = tell.downgrade();
        let follower = Follower::new(plan, refresh, picture, publish);
        spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // without one no child can be heard; the first snapshot stays, all sources loading
            if let Ok(runtime) = runtime {
                watch_kernel(move |event| {
                    events.upgrade().is_some_and(|tell| tell.send(Told::Event(event)).is_ok())
                });
                runtime.block_on(follower.run(told));
            }
        })?;
        Ok((watched, Self { tell }))
    }

    /// A recording of ten thousand devices takes longer to read than a person should wait for the
    /// screen.
    fn read_recorded(mut begun: recorded::Begun) -> Result<Watched, LookError> {
        let (publish, watched) = watch::channel(Arc::new(begun.first_snapshot()));
        spawn(move || {
            let snapshot = begun.read().snapshot();
            // a screen that was left meanwhile is not told
            let _ = publish.send(Arc::new(snapshot));
        })?;
        Ok(watched)
    }

    /// Look at everything now. Nothing happens on a recorded host.
    pub fn look_again(&self) {
        let _ = self.tell.send(Told::Again);
    }

    /// Read from now on who uses which block, however large the metadata is.
    pub fn read_mappings(&self) {
        let _ = self.tell.send(Told::Mappings);
    }

    /// Read that once through a metadata snapshot, where commits outrun the reading; what is reserved
    /// is noted down below `state` for as long as it is.
    pub fn read_reserved(&self, state: HostPath) {
        let _ = self.tell.send(Told::Reserved(state));
    }

    /// Looks no more until the answer is dropped; comes back when no look is under way. One that
    /// hangs in the kernel is waited for no longer than its own limits.
    pub fn pause(&self) -> Pause {
        let (quiet, is_quiet) = std::sync::mpsc::channel();
        let _ = self.tell.send(Told::Pause(quiet));
        // of a survey that has ended there is no answer to wait for
        let _ = is_quiet.recv_timeout(LONGEST_LOOK);
        Pause { tell: self.tell.clone() }
    }

    /// Stop that, also in the middle: what small pools say is read on.
    pub fn stop_mappings(&self) {
        let _ = self.tell.send(Told::NoMappings);
    }
}

fn spawn(run: impl FnOnce() + Send + 'static) -> Result<(), LookError> {
    let thread = std::thread::Builder::new().name("survey".to_owned());
    let spawned = thread.spawn(run);
    spawned.map(drop).map_err(|error| LookError::System { what: "the survey cannot begin", error })
}

/// How much is looked at; the greater one includes the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// Everything if there are signs of change.
    IfChanged,
    /// Everything, as soon as its share of the time allows.
    Soon,
    /// Everything, now.
    Now,
}

/// A look that begins.
struct Begun {
    source: Source,
    wanted: Wanted,
    /// Where a change would show, and what that came to when nothing was new.
    signs: Signs,
    known: Sums,
    /// The state of every device-mapper device is a sign this time.
    states: bool,
    /// The child of the look before.
    child: Option<Box<ProbeChild>>,
}

/// What a look under way ends with.
struct Done {
    source: Source,
    /// The child, for the next look.
    child: Option<Box<ProbeChild>>,
    /// `None` where nothing had changed.
    asked: Option<Asked>,
    /// Where a change would show from now on, and what it came to when this was seen; `None` where
    /// that was not asked, or asked of other things.
    signs: Signs,
    known: Sums,
}

struct Follower {
    plan: LookPlan,
    refresh: Duration,
    picture: Picture,
    publish: watch::Sender<Arc<Snapshot>>,
    turns: BTreeMap<Source, Turn>,
    looks: JoinSet<Done>,
    /// Children that wait for the next look. Metadata has none: what was read of it may be large,
    /// and is given back with the process.
    standing: BTreeMap<Source, Box<ProbeChild>>,
    /// The look at metadata that is under way.
    reading: Option<AbortHandle>,
    /// How much of metadata is read unasked.
    unasked: Depth,
    tell_progress: mpsc::UnboundedSender<(u64, u64)>,
    progress: mpsc::UnboundedReceiver<(u64, u64)>,
    /// A look at device-mapper is on its way that tells what containerd's record left in doubt.
    dm_tells: bool,
    /// Who wants quiet: told when no look is under way.
    paused: Vec<Option<std::sync::mpsc::Sender<()>>>,
}

impl Follower {
    fn new(
        plan: LookPlan,
        refresh: Duration,
        picture: Picture,
        publish: watch::Sender<Arc<Snapshot>>,
    ) -> Self {
        let turns = plan.sources.iter().map(|source| (*source, Turn::default())).collect();
        let unasked = plan.metadata.depth;
        let (tell_progress, progress) = mpsc::unbounded_channel();
        let (looks, reading) = (JoinSet::new(), None);
        Self {
            plan,
            refresh,
            picture,
            publish,
            turns,
            looks,
            standing: BTreeMap::new(),
            reading,
            unasked,
            tell_progress,
            progress,
            dm_tells: false,
            paused: Vec::new(),
        }
    }

    /// Until nobody wants to be told any more.
    async fn run(mut self, mut told: mpsc::UnboundedReceiver<Told>) {
        self.want_all(Wanted::Now);
        loop {
            self.start_due();
            let due = self.next_due();
            let timer = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                done = self.looks.join_next(), if !self.looks.is_empty() => {
                    let done = done.into_iter().flatten().collect();
                    self.take(done);
                }
                Some(progress) = self.progress.recv() => self.progresses(progress),
                told = told.recv() => match told {
                    Some(Told::Again) => self.want_all(Wanted::Now),
                    Some(Told::Mappings) => {
                        self.plan.metadata.depth = Depth::Mappings;
                        self.want(Source::Metadata, Wanted::Now);
                    }
                    Some(Told::Reserved(state)) => {
                        self.plan.metadata.depth = Depth::Mappings;
                        self.plan.metadata.reserve = Some(state);
                        self.want(Source::Metadata, Wanted::Now);
                    }
                    Some(Told::NoMappings) => self.stop_mappings(),
                    Some(Told::Pause(quiet)) => self.pause(quiet),
                    Some(Told::GoOn) => drop(self.paused.pop()),
                    Some(Told::Event(event)) => self.happened(event),
                    None => return,
                },
                () = timer => {}
            }
        }
    }

    /// The child that reads dies with its look.
    fn stop_mappings(&mut self) {
        self.plan.metadata.depth = self.unasked;
        let Some(reading) = self.reading.take() else { return };
        reading.abort();
        if let Some(turn) = self.turns.get_mut(&Source::Metadata) {
            turn.end(None, Signs::default(), Sums::default());
            turn.want(Wanted::Now, Instant::now());
        }
        self.picture.progresses(Source::Metadata, None);
        self.publish.send_replace(Arc::new(self.picture.snapshot()));
    }

    /// Reading metadata may take long, and is begun anew afterwards.
    fn pause(&mut self, quiet: std::sync::mpsc::Sender<()>) {
        self.paused.push(Some(quiet));
        if let Some(reading) = self.reading.take() {
            reading.abort();
            if let Some(turn) = self.turns.get_mut(&Source::Metadata) {
                turn.end(None, Signs::default(), Sums::default());
                turn.want(Wanted::Soon, Instant::now());
            }
            self.picture.progresses(Source::Metadata, None);
        }
    }

    fn tell_quiet(&mut self) {
        if self.looks.is_empty() {
            for quiet in self.paused.iter_mut().filter_map(Option::take) {
                let _ = quiet.send(());
            }
        }
    }

    /// The newest of what is there.
    fn progresses(&mut self, first: (u64, u64)) {
        let mut newest = first;
        while let Ok(progress) = self.progress.try_recv() {
            newest = progress;
        }
        if self.reading.is_some() {
            self.picture.progresses(Source::Metadata, Some(newest));
            self.publish.send_replace(Arc::new(self.picture.snapshot()));
        }
    }

    /// All but metadata, which follows when it is known where it lies: of a file that is so from the
    /// start.
    fn want_all(&mut self, wanted: Wanted) {
        let now = Instant::now();
        let known = self.plan.options.metadata_file.is_some();
        let others =
            self.turns.iter_mut().filter(|(source, _)| known || **source != Source::Metadata);
        others.for_each(|(_, turn)| turn.want(wanted, now));
    }

    fn want(&mut self, source: Source, wanted: Wanted) {
        if let Some(turn) = self.turns.get_mut(&source) {
            turn.want(wanted, Instant::now());
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::DeviceMapper => self.want(Source::Dm, Wanted::Soon),
            Event::Mounts => self.want(Source::Mounts, Wanted::Soon),
        }
    }

    /// Starts the looks whose time has come.
    fn start_due(&mut self) {
        if !self.paused.is_empty() {
            return self.tell_quiet();
        }
        let now = Instant::now();
        for (source, turn) in &mut self.turns {
            let Some(wanted) = turn.begin(*source, now) else { continue };
            if wanted == Wanted::Now {
                self.picture.asking(*source);
            }
            let (plan, source) = (self.plan.clone(), *source);
            if source == Source::Metadata {
                let asked = self.picture.metadata_wanted(&plan.metadata);
                // what the user allowed was one reading
                self.plan.metadata.reserve = None;
                let tell = Some(self.tell_progress.clone());
                let reading =
                    self.looks.spawn(async move { look_at_pools(plan, asked, tell).await });
                self.reading = Some(reading);
            } else {
                let (signs, known, states) = (turn.signs(), turn.known(), turn.asks_states());
                let child = self.standing.remove(&source);
                let states = states && source == Source::Dm;
                let begun = Begun { source, wanted, signs, known, states, child };
                self.looks.spawn(async move { look(plan, begun).await });
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        if !self.paused.is_empty() {
            return None;
        }
        self.turns.values().filter_map(Turn::starts_at).min()
    }

    /// Takes what a look brought, and all others that are there by now, and publishes once.
    fn take(&mut self, first: Vec<Done>) {
        let mut done = first;
        while let Some(Ok(other)) = self.looks.try_join_next() {
            done.push(other);
        }
        for done in done {
            self.take_one(done);
        }
        self.publish.send_replace(Arc::new(self.picture.snapshot()));
    }

    fn take_one(&mut self, done: Done) {
        let Done { source, child, asked, signs, known } = done;
        self.standing.extend(child.map(|child| (source, child)));
        let Some(turn) = self.turns.get_mut(&source) else { return };
        turn.end(every(source, self.refresh), signs, known);
        let Some(asked) = asked else {
            self.picture.unchanged(source);
            return;
        };
        let mut asked = asked;
        let first = turn.looked(asked.took, std::mem::take(&mut asked.stuck));
        if source == Source::Metadata {
            self.reading = None;
            self.picture.metadata_answered(asked, now_ms());
            // who makes a device names it a moment later: a second look at both tells
            // unless the look that tells is on its way: engines asked anew would outrun it again
            if !self.dm_tells && self.picture.is_unsure() {
                for engine in Source::ENGINES {
                    self.want(engine, Wanted::Soon);
                }
            }
            return;
        }
        self.picture.answered(&asked.recording, now_ms());
        if matches!(source, Source::Dm | Source::Lvm | Source::Docker | Source::Containerd) {
            self.want(Source::Metadata, Wanted::Soon);
        }
        // what its record has and device-mapper had not, the look after it tells
        if source == Source::Containerd && self.picture.is_unsure() {
            self.want(Source::Dm, Wanted::Soon);
            self.dm_tells = self.turns.contains_key(&Source::Dm);
        } else if source == Source::Dm {
            self.dm_tells = false;
        }
        if source == Source::Dm && !first {
            // what devices there are tells of mounts, and LVM and engines make devices
            let others = [Source::Block, Source::Mounts, Source::Lvm];
            for other in others.into_iter().chain(Source::ENGINES) {
                self.want(other, Wanted::IfChanged);
            }
        }
    }
}

/// How often a source is looked at of its own accord. A mount table tells of its changes, and a
/// host does not become another one.
fn every(source: Source, refresh: Duration) -> Option<Duration> {
    match source {
        Source::Dm => Some(refresh),
        Source::Block | Source::Lvm | Source::Docker | Source::Containerd => {
            Some(SLOW.max(refresh))
        }
        Source::Host | Source::Mounts | Source::Metadata => None,
    }
}

/// A look at the pools' metadata. What it says changes with what other sources say of its pools.
async fn look_at_pools(plan: LookPlan, asked: metadata::Asked, progress: Progress) -> Done {
    let asked = look_at_metadata(&plan, asked, (false, progress)).await;
    let (source, child) = (Source::Metadata, None);
    let (signs, known) = (Signs::default(), Sums::default());
    Done { source, child, asked: Some(asked), signs, known }
}

/// A look at one source: whole, unless only a change is wanted and its signs are the known ones. One
/// order does both, to a child that stays: starting one would be most of what a look takes.
async fn look(plan: LookPlan, begun: Begun) -> Done {
    let Begun { source, wanted, signs: places, known, states, mut child } = begun;
    let mut asked = None;
    if wanted < Wanted::Now && !places.is_empty() {
        // asked before the look, so that a change during the look shows the next time
        let known = if wanted == Wanted::IfChanged { known } else { Sums::default() };
        let signs = Some(places.clone());
        let order = Order { signs, known, states, ..order(&plan, source) };
        let mut told = ask(&plan, order, None, Whom::Standing(child.take())).await;
        child = told.child.take();
        if known.few.is_some() && told.sign == known.few && told.brought_nothing() {
            return Done { source, child, asked: None, signs: places, known };
        }
        asked = Some(told).filter(|told| told.sign.is_some());
    }
    // signs that are not told in time keep nobody from looking
    let asked = if let Some(asked) = asked {
        asked
    } else {
        let mut asked = look_by(&plan, source, Whom::Standing(child.take())).await;
        child = asked.child.take();
        asked
    };
    let signs = signs_of(&asked.recording);
    let few = asked.sign.filter(|_| signs == places);
    let states = if source == Source::Dm { states_of(&asked.recording) } else { None };
    Done { source, child, asked: Some(asked), signs, known: Sums { few, states } }
}
