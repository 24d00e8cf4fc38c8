//! Where everything stands on the screen.
//!
//! ```text
//!  thinscope  web-3  2 pools  oldest look 2 s      header
//!  ! docker-thinpool is full …                     trouble, when there is some
//!  NAME              KIND  ID   SIZE │ docker-…    head
//!  xvdf              disk       100G │ direct-lvm  body │ pane (from 100 columns)
//!  …                                 │
//!  ── docker-thinpool ─────────────────────────    foot (below 100 columns)
//!  / filter, marks, a notice                       status, when there is one
//!  ↑↓ move  ←→ fold  …  ? help  q quit             bar
//! ```

use ratatui::layout::Rect;

use super::app::{App, Overlay, View};

/// From this width the details stand beside the list.
const PANE_FROM: u16 = 100;
/// The smallest screen that is drawn.
pub(crate) const LEAST: (u16, u16) = (60, 15);
/// The widest that the list is worth.
const WIDEST_LIST: u16 = 130;

/// The parts of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Areas {
    /// All of it.
    pub(crate) whole: Rect,
    /// Program, host, ages.
    pub(crate) header: Rect,
    /// The gravest finding.
    pub(crate) trouble: Option<Rect>,
    /// The heads of the columns.
    pub(crate) head: Rect,
    /// The rows.
    pub(crate) body: Rect,
    /// The line between list and pane.
    pub(crate) wall: Option<Rect>,
    /// Details beside the list.
    pub(crate) pane: Option<Rect>,
    /// Details below the list.
    pub(crate) foot: Option<Rect>,
    /// What is typed, filtered, marked or said.
    pub(crate) status: Option<Rect>,
    /// The keys.
    pub(crate) bar: Rect,
    /// Between header and bar: what an overlay may take.
    pub(crate) middle: Rect,
}

impl Areas {
    /// For the present state.
    pub(crate) fn of(app: &App) -> Self {
        let whole = Rect::new(0, 0, app.size.width, app.size.height);
        let mut rest = whole;
        let header = take_top(&mut rest, 1);
        let trouble = app.seen.gravest().map(|_| take_top(&mut rest, 1));
        let bar = take_bottom(&mut rest, 1);
        let middle = rest;
        let status = has_status(app).then(|| take_bottom(&mut rest, 1));
        let beside = whole.width >= PANE_FROM;
        let foot = (!beside).then(|| take_bottom(&mut rest, foot_height(whole.height)));
        let (wall, pane) = if beside { split_pane(&mut rest) } else { (None, None) };
        let head = take_top(&mut rest, 1);
        Self { whole, header, trouble, head, body: rest, wall, pane, foot, status, bar, middle }
    }

    /// Whether there is no room for all this.
    pub(crate) const fn too_small(&self) -> bool {
        self.whole.width < LEAST.0 || self.whole.height < LEAST.1
    }
}

fn has_status(app: &App) -> bool {
    let typing = app.prompt.is_some() || app.notice.is_some();
    let filtered =
        if app.view == View::Events { app.events.is_filtered() } else { !app.filter.is_empty() };
    let kept = filtered || !app.marks.is_empty();
    typing || kept && !matches!(app.overlay, Some(Overlay::Bare { .. }))
}

const fn foot_height(height: u16) -> u16 {
    if height >= 20 { 4 } else { 2 }
}

fn split_pane(rest: &mut Rect) -> (Option<Rect>, Option<Rect>) {
    let wanted = 28 + (rest.width - PANE_FROM) / 2;
    let widest = wanted.min(56).max(rest.width.saturating_sub(WIDEST_LIST + 2));
    let list = rest.width - widest - 2;
    let wall = Rect { x: rest.x + list, width: 1, ..*rest };
    let pane = Rect { x: wall.x + 2, width: widest, ..*rest };
    rest.width = list;
    (Some(wall), Some(pane))
}

fn take_top(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    let taken = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    taken
}

fn take_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect { y: rest.y + rest.height, height, ..*rest }
}
