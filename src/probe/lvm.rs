//! LVM's own reports: volume groups, physical and logical volumes.
//!
//! One call, bounded in what it touches ([`filter`]) and in time; when a lock or a device holds
//! it up, a second one without locks. Knows nothing of how volumes become nodes.

mod conf;
mod cookies;
pub mod filter;
mod limit;
pub mod locks;
pub mod report;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ask;
use super::{block, dm};
use crate::command::{CommandSpec, Tool};
use crate::model::{Cookie, Gap};
use crate::sys::{Answer, FailKind, Failure, HostPath, Question, Raw, ReadHost, Reply, RunOutput};
use crate::text::Printable;
use conf::Conf;
use filter::Allowed;
pub use limit::LONGEST;
use limit::Limit;
pub use report::{Lv, Piece, Pv, Segment, Vg};
pub use settings::Settings;

/// How long a node that was not there is waited for before LVM is asked once more.
const RETRY: Duration = Duration::from_millis(300);
/// Only a call that was quicker is made twice: whoever waits for the answer has a limit, too.
const QUICK: Duration = Duration::from_secs(1);
/// Messages of LVM's that are passed on.
const MAX_MESSAGES: usize = 10;
/// Characters of one message.
const MAX_MESSAGE: usize = 300;

/// LVM as it was seen.
#[derive(Clone, Debug, Default)]
pub struct LvmSeen {
    /// Volume groups.
    pub vgs: Vec<Vg>,
    /// Physical volumes.
    pub pvs: Vec<Pv>,
    /// Logical volumes.
    pub lvs: Vec<Lv>,
    /// The report was read to its end: what is not in it is not there.
    pub whole: bool,
    /// There is no `lvm` to run: a gap only on a host that has LVM's devices.
    pub not_installed: Option<Printable>,
    /// Whether the daemon that monitors volumes runs; `None` when that was not seen.
    pub dmeventd: Option<bool>,
    /// Its configuration, as far as it concerns pools.
    pub settings: Settings,
    /// Who waits for udev.
    pub cookies: Vec<Cookie>,
    /// It was asked and reported nothing at all.
    pub failed: bool,
    /// What could not be seen, and what LVM warns of.
    pub gaps: Vec<Gap>,
}

/// Which fields a version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fields {
    /// The oldest one's.
    Old,
    /// What most have.
    Most,
    /// Also what came with 2.03.12.
    Newest,
}

impl Fields {
    /// What is asked for where a version does not have all of these.
    const fn fewer(self) -> Option<Self> {
        match self {
            Self::Newest => Some(Self::Most),
            Self::Most => Some(Self::Old),
            Self::Old => None,
        }
    }
}

/// How the report is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ask {
    /// Which fields.
    fields: Fields,
    /// The monitoring daemon runs and can be asked.
    monitor: bool,
    /// With LVM's locks.
    locking: bool,
    /// How long it may take; no part of the question.
    limit: Duration,
}

