//! Which wizards make sense for what is selected, and why the others do not.
//!
//! Knows the topology and the planner's first word; nothing of screens.

use crate::advise;
use crate::model::{Cure, Finding, Kind as NodeKind, NodeIx, Pool, PoolIx, PoolState, Topology};
use crate::plan;

/// The wizards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// More data in a pool.
    GrowData,
    /// More data, with a disk that joins first.
    GrowDisk,
    /// More metadata in a pool.
    GrowMetadata,
    /// A larger LVM thin volume.
    GrowVolume,
    /// What is not there, or suspended, comes back.
    Activate,
}

impl Kind {
    /// In the order in which they are offered.
    pub(crate) const ALL: [Self; 5] =
        [Self::GrowData, Self::GrowDisk, Self::GrowMetadata, Self::GrowVolume, Self::Activate];

    /// Its name, also in the palette.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GrowData => "grow data",
            Self::GrowDisk => "grow with a new disk",
            Self::GrowMetadata => "grow metadata",
            Self::GrowVolume => "grow volume",
            Self::Activate => "activate",
        }
    }

    /// What it does, in a few words.
    const fn about(self) -> &'static str {
        match self {
            Self::GrowData => "more room for data",
            Self::GrowDisk => "a disk joins the volume group first",
            Self::GrowMetadata => "more room for metadata",
            Self::GrowVolume => "a thin volume with its filesystem",
            Self::Activate => "find out why it is away, and bring it back",
        }
    }
}

/// A wizard for what is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Which.
    pub(crate) kind: Kind,
    /// What it is about: a pool, volume or group, by name; empty where there is none.
    pub(crate) target: String,
    /// Why it makes no sense here.
    pub(crate) not: Option<String>,
}

impl Offer {
    /// In a line of the list.
    pub(crate) fn about(&self) -> String {
        match &self.not {
            None => format!("{}: {}", self.target, self.kind.about()),
            Some(why) => format!("no: {why}"),
        }
    }
}

/// All wizards, those that make sense first.
pub(crate) fn offers(topology: &Topology, selected: Option<NodeIx>) -> Vec<Offer> {
    let mut all: Vec<Offer> =
        Kind::ALL.into_iter().map(|kind| offer(kind, topology, selected)).collect();
    all.sort_by_key(|offer| offer.not.is_some());
    all
}

/// One wizard for what is selected.
pub(crate) fn offer(kind: Kind, topology: &Topology, selected: Option<NodeIx>) -> Offer {
    let judged = match kind {
        Kind::GrowData => pool_for(topology, selected).and_then(|ix| grow(topology, ix, false)),
        Kind::GrowMetadata => pool_for(topology, selected).and_then(|ix| grow(topology, ix, true)),
        Kind::GrowDisk => pool_for(topology, selected).and_then(|ix| grow_disk(topology, ix)),
        Kind::GrowVolume => volume(topology, selected),
        Kind::Activate => activate(topology, selected),
    };
    match judged {
        Ok(target) => Offer { kind, target, not: None },
        Err(why) => Offer { kind, target: String::new(), not: Some(why) },
    }
}

/// The wizard that cures a finding: the one for its cause, or the one that its page names first.
pub(crate) fn cure(finding: &Finding) -> Option<Kind> {
    match finding.cure {
        Cure::AsItsPage => of_page(finding.code),
        Cure::GrowData => Some(Kind::GrowData),
        Cure::GrowMetadata => Some(Kind::GrowMetadata),
        Cure::GrowDisk => Some(Kind::GrowDisk),
        Cure::Activate => Some(Kind::Activate),
        Cure::ByHand => None,
    }
}

fn of_page(code: &str) -> Option<Kind> {
    let words = advise::wizard(code)?;
    let command = words.split('`').nth(1)?;
    let is = |part: &str| command.contains(part);
    match command.strip_prefix("thinscope ")?.split(' ').next()? {
        "grow" if is("--add-pv") => Some(Kind::GrowDisk),
        "grow" if is("--metadata") => Some(Kind::GrowMetadata),
        "grow" if is("--size") => Some(Kind::GrowVolume),
        "grow" => Some(Kind::GrowData),
        // it completes what a killed run left, and brings back what is suspended
        "activate" | "resume" => Some(Kind::Activate),
        _ => None,
    }
}

fn name_of(topology: &Topology, ix: PoolIx) -> String {
    topology.pool(ix).name.to_string()
}

