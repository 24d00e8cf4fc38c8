//! Records a host into one file, the way `thinscope capture` does: every source is read once and
//! what it was asked and answered is noted down.

use std::io;
use std::sync::Mutex;

use thinscope::probe::{LookOptions, read_source};
use thinscope::sys::capture::{Header, Recorder, Sink, Writer};
use thinscope::sys::{Answer, Question, ReadHost, Reply, Source};

/// The recording's bytes.
pub(crate) fn record(host: &dyn ReadHost) -> io::Result<Vec<u8>> {
    let options = LookOptions::default();
    let info = match host.ask(&Question::Host).result {
        Ok(Reply::Host(info)) => info,
        other => return Err(io::Error::other(format!("no host: {other:?}"))),
    };
    let header = Header::new(info, serde_json::to_value(&options)?);
    let notes = Notes(Mutex::new((Writer::new(Vec::new(), &header)?, Ok(()))));
    for source in Source::ALL {
        read_source(source, &Recorder::new(host, source, &notes), &options);
    }
    let (writer, written) =
        notes.0.into_inner().map_err(|_| io::Error::other("a note was cut short"))?;
    written.and_then(|()| writer.finish())
}

/// Writes what comes, and keeps the first error.
struct Notes(Mutex<(Writer<Vec<u8>>, io::Result<()>)>);

impl Sink for Notes {
    fn answered(&self, source: Source, question: &Question, answer: &Answer) {
        let Ok(mut notes) = self.0.lock() else { return };
        let (writer, written) = &mut *notes;
        if written.is_ok() {
            *written = writer.answer(source, question, answer);
        }
    }
}
