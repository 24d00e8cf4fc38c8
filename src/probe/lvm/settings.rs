//! What LVM's configuration says of growing and checking pools: `lvm.conf`, `lvmlocal.conf` over
//! it, and over both the profile that a pool names (lvm2, `config.c`: the cascade).
//!
//! Files are read, not `lvmconfig` run, which would cost as much as the report itself. Knows
//! nothing of how full a pool is.

use std::collections::BTreeMap;

use super::conf::Conf;
use super::report::Lv;
use crate::model::{Gap, Policy, ProfileFile, ThinCheck};
use crate::probe::ask::{self, Counted};
use crate::sys::{FailKind, Failure, HostPath, Question, ReadHost, Reply};
use crate::text::Printable;

const CONF: &str = "/etc/lvm/lvm.conf";
const LOCAL: &str = "/etc/lvm/lvmlocal.conf";
const PROFILE_DIR: &str = "/etc/lvm/profile";
const ARCHIVE_DIR: &str = "/etc/lvm/archive";
const BACKUP_DIR: &str = "/etc/lvm/backup";
const THRESHOLD: &str = "activation/thin_pool_autoextend_threshold";
const PERCENT: &str = "activation/thin_pool_autoextend_percent";
/// What the monitor runs unless told (lvm.conf(5)).
const OWN_COMMAND: &str = "lvm lvextend --use-policies";
/// Where builds of LVM have their monitor unless told.
const DMEVENTD: [&str; 4] =
    ["/usr/sbin/dmeventd", "/sbin/dmeventd", "/usr/bin/dmeventd", "/bin/dmeventd"];
/// Where builds of LVM look for it unless told.
const THIN_CHECK: [&str; 4] =
    ["/usr/sbin/thin_check", "/sbin/thin_check", "/usr/bin/thin_check", "/bin/thin_check"];
/// Profiles that are read of one host.
const MOST_PROFILES: usize = 64;

/// LVM's configuration as far as it was seen.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The files in the order in which they win, the winner first; `None` where one of them
    /// could not be read.
    files: Option<Vec<(&'static str, Conf)>>,
    /// Profiles by name: what they set, or `None` where there is no such file. One that could
    /// not be read is not here.
    profiles: BTreeMap<String, (Printable, Option<Conf>)>,
    /// Files that could not be read.
    unread: Vec<Unread>,
    /// The program that checks pools.
    pub thin_check: Option<ThinCheck>,
    /// Whether that program is told to leave out the mappings, which are nearly all of its work.
    pub skips_mappings: Option<bool>,
    /// Where it keeps the present text of its volume groups.
    pub backup_dir: Option<String>,
    /// Where the program that monitors pools should be, and is not.
    pub dmeventd_missing: Option<Printable>,
    /// Where it keeps earlier states of its metadata, and how many files are there.
    pub archive: Option<(Printable, u64)>,
}

/// A file that could not be read.
#[derive(Clone, Debug)]
struct Unread {
    path: Printable,
    /// Whose profile it is; of a file for all pools `None`.
    profile: Option<String>,
    failure: Failure,
}

