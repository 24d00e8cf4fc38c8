//! Doing: marks, copying, what is asked of the rest of the program.

use std::collections::BTreeMap;

use super::find::FindingRow;
use super::{App, Choice, Overlay, View};
use crate::ids::{NodeId, ThinId};
use crate::model::{Node, NodeIx, PoolIx, ThinDevice};
use crate::tui::cell::Subject;
use crate::tui::describe::{self, Line};
use crate::tui::event::{Effect, Request};
use crate::tui::outline::What;
use crate::tui::view;
use crate::tui::wizard::Wizard;
use crate::units::{Bytes, DataBlocks};

/// What is known of the marked devices together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MarkedSum {
    /// How many.
    pub(crate) count: usize,
    /// What deleting them all frees; `None` where it is not known who uses what.
    pub(crate) freed: Option<Bytes>,
    /// How much of that a metadata snapshot keeps until it is released.
    pub(crate) held: Bytes,
}

impl App {
    /// Marks or unmarks, and goes one down.
    pub(crate) fn mark(&mut self) {
        let nodes = match self.view {
            View::Why => self.holder_nodes(),
            _ => self.selected_nodes(),
        };
        let topology = self.seen.topology();
        let ids: Vec<NodeId> = nodes
            .into_iter()
            .filter_map(|ix| topology.nodes.get(ix.0 as usize).map(|node| node.id.clone()))
            .collect();
        if ids.is_empty() && self.view == View::Why {
            self.notice = Some("it is no device that could be marked".to_owned());
        }
        let all_marked = ids.iter().all(|id| self.marks.contains(id));
        for id in ids {
            if all_marked {
                self.marks.remove(&id);
            } else {
                self.marks.insert(id);
            }
        }
        self.go(super::Move::Down);
    }

