//! A container that docker could not remove.

use crate::advise::Rule;
use crate::advise::words::{about_node, shell};
use crate::model::{Container, ContainerState, Finding, Role, Severity, ThinDevice, Topology};

pub(super) const RULE: Rule =
    Rule { code: "container-dead", page: include_str!("../pages/container-dead.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for thin in topology.thins.iter().filter(|thin| thin.role == Role::Container) {
        let dead = |container: &&Container| container.state == Some(ContainerState::Dead);
        if let Some(container) = thin.container.as_ref().filter(dead) {
            found.push(describe(topology, thin, container));
        }
    }
}

fn describe(topology: &Topology, thin: &ThinDevice, container: &Container) -> Finding {
    let mut finding = about_node(RULE.code, Severity::Warning, topology.node(thin.node));
    finding.subject = container.name.clone();
    finding.summary = format!(
        "the container {} is dead: docker began to remove it and could not finish, and its layer \
         still takes space",
        container.name
    );
    finding.evidence.push(format!("container {} is recorded as dead", container.id));
    if let Some(mountpoint) = &thin.mountpoint {
        finding.evidence.push(format!("its device is mounted at {mountpoint}"));
    }
    finding.remedy = format!(
        "`docker rm -f {name}`; if the device is busy, end what holds its mount: `grep -l {device} \
         /proc/[0-9]*/mountinfo`",
        name = shell(container.name.as_str()),
        device = shell(thin.name.as_str())
    );
    finding
}
