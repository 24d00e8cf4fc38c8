//! Signals to the process, as the loop understands them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::signal::unix::{self, SignalKind};

/// What a signal means to the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Leave, and say which signal it was.
    End(i32),
    /// The terminal has another size.
    Resize,
    /// The shell continues us.
    Continue,
}

/// All signals that are listened to.
#[derive(Debug)]
pub(crate) struct Signals(Vec<(unix::Signal, Signal)>);

impl Signals {
    /// Begins to listen.
    pub(crate) fn new() -> io::Result<Self> {
        let ending = [
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
        ];
        let others = [
            (SignalKind::window_change(), Signal::Resize),
            (SignalKind::from_raw(nix::libc::SIGCONT), Signal::Continue),
        ];
        let ending = ending.into_iter().map(|kind| (kind, Signal::End(kind.as_raw_value())));
        let all = ending.chain(others).map(|(kind, meaning)| Ok((unix::signal(kind)?, meaning)));
        Ok(Self(all.collect::<io::Result<_>>()?))
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        for (signal, meaning) in &mut self.0 {
            if signal.poll_recv(cx).is_ready() {
                return Poll::Ready(Some(*meaning));
            }
        }
        Poll::Pending
    }
}