    /// The nodes of the selected row of a table: of a group all that stand in it.
    fn selected_nodes(&self) -> Vec<NodeIx> {
        let table = self.table();
        let Some(entry) = table.selected_entry() else { return Vec::new() };
        match table.selected() {
            Some(What::Node(node)) => vec![node],
            Some(What::Group(_)) => table
                .outline
                .children(entry)
                .iter()
                .filter_map(|at| match table.outline.entry(*at)?.what {
                    What::Node(node) => Some(node),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Unmarks all.
    pub(crate) fn clear_marks(&mut self) {
        self.marks.clear();
    }

    /// What the marked thin devices hold together; `None` when none is marked.
    pub(crate) fn marked_sum(&self) -> Option<MarkedSum> {
        let topology = self.seen.topology();
        let marked = self.marks.iter().filter_map(|id| Some(topology.node(topology.find(id)?)));
        let thins = marked.filter_map(|node| topology.thins.get(node.facts.thin?.0 as usize));
        let mut ids: BTreeMap<PoolIx, Vec<ThinId>> = BTreeMap::new();
        for device in thins {
            ids.entry(device.pool).or_default().extend(device.id);
        }
        let count = self.marks.len();
        let mut sum = MarkedSum { count, freed: Some(Bytes(0)), held: Bytes(0) };
        for (pool, ids) in ids {
            let contents = topology.pool(pool).contents.as_deref();
            let freed = contents.and_then(|contents| {
                let freed = contents.freed_by(&ids)?;
                let bytes = |blocks: DataBlocks| blocks.bytes(contents.block_size);
                Some((bytes(freed.blocks), bytes(freed.held)))
            });
            sum.held = sum.held.plus(freed.map_or(Bytes(0), |(_, held)| held));
            sum.freed = sum.freed.zip(freed).map(|(sum, (blocks, _))| sum.plus(blocks));
        }
        (sum.count > 0).then_some(sum)
    }

    /// Sizes to the byte and back.
    pub(crate) fn toggle_exact(&mut self) {
        self.exact = !self.exact;
    }

    /// Asks for a new look.
    pub(crate) fn look_again(&mut self) {
        self.ask(Request::LookAgain, "looking again");
    }

    /// Asks for who shares what, where it is not known.
    pub(crate) fn read_mappings(&mut self) {
        let pools = &self.seen.topology().pools;
        let known = |pool: &crate::model::Pool| {
            pool.contents.as_ref().is_some_and(|contents| contents.mappings.is_some())
        };
        let reading = self.seen.snapshot.sources.iter().any(|source| source.progress.is_some());
        if reading {
            self.ask(Request::StopMappings, "stopped reading who shares what: m begins anew");
        } else if pools.iter().all(known) {
            self.notice = Some("sharing is read: it is kept up to date".to_owned());
        } else {
            self.ask(Request::ReadMappings, "reading who shares what");
        }
    }

    /// Asks for the same through a metadata snapshot: only where commits outran the reading.
    pub(crate) fn read_reserved(&mut self) {
        let mut gaps = self.seen.snapshot.gaps.iter();
        if gaps.any(|gap| gap.why.as_str().contains("--reserve-snapshot")) {
            let notice =
                "reading through a metadata snapshot: this writes to the pool, and is released";
            self.ask(Request::ReadReserved, notice);
        } else {
            self.notice = Some("not needed: commits outran no reading of metadata".to_owned());
        }
    }

    /// Asks for a recording.
    pub(crate) fn capture(&mut self) {
        self.ask(Request::Capture, "recording this host");
    }

    fn ask(&mut self, request: Request, notice: &str) {
        if self.seen.recorded_at().is_some() {
            self.notice = Some("this is a recording: nothing runs".to_owned());
        } else {
            self.effects.push(Effect::Ask(request));
            self.notice = Some(notice.to_owned());
        }
    }

    /// Draws anew.
    pub(crate) fn redraw(&mut self) {
        self.effects.push(Effect::Redraw);
    }

    /// To the shell.
    pub(crate) fn suspend(&mut self) {
        if self.wizard.as_deref().is_some_and(Wizard::runs) {
            self.notice = Some("not while a plan runs: it would stand still".to_owned());
            return;
        }
        self.effects.push(Effect::Suspend);
    }

    /// Out.
    pub(crate) fn quit(&mut self) {
        if self.asks_before_leaving() {
            self.overlay = None;
            return;
        }
        self.effects.push(Effect::Quit);
    }

    /// The lines about the selected.
    pub(crate) fn description(&self) -> Vec<Line> {
        if self.view == View::Findings {
            return match self.selected_finding() {
                Some(FindingRow::Finding(finding)) => describe::describe_finding(finding),
                Some(FindingRow::Gap(gap)) => {
                    let source = Line::Title(format!("{} was not seen", gap.source));
                    vec![source, Line::Text(gap.why.to_string())]
                }
                None => Vec::new(),
            };
        }
        if self.view == View::Why {
            return self.describe_why();
        }
        if self.view == View::Events {
            return self.describe_event();
        }
        if self.view == View::Blocks {
            return describe::blocks::describe(&self.seen, &self.strip, self.exact);
        }
        match self.table().selected() {
            Some(what) => describe::describe(&self.seen, self.outline(), what, self.exact),
            None => Vec::new(),
        }
    }

    /// How many lines the details take in the pane.
    pub(super) fn pane_lines(&self) -> usize {
        view::pane_lines(self)
    }

    /// The menu of things to copy.
    pub(crate) fn choose_copy(&mut self) {
        let choices = self.copy_choices();
        if choices.is_empty() {
            self.notice = Some("nothing is selected".to_owned());
        } else {
            self.overlay = Some(Overlay::Copy { choices, cursor: 0 });
        }
    }

    fn copy_choices(&self) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        let mut add = |label: &str, text: String| {
            if !text.is_empty() && choices.iter().all(|choice| choice.text != text) {
                choices.push(Choice { label: label.to_owned(), text });
            }
        };
        let of_table = !matches!(self.view, View::Findings | View::Events | View::Why);
        if let (Some(what), true) = (self.table().selected(), of_table) {
            let subject = Subject::of(&self.seen, self.outline(), what);
            if let Some(device) = subject.thin {
                thin_choices(device, &mut add);
            }
            if let Some(node) = subject.node {
                node_choices(node, &mut add);
            }
            if let Some(group) = group_names(self, what) {
                add("names", group);
            }
        }
        let all: Vec<String> = self.description().iter().map(Line::plain).collect();
        add("all details", all.join("\n").trim().to_owned());
        choices
    }
}

fn group_names(app: &App, what: What) -> Option<String> {
    let What::Group(at) = what else { return None };
    let group = app.outline().groups.get(at as usize)?;
    let names: Vec<&str> = group.names.iter().map(crate::text::Printable::as_str).collect();
    Some(names.join("\n"))
}

fn thin_choices(device: &ThinDevice, add: &mut impl FnMut(&str, String)) {
    if let Some(container) = &device.container {
        add("container", container.name.to_string());
        add("container id", container.id.to_string());
    }
    device.images.iter().take(8).for_each(|image| add("image", image.to_string()));
    add("device id", device.id.map_or_else(String::new, |id| id.to_string()));
    add("name", device.name.to_string());
}

fn node_choices(node: &Node, add: &mut impl FnMut(&str, String)) {
    add("name", node.name.to_string());
    if let Some(dm) = &node.facts.dm {
        add("path", format!("/dev/mapper/{}", dm.name));
    }
    if let Some(lv) = &node.facts.lv {
        add("LV", format!("{}/{}", lv.vg, lv.name));
    }
    add("device number", node.device.map_or_else(String::new, |device| device.to_string()));
}
