//! LVM does not extend the pool when it fills.

use crate::advise::Rule;
use crate::advise::no_space::fate;
use crate::advise::words::{about_pool, is_near_full, policy_line, shell};
use crate::model::{Finding, Policy, Pool, ProfileFile, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule =
    Rule { code: "autoextend-off", page: include_str!("../pages/autoextend-off.md"), look };

/// Where LVM looks for profiles, unless `config/profile_dir` says otherwise.
const PROFILES: &str = "/etc/lvm/profile";

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in topology.pools.iter().filter(|pool| pool.status().is_some()) {
        // a command of the host's own is run whatever the threshold is
        let off = pool.policy.as_ref().filter(|policy| !policy.is_meant_to_grow());
        if let Some(policy) = off {
            found.push(describe(topology, pool, policy));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, policy: &Policy) -> Finding {
    let severity = if is_near_full(pool) { Severity::Warning } else { Severity::Advice };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    let full = pool.status().map(|status| fate(topology, pool, status).when_full());
    finding.summary = format!(
        "{} does not grow by itself: its threshold is {}, which is off; {}",
        pool.name,
        policy.threshold,
        full.unwrap_or_default()
    );
    finding.evidence.push(policy_line(policy));
    finding.remedy = remedy(pool, policy);
    finding
}

/// One profile is in force for a pool: where it names one, that is where the threshold belongs.
fn remedy(pool: &Pool, policy: &Policy) -> String {
    let (lv, name) = names(pool);
    let threshold = match &policy.profile {
        ProfileFile::Missing(path) => {
            format!("write {path} again, the pool's own profile: see profile-missing")
        }
        ProfileFile::Read => format!(
            "set `thin_pool_autoextend_threshold=80` in the section `activation` of {}, the pool's \
             own profile",
            own_profile(pool, policy)
        ),
        ProfileFile::None => format!(
            "`[ -e {folder}/{name}.profile ] || \
             printf 'activation/thin_pool_autoextend_threshold=80\\n' > {folder}/{name}.profile`, \
             then `lvchange --metadataprofile {name} {lv}`",
            folder = PROFILES,
            name = shell(&name)
        ),
    };
    let monitored = pool.monitor.as_ref().is_some_and(|word| word == "monitored");
    let monitor =
        if monitored { String::new() } else { format!(", then `lvchange --monitor y {lv}`") };
    format!("{threshold}{monitor}; the VG needs room for it")
}

/// The pool's volume as a shell takes it, and the name that its profile gets: the one that docker
/// would give it, too.
fn names(pool: &Pool) -> (String, String) {
    let lv = pool.lv.as_ref().map_or("VG/POOL", |lv| lv.as_str());
    (shell(lv), lv.replace('/', "-"))
}

/// The path of the profile that was read: the threshold's, where it is in it.
fn own_profile(pool: &Pool, policy: &Policy) -> String {
    let name = pool.profile.as_ref().map_or("", |name| name.as_str());
    let file = format!("/{name}.profile");
    let from = policy.from.as_ref().map(Printable::as_str);
    from.filter(|path| path.ends_with(&file))
        .map_or_else(|| format!("{PROFILES}{file}"), str::to_owned)
}