fn grow(topology: &Topology, ix: PoolIx, metadata: bool) -> Result<String, String> {
    plan::may_grow(topology, ix, metadata).map_err(|refusal| refusal.why)?;
    Ok(name_of(topology, ix))
}

fn grow_disk(topology: &Topology, ix: PoolIx) -> Result<String, String> {
    let name = grow(topology, ix, false)?;
    if topology.pool(ix).lv.is_none() {
        return Err(format!("{name} is no LVM pool: there is no group that a disk could join"));
    }
    if !topology.indices().any(|at| plan::may_join(topology, at)) {
        return Err("no disk or partition of this host is unused".to_owned());
    }
    Ok(name)
}

fn volume(topology: &Topology, selected: Option<NodeIx>) -> Result<String, String> {
    let Some(node) = selected.map(|ix| topology.node(ix)) else {
        return Err("select an LVM thin volume".to_owned());
    };
    match &node.facts.lv {
        Some(lv) if node.kind == NodeKind::Thin => Ok(format!("{}/{}", lv.vg, lv.name)),
        _ => Err(format!("{} is no LVM thin volume", node.name)),
    }
}

fn activate(topology: &Topology, selected: Option<NodeIx>) -> Result<String, String> {
    let of_itself = |ix| away(topology, ix).or_else(|| suspended(topology, ix));
    if let Some(own) = selected.and_then(of_itself) {
        return Ok(own);
    }
    let ix = pool_for(topology, selected)?;
    let pool = topology.pool(ix);
    if pool.suspended || matches!(pool.state, PoolState::Inactive) || part_suspended(topology, ix) {
        return Ok(name_of(topology, ix));
    }
    Err(format!("{} is active", pool.name))
}

/// The volume or group that is selected, where it is what is away.
fn away(topology: &Topology, ix: NodeIx) -> Option<String> {
    let node = topology.node(ix);
    if node.kind == NodeKind::Vg && pools_near(topology, ix).is_empty() {
        let inactive = topology
            .children(ix)
            .iter()
            .any(|at| topology.node(*at).facts.lv.is_some() && topology.node(*at).device.is_none());
        return inactive.then(|| node.name.to_string());
    }
    let lv = node.facts.lv.as_ref().filter(|_| node.device.is_none())?;
    let whole = matches!(node.kind, NodeKind::Lv | NodeKind::Thin | NodeKind::Snapshot);
    let pool_is_there = pools_near(topology, ix)
        .iter()
        .all(|pool| !matches!(topology.pool(*pool).state, PoolState::Inactive));
    (whole && pool_is_there).then(|| format!("{}/{}", lv.vg, lv.name))
}

/// The volume that is selected and suspended, or the pool of one that is no volume of LVM's: what is
/// suspended with its pool comes back with that.
fn suspended(topology: &Topology, ix: NodeIx) -> Option<String> {
    let node = topology.node(ix);
    node.facts.dm.as_ref().filter(|dm| dm.suspended)?;
    let pools = pools_near(topology, ix);
    let is_of_one = |pool: &Pool| [Some(pool.node), pool.data, pool.metadata].contains(&Some(ix));
    let with_one = |pool: &Pool| pool.suspended || is_of_one(pool);
    if pools.iter().any(|pool| with_one(topology.pool(*pool))) {
        return None;
    }
    let volume = node.facts.lv.as_ref().map(|lv| format!("{}/{}", lv.vg, lv.name));
    volume.or_else(|| pools.first().map(|pool| name_of(topology, *pool)))
}

fn part_suspended(topology: &Topology, ix: PoolIx) -> bool {
    let pool = topology.pool(ix);
    let suspended =
        |at: &NodeIx| topology.node(*at).facts.dm.as_ref().is_some_and(|dm| dm.suspended);
    [pool.data, pool.metadata].iter().flatten().any(suspended)
}

/// The pool that a selection is about; without one the only pool.
fn pool_for(topology: &Topology, selected: Option<NodeIx>) -> Result<PoolIx, String> {
    let near = selected.map(|ix| pools_near(topology, ix)).unwrap_or_default();
    match (near.as_slice(), topology.pools.len()) {
        ([one], _) => Ok(*one),
        ([], 1) => Ok(PoolIx(0)),
        (_, 0) => Err("no thin pool was seen on this host".to_owned()),
        ([], _) => Err("select a pool".to_owned()),
        (_, _) => Err("several pools rest on it: select one".to_owned()),
    }
}

