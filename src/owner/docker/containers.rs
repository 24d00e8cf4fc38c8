//! `containers/<id>/config.v2.json`: identity, name and state of containers (`formats.md`
//! 1.6.4).
//!
//! Knows nothing of layers and devices.

use std::collections::HashMap;

use serde::Deserialize;

use super::ask::Asker;
use super::digest::Digest;
use super::json::{lenient, parse};
use crate::model::ContainerState;
use crate::sys::{FailKind, Failure, HostPath, Keep, Question, Reply};
use crate::text::Printable;

/// A container as its file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerFile {
    /// Its name without the slash; `None` for half-made ones and broken files.
    pub name: Option<Printable>,
    /// Its state in docker's words.
    pub state: Option<ContainerState>,
    /// Its removal went so far that docker starts it no more, whatever comes of the removal.
    pub given_up: bool,
    /// The process, as long as docker thinks that it runs.
    pub pid: Option<u64>,
    /// The image it was made from.
    pub image: Option<Digest>,
    /// The reference that was typed.
    pub image_reference: Option<Printable>,
}

/// All containers by id.
pub type Containers = HashMap<Printable, ContainerFile>;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ConfigJson {
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    image: Option<String>,
    #[serde(deserialize_with = "lenient")]
    driver: Option<String>,
    #[serde(deserialize_with = "lenient")]
    state: Option<StateJson>,
    #[serde(deserialize_with = "lenient")]
    config: Option<InnerJson>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct InnerJson {
    #[serde(deserialize_with = "lenient")]
    image: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct StateJson {
    #[serde(deserialize_with = "lenient")]
    running: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    paused: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    restarting: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    removal_in_progress: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    dead: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pid: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    started_at: Option<String>,
}

/// Longest removal, in seconds. What takes long in one is the driver: it tries for 20 s to remove a
/// busy device (moby, `deviceset.go`, `removeDevice`), and discards what the device holds.
const LONGEST_REMOVAL: i64 = 60;

/// Reads all containers below a data root.
pub(super) fn read_containers(ask: &mut Asker<'_>, root: &HostPath) -> Containers {
    let dir = root.join("containers");
    let names = ["config.v2.json"];
    let mut containers = Containers::new();
    let mut failures = Vec::new();
    for file in ask.tree(&dir, 2, &names, Keep::DockerContainer).unwrap_or_default() {
        let Some(id) = file.path.0.strip_suffix(b"/config.v2.json") else { continue };
        let parsed = file.content.and_then(|bytes| {
            parse_container(&bytes.0).map_err(|why| Failure { kind: FailKind::Malformed, why })
        });
        match parsed {
            Ok(Some(container)) => drop(containers.insert(Printable::from_bytes(id), container)),
            Ok(None) => {}
            Err(failure) => failures.push((Printable::from_bytes(&file.path.0), failure)),
        }
    }
    ask.several_failed(&dir, &failures);
    settle_removals(ask, &dir, &mut containers);
    containers
}

/// Docker notes that a removal is under way and that the container is dead before it removes
/// anything, and when it fails it takes the first back in its memory only (moby, `delete.go`,
/// `ContainerRm`; 20.10): so the file of a container that it calls dead says both, until a
/// restart. A note that is older than any removal is one of a removal that failed.
fn settle_removals(ask: &Asker<'_>, dir: &HostPath, containers: &mut Containers) {
    let in_doubt =
        |file: &ContainerFile| file.given_up && file.state == Some(ContainerState::Removing);
    if !containers.values().any(in_doubt) {
        return;
    }
    let Some(Reply::Number(now)) = ask.quietly(&Question::Time) else { return };
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    for (id, file) in containers.iter_mut().filter(|(_, file)| in_doubt(file)) {
        let path = dir.join(id.as_str()).join("config.v2.json");
        let noted = ask.try_stat(&path).ok().map(|stat| stat.mtime);
        if noted.is_some_and(|noted| now.saturating_sub(noted) > LONGEST_REMOVAL) {
            file.state = Some(ContainerState::Dead);
        }
    }
}

/// One container; `None` when it belongs to another storage driver.
pub fn parse_container(bytes: &[u8]) -> Result<Option<ContainerFile>, String> {
    let json: ConfigJson = parse(bytes)?;
    if json.driver.is_some_and(|driver| driver != "devicemapper" && !driver.is_empty()) {
        return Ok(None);
    }
    let name = json.name.unwrap_or_default();
    let name = name.strip_prefix('/').unwrap_or(&name);
    Ok(Some(ContainerFile {
        name: (!name.is_empty()).then(|| name.into()),
        state: json.state.as_ref().map(state),
        given_up: json.state.as_ref().and_then(|state| state.dead) == Some(true),
        pid: json.state.and_then(|state| state.pid).filter(|pid| *pid > 0),
        image: json.image.and_then(|image| Digest::parse(image.as_bytes())),
        image_reference: json.config.and_then(|config| config.image).map(Printable::from),
    }))
}

/// The first that holds, in docker's order.
fn state(state: &StateJson) -> ContainerState {
    let is = |flag: Option<bool>| flag == Some(true);
    let never_started =
        state.started_at.as_deref().is_none_or(|at| at.is_empty() || at.starts_with("0001-01-01T"));
    if is(state.running) && is(state.paused) {
        ContainerState::Paused
    } else if is(state.running) && is(state.restarting) {
        ContainerState::Restarting
    } else if is(state.running) {
        ContainerState::Running
    } else if is(state.removal_in_progress) {
        ContainerState::Removing
    } else if is(state.dead) {
        ContainerState::Dead
    } else if never_started {
        ContainerState::Created
    } else {
        ContainerState::Exited
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::*;

    fn container(json: &str) -> Option<ContainerFile> {
        parse_container(json.as_bytes()).ok().flatten()
    }

    fn state_of(flags: &str) -> Option<ContainerState> {
        container(&format!(r#"{{"Name":"/web","State":{{{flags}}}}}"#))?.state
    }

    /// `formats.md` 1.6.4.
    #[test]
    fn the_state_is_the_first_word_that_holds() {
        const ZERO: &str = r#""StartedAt":"0001-01-01T00:00:00Z""#;
        const ONCE: &str = r#""StartedAt":"2024-01-02T03:04:05.678Z""#;
        let all = r#""Running":true,"Paused":true,"Restarting":true,"Dead":true"#;
        for (flags, state) in [
            (format!("{all},{ONCE}"), ContainerState::Paused),
            (format!(r#""Running":true,"Restarting":true,{ONCE}"#), ContainerState::Restarting),
            (format!(r#""Running":true,"Dead":true,{ONCE}"#), ContainerState::Running),
            (format!(r#""RemovalInProgress":true,"Dead":true,{ONCE}"#), ContainerState::Removing),
            (format!(r#""Dead":true,{ZERO}"#), ContainerState::Dead),
            (format!(r#""Paused":true,{ZERO}"#), ContainerState::Created),
            (format!(r#""Running":false,{ONCE}"#), ContainerState::Exited),
        ] {
            assert_eq!(state_of(&flags), Some(state), "{flags}");
        }
    }

    /// What 20.10 leaves behind when a removal fails: `docker inspect` says `dead`.
    #[test]
    fn a_removal_that_is_older_than_any_has_failed() {
        let state_of = |flags: &str, now: Option<u64>| {
            let file = format!(r#"{{"Name":"/web","State":{{{flags}}}}}"#);
            let mut host = FakeHost::default().with("/d/containers/c1/config.v2.json", file);
            if let Some(now) = now {
                host = host.now(now);
            }
            let read = read_containers(&mut Asker::new(&host), &HostPath::new("/d"));
            read.get(&Printable::from("c1")).and_then(|file| file.state)
        };
        let both = r#""RemovalInProgress":true,"Dead":true"#;
        assert_eq!(state_of(both, Some(60)), Some(ContainerState::Removing));
        assert_eq!(state_of(both, Some(61)), Some(ContainerState::Dead));
        // of what age it is nobody can tell
        assert_eq!(state_of(both, None), Some(ContainerState::Removing));
        // one that docker may still start
        let early = r#""RemovalInProgress":true"#;
        assert_eq!(state_of(early, Some(61)), Some(ContainerState::Removing));
    }

    #[test]
    fn the_name_loses_its_slash_and_an_empty_one_is_none() {
        let name = |json| container(json).map(|container| container.name);
        assert_eq!(name(r#"{"Name":"/web"}"#), Some(Some("web".into())));
        assert_eq!(name(r#"{"Name":""}"#), Some(None));
        assert_eq!(name(r#"{"Name":["web"]}"#), Some(None));
    }

    #[test]
    fn a_container_of_another_driver_is_not_ours() {
        assert_eq!(container(r#"{"Name":"/web","Driver":"overlay2"}"#), None);
        assert!(container(r#"{"Name":"/web","Driver":"devicemapper"}"#).is_some());
    }

    #[test]
    fn a_state_of_the_wrong_type_loses_only_the_state() {
        let container = container(r#"{"Name":"/web","State":"running","Image":7}"#);
        let container = container.unwrap_or_default();
        assert_eq!(container.name, Some("web".into()));
        assert_eq!(container.state, None);
    }

    #[test]
    fn a_name_with_an_escape_sequence_is_made_visible() {
        let name = container("{\"Name\":\"/a\\u001b[31m\"}").and_then(|container| container.name);
        assert_eq!(name, Some("a\\x1b[31m".into()));
    }
}
