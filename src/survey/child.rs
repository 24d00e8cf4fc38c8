//! The probe child: asks the host about one source and prints each answer as it comes. A process of
//! its own, or one thread of a brood that does this for several sources.
//!
//! It takes one order after another until it is told no more: for the screen it stays, because
//! starting it takes longer than most of what it is asked. Between two orders it only waits.
//!
//! The thread that asks may hang in the kernel at any question. A second thread prints what is
//! ready, names a question that takes long, and ends the process (in a brood: closes the pipe) when
//! one question takes longer than the limit or when whoever started it is gone, so that the parent
//! always has every answer that was given and nothing of ours stays behind. The limit is for
//! silence, not for all of a look: a host that is merely slow, or large, is seen whole. LVM's is for
//! all of it, because its calls have limits of their own, which grow with the host.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::common::{Common, Member};
use super::order::{Order, SUBCOMMAND, Signs};
use super::signs::{self, Disks};
use super::silence;
use crate::ids::DevNo;
use crate::probe;
use crate::probe::metadata::reserve::{Reserved, Reserving};
use crate::probe::metadata::{Asked, Progress, Ways, read_metadata};
use crate::sys::capture::{Line, Recorder, Sink, write_answer};
use crate::sys::live::brood::Ends;
use crate::sys::live::reserve::{self, Holder};
use crate::sys::live::{Live, kill_running_tool, parent};
use crate::sys::{Answer, FailKind, Failure, HostPath, Medium, Question, ReadHost, Source};

/// How often the second thread looks.
const TURN: Duration = Duration::from_millis(50);
/// A question that takes longer is named to the parent.
const LONG: Duration = Duration::from_millis(100);
/// Text is printed at once when there is this much.
const CHUNK: usize = 64 << 10;
/// An order is short: paths and numbers.
const LONGEST_ORDER: u64 = 64 << 20;

/// Whether these are the arguments of a child.
pub fn is_child(arguments: &[std::ffi::OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == SUBCOMMAND)
}

/// Runs as the child: reads orders from standard input, prints the answers.
pub fn child_main() -> ExitCode {
    let mut input = io::stdin().lock();
    let mut done = ExitCode::FAILURE;
    let output = Output::watched(AtLimit::Exit);
    while let Some(order) = next_order(&mut input) {
        carry_out(&order, Box::new(io::stdout()), &output, None);
        done = ExitCode::SUCCESS;
    }
    done
}

/// `None` when there is none, or it cannot be understood.
fn next_order(input: &mut impl BufRead) -> Option<Order> {
    let mut line = Vec::new();
    input.take(LONGEST_ORDER).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

/// The same as one of a brood.
pub(super) fn member_main(name: &'static str, ends: Ends, common: &Common) {
    let tool = name == Source::Lvm.name();
    if let Some(order) = next_order(&mut BufReader::new(ends.input)) {
        let output = Output::watched(AtLimit::Close { tool });
        carry_out(&order, Box::new(ends.output), &output, Some(common));
    }
    if tool {
        // without an order, or before it came to a call
        common.lvm_is_under_way();
    }
}

/// What happens when the limit is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtLimit {
    /// The process ends.
    Exit,
    /// The output is closed: other threads of the process have limits of their own.
    Close {
        /// This is the one that may wait for a program.
        tool: bool,
    },
}

fn carry_out(order: &Order, out: Box<dyn Write + Send>, output: &Output, common: Option<&Common>) {
    output.begin(out, order);
    let live = Live::new(order.root.as_ref().map(|root| root.as_path().to_owned()));
    perform(order, &live, output, common);
    output.lock().end();
}

fn perform(order: &Order, live: &Live, output: &Output, common: Option<&Common>) {
    if order.signs.as_ref().is_some_and(|wanted| is_as_known(order, wanted, live, output)) {
        return;
    }
    if let Some(asked) = &order.metadata {
        perform_metadata(asked, live, output, order.record);
        return;
    }
    if let Some(common) = common {
        common.after_lvm(order.source);
    }
    let host = Skipping { live, skip: &order.skip };
    let member = common.map(|common| Member::new(&host, common));
    let host = member.as_ref().map_or(&host as &dyn ReadHost, |member| member);
    let recorder = Recorder::new(host, order.source, output);
    if !order.questions.is_empty() {
        order.questions.iter().for_each(|question| drop(recorder.ask(question)));
        return;
    }
    // what it makes of the answers the parent makes again from the lines
    let _ = probe::read_source(order.source, &recorder, &order.options);
}

/// Whether everything that is a sign of change is as it was; tells what the few come to.
fn is_as_known(order: &Order, wanted: &Signs, live: &Live, output: &Output) -> bool {
    let few = {
        let mut disks = output.disks.lock().unwrap_or_else(PoisonError::into_inner);
        signs::digest(live, wanted, &mut disks)
    };
    {
        let mut output = output.lock();
        output.push_line(&Line::Sign(few));
        output.heard = Instant::now();
    }
    order.known.few == Some(few)
        && (!order.states || order.known.states.is_some_and(|known| known == signs::states(live)))
}

