//! What members of a brood have in common.
//!
//! What several sources ask at the same moment is asked once: LVM's filter is made of the devices
//! that two other sources list. And LVM goes first, for its call takes longer than all others
//! together: whoever has nothing to tell it begins when it is called.
//!
//! For members of one brood, and for one look: an answer is as old as that. Who asks the same again
//! wants to know whether it has changed, and is answered anew. Where the answer does not come, all
//! who asked wait for it, each until its own limit, as they would have without this.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::sys::{Answer, Question, ReadHost, Source};

/// How long LVM has the way to itself at most: its filter is soon made, but where a device hangs.
const HEAD_START: Duration = Duration::from_millis(150);

/// What all of them share.
#[derive(Debug, Default)]
pub(super) struct Common {
    answers: Mutex<HashMap<Question, Arc<OnceLock<Answer>>>>,
    lvm_called: Mutex<bool>,
    called: Condvar,
}

impl Common {
    fn of(&self, question: &Question) -> Arc<OnceLock<Answer>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(answers.entry(question.clone()).or_default())
    }

    /// LVM is called, or will not be.
    pub(super) fn lvm_is_under_way(&self) {
        *self.lvm_called.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.called.notify_all();
    }

    /// Waits for that, where LVM needs nothing of this source.
    pub(super) fn after_lvm(&self, source: Source) {
        if matches!(source, Source::Docker | Source::Containerd | Source::Mounts) {
            let called = self.lvm_called.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.called.wait_timeout_while(called, HEAD_START, |called| !*called));
        }
    }
}

/// One member's host.
pub(super) struct Member<'a> {
    host: &'a dyn ReadHost,
    common: &'a Common,
    asked: Mutex<HashSet<Question>>,
}

impl<'a> Member<'a> {
    pub(super) fn new(host: &'a dyn ReadHost, common: &'a Common) -> Self {
        Self { host, common, asked: Mutex::default() }
    }

    fn is_first(&self, question: &Question) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(question.clone())
    }
}

impl ReadHost for Member<'_> {
    fn ask(&self, question: &Question) -> Answer {
        if question.calls_lvm() {
            self.common.lvm_is_under_way();
        }
        if is_common(question) && self.is_first(question) {
            return self.common.of(question).get_or_init(|| self.host.ask(question)).clone();
        }
        self.host.ask(question)
    }

    fn wait(&self, time: Duration) {
        self.host.wait(time);
    }
}

/// What more than one source asks, and none of it of a device's status, which may hang.
fn is_common(question: &Question) -> bool {
    matches!(
        question,
        Question::SysBlock | Question::DmVersion | Question::DmList | Question::DmDevice(_)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::command::{CommandSpec, Tool};
    use crate::sys::Reply;

    /// Counts what it is asked.
    #[derive(Default)]
    struct Counting(AtomicU64);

    impl ReadHost for Counting {
        fn ask(&self, _: &Question) -> Answer {
            Answer::ok(Reply::Number(self.0.fetch_add(1, Ordering::SeqCst)))
        }
    }

    fn number(answer: &Answer) -> u64 {
        match answer.result {
            Ok(Reply::Number(number)) => number,
            _ => panic!("{answer:?}"),
        }
    }

    #[test]
    fn two_members_are_told_the_same_and_each_is_answered_anew_the_second_time() {
        let (live, common) = (Counting::default(), Common::default());
        let (one, other) = (Member::new(&live, &common), Member::new(&live, &common));
        let list = Question::DmList;
        assert_eq!([one.ask(&list), other.ask(&list)].map(|answer| number(&answer)), [0, 0]);
        assert_eq!([one.ask(&list), other.ask(&list)].map(|answer| number(&answer)), [1, 2]);
    }

    #[test]
    fn what_one_source_alone_asks_is_not_kept() {
        let (live, common) = (Counting::default(), Common::default());
        let (one, other) = (Member::new(&live, &common), Member::new(&live, &common));
        let time = Question::Time;
        assert_eq!([one.ask(&time), other.ask(&time)].map(|answer| number(&answer)), [0, 1]);
        assert!(common.answers.lock().expect("no thread panicked").is_empty());
    }

    #[test]
    fn who_asks_while_another_is_being_answered_waits_for_that_answer() {
        struct Slow(Counting);
        impl ReadHost for Slow {
            fn ask(&self, question: &Question) -> Answer {
                std::thread::sleep(Duration::from_millis(50));
                self.0.ask(question)
            }
        }
        let (live, common) = (Slow(Counting::default()), Common::default());
        let told = std::thread::scope(|scope| {
            let ask = || number(&Member::new(&live, &common).ask(&Question::SysBlock));
            let threads = [scope.spawn(ask), scope.spawn(ask), scope.spawn(ask)];
            threads.map(|thread| thread.join().expect("no thread panics"))
        });
        assert_eq!((told, live.0.0.into_inner()), ([0, 0, 0], 1));
    }

    #[test]
    fn who_has_nothing_to_tell_lvm_begins_when_it_is_called_and_never_waits_for_long() {
        let (live, common) = (Counting::default(), Common::default());
        let waited = |source| {
            let since = Instant::now();
            common.after_lvm(source);
            since.elapsed()
        };
        assert!(waited(Source::Block) < HEAD_START, "the filter is made of it");
        assert!(waited(Source::Docker) >= HEAD_START, "LVM has the way to itself");
        let call = CommandSpec::look(Tool::Lvm, vec!["fullreport".to_owned()], HEAD_START);
        Member::new(&live, &common).ask(&Question::Run(call));
        assert!(waited(Source::Docker) < HEAD_START, "LVM is called");
    }
}
