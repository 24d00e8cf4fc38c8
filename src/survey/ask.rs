//! One look at one source of the live host: a child within its limit, and for device-mapper one
//! more for each device that hangs, so that the others are still seen.

use std::path::Path;
use std::time::{Duration, Instant};

use super::order::{Order, SUBCOMMAND};
use super::{LookPlan, silence};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use crate::ids::DevNo;
use crate::probe::metadata::MetadataSeen;
use crate::sys::capture::{LONGEST_LINE, Line, Recording, parse_line};
use crate::sys::live::brood::Ends;
use crate::sys::live::child::{ProbeChild, Stuck};
use crate::sys::{Question, ReadHost, Reply};

/// How much longer than by the child itself its limit is kept here: it ends by itself when it is
/// over, unless it hangs in the kernel.
const GRACE: Duration = Duration::from_millis(300);

/// How many children one look at device-mapper may lose.
const MOST_TRIES: usize = 3;

/// What a look brought.
pub(super) struct Asked {
    /// The answers, with the reason where they are not whole.
    pub recording: Recording,
    /// What a child made of what it read itself.
    pub facts: Option<MetadataSeen>,
    /// What the signs of change came to before the look, where they were wanted.
    pub sign: Option<u64>,
    /// The child, where it stays and can be asked again.
    pub child: Option<Box<ProbeChild>>,
    /// Children that could not even be killed.
    pub stuck: Vec<Stuck>,
    /// How long it took.
    pub took: Duration,
}

/// Who is told how far a long look has come: parts done, and of how many.
pub(super) type Progress = Option<UnboundedSender<(u64, u64)>>;

impl Asked {
    /// Nothing was asked beside the signs of change.
    pub(super) fn brought_nothing(&self) -> bool {
        self.recording.is_empty() && self.recording.broken_off().is_none()
    }
}

/// Who is asked.
#[derive(Debug)]
pub(super) enum Whom {
    /// A process for this look alone.
    Fresh,
    /// A member of a brood. When it is lost, it may have fallen with another.
    Member(Ends),
    /// A process that stays for the next look: the one of the look before, or a new one.
    Standing(Option<Box<ProbeChild>>),
}

/// Looks at one source. Whoever was there before and is lost without having been asked anything that
/// takes long, has not ended over this look: a new process is asked.
pub(super) async fn ask(plan: &LookPlan, order: Order, progress: Progress, whom: Whom) -> Asked {
    let since = Instant::now();
    let mut order = order;
    let (mut stuck, mut sign) = (Vec::new(), None);
    let stays = matches!(whom, Whom::Standing(_));
    let mut there = match whom {
        Whom::Fresh | Whom::Standing(None) => None,
        Whom::Member(ends) => Some(ProbeChild::member(ends, LONGEST_LINE)),
        Whom::Standing(Some(child)) => Some(Ok(*child)),
    };
    for attempt in 1.. {
        let was_there = there.is_some();
        let child = there.take().unwrap_or_else(|| start(&plan.program, &order));
        let mut one = ask_child(child, &order, progress.clone(), stays).await;
        if was_there && one.lost {
            stuck.extend(one.stuck.take());
            let child = start(&plan.program, &order);
            one = ask_child(child, &order, progress.clone(), stays).await;
        }
        stuck.extend(one.stuck.take());
        sign = sign.or(one.sign);
        order.signs = None;
        let hung_device = match one.hung {
            Some(Question::DmStatus(dev)) if attempt < MOST_TRIES => Some(dev),
            _ => None,
        };
        let Some(dev) = hung_device else {
            let One { recording, facts, child, .. } = one;
            return Asked { recording, facts, sign, child, stuck, took: since.elapsed() };
        };
        order.skip.extend(with_its_pool(dev, &one.recording, attempt));
    }
    unreachable!("the last attempt returns")
}

/// The devices that hang together with this one: a pool's metadata lock is taken by the status of
/// each of its thin devices. The second time, all that have a pool below them.
fn with_its_pool(dev: DevNo, seen: &Recording, attempt: usize) -> Vec<DevNo> {
    let mut hung = vec![dev];
    hung.extend(pools_of(dev, seen));
    for (question, answer) in seen.answers() {
        if let (Question::DmDevice(other), Ok(Reply::DmDevice(device))) = (question, &answer.result)
        {
            let thin = device.table.iter().any(|target| target.kind.starts_with("thin"));
            if thin && (attempt > 1 || device.deps.iter().any(|below| hung.contains(below))) {
                hung.push(*other);
            }
        }
    }
    hung
}

/// The pools that a thin device is in; nothing for a pool.
fn pools_of(dev: DevNo, seen: &Recording) -> Vec<DevNo> {
    match seen.ask(&Question::DmDevice(dev)).result {
        Ok(Reply::DmDevice(device)) if device.table.iter().any(|target| target.kind == "thin") => {
            device.deps
        }
        _ => Vec::new(),
    }
}

/// What one child brought.
struct One {
    recording: Recording,
    facts: Option<MetadataSeen>,
    sign: Option<u64>,
    /// The question it was lost at.
    hung: Option<Question>,
    /// It ended before its time, at no question that took long.
    lost: bool,
    child: Option<Box<ProbeChild>>,
    stuck: Option<Stuck>,
}