/// Metadata is counted here: what was read may be too much for a pipe.
fn perform_metadata(asked: &Asked, live: &Live, output: &Output, record: bool) {
    if record {
        let recorder = Recorder::new(live, Source::Metadata, output);
        let _ = read_metadata(&recorder, asked, Ways::default());
        return;
    }
    let heard = Heard { live, output };
    let told = Mutex::new(Instant::now());
    let watch = |progress: Progress| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= LONG {
            *told = Instant::now();
            let said = Line::Progress { done: progress.done, of: progress.of };
            output.lock().push_line(&said);
        }
        ControlFlow::Continue(())
    };
    let reserving = asked.reserve.as_ref().map(|state| Reserver { state, output });
    let reserving = reserving.as_ref().map(|reserving| reserving as &dyn Reserving);
    let seen = read_metadata(&heard, asked, Ways { watch: Some(&watch), reserving });
    // our own types have text keys only: this cannot fail
    let facts = serde_json::to_string(&seen).unwrap_or_default();
    output.lock().push_line(&Line::Facts(facts));
}

/// Has metadata snapshots reserved by a process of its own, which releases them also when this one
/// is killed.
struct Reserver<'a> {
    state: &'a HostPath,
    output: &'a Output,
}

impl Reserving for Reserver<'_> {
    fn reserve(&self, pool: DevNo) -> Result<Box<dyn Reserved>, String> {
        let held = Holder::start(&reserve::Order { pool, state: self.state.clone() });
        self.output.lock().heard = Instant::now();
        held.map(|holder| Box::new(Held(holder)) as Box<dyn Reserved>)
    }
}

struct Held(Holder);

impl Reserved for Held {
    fn root(&self) -> u64 {
        self.0.root()
    }

    fn release(self: Box<Self>) -> Result<(), String> {
        self.0.release()
    }
}

/// The host, with a note that answers come, and not of what they are.
struct Heard<'a> {
    live: &'a Live,
    output: &'a Output,
}

impl Heard<'_> {
    fn noted<T>(&self, question: &Question, ask: impl FnOnce() -> T) -> T {
        self.output.asking(question);
        let answer = ask();
        let mut state = self.output.lock();
        state.asking = None;
        state.heard = Instant::now();
        answer
    }
}

impl ReadHost for Heard<'_> {
    fn ask(&self, question: &Question) -> Answer {
        self.noted(question, || self.live.ask(question))
    }

    fn wait(&self, time: Duration) {
        self.live.wait(time);
    }

    fn read_into(&self, of: &Medium, offset: u64, into: &mut [u8]) -> Result<(), Failure> {
        let length = u32::try_from(into.len()).unwrap_or(u32::MAX);
        let question = Question::Read { of: of.clone(), offset, length };
        self.noted(&question, || self.live.read_into(of, offset, into))
    }
}

/// The second thread: waits for an order to begin, and watches it to its end.
fn watch(output: &Output, at_limit: AtLimit) {
    let born_by = parent();
    loop {
        output.wait_for_order();
        std::thread::sleep(TURN);
        let mut state = output.lock();
        if state.ended {
            continue;
        }
        let asking = state.asking.as_ref().map(|(question, ..)| question);
        // LVM's calls have limits of their own: this one is for all of them
        let over = state.heard.elapsed() >= silence(state.limit, asking)
            || (state.source == Source::Lvm && state.since.elapsed() >= state.limit);
        let printed = state.flush(over);
        let orphan = parent() != born_by;
        if over || !printed || orphan {
            state.out = None;
            drop(state);
            if at_limit != (AtLimit::Close { tool: false }) || orphan {
                kill_running_tool();
            }
            if at_limit == AtLimit::Exit || orphan {
                std::process::exit(1);
            }
            return;
        }
    }
}

/// The host, without the status of devices that an earlier child hangs on.
struct Skipping<'a> {
    live: &'a Live,
    skip: &'a [DevNo],
}

impl ReadHost for Skipping<'_> {
    fn ask(&self, question: &Question) -> Answer {
        match question {
            Question::DmStatus(dev) if self.skip.contains(dev) => skipped(*dev),
            _ => self.live.ask(question),
        }
    }
}

fn skipped(dev: DevNo) -> Answer {
    let why = format!(
        "device {dev} does not tell its status: its pool is stuck in the kernel; `dmesg` may say \
         why, and whether it is suspended `dmsetup info` tells"
    );
    Answer::failed(FailKind::TimedOut, why)
}

/// What is to be printed, shared by both threads.
struct Output {
    state: Mutex<State>,
    /// An order begins.
    begun: Condvar,
    /// What was known of disks at the last order.
    disks: Mutex<Disks>,
}

struct State {
    text: Vec<u8>,
    /// `None` when nobody reads any more, or all was said.
    out: Option<Box<dyn Write + Send>>,
    /// All was said; so it is before the first order.
    ended: bool,
    /// What the order is about, how long it may take, and since when it does.
    source: Source,
    limit: Duration,
    since: Instant,
    /// When the newest answer came, recorded or not.
    heard: Instant,
    records: u64,
    /// The question under way, since when, and whether the parent knows.
    asking: Option<(Question, Instant, bool)>,
}

