//! Ids that nobody names: exact commands, and none where it is in doubt whose the ids are.

use super::{findings_after, only, with_status};
use crate::ids::ThinId;
use crate::model::engine::{Base, EngineFacts, IdsInUse, Transaction};
use crate::model::sample::{Parts, thin};
use crate::model::{Claim, Engine, Mode, PoolKind, PoolState, Role};

/// Ids that nobody names, from 50 on.
fn leaked(count: u64) -> impl FnOnce(&mut Parts) {
    move |parts| {
        for id in 50..50 + count {
            parts.add_thin(thin(0, id, Role::Leaked, &format!("device {id}")));
        }
    }
}

fn remedy(count: u64, change: impl FnOnce(&mut Parts)) -> String {
    let found = findings_after(|parts| {
        leaked(count)(parts);
        change(parts);
    });
    only(&found, "device-leaked").remedy
}

const FIRST: &str =
    "make sure that nobody but docker uses the pool, stop it and look again; then, for good: ";

#[test]
fn the_commands_have_the_ids() {
    let of = |count| remedy(count, |_| ()).strip_prefix(FIRST).map(str::to_owned);
    let one = "`dmsetup message docker-thinpool 0 'delete 50'`";
    assert_eq!(of(1).as_deref(), Some(one));
    let three = "`for id in 50 51 52; do dmsetup message docker-thinpool 0 \"delete $id\"; done`";
    assert_eq!(of(3).as_deref(), Some(three));
    let ids: Vec<String> = (50..70).map(|id: u64| id.to_string()).collect();
    let twenty = format!(
        "`for id in {}; do dmsetup message docker-thinpool 0 \"delete $id\"; done`",
        ids.join(" ")
    );
    assert_eq!(of(20), Some(twenty.clone()));
    assert_eq!(of(21), Some(format!("{twenty}, then look again for the rest")));
}

fn docker(change: impl FnOnce(&mut EngineFacts)) -> impl FnOnce(&mut Parts) {
    |parts| {
        let mut facts = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
        change(&mut facts);
        parts.pool.engine_facts = vec![facts];
    }
}

fn doubt(code: &str) -> String {
    format!("delete nothing: settle {code} first, for until then nobody knows whose these ids are")
}

#[test]
fn nothing_is_deleted_while_files_and_pool_do_not_fit_together() {
    let base = remedy(1, docker(|facts| facts.base = Base::NoRecord));
    assert_eq!(base, doubt("base-device-missing"));
    let missing = remedy(1, |parts| parts.add_thin(thin(0, 77, Role::Missing, "abc")));
    assert_eq!(missing, doubt("device-missing"));
    let duplicate = remedy(1, |parts| {
        let claim = |file: &str| Claim {
            engine: Engine::Docker,
            name: file.into(),
            by: format!("/var/lib/docker/devicemapper/metadata/{file}").into(),
        };
        let mut twice = thin(0, 9, Role::ImageLayer, "x");
        twice.claims = vec![claim("x"), claim("y")];
        parts.add(twice);
    });
    assert_eq!(duplicate, doubt("device-id-duplicate"));
    let behind = |engine, pool| {
        let last = Transaction { engine, pool, name: "".into(), id: None };
        remedy(1, docker(|facts| facts.transaction = Some(last)))
    };
    assert_eq!(behind(20, 24), doubt("transaction-mismatch"));
    // a database that was made anew over a pool that stayed names what it made itself
    let anew = remedy(1, |parts| {
        let mut facts = EngineFacts::new(Engine::Containerd, "/var/lib/containerd".into());
        facts.in_use = Some(IdsInUse { ids: vec![ThinId::new(50).expect("an id")], next: None });
        parts.pool.engine_facts = vec![facts];
    });
    assert_eq!(anew, doubt("containerd-id-in-use"));
    assert!(behind(24, 24).starts_with(FIRST));
}

#[test]
fn of_several_doubts_the_cause_is_named() {
    let both = remedy(1, |parts| {
        docker(|facts| facts.base = Base::NoRecord)(parts);
        parts.add_thin(thin(0, 77, Role::Missing, "abc"));
    });
    assert_eq!(both, doubt("base-device-missing"));
}

#[test]
fn a_pool_that_deletes_nothing_is_settled_first_and_lvm_s_is_left_to_lvm() {
    let flagged = remedy(
        1,
        with_status(|status| {
            (status.mode, status.needs_check) = (Mode::Ro, Some(true));
        }),
    );
    assert_eq!(
        flagged,
        "settle pool-needs-check first, for until then nothing can be deleted; then look again"
    );
    let away = remedy(1, |parts| parts.pool.state = PoolState::Inactive);
    assert_eq!(away, flagged.replace("needs-check", "inactive"));
    let loops = remedy(1, |parts| parts.pool.kind = PoolKind::LoopLvm);
    assert!(
        loops.contains("stop it, bring the pool back (`thinscope activate docker-thinpool`) and"),
        "{loops}"
    );
    let of_lvm = remedy(1, |parts| {
        parts.pool.kind = PoolKind::LvmThin;
        parts.pool.lvm_transaction_id = Some(24);
    });
    assert!(of_lvm.starts_with("delete nothing by message"), "{of_lvm}");
}
