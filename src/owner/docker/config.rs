//! What the daemon was told: `daemon.json`, and the words on its command line, from the running
//! process, its unit or its environment files.
//!
//! Knows where Docker is configured and nothing of what the options mean.

use serde::Deserialize;

use super::ask::Asker;
use super::json::{Lenient, lenient, parse};
use super::options::StorageOptions;
use crate::sys::{EntryKind, FailKind, Failure, HostPath, Keep};

/// What the daemon was told, all sources together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonConfig {
    /// Its data root, where one is given.
    pub data_root: Option<HostPath>,
    /// Its storage driver, where one is given.
    pub driver: Option<String>,
    /// Whether user namespaces are remapped, so that the data moves to `<uid>.<gid>`.
    pub userns_remap: bool,
    /// `key=value` words in the order in which the daemon takes them.
    pub storage_words: Vec<String>,
    /// The same, typed.
    pub options: StorageOptions,
    /// The command line is the running daemon's own, so nothing else can have been given.
    pub running: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct DaemonJson {
    #[serde(deserialize_with = "lenient")]
    data_root: Option<String>,
    #[serde(deserialize_with = "lenient")]
    graph: Option<String>,
    #[serde(deserialize_with = "lenient")]
    storage_driver: Option<String>,
    #[serde(deserialize_with = "lenient")]
    storage_opts: Option<Vec<Lenient<String>>>,
    #[serde(deserialize_with = "lenient")]
    userns_remap: Option<String>,
}

/// Files of shell variables that units of several distributions read.
const ENVIRONMENT: [&str; 4] = [
    "/etc/default/docker",
    "/etc/conf.d/docker",
    "/etc/sysconfig/docker",
    "/etc/sysconfig/docker-storage",
];
/// Where a unit may be; the first one found is the one in force.
const UNITS: [&str; 3] = [
    "/etc/systemd/system/docker.service",
    "/lib/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.service",
];
const DROP_INS: [&str; 2] =
    ["/run/systemd/system/docker.service.d", "/etc/systemd/system/docker.service.d"];

/// Reads all of it. What the running daemon was told outranks what the next one would be told.
pub(super) fn read_config(ask: &mut Asker<'_>, mounted_tree: bool) -> DaemonConfig {
    let mut config = DaemonConfig::default();
    let running = if mounted_tree { None } else { running_words(ask) };
    if let Some(words) = running {
        config.running = true;
        config.put_words(&words);
    } else {
        for text in configured_words(ask, mounted_tree) {
            config.put_words(&split_words(&text));
        }
    }
    let path = HostPath::new("/etc/docker/daemon.json");
    if let Some(bytes) = ask.file(path.clone(), Keep::DockerDaemon, None) {
        match parse::<DaemonJson>(&bytes) {
            Ok(json) => config.put_json(json),
            Err(why) => ask.failed(&path, &Failure { kind: FailKind::Malformed, why }),
        }
    }
    config.options = StorageOptions::parse(config.storage_words.iter().map(String::as_str));
    for refused in &config.options.refused {
        ask.gap(format!("storage option {refused}; correct it, the daemon does not start with it"));
    }
    config
}

/// The command line of the daemon whose pid file there is.
fn running_words(ask: &mut Asker<'_>) -> Option<Vec<String>> {
    let pid = ask.file(HostPath::new("/run/docker.pid"), Keep::All, None)?;
    let pid: u32 = std::str::from_utf8(&pid).ok()?.trim().parse().ok()?;
    let proc = HostPath::new(format!("/proc/{pid}"));
    // a stale pid file may name any process
    let comm = ask.file(proc.join("comm"), Keep::All, None)?;
    if !matches!(comm.trim_ascii(), b"dockerd" | b"docker" | b"dockerd-current") {
        return None;
    }
    Some(split_words(&ask.file(proc.join("cmdline"), Keep::DaemonOptions, None)?))
}

fn configured_words(ask: &mut Asker<'_>, mounted_tree: bool) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for path in ENVIRONMENT {
        texts.extend(ask.file(HostPath::new(path), Keep::DaemonOptions, None));
    }
    texts.extend(
        UNITS.iter().find_map(|path| ask.file(HostPath::new(path), Keep::DaemonOptions, None)),
    );
    // `/run` is always this system's
    let drop_ins = DROP_INS.iter().filter(|dir| !(mounted_tree && dir.starts_with("/run")));
    for dir in drop_ins.map(HostPath::new) {
        for entry in ask.entries(&dir) {
            let name = &entry.name.0;
            if entry.kind != EntryKind::Dir && name.ends_with(b".conf") {
                let path =
                    dir.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
                texts.extend(ask.file(path, Keep::DaemonOptions, None));
            }
        }
    }
    texts
}

