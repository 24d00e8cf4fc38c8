//! Who says that a thin id is theirs: one row per pool and id, whoever claims it.

use std::collections::HashMap;

use crate::ids::ThinId;
use crate::model::{Claim, Engine, PoolIx, ThinDevice};

/// Rows of thin devices while they are gathered.
#[derive(Default)]
pub(super) struct Rows {
    list: Vec<ThinDevice>,
    /// Who claimed each row first, in the same order.
    first: Vec<Option<Claim>>,
    by_id: HashMap<(PoolIx, ThinId), usize>,
}

impl Rows {
    pub(super) fn with_room(room: usize) -> Self {
        Self {
            list: Vec::with_capacity(room),
            first: Vec::with_capacity(room),
            by_id: HashMap::with_capacity(room),
        }
    }

    /// Adds a further claim to a row that is there. Gives the claim back where there is none.
    pub(super) fn claim_again(
        &mut self,
        pool: PoolIx,
        id: Option<ThinId>,
        claim: Claim,
    ) -> Option<Claim> {
        let Some(at) = id.and_then(|id| self.by_id.get(&(pool, id)).copied()) else {
            return Some(claim);
        };
        let (row, first) = (self.list.get_mut(at)?, self.first.get_mut(at)?);
        row.claims.extend(first.take());
        row.claims.push(claim);
        None
    }

    /// Whether there is a row for an id.
    pub(super) fn has(&self, pool: PoolIx, id: ThinId) -> bool {
        self.by_id.contains_key(&(pool, id))
    }

    /// Adds a row with the one who claims it, if anybody does.
    pub(super) fn push(&mut self, row: ThinDevice, claim: Option<Claim>) {
        if let Some(id) = row.id {
            self.by_id.insert((row.pool, id), self.list.len());
        }
        self.list.push(row);
        self.first.push(claim);
    }

    /// Pools that hold something of LVM's.
    pub(super) fn pools_of(&self, engine: Engine) -> impl Iterator<Item = PoolIx> + '_ {
        let claimed = move |row: &&ThinDevice| {
            row.engine == engine || row.claims.iter().any(|claim| claim.engine == engine)
        };
        self.list.iter().filter(claimed).map(|row| row.pool)
    }

    pub(super) fn into_rows(self) -> Vec<ThinDevice> {
        self.list
    }
}