impl One {
    /// There is no child to ask.
    fn none(recording: Recording) -> Self {
        let (facts, sign, hung, child, stuck) = (None, None, None, None, None);
        Self { recording, facts, sign, hung, lost: true, child, stuck }
    }
}

async fn ask_child(
    child: std::io::Result<ProbeChild>,
    order: &Order,
    progress: Progress,
    stays: bool,
) -> One {
    let mut recording = Recording::new(order.source);
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            recording.break_off(format!(
                "the process that looks could not be started: {error}; nothing of this was seen"
            ));
            return One::none(recording);
        }
    };
    let mut lines = Lines { progress, ..Lines::new(recording) };
    let heard = lines.take_all(&mut child, order, !stays).await;
    let over = heard == Heard::Silence || lines.asking.is_some();
    let lost = !lines.whole && !over;
    if stays && lines.whole {
        child.rest();
        let Lines { recording, facts, sign, .. } = lines;
        let (hung, child, stuck) = (None, Some(Box::new(child)), None);
        return One { recording, facts, sign, hung, lost, child, stuck };
    }
    let ended = child.end().await;
    let mut recording = lines.recording;
    let mut hung = None;
    if !lines.whole {
        let why = match &lines.asking {
            Some(question) => gave_no_answer(order.limit, question),
            None if over => {
                format!("no answer within {} s", silence(order.limit, None).as_secs_f32())
            }
            None => lost_by(&ended),
        };
        recording.break_off(why);
        hung = lines.asking;
    }
    let (facts, sign, stuck) = (lines.facts, lines.sign, ended.err());
    One { recording, facts, sign, hung, lost, child: None, stuck }
}

fn start(program: &Path, order: &Order) -> std::io::Result<ProbeChild> {
    ProbeChild::start(program, [SUBCOMMAND, order.source.name()], LONGEST_LINE)
}

/// How listening to a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// It has no more to say.
    End,
    /// It said nothing for longer than its limit.
    Silence,
}

/// What a child has printed so far.
struct Lines {
    recording: Recording,
    asking: Option<Question>,
    whole: bool,
    sign: Option<u64>,
    facts: Option<MetadataSeen>,
    progress: Progress,
}

impl Lines {
    fn new(recording: Recording) -> Self {
        let (asking, sign, facts, progress) = (None, None, None, None);
        Self { recording, asking, whole: false, sign, facts, progress }
    }

    /// Until it ends, closes its output, prints what is no record, or is silent for longer than
    /// its limit.
    async fn take_all(&mut self, child: &mut ProbeChild, order: &Order, last: bool) -> Heard {
        let limit = silence(order.limit, None) + GRACE;
        if timeout(limit, child.tell(&order.write(), last)).await.is_err() {
            return Heard::Silence;
        }
        loop {
            let limit = silence(order.limit, self.asking.as_ref()) + GRACE;
            let text = match timeout(limit, child.line()).await {
                Err(_) => return Heard::Silence,
                Ok(Ok(Some(text))) => text,
                Ok(_) => return Heard::End,
            };
            match parse_line(text) {
                Ok(Line::Answered { question, answer, .. }) => {
                    self.asking = None;
                    self.recording.push(question, answer);
                }
                Ok(Line::Asking(question)) => self.asking = Some(question),
                Ok(Line::Sign(sign)) => self.sign = Some(sign),
                Ok(Line::Facts(facts)) => {
                    self.asking = None;
                    self.facts = serde_json::from_str(&facts).ok();
                }
                Ok(Line::Progress { done, of }) => {
                    self.asking = None;
                    // a screen that was left meanwhile is not told
                    let _ = self.progress.as_ref().map(|tell| tell.send((done, of)));
                }
                Ok(Line::BrokenOff { why, .. }) => self.recording.break_off(why),
                Ok(Line::End { .. }) => {
                    self.whole = true;
                    return Heard::End;
                }
                Err(_) => return Heard::End,
            }
        }
    }
}

fn gave_no_answer(limit: Duration, question: &Question) -> String {
    let hint = match question {
        Question::DmStatus(_) => {
            "; its pool may be stuck in the kernel, `dmesg` may say why, and `dmsetup info` whether \
             it is suspended"
        }
        Question::Run(_) => {
            "; LVM may wait for a suspended device or for a lock that another process holds"
        }
        Question::Read { .. } | Question::SizeOf(_) => {
            "; the device may be stuck, `dmesg` may say why, and `dmsetup info` whether it is \
             suspended"
        }
        Question::Space(_)
        | Question::Stat(_)
        | Question::Count(_)
        | Question::File { .. }
        | Question::Tree { .. } => "; the filesystem may hang on its device",
        _ => "",
    };
    let limit = silence(limit, Some(question)).as_secs_f32();
    format!("no answer within {limit} s to the {}{hint}", question.describe())
}

fn lost_by(ended: &Result<std::process::ExitStatus, Stuck>) -> String {
    match ended {
        Ok(status) => format!("the process that looked ended before its time ({status})"),
        Err(_) => "the process that looks hangs in the kernel".to_owned(),
    }
}
