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
use crate::sys::{FailKind, Failure, HostPath, Keep};
use crate::text::Printable;

/// A container as its file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerFile {
    /// Its name without the slash; `None` for half-made ones and broken files.
    pub name: Option<Printable>,
    /// Its state in docker's words.
    pub state: Option<ContainerState>,
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
    containers
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
