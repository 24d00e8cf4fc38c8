//! Why LVM has not activated something by itself, as far as its own flags and settings tell, and what
//! decides whether it comes at the next boot.

use super::volumes::is_skipped;
use crate::model::{LvFacts, Node};
use crate::plan::Refusal;
use crate::plan::around::{AUTO_VOLUME_LIST, Around, VOLUME_LIST};

/// What is not active: a volume of a group, or all of the group.
pub(super) struct Subject<'a> {
    pub(super) volume: Option<&'a LvFacts>,
    pub(super) group: &'a Node,
}

/// What one of LVM's lists says of a volume.
enum Listed {
    /// It is on it, or there is no list.
    Yes,
    /// It is not.
    No,
    /// The list names tags: whether they are its own, or the host's, is LVM's to say.
    ByTag,
}

impl Subject<'_> {
    fn name(&self) -> String {
        match self.volume {
            Some(lv) => format!("{}/{}", lv.vg, lv.name),
            None => self.group.name.to_string(),
        }
    }

    /// An empty list names nothing (lvm.conf, `activation/volume_list`).
    fn listed(&self, list: Option<&[String]>) -> Listed {
        let Some(list) = list else { return Listed::Yes };
        let (group, name) = (self.group.name.as_str(), self.name());
        let inside = format!("{group}/");
        let tags = self.volume.map(|lv| lv.tags.as_slice()).unwrap_or_default();
        let names = |item: &String| {
            let tagged = item.strip_prefix('@').is_some_and(|tag| tags.iter().any(|is| is == tag));
            // of a group's volumes some may be named
            tagged
                || item == group
                || *item == name
                || (self.volume.is_none() && item.starts_with(&inside))
        };
        if list.iter().any(names) {
            Listed::Yes
        } else if list.iter().any(|item| item.starts_with('@')) {
            Listed::ByTag
        } else {
            Listed::No
        }
    }

    /// Who switched off that it comes by itself, and how it is switched on.
    fn switched_off(&self) -> Option<(String, String)> {
        let group = &self.group.name;
        if self.group.facts.vg.as_ref().is_some_and(|vg| vg.autoactivation == Some(false)) {
            return Some((group.to_string(), format!("vgchange --setautoactivation y {group}")));
        }
        let volume = self.volume.filter(|lv| lv.autoactivation == Some(false)).map(|_| self.name());
        volume.map(|name| (name.clone(), format!("lvchange --setautoactivation y {name}")))
    }

    fn is_on(&self) -> bool {
        self.group.facts.vg.as_ref().is_some_and(|vg| vg.autoactivation == Some(true))
    }
}

/// Refuses what LVM itself would not activate, whoever asks it to.
pub(super) fn refuse(subject: &Subject<'_>, around: &Around) -> Result<(), Refusal> {
    let list = around.lvm_list(VOLUME_LIST);
    match subject.listed(list) {
        Listed::No => Err(Refusal::new(format!(
            "LVM's {VOLUME_LIST} does not name {}, so that LVM activates nothing of it: it names \
             {}. Add it there (lvm.conf or lvmlocal.conf), then ask again",
            subject.name(),
            words(list)
        ))),
        Listed::Yes | Listed::ByTag => Ok(()),
    }
}

/// Why it is not active.
pub(super) fn why(subject: &Subject<'_>, around: &Around) -> String {
    if is_skipped(subject.volume) {
        return "it carries LVM's flag to be skipped at activation, which is overruled here"
            .to_owned();
    }
    if let Some((name, _)) = subject.switched_off() {
        return format!("autoactivation is switched off for {name}, so that no boot brings it");
    }
    let list = around.lvm_list(AUTO_VOLUME_LIST);
    match subject.listed(list) {
        Listed::No => {
            return format!(
                "LVM's {AUTO_VOLUME_LIST} does not name it, so that no boot brings it: it names {}",
                words(list)
            );
        }
        Listed::ByTag => {
            return format!(
                "LVM's {AUTO_VOLUME_LIST} names tags ({}): if none is its own or this host's, no \
                 boot brings it; else it was deactivated, or its disk came late",
                words(list)
            );
        }
        Listed::Yes => {}
    }
    if around.lvm.is_some() && subject.is_on() {
        return "nothing forbids it, neither its autoactivation nor LVM's lists: it was \
                deactivated, or its disk came late at boot"
            .to_owned();
    }
    format!(
        "nothing forbids it now: it was deactivated, or {} was not activated at boot \
         (autoactivation off, auto_activation_volume_list, or its disk came late)",
        subject.group.name
    )
}

/// What decides whether it comes back after the next boot.
pub(super) fn stay_active(subject: &Subject<'_>, around: &Around) -> String {
    let group = &subject.group.name;
    if let Some((_, command)) = subject.switched_off() {
        return format!(
            "its autoactivation is switched off: `{command}` has it come by itself at the next boot"
        );
    }
    let list = around.lvm_list(AUTO_VOLUME_LIST);
    if matches!(subject.listed(list), Listed::No) {
        return format!(
            "add {} to {AUTO_VOLUME_LIST} (lvm.conf or lvmlocal.conf), so that it comes by itself \
             at the next boot; autoactivation needs that where there is such a list",
            subject.name()
        );
    }
    format!(
        "see that it comes by itself at the next boot: `lvmconfig \
         activation/auto_activation_volume_list` names no list without {group}, and `vgs -o \
         +autoactivation {group}` says enabled"
    )
}

fn words(list: Option<&[String]>) -> String {
    match list {
        None | Some([]) => "nothing".to_owned(),
        Some(items) => items.join(", "),
    }
}