/// Asks for all of this source.
pub fn read_lvm(host: &dyn ReadHost) -> LvmSeen {
    let host = &Once { host, kept: Mutex::default() };
    let scope = scope(host);
    let dmeventd = read_dmeventd(host);
    let monitor = dmeventd == Some(true);
    let limit = scope.limit.locked(!locks::read_holders(host).is_empty());
    let mut ask = Ask { fields: Fields::Newest, monitor, locking: true, limit };
    let mut seen = LvmSeen { dmeventd, cookies: cookies::read_cookies(host), ..LvmSeen::default() };
    // at most: with all fields, without the newest, without more, without locks
    for _ in 0..4 {
        let since = Instant::now();
        let asked = run(host, ask, &scope.settings);
        if let Some(fewer) = ask.fields.fewer()
            && has_fewer(&asked, ask.fields)
        {
            ask.fields = fewer;
            continue;
        }
        match asked {
            Ok(output) => {
                let soon = since.elapsed() < QUICK;
                let output =
                    if soon { once_more(host, (ask, &scope.settings), output) } else { output };
                take(&mut seen, &output, ask);
                if misses_a_node(&output) {
                    seen.gaps.push(Gap::new("lvm", STILL_MISSING));
                }
                seen.settings = settings::read_settings(host, &seen.lvs);
                seen.gaps.extend(seen.settings.gaps());
                return seen;
            }
            Err(failure) if failure.kind == FailKind::TimedOut && ask.locking => {
                seen.gaps.push(held_up(host, ask.limit));
                let limit = scope.limit.unlocked();
                ask = Ask { locking: false, monitor: false, limit, ..ask };
            }
            Err(failure) => {
                seen.failed = failure.kind != FailKind::NotFound;
                match failure.kind {
                    FailKind::NotFound => seen.not_installed = Some(failure.why.into()),
                    FailKind::TimedOut => {
                        let within = ask.limit.as_secs();
                        let why =
                            format!("LVM gave no answer without locks either, within {within} s");
                        seen.gaps.push(Gap::new("lvm", why));
                    }
                    _ => seen.gaps.push(Gap::new("lvm", failure.why)),
                }
                return seen;
            }
        }
    }
    seen
}

fn run(host: &dyn ReadHost, ask: Ask, scope: &[String]) -> Result<RunOutput, Failure> {
    match ask::reply(host, &Question::Run(call(ask, scope)))? {
        Reply::Ran(output) => Ok(output),
        other => Err(ask::misfit(&other)),
    }
}

/// One call for all: LVM reads every VG once for the five reports. (`vgs` alone takes as long
/// as all of them, and so do `lvs` and `pvs`.)
fn call(ask: Ask, scope: &[String]) -> CommandSpec {
    let pv_numbers = if ask.fields >= Fields::Most { ",pv_major,pv_minor" } else { "" };
    // asking a volume's monitoring starts the monitoring daemon where none runs (libdevmapper,
    // `_start_daemon`): it is asked only where one does
    let monitor = if ask.monitor { ",seg_monitor" } else { "" };
    let newest = |field| if ask.fields == Fields::Newest { field } else { "" };
    let fields = [
        (
            "vg",
            format!(
                "vg_uuid,vg_name,vg_attr,vg_size,vg_free,vg_extent_size,vg_missing_pv_count,\
                 vg_mda_size,vg_mda_free{}",
                newest(",vg_autoactivation")
            ),
        ),
        (
            "pv",
            format!(
                "pv_uuid,vg_uuid,vg_name,pv_name,pv_size,pv_free,pv_missing,pe_start{pv_numbers}"
            ),
        ),
        (
            "lv",
            format!(
                "lv_uuid,vg_uuid,lv_name,lv_attr,lv_size,pool_lv,data_lv,metadata_lv,origin,\
                 lv_role,lv_profile,lv_tags,lv_parent{}",
                newest(",lv_autoactivation")
            ),
        ),
        (
            "seg",
            format!(
                "lv_uuid,segtype,thin_id,transaction_id,chunk_size,devices,seg_start,seg_size,\
                 stripe_size{monitor}"
            ),
        ),
        ("pvseg", "pv_uuid".to_owned()),
    ];
    let mut args: Vec<String> =
        ["fullreport", "-a", "--reportformat", "json", "--units", "b", "--nosuffix"]
            .map(str::to_owned)
            .to_vec();
    for (report, fields) in fields {
        args.extend(["--configreport", report, "-o", &fields].map(str::to_owned));
    }
    if !ask.locking {
        args.push("--nolocking".to_owned());
    }
    let mut call = CommandSpec::look(Tool::Lvm, args, ask.limit);
    call.scope = scope.to_vec();
    call
}

/// A host whose LVM configuration is read once: a hundred kilobytes of comments, wanted for the
/// filter before LVM is run and for the pools' policies after it.
struct Once<'a> {
    host: &'a dyn ReadHost,
    kept: Mutex<BTreeMap<HostPath, Answer>>,
}

