//! Opens the screen: the survey on its thread, the loop on this one, and between them what the
//! screen asks for.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use super::desk::Desk;
use super::runs::Past;
use super::watching::{self, Heard};
use super::{Trouble, host, log, reserve};
use crate::cli::When;
use crate::exit::Exit;
use crate::model::Snapshot;
use crate::model::block::BlockQuestion;
use crate::probe::metadata::Depth;
use crate::settings::Settings;
use crate::survey::{self, LookPlan, Survey};
use crate::sys::HostPath;
use crate::sys::live::{logs, own};
use crate::text::Printable;
use crate::tui::{self, ColorChoice, Ended, Notice, Request, ScreenOptions};

/// Opens the screen and stays until it is left.
pub(super) fn open(settings: &Settings) -> Result<Exit, Trouble> {
    let mut plan = host::plan(settings)?;
    plan.metadata.depth = Depth::MappingsUpTo(host::SMALL);
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Trouble::usage(
            "the screen needs a terminal, and standard input or output is none: `thinscope tree`, \
             `layers`, `pool` and `findings` print the same as text",
        ));
    }
    let log = log::open(settings)?;
    let (snapshots, survey) = Survey::start(plan.clone(), settings.refresh)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::Failed(format!("the screen cannot be opened: {error}")))?;
    let (ask, asked) = unbounded_channel();
    let (tell, notices) = unbounded_channel();
    let told = tell.clone();
    watching::start(snapshots.clone(), settings, Past::Told, move |heard| {
        let notice = match heard {
            Heard::Events(events) => Notice::Events(events),
            Heard::Trends(trends) => Notice::Trends(trends),
        };
        // a screen that was left meanwhile is not told
        told.send(notice).is_ok()
    })
    .map_err(|error| Trouble::Failed(format!("the screen cannot be opened: {error}")))?;
    let state = if settings.read_only {
        Err("--read-only says that nothing is changed: no metadata snapshot is reserved".to_owned())
    } else {
        reserve::state_of(settings)
    };
    let options = ScreenOptions {
        ascii: Some(settings.ascii),
        color: match settings.color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        },
        notices: Some(notices),
    };
    let survey = Arc::new(survey);
    let desk = Desk::new(settings, plan.clone(), Arc::clone(&survey), tell.clone());
    let ended = runtime.block_on(async {
        tokio::spawn(serve(asked, (survey, desk.clone()), (plan, state), tell));
        if let Some(log) = log {
            tokio::spawn(note_down(snapshots.clone(), log));
        }
        tui::run(snapshots, ask, options).await
    });
    // whatever still runs must not keep the person waiting
    runtime.shutdown_background();
    logs::stop();
    desk.close();
    match ended {
        Ok(Ended::Quit) => Ok(Exit::Done),
        Ok(Ended::Signal(_) | Ended::TerminalGone) => Ok(Exit::Stopped),
        Err(error) => Err(Trouble::Failed(format!("the terminal refused: {error}"))),
    }
}

/// Does what the screen asks for, for as long as it asks.
async fn serve(
    mut asked: UnboundedReceiver<Request>,
    (survey, desk): (Arc<Survey>, Desk),
    (plan, state): (LookPlan, Result<HostPath, String>),
    tell: UnboundedSender<Notice>,
) {
    while let Some(request) = asked.recv().await {
        match request {
            Request::LookAgain => survey.look_again(),
            Request::ReadMappings => survey.read_mappings(),
            Request::ReadReserved => match &state {
                Ok(state) => survey.read_reserved(state.clone()),
                // a screen that was left meanwhile is not told
                Err(why) => drop(tell.send(Notice::Line(why.clone()))),
            },
            Request::StopMappings => survey.stop_mappings(),
            Request::Block { pool, block } => {
                let question = (Some(pool), BlockQuestion::Data(block));
                block_beside(plan.clone(), question, tell.clone());
            }
            Request::Space { pool, id, other } => {
                let question = (Some(pool), BlockQuestion::Space { id, other });
                block_beside(plan.clone(), question, tell.clone());
            }
            Request::Desk(order) => desk.take(order),
            Request::Capture => capture_beside(plan.clone(), tell.clone()),
        }
    }
}

/// Looks for a data block on a thread of its own and tells what was found.
fn block_beside(
    plan: LookPlan,
    question: (Option<String>, BlockQuestion),
    tell: UnboundedSender<Notice>,
) {
    let failed = tell.clone();
    let started = std::thread::Builder::new().name("block".to_owned()).spawn(move || {
        // a screen that was left meanwhile is not told
        let _ = tell.send(super::block::beside(plan, question));
    });
    if let Err(error) = started {
        let _ = failed.send(Notice::Line(format!("not looked for: {error}")));
    }
}

/// Records the host on a thread of its own and tells how it went.
fn capture_beside(plan: LookPlan, tell: UnboundedSender<Notice>) {
    let failed = tell.clone();
    let started = std::thread::Builder::new().name("capture".to_owned()).spawn(move || {
        // a screen that was left meanwhile is not told
        let said = capture(&plan).unwrap_or_else(|why| format!("not recorded: {why}"));
        let _ = tell.send(Notice::Line(said));
    });
    if let Err(error) = started {
        let _ = failed.send(Notice::Line(format!("not recorded: {error}")));
    }
}

fn capture(plan: &LookPlan) -> Result<String, String> {
    let path = survey::capture_name();
    let name = Printable::from_text(&path.to_string_lossy());
    let file = own::create(&path).map_err(|error| format!("{name} cannot be written: {error}"))?;
    let gaps = survey::capture(plan, io::BufWriter::new(file)).map_err(|e| e.to_string())?;
    Ok(match gaps.len() {
        0 => format!("recorded into {name}"),
        gaps => format!("recorded into {name}, without what could not be seen ({gaps})"),
    })
}

/// Writes every look into the log.
async fn note_down(mut snapshots: watch::Receiver<Arc<Snapshot>>, mut log: log::Log) {
    while snapshots.changed().await.is_ok() {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        log.looked(&snapshot, None);
    }
}