/// The pools that a node is, belongs to, rests on, or carries.
pub(crate) fn pools_near(topology: &Topology, ix: NodeIx) -> Vec<PoolIx> {
    let node = topology.node(ix);
    let thin = node.facts.thin.and_then(|thin| topology.thins.get(thin.0 as usize));
    if let Some(pool) = node.facts.pool.or(thin.map(|thin| thin.pool)) {
        return vec![pool];
    }
    let mine = below(topology, ix);
    (0_u32..)
        .map(PoolIx)
        .zip(&topology.pools)
        .filter(|(_, pool)| mine.contains(&pool.node) || below(topology, pool.node).contains(&ix))
        .map(|(at, _)| at)
        .collect()
}

/// Everything that a node rests on, itself included.
pub(crate) fn below(topology: &Topology, from: NodeIx) -> Vec<NodeIx> {
    let mut all = vec![from];
    let mut at = 0;
    while let Some(ix) = all.get(at).copied() {
        let parents = topology.node(ix).parents.iter().copied();
        let new: Vec<NodeIx> = parents.filter(|parent| !all.contains(parent)).collect();
        all.extend(new);
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DevNo;
    use crate::model::sample::{direct_lvm, dm, node};
    use crate::model::{DmFacts, Severity};

    /// A device on the pool is suspended, and perhaps a volume of LVM's or the pool too.
    fn suspended_on_the_pool(is_volume: bool, pool_too: bool) -> (Topology, NodeIx) {
        let mut host = direct_lvm();
        let ix = NodeIx(u32::try_from(host.nodes.len()).expect("few"));
        let mut device = node(NodeKind::Thin, "docker-vol", 1 << 30);
        (device.parents, device.device) = (vec![host.pool.node], Some(DevNo::new(253, 9)));
        let facts = DmFacts { suspended: true, ..dm("docker-vol", "0 8 thin 253:2 5", "") };
        device.facts.dm = Some(Box::new(facts));
        if is_volume {
            let mut lv = host.nodes.iter().find_map(|node| node.facts.lv.clone());
            lv.as_mut().expect("the sample has volumes").name = "vol".into();
            device.facts.lv = lv;
        }
        host.nodes.push(device);
        host.pool.suspended = pool_too;
        (host.topology(), ix)
    }

    #[test]
    fn a_suspended_volume_is_brought_back_by_its_name_and_one_of_docker_s_by_its_pool_s() {
        let name = |is_volume, pool_too| {
            let (topology, ix) = suspended_on_the_pool(is_volume, pool_too);
            activate(&topology, Some(ix)).expect("it is offered")
        };
        assert_eq!(name(true, false), "docker/vol");
        let pool = name(false, false);
        assert_eq!([name(false, true), name(true, true)], [pool.clone(), pool]);
        let (topology, _) = suspended_on_the_pool(true, false);
        assert!(activate(&topology, None).is_err(), "the pool itself is active");
    }

    #[test]
    fn a_cause_decides_where_a_page_names_several_wizards() {
        let finding = |code, cure| Finding {
            code,
            severity: Severity::Warning,
            subject: "docker-thinpool".into(),
            node: None,
            summary: String::new(),
            evidence: Vec::new(),
            remedy: String::new(),
            cure,
        };
        let cure_of = |code, by| cure(&finding(code, by));
        let code = "min-free-space-reached";
        assert_eq!(cure_of(code, Cure::GrowMetadata), Some(Kind::GrowMetadata));
        assert_eq!(cure_of(code, Cure::GrowData), Some(Kind::GrowData));
        assert_eq!(cure_of("autoextend-cannot-act", Cure::ByHand), None);
        assert_eq!(cure_of("autoextend-cannot-act", Cure::AsItsPage), Some(Kind::GrowDisk));
        assert_eq!(cure_of("pool-inactive", Cure::AsItsPage), Some(Kind::Activate));
    }

    #[test]
    fn a_finding_is_cured_by_what_its_page_names_first() {
        for (code, kind) in [
            ("pool-data-full", Some(Kind::GrowData)),
            ("pool-metadata-full", Some(Kind::GrowMetadata)),
            ("autoextend-cannot-act", Some(Kind::GrowDisk)),
            ("pool-inactive", Some(Kind::Activate)),
            ("pool-suspended", Some(Kind::Activate)),
            ("device-leaked", None),
            ("no-such-code", None),
        ] {
            assert_eq!(of_page(code), kind, "{code}");
        }
    }
}