impl Output {
    /// One with a thread that watches it.
    fn watched(at_limit: AtLimit) -> Arc<Self> {
        let state = Mutex::new(State::ended());
        let output = Arc::new(Self { state, begun: Condvar::new(), disks: Mutex::default() });
        let watched = Arc::clone(&output);
        // without it answers come late and the parent's own limit holds
        drop(std::thread::Builder::new().spawn(move || watch(&watched, at_limit)));
        output
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // a thread that panicked left whole lines: they are appended in one go
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, out: Box<dyn Write + Send>, order: &Order) {
        let (source, limit) = (order.source, order.limit);
        *self.lock() = State { out: Some(out), ended: false, source, limit, ..State::ended() };
        self.begun.notify_one();
    }

    /// Without a timer: between two orders a child takes nothing of the host's time.
    fn wait_for_order(&self) {
        let waits = self.begun.wait_while(self.lock(), |state| state.ended);
        drop(waits.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Sink for Output {
    fn asking(&self, question: &Question) {
        self.lock().asking = Some((question.clone(), Instant::now(), false));
    }

    fn answered(&self, source: Source, question: &Question, answer: &Answer) {
        let mut state = self.lock();
        state.asking = None;
        state.heard = Instant::now();
        write_answer(source, question, answer, &mut state.text);
        state.records += 1;
        if state.text.len() >= CHUNK {
            state.print();
        }
    }
}

impl State {
    fn ended() -> Self {
        let (text, out, since) = (Vec::new(), None, Instant::now());
        let (ended, source, limit) = (true, Source::Host, Duration::ZERO);
        let (heard, records, asking) = (since, 0, None);
        Self { text, out, ended, source, limit, since, heard, records, asking }
    }

    fn push_line(&mut self, line: &Line) {
        line.write(&mut self.text);
    }

    /// Prints what is ready, and the question that takes long; whether anybody reads.
    fn flush(&mut self, now: bool) -> bool {
        if let Some((question, since, told)) = &mut self.asking
            && !*told
            && (now || since.elapsed() >= LONG)
        {
            *told = true;
            let line = Line::Asking(question.clone());
            line.write(&mut self.text);
        }
        self.print();
        self.out.is_some()
    }

    fn print(&mut self) {
        if let Some(out) = &mut self.out
            && !self.text.is_empty()
            && out.write_all(&self.text).and_then(|()| out.flush()).is_err()
        {
            self.out = None;
        }
        self.text.clear();
    }

    fn end(&mut self) {
        let records = self.records;
        self.push_line(&Line::End { records });
        self.print();
        (self.text, self.out, self.ended) = (Vec::new(), None, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::LookOptions;
    use crate::survey::order::Sums;
    use crate::sys::capture::parse_line;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The sum of the signs, and how many questions were asked after them.
    fn told(order: &Order) -> (Option<u64>, usize) {
        let kept = Kept::default();
        let output = Output::watched(AtLimit::Close { tool: false });
        carry_out(order, Box::new(kept.clone()), &output, None);
        let text = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let (mut sign, mut asked) = (None, 0);
        for line in lines {
            match parse_line(line) {
                Ok(Line::Sign(sum)) => sign = Some(sum),
                Ok(Line::Answered { .. }) => asked += 1,
                _ => {}
            }
        }
        (sign, asked)
    }

    #[test]
    fn orders_are_taken_line_by_line_until_one_cannot_be_understood() {
        let order =
            |source| Order::look(source, None, LookOptions::default(), Duration::from_secs(9));
        let (dm, lvm) = (order(Source::Dm), order(Source::Lvm));
        let mut input = [dm.write(), lvm.write(), b"{}\n".to_vec()].concat();
        input.extend(dm.write());
        let mut input = input.as_slice();
        let mut next = || next_order(&mut input);
        assert_eq!([next(), next(), next()], [Some(dm), Some(lvm), None]);
    }

    #[test]
    fn what_is_as_it_was_is_not_looked_at_and_anything_else_is_at_once() {
        let limit = Duration::from_secs(60);
        let mut order = Order::look(Source::Mounts, None, LookOptions::default(), limit);
        order.signs = Some(Signs { stat: vec![HostPath::new("/proc/self")], ..Signs::default() });
        let (sign, asked) = told(&order);
        assert!(sign.is_some() && asked > 0, "{sign:?} {asked}");
        order.known.few = Some(1);
        assert_eq!(told(&order), (sign, asked));
        order.known.few = sign;
        assert_eq!(told(&order), (sign, 0));
        // asked for, and nothing or something else known of them
        order.states = true;
        assert_eq!(told(&order), (sign, asked));
        order.known.states = Some(1);
        assert_eq!(told(&order), (sign, asked));
        (order.signs, order.known) = (None, Sums::default());
        assert_eq!(told(&order), (None, asked));
    }
}
