//! More room: which of the ways a pool has, and what speaks against it whatever the way.

pub(super) mod device;
mod lag;
mod loops;
mod lvm;
mod raw;
pub(super) mod volume;

use super::around::{Around, Want};
use super::{Check, Draft, Refusal, unit};
use crate::intent::{Amount, Grow};
use crate::model::{Kind, Mode, NoSpace, Pool, PoolIx, PoolKind, PoolState, PoolStatus, Topology};
use crate::units::{Bytes, Sectors};

/// What must be looked at beside the topology.
pub(super) fn wants(wish: &Grow, topology: &Topology) -> Vec<Want> {
    let mut wants: Vec<Want> = wish.add_pvs.iter().cloned().map(Want::Device).collect();
    if let Some(ix) = topology.find_pool(wish.pool.as_deref()) {
        wants.extend(loops::wants(topology, topology.pool(ix)));
    }
    wants
}

/// Plans it.
pub(super) fn plan(wish: &Grow, topology: &Topology, around: &Around) -> Result<Draft, Refusal> {
    let ix = choose(topology, wish.pool.as_deref())?;
    let pool = topology.pool(ix);
    if wish.data.is_none() && wish.metadata.is_none() && wish.add_pvs.is_empty() {
        return Err(Refusal::new("nothing to grow was named: give --data, --metadata or --add-pv"));
    }
    let subject = Subject::new(topology, ix)?;
    subject.refuse_the_unwell(wish)?;
    let mut draft = Draft::about(topology, ix);
    match (&pool.lv, pool.kind) {
        (Some(_), _) => lvm::plan(&mut draft, &subject, wish, around)?,
        (None, _) if !wish.add_pvs.is_empty() => {
            return Err(Refusal::new(format!(
                "{} is no LVM pool: there is no volume group that a device could join; grow the \
                 files or volumes below it with --data",
                pool.name
            )));
        }
        (None, PoolKind::LoopLvm) => loops::plan(&mut draft, &subject, wish, around)?,
        (None, _) if loops::is_over_files(topology, pool) => {
            loops::plan(&mut draft, &subject, wish, around)?;
        }
        (None, _) => raw::plan(&mut draft, &subject, wish)?,
    }
    if !draft.steps.is_empty() {
        unit::renew(&mut draft, topology, ix);
    }
    if draft.steps.is_empty() && draft.already.is_none() {
        draft.already = Some(format!("{} has that size already: nothing to do", pool.name));
    }
    if is_erroring(subject.status, pool) {
        draft.warnings.push(format!(
            "{} has already failed writes for want of room: what was written into it since then \
             may be lost; check the filesystems on it afterwards",
            pool.name
        ));
    }
    Ok(draft)
}

/// Whether a pool's data, or its metadata, can be grown at all, whatever room there is for it.
pub fn may_grow(topology: &Topology, pool: PoolIx, metadata: bool) -> Result<(), Refusal> {
    let subject = Subject::new(topology, pool)?;
    let wish = Grow { metadata: metadata.then_some(Amount::AllFree), ..Grow::default() };
    subject.refuse_the_unwell(&wish)?;
    refuse_stacks(&subject, subject.part(metadata)?)
}

/// The pool that is meant.
pub(super) fn choose(topology: &Topology, name: Option<&str>) -> Result<PoolIx, Refusal> {
    topology.find_pool(name).ok_or_else(|| {
        let names: Vec<_> = topology.pools.iter().map(|pool| pool.name.as_str()).collect();
        let known = match names.as_slice() {
            [] => "no thin pool was found on this host".to_owned(),
            names => format!("the pools are {}", names.join(", ")),
        };
        Refusal::unknown(match name {
            Some(name) => format!("there is no pool {name}: {known}"),
            None if names.is_empty() => known,
            None => format!("which pool? {known}; name one"),
        })
    })
}

/// A pool that can be spoken of: active, with its figures.
pub(super) struct Subject<'a> {
    pub(super) topology: &'a Topology,
    pub(super) pool: &'a Pool,
    pub(super) status: &'a PoolStatus,
    pub(super) block: Sectors,
    /// The name that checks use.
    pub(super) name: String,
}

