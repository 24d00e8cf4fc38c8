//! A pool in the kernel's read-only mode, and which of the reasons it is.

use crate::advise::Rule;
use crate::advise::growing::{Part, more};
use crate::advise::words::{about_pool, out_of_metadata_space, table_lines};
use crate::model::{Cure, Finding, Mode, Pool, PoolStatus, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-read-only", page: include_str!("../pages/pool-read-only.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        if let Some(status) = pool.status().filter(|status| status.mode == Mode::Ro) {
            found.push(describe(topology, pool, status));
        }
    }
}

/// Why the kernel says `ro`: it has one word for several things (`formats.md` 5.1).
enum Reason {
    NeedsCheck,
    MetadataFull,
    AskedFor,
    Unknown,
}

impl Reason {
    fn of(pool: &Pool, status: &PoolStatus) -> Self {
        if status.needs_check == Some(true) {
            Self::NeedsCheck
        } else if out_of_metadata_space(status) {
            Self::MetadataFull
        } else if pool.options.iter().any(|option| option == "read_only") {
            Self::AskedFor
        } else {
            Self::Unknown
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, status: &PoolStatus) -> Finding {
    let reason = Reason::of(pool, status);
    let severity =
        if matches!(reason, Reason::AskedFor) { Severity::Advice } else { Severity::Critical };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    finding.evidence.extend(table_lines(topology.node(pool.node)));
    finding.cure = Cure::ByHand;
    let (why, remedy) = match &reason {
        Reason::NeedsCheck => (
            "a metadata operation failed (needs_check)",
            "clear needs_check: see pool-needs-check".to_owned(),
        ),
        Reason::MetadataFull => {
            let (remedy, cure) = more(topology, pool, Part::Metadata);
            finding.cure = cure;
            ("its metadata is full", remedy)
        }
        Reason::AskedFor => (
            "its table asks for it (read_only)",
            "load a table without read_only when it is to be written".to_owned(),
        ),
        Reason::Unknown => (
            "a metadata operation failed",
            "read the cause in `dmesg`; stop what uses the pool and check its metadata offline \
             with thin_check"
                .to_owned(),
        ),
    };
    finding.summary = format!(
        "{} is read-only because {why}: writes that need a new block fail, nothing can be created \
         or deleted",
        pool.name
    );
    finding.remedy = remedy;
    finding
}
