//! Keys from the terminal, as a stream of events.
//!
//! The bytes are read here and not by crossterm: its reader never ends when the terminal is gone
//! (a read of nothing, or an error, is tried again at once, forever), and takes an arrow key that
//! comes byte by byte, as on a serial line, for Escape and two letters.

mod parse;

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crossterm::event::Event;
use futures_util::Stream;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Sleep, sleep_until};

use parse::Parser;

/// How long the rest of a key may take: three bytes at 1200 baud, and more on a bad link.
const REST_OF_A_KEY: Duration = Duration::from_millis(60);

/// The terminal's keys.
#[derive(Debug)]
pub(crate) struct Keys {
    terminal: AsyncFd<OwnedFd>,
    parser: Parser,
    rest_by: Option<Pin<Box<Sleep>>>,
}

impl Keys {
    /// Opens the terminal for itself: not blocking here must not make the shell's not block.
    pub(crate) fn open() -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let try_open = |path: &str| open(path, flags, Mode::empty());
        // without a controlling terminal, standard input may still be one
        let terminal = try_open("/dev/tty").or_else(|_| try_open("/proc/self/fd/0"))?;
        let interest = tokio::io::Interest::READABLE;
        #[expect(
            deprecated,
            reason = "unsound only for types that may change their descriptor; \
            the successor is unsafe to call"
        )]
        let terminal = AsyncFd::with_interest(terminal, interest)?;
        Ok(Self { terminal, parser: Parser::default(), rest_by: None })
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0_u8; 1024];
        loop {
            let mut ready = match self.terminal.poll_read_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return Poll::Pending,
            };
            let read = ready.try_io(|fd| Ok(nix::unistd::read(fd.get_ref(), &mut bytes)?));
            match read {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => {
                    let count = count?;
                    self.parser.feed(&bytes[..count]);
                    return Poll::Ready(Ok(count));
                }
                // nothing there after all: wait again
                Err(_) => {}
            }
        }
    }

    /// Gives the half of a key that has waited too long for its other half.
    fn wait_for_rest(&mut self, cx: &mut Context<'_>) -> Option<Event> {
        if !self.parser.is_within_a_key() {
            self.rest_by = None;
            return None;
        }
        let by = || Box::pin(sleep_until(Instant::now() + REST_OF_A_KEY));
        let sleep = self.rest_by.get_or_insert_with(by);
        if sleep.as_mut().poll(cx).is_ready() {
            self.rest_by = None;
            self.parser.give_up_waiting();
            return self.parser.next();
        }
        None
    }
}

impl Stream for Keys {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.parser.next() {
                return Poll::Ready(Some(Ok(event)));
            }
            match self.read(cx) {
                // the terminal is gone: no more keys will come
                Poll::Ready(Ok(0)) => return Poll::Ready(None),
                Poll::Ready(Ok(_)) => self.rest_by = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                Poll::Pending => break,
            }
        }
        match self.wait_for_rest(cx) {
            Some(event) => Poll::Ready(Some(Ok(event))),
            None => Poll::Pending,
        }
    }
}