/// Reads the configuration as far as these volumes make it matter.
pub(super) fn read_settings(host: &dyn ReadHost, lvs: &[Lv]) -> Settings {
    if !lvs.iter().any(|lv| lv.segment.segtype == "thin-pool") {
        return Settings::default();
    }
    let mut settings = Settings::default();
    settings.files = read_files(host, &mut settings.unread);
    let pools = lvs.iter().filter(|lv| lv.segment.segtype == "thin-pool");
    let mut names: Vec<&str> = pools.map(|lv| lv.profile.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let dir = settings.text("config/profile_dir").unwrap_or(PROFILE_DIR).to_owned();
    for (nth, name) in names.into_iter().filter(|name| !name.is_empty()).enumerate() {
        let path = format!("{dir}/{name}.profile");
        let read = if name.contains('/') || !dir.starts_with('/') {
            Err(Failure { kind: FailKind::LeadsOut, why: "it leads elsewhere".to_owned() })
        } else if nth >= MOST_PROFILES {
            let why = format!("{MOST_PROFILES} others were read");
            Err(Failure { kind: FailKind::TooLarge, why })
        } else {
            read_conf(host, &path)
        };
        let (path, profile) = (Printable::from_text(&path), name.to_owned());
        match read {
            Ok(read) => drop(settings.profiles.insert(profile, (path, read))),
            Err(failure) => {
                settings.unread.push(Unread { path, profile: Some(profile), failure });
            }
        }
    }
    settings.thin_check = read_thin_check(host, &settings);
    settings.skips_mappings = settings.skips_mappings();
    let told = settings.text("backup/backup_dir").filter(|path| path.starts_with('/'));
    settings.backup_dir = Some(told.unwrap_or(BACKUP_DIR).to_owned());
    settings.dmeventd_missing = missing_dmeventd(host, &settings);
    settings.archive = read_archive(host, &settings);
    settings
}

/// Both, as far as they can be read: one after the other is a gap of its own.
fn read_files(host: &dyn ReadHost, unread: &mut Vec<Unread>) -> Option<Vec<(&'static str, Conf)>> {
    let mut files = Vec::new();
    for path in [LOCAL, CONF] {
        match read_conf(host, path) {
            Ok(read) => files.extend(read.map(|conf| (path, conf))),
            // a recording from before this file was asked for: it sets nothing of this
            Err(failure) if failure.kind == FailKind::NotRecorded && path == LOCAL => {}
            Err(failure) => unread.push(Unread { path: path.into(), profile: None, failure }),
        }
    }
    unread.is_empty().then_some(files)
}

/// A file, `None` where it is not there.
fn read_conf(host: &dyn ReadHost, path: &str) -> Result<Option<Conf>, Failure> {
    match ask::file(host, path) {
        Ok(bytes) => Ok(Some(Conf::of(&bytes.0))),
        Err(failure) if failure.kind == FailKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn read_thin_check(host: &dyn ReadHost, settings: &Settings) -> Option<ThinCheck> {
    settings.files.as_ref()?;
    let told = settings.text("global/thin_check_executable");
    let candidates: Vec<&str> = match told {
        Some("") => return Some(ThinCheck::SwitchedOff),
        Some(path) if path.starts_with('/') => vec![path],
        // "autodetect", or nothing
        _ => THIN_CHECK.to_vec(),
    };
    match first_there(host, &candidates).ok()? {
        Some(path) => Some(ThinCheck::At(path.into())),
        None => candidates.first().map(|path| ThinCheck::Missing((*path).into())),
    }
}

fn read_archive(host: &dyn ReadHost, settings: &Settings) -> Option<(Printable, u64)> {
    let told = settings.text("backup/archive_dir").filter(|path| path.starts_with('/'));
    let folder = told.unwrap_or(ARCHIVE_DIR);
    match ask::reply(host, &Question::Count(HostPath::new(folder))) {
        Ok(Reply::Number(count)) => Some((folder.into(), count)),
        _ => None,
    }
}

fn missing_dmeventd(host: &dyn ReadHost, settings: &Settings) -> Option<Printable> {
    settings.files.as_ref()?;
    let told = settings.text("dmeventd/executable").filter(|path| path.starts_with('/'));
    let running = running_dmeventd(host);
    let known = told.or(running.as_deref());
    let candidates = known.map_or_else(|| DMEVENTD.to_vec(), |path| vec![path]);
    let there = first_there(host, &candidates).ok()?;
    let first = candidates.first().copied().filter(|_| there.is_none())?;
    Some(first.into())
}

/// The program of the monitor that runs, wherever this build of LVM has it; it may have been removed
/// since it was started.
fn running_dmeventd(host: &dyn ReadHost) -> Option<String> {
    let text = ask::file(host, "/run/dmeventd.pid").ok()?;
    let pid: u32 = String::from_utf8_lossy(&text.0).trim().parse().ok()?;
    let link = Question::Link(HostPath::new(format!("/proc/{pid}/exe")));
    let Ok(Reply::Bytes(path)) = ask::reply(host, &link) else { return None };
    let path = String::from_utf8(path.0).ok()?;
    let path = path.strip_suffix(" (deleted)").unwrap_or(&path);
    path.ends_with("/dmeventd").then(|| path.to_owned())
}

/// The first of these files that is there; a failure where one could not be asked.
fn first_there<'a>(host: &dyn ReadHost, paths: &[&'a str]) -> Result<Option<&'a str>, Failure> {
    for path in paths {
        match ask::reply(host, &Question::Stat(HostPath::new(path))) {
            Ok(_) => return Ok(Some(path)),
            Err(failure) if failure.kind == FailKind::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

impl Settings {
    fn text(&self, key: &str) -> Option<&str> {
        self.files.iter().flatten().find_map(|(_, conf)| conf.text(key))
    }

    /// The file that would say what LVM does with pools of this profile and could not be read. What
    /// a recording does not hold hides nothing: it was never asked for.
    pub fn hidden_in(&self, profile: &str) -> Option<&Printable> {
        let concerns = |unread: &&Unread| {
            unread.failure.kind != FailKind::NotRecorded
                && unread.profile.as_deref().is_none_or(|name| name == profile)
        };
        self.unread.iter().find(concerns).map(|unread| &unread.path)
    }

    /// The files that could not be read.
    pub fn gaps(&self) -> Vec<Gap> {
        /// Not `lvm` itself: that would be all of it.
        const SOURCE: &str = "lvm settings";
        let mut gaps = Counted::default();
        for unread in &self.unread {
            let (path, why) = (unread.path.as_str(), unread.failure.why.as_str());
            // the door's words begin with the path or name the question
            let fact = if why.contains(path) { why.to_owned() } else { format!("{path}: {why}") };
            let advice = match unread.failure.kind {
                FailKind::NotRecorded => "; record the host again with this version",
                FailKind::Denied if !why.contains("sudo") => "; look as root to see it",
                _ => "",
            };
            let what = "what it says of growing pools is not known";
            gaps.add(|| Gap::new(SOURCE, format!("{fact}{advice}; {what}")));
        }
        gaps.into_gaps(SOURCE, "files that could not be read")
    }

    fn skips_mappings(&self) -> Option<bool> {
        let mut places = self.files.as_ref()?.iter();
        let words = places.find_map(|(_, conf)| conf.words("global/thin_check_options"));
        Some(words.is_some_and(|words| words.iter().any(|word| word == "--skip-mappings")))
    }

    /// What LVM will do with a pool of this profile when it fills; `None` where a file that may
    /// say so could not be read.
    pub fn policy(&self, profile: &str) -> Option<Policy> {
        let files = self.files.as_ref()?;
        let (file, profile) = if profile.is_empty() {
            (ProfileFile::None, None)
        } else {
            let (path, read) = self.profiles.get(profile)?;
            match read {
                Some(conf) => (ProfileFile::Read, Some((path.as_str(), conf))),
                None => (ProfileFile::Missing(path.clone()), None),
            }
        };
        let places = || profile.into_iter().chain(files.iter().map(|(path, conf)| (*path, conf)));
        let number = |key| places().find_map(|(path, conf)| Some((path, conf.number(key)?)));
        let threshold = number(THRESHOLD);
        Some(Policy {
            // lvm2, defaults.h
            threshold: threshold.map_or(100, |(_, percent)| percent),
            percent: number(PERCENT).map_or(20, |(_, percent)| percent),
            from: threshold.map(|(path, _)| path.into()),
            profile: file,
            monitoring: number("activation/monitoring").is_none_or(|(_, on)| on != 0),
            command: self.command(),
        })
    }

    /// What the monitor runs, where that is not LVM's own.
    fn command(&self) -> Option<Printable> {
        let words: Vec<&str> = self.text("dmeventd/thin_command")?.split_whitespace().collect();
        let command = words.join(" ");
        (!command.is_empty() && command != OWN_COMMAND).then(|| command.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DevNo;
    use crate::probe::lvm::Segment;
    use crate::probe::testing::{FakeHost, file};
    use crate::sys::{Answer, EntryKind, FileStat};

    const PROFILE: &str = "/etc/lvm/profile/docker-thinpool.profile";

    fn absent() -> Answer {
        Answer::failed(FailKind::NotFound, "No such file or directory")
    }

    fn stat(path: &str) -> Question {
        Question::Stat(HostPath::new(path))
    }

    fn pool(profile: &str) -> Lv {
        let segment = Segment { segtype: "thin-pool".to_owned(), ..Segment::default() };
        Lv { profile: profile.to_owned(), segment, ..Lv::default() }
    }

    fn settings(files: &[(&str, &str)], profile: &str) -> Settings {
        let mut answers: Vec<_> = [LOCAL, CONF, PROFILE]
            .iter()
            .map(|path| (file(path), absent()))
            .chain([THIN_CHECK, DMEVENTD].concat().into_iter().map(|path| (stat(path), absent())))
            .collect();
        answers.extend(files.iter().map(|(path, text)| (file(path), Answer::ok_bytes(*text))));
        read_settings(&FakeHost::new(answers), &[pool(profile)])
    }

    #[test]
    fn without_any_file_autoextend_is_off_by_lvm_s_own_defaults() {
        let policy = settings(&[], "").policy("").expect("all is known");
        assert_eq!((policy.threshold, policy.percent, policy.monitoring), (100, 20, true));
        assert_eq!((policy.profile, policy.from), (ProfileFile::None, None));
    }

    #[test]
    fn a_profile_wins_over_lvm_conf_key_by_key() {
        let files = [
            (
                CONF,
                "activation { thin_pool_autoextend_threshold = 70\n\
                    thin_pool_autoextend_percent = 30\nmonitoring = 0 }",
            ),
            (PROFILE, "activation {\n thin_pool_autoextend_threshold=80\n}"),
        ];
        let policy = settings(&files, "docker-thinpool").policy("docker-thinpool");
        let policy = policy.expect("all is known");
        assert_eq!((policy.threshold, policy.percent, policy.monitoring), (80, 30, false));
        assert_eq!(policy.from, Some(PROFILE.into()));
        assert_eq!(policy.profile, ProfileFile::Read);
    }

    #[test]
    fn the_local_file_wins_over_the_common_one() {
        let files = [
            (CONF, "activation/thin_pool_autoextend_threshold=70"),
            (LOCAL, "activation/thin_pool_autoextend_threshold=60"),
        ];
        let policy = settings(&files, "").policy("").expect("all is known");
        assert_eq!((policy.threshold, policy.from), (60, Some(LOCAL.into())));
    }

    #[test]
    fn a_profile_that_is_not_there_leaves_lvm_conf_in_force() {
        let files = [(CONF, "activation/thin_pool_autoextend_threshold=70")];
        let policy = settings(&files, "docker-thinpool").policy("docker-thinpool");
        let policy = policy.expect("all is known");
        assert_eq!(policy.threshold, 70);
        assert_eq!(policy.profile, ProfileFile::Missing(PROFILE.into()));
    }

    #[test]
    fn a_file_that_could_not_be_read_leaves_the_policy_unknown() {
        let denied = || Answer::failed(FailKind::Denied, "not root");
        let gaps = |seen: &Settings| -> Vec<String> {
            seen.gaps().iter().map(|gap| format!("{}: {}", gap.source, gap.why)).collect()
        };
        let host = FakeHost::new([(file(LOCAL), absent()), (file(CONF), denied())]);
        let seen = read_settings(&host, &[pool("")]);
        assert_eq!(seen.policy(""), None);
        assert_eq!(seen.hidden_in(""), Some(&CONF.into()));
        assert_eq!(
            gaps(&seen),
            ["lvm settings: /etc/lvm/lvm.conf: not root; look as root to see it; what it says \
                of growing pools is not known"]
        );
        // each file that could not be read is told, and whom each concerns
        let host = FakeHost::new([
            (file(LOCAL), denied()),
            (file(CONF), denied()),
            (file(PROFILE), Answer::failed(FailKind::Other, format!("{PROFILE}: I/O error"))),
        ]);
        let seen = read_settings(&host, &[pool("docker-thinpool")]);
        assert_eq!(gaps(&seen).len(), 3, "{:?}", gaps(&seen));
        assert!(
            gaps(&seen)[2].contains(": /etc/lvm/profile/docker-thinpool.profile: I/O error; w")
        );
        let host = FakeHost::new([
            (file(LOCAL), absent()),
            (file(CONF), absent()),
            (file(PROFILE), denied()),
        ]);
        let seen = read_settings(&host, &[pool("docker-thinpool"), pool("")]);
        assert_eq!(seen.policy("docker-thinpool"), None);
        assert_eq!(seen.hidden_in("docker-thinpool"), Some(&PROFILE.into()));
        assert!(seen.policy("").is_some() && seen.hidden_in("").is_none());
        // an old recording has lvm.conf and no profile: nothing that was asked for was refused
        let host = FakeHost::new([(file(CONF), Answer::ok_bytes("")), (file(LOCAL), absent())]);
        let seen = read_settings(&host, &[pool("docker-thinpool")]);
        assert_eq!(seen.policy("docker-thinpool"), None);
        assert_eq!(seen.hidden_in("docker-thinpool"), None);
        assert_eq!(gaps(&seen).len(), 1);
        assert!(gaps(&seen)[0].contains("record the host again"), "{:?}", gaps(&seen));
        // what is not there is no gap
        assert_eq!(gaps(&settings(&[], "docker-thinpool")), [""; 0]);
        assert_eq!(seen.thin_check, None);
    }

    #[test]
    fn a_profile_s_name_does_not_lead_elsewhere() {
        let seen = settings(&[], "../../shadow");
        assert_eq!(seen.policy("../../shadow"), None);
        assert_eq!(
            seen.hidden_in("../../shadow"),
            Some(&"/etc/lvm/profile/../../shadow.profile".into())
        );
        assert_eq!(seen.gaps().len(), 1);
    }

    #[test]
    fn a_command_in_place_of_lvm_s_own_is_the_monitor_s() {
        let command = |text: &str| {
            let conf = format!("dmeventd {{\n\tthin_command = \"{text}\"\n}}\n");
            settings(&[(CONF, &conf)], "").policy("").expect("all is known").command
        };
        assert_eq!(settings(&[], "").policy("").expect("all is known").command, None);
        assert_eq!(command("lvm lvextend --use-policies"), None);
        assert_eq!(command(" lvm  lvextend --use-policies "), None);
        assert_eq!(command(""), None);
        assert_eq!(command("/usr/local/sbin/grow -v"), Some("/usr/local/sbin/grow -v".into()));
        let other = "lvm lvextend --use-policies --nofsck";
        assert_eq!(command(other), Some(other.into()));
    }

    #[test]
    fn a_monitor_that_is_not_installed_is_looked_for_where_lvm_does() {
        let seen = settings(&[], "");
        assert_eq!(seen.dmeventd_missing, Some("/usr/sbin/dmeventd".into()));
        let there = |path: &str| {
            let (kind, dev) = (EntryKind::File, DevNo::new(254, 1));
            let found = FileStat { kind, dev, rdev: dev, ino: 1, size: 8, allocated: 8, mtime: 0 };
            let mut answers = vec![(file(LOCAL), absent()), (file(CONF), absent())];
            answers.extend(DMEVENTD.map(|other| {
                let answer = if other == path { Answer::ok(Reply::Stat(found)) } else { absent() };
                (stat(other), answer)
            }));
            read_settings(&FakeHost::new(answers), &[pool("")]).dmeventd_missing
        };
        assert_eq!(there("/usr/sbin/dmeventd"), None);
        assert_eq!(there("/bin/dmeventd"), None);
        // one that runs tells where it is, and whether it was removed since
        let running = |exe: &str, answer: Answer| {
            let mut answers = vec![
                (file(LOCAL), absent()),
                (file(CONF), absent()),
                (file("/run/dmeventd.pid"), Answer::ok_bytes("812\n")),
                (Question::Link(HostPath::new("/proc/812/exe")), Answer::ok_bytes(exe)),
                (stat("/opt/lvm/sbin/dmeventd"), answer),
            ];
            answers.extend(DMEVENTD.map(|path| (stat(path), absent())));
            read_settings(&FakeHost::new(answers), &[pool("")]).dmeventd_missing
        };
        let (kind, dev) = (EntryKind::File, DevNo::new(254, 1));
        let found = FileStat { kind, dev, rdev: dev, ino: 1, size: 8, allocated: 8, mtime: 0 };
        let path = "/opt/lvm/sbin/dmeventd";
        assert_eq!(running(path, Answer::ok(Reply::Stat(found))), None);
        let deleted = format!("{path} (deleted)");
        assert_eq!(running(&deleted, absent()), Some(path.into()));
        // replaced by an upgrade
        assert_eq!(running(&deleted, Answer::ok(Reply::Stat(found))), None);
        // a recording from before this was asked: nothing is known
        let host = FakeHost::new([(file(CONF), absent()), (file(LOCAL), absent())]);
        assert_eq!(read_settings(&host, &[pool("")]).dmeventd_missing, None);
    }

    #[test]
    fn files_are_counted_in_the_folder_that_lvm_archives_into() {
        let counted = |conf: &str, folder: &str| {
            let host = FakeHost::new([
                (file(LOCAL), absent()),
                (file(CONF), Answer::ok_bytes(conf)),
                (Question::Count(HostPath::new(folder)), Answer::ok(Reply::Number(17))),
            ]);
            read_settings(&host, &[pool("")]).archive
        };
        assert_eq!(counted("", ARCHIVE_DIR), Some((ARCHIVE_DIR.into(), 17)));
        let own = "backup { archive_dir = \"/srv/lvm\" }";
        assert_eq!(counted(own, "/srv/lvm"), Some(("/srv/lvm".into(), 17)));
        assert_eq!(counted(own, ARCHIVE_DIR), None);
    }

    #[test]
    fn what_thin_check_is_told_to_leave_out_is_read_from_a_list_or_a_word() {
        let skips = |files: &[(&str, &str)]| settings(files, "").skips_mappings;
        assert_eq!(skips(&[]), Some(false));
        let own = "global {\n\tthin_check_options = [ \"-q\", \"--skip-mappings\" ]\n}\n";
        assert_eq!(skips(&[(CONF, own)]), Some(true));
        assert_eq!(skips(&[(CONF, "global/thin_check_options = \"--skip-mappings\"")]), Some(true));
        let checks = "global { thin_check_options = [\"-q\", \"--clear-needs-check-flag\"] }";
        assert_eq!(skips(&[(CONF, checks)]), Some(false));
        // what is set in lvmlocal.conf counts alone
        assert_eq!(skips(&[(CONF, own), (LOCAL, checks)]), Some(false));
        let denied = || Answer::failed(FailKind::Denied, "not root");
        let host = FakeHost::new([(file(LOCAL), absent()), (file(CONF), denied())]);
        assert_eq!(read_settings(&host, &[pool("")]).skips_mappings, None);
    }

    #[test]
    fn the_folder_of_lvm_s_own_texts_is_the_one_that_is_set() {
        let folder = |text: &str| settings(&[(CONF, text)], "").backup_dir;
        assert_eq!(folder(""), Some("/etc/lvm/backup".to_owned()));
        assert_eq!(folder("backup/backup_dir = \"/srv/b\""), Some("/srv/b".to_owned()));
        assert_eq!(folder("backup/backup_dir = \"b\""), Some("/etc/lvm/backup".to_owned()));
    }

    #[test]
    fn thin_check_is_looked_for_where_lvm_does() {
        assert_eq!(
            settings(&[], "").thin_check,
            Some(ThinCheck::Missing("/usr/sbin/thin_check".into()))
        );
        let off = [(CONF, "global { thin_check_executable = \"\" }")];
        assert_eq!(settings(&off, "").thin_check, Some(ThinCheck::SwitchedOff));
        let own = [(CONF, "global { thin_check_executable = \"/opt/thin_check\" }")];
        // that path was never asked before: nothing is known
        assert_eq!(settings(&own, "").thin_check, None);
    }
}
