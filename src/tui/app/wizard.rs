//! The wizards: which make sense for what is selected, and opening one.

mod keys;
mod plan;

use super::{App, FindingRow, Overlay, View};
use crate::advise;
use crate::exec::desk::Order;
use crate::model::{Cure, Finding, NodeIx};
use crate::tui::event::{Effect, Request};
use crate::tui::outline::What;
use crate::tui::wizard::Wizard;
use crate::tui::wizard::offer::{self, Kind, Offer};

impl App {
    /// The node that a wizard would be about.
    fn wizard_subject(&self) -> Option<NodeIx> {
        if matches!(self.view, View::Findings | View::Events) {
            return self.device_of_line();
        }
        if self.view == View::Why {
            // whoever asks what fills a pool wants it to have room
            return self.why_subject();
        }
        match self.table().selected()? {
            What::Group(at) => self.outline().groups.get(at as usize).map(|group| group.pool_node),
            what => self.outline().node_of(what),
        }
    }

    /// The list of wizards; on a finding, what cures it.
    pub(crate) fn choose_wizard(&mut self) {
        if let (View::Findings | View::Why, Some(FindingRow::Finding(finding))) =
            (self.view, self.selected_finding())
        {
            let finding = finding.clone();
            return self.cure_finding(&finding);
        }
        let subject = self.wizard_subject();
        let offers = offer::offers(self.seen.topology(), subject);
        let cures = |node| self.seen.findings_of(node).find_map(offer::cure);
        let cure = subject.and_then(cures);
        let at = offers.iter().position(|offer| Some(offer.kind) == cure && offer.not.is_none());
        self.overlay = Some(Overlay::Wizards { offers, cursor: at.unwrap_or(0) });
    }

    /// Opens the wizard that cures a finding; where there is none for it here, names the cure.
    fn cure_finding(&mut self, finding: &Finding) {
        let named = advise::wizard(finding.code);
        let named = named.unwrap_or_else(|| "its page has no word of it".to_owned());
        let Some(kind) = offer::cure(finding) else {
            let by_hand = finding.cure == Cure::ByHand;
            self.notice = Some(match named.strip_prefix("None") {
                _ if by_hand => format!("no wizard cures it; by hand: {}", finding.remedy),
                Some(why) => {
                    format!("no wizard cures it{}", why.replace("as above", "as its page says"))
                }
                None => format!("what cures it: {named}"),
            });
            return;
        };
        let offer = offer::offer(kind, self.seen.topology(), self.wizard_subject());
        match offer.not {
            None => self.open_wizard(kind, offer.target),
            Some(why) => self.notice = Some(format!("what cures it: {named} Not now: {why}")),
        }
    }

    /// Whether a wizard cures a finding, and would be about it now.
    pub(crate) fn is_cured_here(&self, finding: &Finding) -> bool {
        let topology = self.seen.topology();
        let about = finding.node.as_ref().and_then(|id| topology.find(id));
        offer::cure(finding).is_some_and(|kind| {
            about.is_some()
                && self.wizard.is_none()
                && self.wizard_subject() == about
                && offer::offer(kind, topology, about).not.is_none()
        })
    }

    /// A wizard by name.
    pub(crate) fn wizard_of(&mut self, kind: Kind) {
        let offer = offer::offer(kind, self.seen.topology(), self.wizard_subject());
        self.take_offer(offer);
    }

    /// Opens what was offered, or says why it is not.
    pub(super) fn take_offer(&mut self, offer: Offer) {
        match offer.not {
            None => self.open_wizard(offer.kind, offer.target),
            Some(why) => self.notice = Some(format!("no wizard {}: {why}", offer.kind.name())),
        }
    }

    fn open_wizard(&mut self, kind: Kind, target: String) {
        self.overlay = None;
        self.asked = self.asked.wrapping_add(1);
        let wizard = Wizard::new(kind, target, &self.seen.snapshot, self.asked);
        let wants = wizard.wants(&self.seen.snapshot);
        self.wizard = Some(Box::new(wizard));
        self.order(Order::Prepare { ask: self.asked, wants });
    }

    fn order(&mut self, order: Order) {
        self.effects.push(Effect::Ask(Request::Desk(order)));
    }
}