impl<'a> Subject<'a> {
    fn new(topology: &'a Topology, ix: PoolIx) -> Result<Self, Refusal> {
        let pool = topology.pool(ix);
        let name = pool.name.to_string();
        if pool.suspended {
            return Err(Refusal::new(format!(
                "{name} is suspended: whoever touches it waits; `thinscope activate {name}` brings \
                 it back first"
            )));
        }
        let status = match &pool.state {
            PoolState::Active(status) => status,
            PoolState::Failed => {
                return Err(Refusal::new(format!(
                    "{name} failed in the kernel (status `Fail`): nothing can grow it; \
                     `thinscope explain pool-failed` says what can be done"
                )));
            }
            PoolState::Unseen { why } => {
                return Err(Refusal::new(format!(
                    "the status of {name} could not be seen: {why}; a pool is not changed unseen"
                )));
            }
            PoolState::Inactive => {
                return Err(Refusal::new(format!(
                    "{name} is not active, and a growth is done only when the kernel's status \
                     says so: `thinscope activate {name}` first"
                )));
            }
        };
        let block = pool
            .block_size
            .filter(|block| block.get() > 0)
            .ok_or_else(|| Refusal::new(format!("the block size of {name} was not seen")))?;
        Ok(Self { topology, pool, status, block, name })
    }

    /// A growth of a pool that cannot commit succeeds in every exit code and does not happen
    /// (`facts.md`).
    fn refuse_the_unwell(&self, wish: &Grow) -> Result<(), Refusal> {
        let name = &self.name;
        if self.status.needs_check == Some(true) {
            return Err(Refusal::new(format!(
                "{name} is marked needs_check: the kernel would accept a larger table and not \
                 grow; `thinscope explain pool-needs-check` says how it is cleared first"
            )));
        }
        let full = self.status.metadata.used >= self.status.metadata.total;
        match self.status.mode {
            Mode::Ro if !full => Err(Refusal::new(format!(
                "{name} is read-only for a failure of its metadata: growing it would not happen; \
                 `thinscope explain pool-read-only` says what can be done"
            ))),
            Mode::Ro if wish.metadata.is_none() => Err(Refusal::new(format!(
                "the metadata of {name} is full, which made the pool read-only: grow --metadata \
                 first (or with it), data alone would not help"
            ))),
            _ => Ok(()),
        }
    }

    /// What must hold before every step: nobody else changed the pool since it was looked at.
    pub(super) fn before(&self) -> Vec<Check> {
        vec![
            Check::PoolWorks { pool: self.name.clone() },
            Check::PoolHealthy { pool: self.name.clone() },
        ]
    }

    /// The status' totals as they are.
    pub(super) fn totals(&self) -> Check {
        Check::Totals {
            pool: self.name.clone(),
            data: self.status.data.total,
            metadata: self.status.metadata.total,
        }
    }

    /// A refusal to shrink.
    pub(super) fn shrinks(&self, what: &str, asked: Bytes, is: Bytes) -> Refusal {
        Refusal::new(format!(
            "{what} of {} has {} and {} was asked for: a thin pool cannot shrink",
            self.name,
            words(is),
            words(asked)
        ))
    }

    /// Where a part of the pool lies.
    pub(super) fn part(&self, metadata: bool) -> Result<&'a crate::model::Node, Refusal> {
        let at = if metadata { self.pool.metadata } else { self.pool.data };
        let what = if metadata { "metadata" } else { "data" };
        at.map(|ix| self.topology.node(ix)).ok_or_else(|| {
            Refusal::new(format!("what holds the {what} of {} was not seen", self.name))
        })
    }

    /// The pool's device and its one line of table.
    pub(super) fn table(&self) -> Result<(&'a crate::model::DmFacts, &'a str), Refusal> {
        let node = self.topology.node(self.pool.node);
        let dm = node.facts.dm.as_deref();
        match dm.map(|dm| (dm, dm.table.as_slice())) {
            Some((dm, [line])) => Ok((dm, line.as_str())),
            _ => Err(Refusal::new(format!("the table of {} was not seen", self.name))),
        }
    }
}

fn is_erroring(status: &PoolStatus, pool: &Pool) -> bool {
    let asked = pool.options.iter().any(|option| option.as_str() == "error_if_no_space");
    status.no_space == Some(NoSpace::Error) && !asked
}

/// A size for people, with the exact bytes behind it.
pub(super) fn words(bytes: Bytes) -> String {
    crate::format::exact(bytes)
}

/// Whether all of a device's storage is of kinds that growing was tried on.
pub(super) fn refuse_stacks(
    subject: &Subject<'_>,
    node: &crate::model::Node,
) -> Result<(), Refusal> {
    let segtype = node.facts.lv.as_ref().map_or("", |lv| lv.segtype.as_str());
    let plain = matches!(segtype, "" | "linear" | "striped");
    let odd = matches!(node.kind, Kind::Cache | Kind::Vdo | Kind::Raid | Kind::Snapshot);
    if plain && !odd {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "{} of {} lies on {segtype}: growing that was never tried with thinscope; use lvextend by \
         hand and look with thinscope afterwards",
        node.name, subject.name
    )))
}

/// An amount for data or metadata, or nothing.
pub(super) const fn amount(wish: &Grow, metadata: bool) -> Option<Amount> {
    if metadata { wish.metadata } else { wish.data }
}
