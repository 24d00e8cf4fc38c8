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
    /// Children that could not even be killed.
    pub stuck: Vec<Stuck>,
    /// How long it took.
    pub took: Duration,
}

/// Who is told how far a long look has come: parts done, and of how many.
pub(super) type Progress = Option<UnboundedSender<(u64, u64)>>;

/// Looks at one source.
pub(super) async fn ask(plan: &LookPlan, order: Order, progress: Progress) -> Asked {
    ask_first(plan, order, progress, None).await
}

/// The same by a member of a brood, where there is one. When it is lost, it may have fallen with
/// another: then a process of its own is asked.
pub(super) async fn ask_first(
    plan: &LookPlan,
    order: Order,
    progress: Progress,
    member: Option<Ends>,
) -> Asked {
    let since = Instant::now();
    let mut order = order;
    let (mut stuck, mut sign) = (Vec::new(), None);
    let mut member = member;
    for attempt in 1.. {
        let was_member = member.is_some();
        let child = start(&plan.program, &order, member.take());
        let mut one = ask_child(child, &order, progress.clone()).await;
        if was_member && one.lost {
            let child = start(&plan.program, &order, None);
            one = ask_child(child, &order, progress.clone()).await;
        }
        stuck.extend(one.stuck.take());
        sign = sign.or(one.sign);
        order.signs = None;
        let hung_device = match one.hung {
            Some(Question::DmStatus(dev)) if attempt < MOST_TRIES => Some(dev),
            _ => None,
        };
        let Some(dev) = hung_device else {
            let (recording, facts) = (one.recording, one.facts);
            return Asked { recording, facts, sign, stuck, took: since.elapsed() };
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
    stuck: Option<Stuck>,
}

async fn ask_child(child: Result<ProbeChild, String>, order: &Order, progress: Progress) -> One {
    let mut recording = Recording::new(order.source);
    let mut child = match child {
        Ok(child) => child,
        Err(why) => {
            recording.break_off(why);
            return One { recording, facts: None, sign: None, hung: None, lost: true, stuck: None };
        }
    };
    let mut lines = Lines { progress, ..Lines::new(recording) };
    let heard = lines.take_all(&mut child, order).await;
    let ended = child.end().await;
    let mut recording = lines.recording;
    let mut hung = None;
    let over = heard == Heard::Silence || lines.asking.is_some();
    if !lines.whole {
        let why = match &lines.asking {
            Some(question) => gave_no_answer(order.limit, question),
            None if over => {
                format!("no answer within {} s", silence(order.limit, None).as_secs_f32())
            }
            None => lost(&ended),
        };
        recording.break_off(why);
        hung = lines.asking;
    }
    let lost = !lines.whole && !over;
    One { recording, facts: lines.facts, sign: lines.sign, hung, lost, stuck: ended.err() }
}

fn start(program: &Path, order: &Order, member: Option<Ends>) -> Result<ProbeChild, String> {
    let started = match member {
        Some(ends) => ProbeChild::member(ends, LONGEST_LINE),
        None => ProbeChild::start(program, [SUBCOMMAND, order.source.name()], LONGEST_LINE),
    };
    started.map_err(|error| {
        format!("the process that looks could not be started: {error}; nothing of this was seen")
    })
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
    async fn take_all(&mut self, child: &mut ProbeChild, order: &Order) -> Heard {
        let limit = silence(order.limit, None) + GRACE;
        if timeout(limit, child.tell(&order.write())).await.is_err() {
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

fn lost(ended: &Result<std::process::ExitStatus, Stuck>) -> String {
    match ended {
        Ok(status) => format!("the process that looked ended before its time ({status})"),
        Err(_) => "the process that looks hangs in the kernel".to_owned(),
    }
}
