//! A program that waits for udev, and udev does not answer.

use crate::advise::Rule;
use crate::model::{Cookie, Cure, Finding, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "udev-cookie-stuck", page: include_str!("../pages/udev-cookie-stuck.md"), look };

/// A rule of udev's may take long on a busy host; no operation on a device takes a minute.
const STUCK: u64 = 60;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let stuck = |cookie: &&Cookie| cookie.age >= STUCK;
    let cookies: Vec<&Cookie> = topology.host.cookies.iter().filter(stuck).collect();
    if let Some(oldest) = cookies.iter().max_by_key(|cookie| cookie.age) {
        found.push(describe(&cookies, oldest));
    }
}

/// A cookie as `dmsetup udevcomplete` takes it, how long it has stood still, and the kernel's line.
fn line(cookie: &Cookie) -> String {
    format!("cookie 0x{:08x}, unchanged for {} s: {}", cookie.number, cookie.age, cookie.line)
}

fn describe(cookies: &[&Cookie], oldest: &Cookie) -> Finding {
    let (count, s) = (cookies.len(), if cookies.len() == 1 { "" } else { "s" });
    Finding {
        code: RULE.code,
        severity: Severity::Warning,
        subject: format!("cookie 0x{:08x}", oldest.number).into(),
        node: None,
        summary: format!(
            "{count} operation{s} on devices wait{} for udev, the oldest for {} s: docker or LVM \
             hangs in it",
            if count == 1 { "s" } else { "" },
            oldest.age
        ),
        evidence: cookies.iter().map(|cookie| line(cookie)).collect(),
        remedy: format!(
            "see that systemd-udevd runs, and who waits (`ps -eo pid,wchan:20,args`); then \
             complete the one cookie, not all: `dmsetup udevcomplete 0x{:08x}`",
            oldest.number
        ),
        cure: Cure::AsItsPage,
    }
}