impl ReadHost for Once<'_> {
    fn ask(&self, question: &Question) -> Answer {
        let path = match question {
            Question::File { path, .. } if path.as_path().starts_with("/etc/lvm") => path,
            _ => return self.host.ask(question),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(path.clone()).or_insert_with(|| self.host.ask(question)).clone()
    }

    fn wait(&self, time: Duration) {
        self.host.wait(time);
    }
}

/// What bounds a call of LVM.
struct Scope {
    /// LVM's settings for a look that changes nothing and touches only what is safe. Empty where a
    /// recording answers, which holds no device-mapper under this source: nothing is run there.
    settings: Vec<String>,
    /// How long it may take.
    limit: Limit,
}

/// By the devices that are there.
fn scope(host: &dyn ReadHost) -> Scope {
    if let Err(Failure { kind: FailKind::NotRecorded, .. }) = ask::reply(host, &Question::DmVersion)
    {
        return Scope { settings: Vec::new(), limit: Limit::least() };
    }
    let own = own_settings(host);
    let tables = dm::read_tables(host);
    let allowed = filter::allowed(
        Some(&tables),
        Some(&block::read_devices(host)),
        own.iter().find_map(|conf| conf.number("devices/scan_lvs")) == Some(1),
    );
    let settings = vec!["--config".to_owned(), settings(&allowed, &own)];
    Scope { settings, limit: Limit::of(host, &tables.devices) }
}

/// The host's own configuration: what `lvmlocal.conf` sets counts before `lvm.conf`.
fn own_settings(host: &dyn ReadHost) -> [Conf; 2] {
    ["/etc/lvm/lvmlocal.conf", "/etc/lvm/lvm.conf"].map(|path| {
        let text = ask::file(host, path).unwrap_or_default();
        Conf::of(&text.0)
    })
}

/// Hints, backups of metadata and repairs are written even by commands that only report.
/// The host's own filter stays in force beside ours: LVM has two places for one, and a device
/// must pass both.
fn settings(allowed: &Allowed, own: &[Conf]) -> String {
    let is_set = |key| own.iter().any(|conf| conf.is_set(key));
    let place = match (is_set("devices/filter"), is_set("devices/global_filter")) {
        (true, false) => "global_filter",
        _ => "filter",
    };
    format!(
        "devices{{hints=\"none\" ignore_suspended_devices=1 {}}} \
         global{{metadata_read_only=1}} backup{{backup=0 archive=0}} log{{report_command_log=0}}",
        allowed.setting(place)
    )
}

/// Whether LVM's monitoring daemon runs, told from its pid file and that process's name.
fn read_dmeventd(host: &dyn ReadHost) -> Option<bool> {
    let pid = match ask::file(host, "/run/dmeventd.pid") {
        Ok(text) => String::from_utf8_lossy(&text.0).trim().parse::<u32>().ok()?,
        Err(failure) => return (failure.kind == FailKind::NotFound).then_some(false),
    };
    match ask::file(host, &format!("/proc/{pid}/comm")) {
        Ok(name) => Some(name.0.trim_ascii() == b"dmeventd"),
        Err(failure) => (failure.kind == FailKind::NotFound).then_some(false),
    }
}

/// Whether this version does not have these fields. A recording from before the newest were asked
/// for holds no answer to them.
fn has_fewer(asked: &Result<RunOutput, Failure>, fields: Fields) -> bool {
    match asked {
        Ok(output) => lacks_a_field(output),
        Err(failure) => fields == Fields::Newest && failure.kind == FailKind::NotRecorded,
    }
}

/// Said where asking once more did not help.
const STILL_MISSING: &str = "a device's node was not there, twice: where udev is slow `udevadm settle` \
                             waits for it, a lost one `vgmknodes` makes again";

/// Asked again, where that is the reason that LVM gave.
fn once_more(host: &dyn ReadHost, (ask, scope): (Ask, &[String]), output: RunOutput) -> RunOutput {
    if !misses_a_node(&output) {
        return output;
    }
    host.wait(RETRY);
    run(host, ask, scope).unwrap_or(output)
}

