//! Whether a pool's metadata snapshot may be reserved, by what the kernel says of the pool; and what
//! a reading needs of whoever reserves it. Pure: the reserving itself is done elsewhere.

use crate::ids::DevNo;
use crate::model::{Mode, PoolStatus};
use crate::probe::dm::status::{PoolSays, Says, parse_status};
use crate::sys::{DmDevice, Question, Raw, ReadHost, Reply};

/// Somebody who reserves metadata snapshots.
pub trait Reserving {
    /// Reserves a pool's, or says why not.
    fn reserve(&self, pool: DevNo) -> Result<Box<dyn Reserved>, String>;
}

/// A snapshot that is reserved, and released at the latest when this goes away.
pub trait Reserved {
    /// The block of its superblock.
    fn root(&self) -> u64;
    /// Releases it.
    fn release(self: Box<Self>) -> Result<(), String>;
}

/// A pool as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The device.
    pub device: DmDevice,
    /// Its status line.
    pub status: PoolStatus,
}

/// Asks the kernel for a pool that may be sent a message: one that is active, healthy and not
/// suspended. The status of a suspended pool is not asked for.
pub fn read_healthy(host: &dyn ReadHost, pool: DevNo) -> Result<Told, String> {
    let device = match host.ask(&Question::DmDevice(pool)).result {
        Ok(Reply::DmDevice(device)) => device,
        Ok(_) => return Err(format!("device {pool} is not told as one of device-mapper's")),
        Err(failure) => return Err(failure.why),
    };
    if !device.table.iter().any(|target| target.kind == "thin-pool") {
        return Err(format!("device {pool} is no thin pool"));
    }
    if device.suspended {
        return Err("the pool is suspended".to_owned());
    }
    let status = match host.ask(&Question::DmStatus(pool)).result {
        Ok(Reply::Bytes(status)) => healthy(&status)?,
        Ok(_) => return Err("the pool's status is of another form".to_owned()),
        Err(failure) => return Err(failure.why),
    };
    Ok(Told { device, status })
}

fn healthy(status: &Raw) -> Result<PoolStatus, String> {
    let says = parse_status(&status.0).into_iter().map(|line| line.says).next();
    let status = match says {
        Some(Says::Pool(PoolSays::Status(status))) => status,
        Some(Says::Pool(PoolSays::Fail)) => return Err("the pool has failed".to_owned()),
        _ => return Err("the pool's status was not understood".to_owned()),
    };
    match status.mode {
        Mode::Rw if status.needs_check == Some(true) => {
            Err("the pool's metadata asks for a check".to_owned())
        }
        Mode::Rw => Ok(status),
        _ => Err("the pool does not take writes now".to_owned()),
    }
}

/// Refuses a pool whose snapshot somebody else holds.
pub fn refuse_held(told: &Told) -> Result<(), String> {
    match told.status.held_root {
        None => Ok(()),
        Some(root) => Err(format!("somebody else holds one (metadata block {root}): it stays")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::FakeHost;
    use crate::sys::{Answer, DmTarget};

    const POOL: DevNo = DevNo::new(253, 2);

    fn told(kind: &str, suspended: bool, status: &str) -> Result<Told, String> {
        let params = Raw::default();
        let target = DmTarget { start: 0, length: 8, kind: kind.to_owned(), params };
        let device = DmDevice { suspended, table: vec![target], ..DmDevice::default() };
        let status = Reply::Bytes(Raw(format!("0 8 thin-pool {status}\n").into_bytes()));
        read_healthy(
            &FakeHost::new([
                (Question::DmDevice(POOL), Answer::ok(Reply::DmDevice(device))),
                (Question::DmStatus(POOL), Answer::ok(status)),
            ]),
            POOL,
        )
    }

    const REST: &str = "discard_passdown queue_if_no_space";

    #[test]
    fn only_a_healthy_pool_that_nobody_holds_may_be_reserved() {
        let sound = |held| format!("7 20/1024 30/2000 {held} rw {REST} - 1024");
        let free = told("thin-pool", false, &sound("-")).expect("healthy");
        assert_eq!(refuse_held(&free), Ok(()));
        let held = told("thin-pool", false, &sound("77")).expect("healthy");
        assert!(refuse_held(&held).expect_err("held").contains("block 77"));
    }

    #[test]
    fn an_unhealthy_pool_is_refused_with_its_reason() {
        let refused = |kind, suspended, status: &str| {
            told(kind, suspended, status).expect_err("it is not healthy")
        };
        for (status, word) in [
            (format!("7 20/1024 30/2000 - ro {REST} - 1024"), "writes"),
            (format!("7 20/1024 30/2000 - out_of_data_space {REST} - 1024"), "writes"),
            (format!("7 20/1024 30/2000 - rw {REST} needs_check 1024"), "check"),
            ("Fail".to_owned(), "failed"),
            ("Error".to_owned(), "not understood"),
            ("7 x/1024".to_owned(), "not understood"),
        ] {
            let why = refused("thin-pool", false, &status);
            assert!(why.contains(word), "{status}: {why}");
        }
        let sound = format!("7 20/1024 30/2000 - rw {REST} - 1024");
        assert!(refused("thin-pool", true, &sound).contains("suspended"));
        assert!(refused("linear", false, &sound).contains("no thin pool"));
    }
}