/// Words of a command line or of shell text; quotes are dropped, a backslash at a line's end
/// joins lines. A null byte ends a word, as in `/proc/PID/cmdline`.
fn split_words(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let is_space = |c: char| c.is_whitespace() || matches!(c, '\0' | '"' | '\'' | '\\');
    text.split(is_space).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl DaemonConfig {
    fn put_words(&mut self, words: &[String]) {
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            // `DOCKER_OPTS="--storage-opt …"` leaves the name of the variable before a word
            let word = word.rfind("=--").map_or(word, |at| &word[at + 1..]);
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            let mut value = || value.or_else(|| words.next()).unwrap_or_default().to_owned();
            match flag {
                "--storage-opt" => self.storage_words.push(value()),
                "--storage-driver" | "-s" => self.driver = Some(value()),
                "--data-root" | "--graph" | "-g" => self.put_root(&value()),
                "--userns-remap" => self.userns_remap = !value().is_empty(),
                _ => {}
            }
        }
    }

    fn put_json(&mut self, json: DaemonJson) {
        if let Some(root) = json.data_root.or(json.graph) {
            self.put_root(&root);
        }
        self.driver = json.storage_driver.or(self.driver.take());
        self.storage_words
            .extend(json.storage_opts.into_iter().flatten().filter_map(|word| word.0));
        self.userns_remap |= json.userns_remap.is_some_and(|user| !user.is_empty());
    }

    fn put_root(&mut self, root: &str) {
        // docker itself refuses a relative data root
        if root.starts_with('/') {
            self.data_root = Some(HostPath::new(root));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> DaemonConfig {
        let mut config = DaemonConfig::default();
        config.put_words(&split_words(text.as_bytes()));
        config
    }

    #[test]
    fn options_are_found_in_shell_text_and_units() {
        let storage = words(
            "DOCKER_STORAGE_OPTIONS=\"--storage-driver devicemapper --storage-opt dm.fs=xfs \\\n \
             --storage-opt=dm.thinpooldev=/dev/mapper/rhel-docker--pool\"\n",
        );
        assert_eq!(storage.driver.as_deref(), Some("devicemapper"));
        assert_eq!(
            storage.storage_words,
            ["dm.fs=xfs", "dm.thinpooldev=/dev/mapper/rhel-docker--pool"]
        );
        let unit = words("ExecStart=/usr/bin/dockerd -H fd:// --data-root=/srv/docker\n");
        assert_eq!(unit.data_root, Some(HostPath::new("/srv/docker")));
        let old = words("OPTIONS='-g /mnt/docker --userns-remap=default'");
        assert_eq!(old.data_root, Some(HostPath::new("/mnt/docker")));
        assert!(old.userns_remap);
    }

    #[test]
    fn a_variable_whose_value_begins_with_a_flag_is_read() {
        assert_eq!(words("OPTS=--storage-opt=dm.fs=ext4").storage_words, ["dm.fs=ext4"]);
    }

    #[test]
    fn a_command_line_from_proc_is_cut_at_its_null_bytes() {
        let config = words("--storage-opt\0dm.basesize=20G\0-s\0devicemapper\0");
        assert_eq!(config.storage_words, ["dm.basesize=20G"]);
        assert_eq!(config.driver.as_deref(), Some("devicemapper"));
    }

    #[test]
    fn a_cut_command_line_is_no_trouble() {
        assert_eq!(words("--storage-opt").storage_words, [""]);
        assert_eq!(words("--data-root relative").data_root, None);
    }

    #[test]
    fn daemon_json_of_wrong_types_keeps_what_is_right() {
        let json = br#"{"data-root":7,"graph":"/g","storage-opts":["dm.fs=xfs",7,null]}"#;
        let mut config = DaemonConfig::default();
        config.put_json(parse(json).unwrap_or_default());
        assert_eq!(config.data_root, Some(HostPath::new("/g")));
        assert_eq!(config.storage_words, ["dm.fs=xfs"]);
    }
}
