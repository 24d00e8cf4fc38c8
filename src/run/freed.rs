//! `layers --freed-by`: the ids that were typed, checked, and what deleting them gives back.

use super::Trouble;
use crate::ids::ThinId;
use crate::model::{PoolIx, Topology};
use crate::report::Freed;

/// What deleting these would free; `None` where no id was typed.
pub(super) fn freed_by(
    topology: &Topology,
    only: Option<PoolIx>,
    typed: &[u32],
) -> Result<Option<Freed>, Trouble> {
    if typed.is_empty() {
        return Ok(None);
    }
    let pool = match (only, topology.pools.as_slice()) {
        (Some(only), _) => only,
        (None, [_]) => PoolIx(0),
        (None, []) => return Err(Trouble::usage("--freed-by: there is no pool")),
        (None, pools) => {
            let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
            return Err(Trouble::usage(format!(
                "--freed-by needs one pool by name, for there are {}",
                names.join(", ")
            )));
        }
    };
    let found = topology.pool(pool);
    let contents = found.contents.as_deref().ok_or_else(|| {
        Trouble::NothingRead(format!("the metadata of pool {} was not read", found.name))
    })?;
    let mut ids = Vec::new();
    for number in typed {
        let id = ThinId::new(u64::from(*number)).filter(|id| contents.device(*id).is_some());
        ids.push(id.ok_or_else(|| {
            Trouble::usage(format!("--freed-by: pool {} has no device {number}", found.name))
        })?);
    }
    ids.sort_unstable();
    ids.dedup();
    let freed = contents.freed_by(&ids).ok_or_else(|| {
        Trouble::NothingRead(format!("it was not read who uses which block of pool {}", found.name))
    })?;
    Ok(Some(Freed { pool, ids, freed }))
}