/// Whether LVM gave up on a node that udev had not made yet, or had taken away already: on a host
/// under load it does that between LVM's list of devices and its opening them.
fn misses_a_node(output: &RunOutput) -> bool {
    const WORDS: &[u8] = b"open failed: No such file or directory";
    output.exit != Some(0) && output.stderr.0.windows(WORDS.len()).any(|text| text == WORDS)
}

/// An unknown field makes LVM print all it knows and this (`formats.md` 4.1).
fn lacks_a_field(output: &RunOutput) -> bool {
    const WORDS: &[u8] = b"Unrecognised field";
    output.exit != Some(0) && output.stderr.0.windows(WORDS.len()).any(|text| text == WORDS)
}

fn take(seen: &mut LvmSeen, output: &RunOutput, ask: Ask) {
    let report = report::parse_report(&output.stdout.0);
    (seen.vgs, seen.pvs, seen.lvs) = (report.vgs, report.pvs, report.lvs);
    seen.whole = report.broken.is_none() && output.exit == Some(0);
    // it ends so, too, over one VG of many
    seen.failed = !seen.whole && seen.vgs.is_empty() && seen.pvs.is_empty() && seen.lvs.is_empty();
    if let Some(broken) = report.broken {
        seen.gaps.push(Gap::new(
            "lvm",
            format!(
                "LVM's report could not be read to its end: {broken}; shown is what came before"
            ),
        ));
    } else if output.exit != Some(0) {
        let how = match output.exit {
            Some(code) => format!("ended with status {code}"),
            None => "was ended by a signal".to_owned(),
        };
        seen.gaps.push(Gap::new("lvm", format!("LVM {how}; shown is what it reported")));
    }
    let messages = messages(&output.stderr, ask);
    if !messages.is_empty() {
        seen.gaps.push(Gap::new("lvm", format!("LVM says: {}", messages.join("; "))));
    }
}

/// What LVM says beside its report, without what our own way of asking makes it say.
fn messages(stderr: &Raw, ask: Ask) -> Vec<String> {
    let own = |line: &str| {
        line.starts_with("File descriptor")
            || (!ask.locking && line.starts_with("WARNING: File locking is disabled"))
    };
    let text = String::from_utf8_lossy(&stderr.0).into_owned();
    let mut lines: Vec<String> = (text.lines().map(str::trim))
        .filter(|line| !line.is_empty() && !own(line))
        .map(|line| line.chars().take(MAX_MESSAGE).collect())
        .collect();
    let more = lines.len().saturating_sub(MAX_MESSAGES);
    // the cause stands last in LVM's messages as often as first: the middle goes
    if more > 0 {
        lines.drain(MAX_MESSAGES / 2..MAX_MESSAGES / 2 + more);
        lines.insert(MAX_MESSAGES / 2, format!("({more} more messages)"));
    }
    lines
}

/// The call that hung, and who makes it hang where that can be seen.
fn held_up(host: &dyn ReadHost, limit: Duration) -> Gap {
    let holders = locks::read_holders(host);
    let cause = if holders.is_empty() {
        "a device or a lock holds it up, or it has more to tell".to_owned()
    } else {
        let who: Vec<String> = holders.iter().map(held_by).collect();
        format!("its lock {}", who.join(", "))
    };
    Gap::new(
        "lvm",
        format!(
            "LVM gave no answer within {} s: {cause}; asked again without locks, what it tells \
             may be in the middle of a change",
            limit.as_secs()
        ),
    )
}

fn held_by(holder: &locks::Holder) -> String {
    // a lock outlives the process that took it when a child inherited it
    let program = match holder.program.as_str() {
        "" => "a child of a process that ended",
        program => program,
    };
    format!("{} is held by {program} (pid {})", holder.lock, holder.pid)
}

#[cfg(test)]
mod tests;
