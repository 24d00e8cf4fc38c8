//! Images, their chains of layers, and every name they go by (`formats.md` 1.6.3).
//!
//! Knows nothing of devices and containers.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::ask::Asker;
use super::digest::Digest;
use super::json::{Lenient, lenient, parse};
use crate::sys::{FailKind, Failure, HostPath, Keep};
use crate::text::Printable;

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: Digest,
    /// Chain ids of its layers, bottom first.
    pub chain: Vec<Digest>,
    /// `repository:tag`, sorted.
    pub tags: Vec<Printable>,
    /// `repository@sha256:…`, sorted.
    pub digests: Vec<Printable>,
}

/// All images, those with the shortest chains first, so that the image in which a layer stands
/// highest is met first.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// The images.
    pub list: Vec<Image>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ImageJson {
    #[serde(deserialize_with = "lenient")]
    rootfs: Option<RootFsJson>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RootFsJson {
    #[serde(deserialize_with = "lenient")]
    diff_ids: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RepositoriesJson {
    #[serde(deserialize_with = "lenient")]
    repositories: Option<BTreeMap<String, Lenient<References>>>,
}

/// References of one repository, with the image id of each.
type References = BTreeMap<String, Lenient<String>>;

/// The most layers an image may have; docker itself refuses more than 125.
const MOST_LAYERS: usize = 127;

/// Tags and digest references of one image.
type Names = (Vec<Printable>, Vec<Printable>);

/// Reads images and names below a data root.
pub(super) fn read_images(ask: &mut Asker<'_>, root: &HostPath) -> Images {
    let store = root.join("image/devicemapper");
    let mut names = read_names(ask, &store);
    let dir = store.join("imagedb/content/sha256");
    let mut chains = Chains::default();
    let (mut list, mut failures) = (Vec::new(), Vec::new());
    for file in ask.tree(&dir, 1, &[], Keep::DockerImage).unwrap_or_default() {
        let Some(id) = Digest::parse_hex(&file.path.0) else { continue };
        let parsed = file.content.and_then(|bytes| {
            parse_diff_ids(&bytes.0).map_err(|why| Failure { kind: FailKind::Malformed, why })
        });
        match parsed {
            Ok(diffs) => {
                let (tags, digests) = names.remove(&id).unwrap_or_default();
                list.push(Image { id, chain: chains.of(&diffs), tags, digests });
            }
            Err(failure) => failures.push((Printable::from_bytes(&file.path.0), failure)),
        }
    }
    ask.several_failed(&dir, &failures);
    list.sort_by(|a, b| order(a).cmp(&order(b)));
    Images { list }
}

fn order(image: &Image) -> (usize, Option<&Printable>, Option<&Printable>, Digest) {
    (image.chain.len(), image.tags.first(), image.digests.first(), image.id)
}

fn read_names(ask: &mut Asker<'_>, store: &HostPath) -> HashMap<Digest, Names> {
    let path = store.join("repositories.json");
    let Some(bytes) = ask.file(path.clone(), Keep::DockerRepositories, Some(store)) else {
        return HashMap::new();
    };
    parse_names(&bytes).unwrap_or_else(|why| {
        ask.failed(&path, &Failure { kind: FailKind::Malformed, why });
        HashMap::new()
    })
}

/// `repositories.json`: image id → its tags and digest references.
pub fn parse_names(bytes: &[u8]) -> Result<HashMap<Digest, Names>, String> {
    let json: RepositoriesJson = parse(bytes)?;
    let mut names: HashMap<Digest, Names> = HashMap::new();
    let repositories = json.repositories.unwrap_or_default();
    for (reference, id) in repositories.into_values().filter_map(|refs| refs.0).flatten() {
        let Some(id) = id.0.and_then(|id| Digest::parse(id.as_bytes())) else { continue };
        let (tags, digests) = names.entry(id).or_default();
        let list = if reference.contains('@') { digests } else { tags };
        list.push(reference.into());
    }
    for (tags, digests) in names.values_mut() {
        tags.sort_unstable();
        digests.sort_unstable();
    }
    Ok(names)
}

/// An image's JSON: the diff ids of its layers, bottom first.
fn parse_diff_ids(bytes: &[u8]) -> Result<Vec<Digest>, String> {
    let json: ImageJson = parse(bytes)?;
    // an image of nothing has no `diff_ids` at all
    let texts = json.rootfs.ok_or("rootfs is missing")?.diff_ids.unwrap_or_default();
    if texts.len() > MOST_LAYERS {
        return Err(format!("{} layers, where docker allows 125", texts.len()));
    }
    let ids: Option<Vec<_>> = texts.iter().map(|text| Digest::parse(text.as_bytes())).collect();
    ids.ok_or_else(|| "rootfs.diff_ids holds what is no sha256 digest".to_owned())
}

/// Chain ids made so far: images share their lower layers, and hashing is what costs.
#[derive(Default)]
struct Chains(HashMap<(Digest, Digest), Digest>);

impl Chains {
    /// The chain ids of the layers with these diff ids, bottom first.
    fn of(&mut self, diffs: &[Digest]) -> Vec<Digest> {
        let mut below: Option<Digest> = None;
        diffs.iter().map(|diff| *below.insert(self.next(below, *diff))).collect()
    }

    fn next(&mut self, below: Option<Digest>, diff: Digest) -> Digest {
        match below {
            None => diff,
            Some(below) => *self.0.entry((below, diff)).or_insert_with(|| below.chained(diff)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:589f0d58b9053a4ff7329b8fdb4f9dd120e29354c086ad0b3b10733f6cfd6de3";
    const B: &str = "sha256:55fea2a37a9fc5963f1beccd0d162b856e6bd05ca07cdd3726847846ab740f0d";
    const AB: &str = "sha256:267c5fd16af60e52927fabf0a36a31f3b5a2069347f7f00c7bd7f93f6ebc01f4";

    fn texts(digests: &[Digest]) -> Vec<String> {
        digests.iter().map(Digest::to_string).collect()
    }

    #[test]
    fn an_image_s_chain_follows_from_its_diff_ids() {
        let json = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{A}","{B}"]}}}}"#);
        let diffs = parse_diff_ids(json.as_bytes()).unwrap_or_default();
        assert_eq!(texts(&diffs), [A, B]);
        assert_eq!(texts(&Chains::default().of(&diffs)), [A, AB]);
    }

    #[test]
    fn an_image_of_nothing_has_no_layers() {
        assert_eq!(parse_diff_ids(br#"{"rootfs":{"type":"layers"}}"#), Ok(Vec::new()));
    }

    #[test]
    fn a_damaged_image_says_what_is_wrong() {
        let many = vec![format!("\"{A}\""); 200].join(",");
        for (json, words) in [
            (String::new(), "empty"),
            ("{}".to_owned(), "rootfs is missing"),
            (r#"{"rootfs":{"diff_ids":["sha256:12"]}}"#.to_owned(), "no sha256 digest"),
            (format!(r#"{{"rootfs":{{"diff_ids":[{many}]}}}}"#), "200 layers"),
        ] {
            let why = parse_diff_ids(json.as_bytes()).err().unwrap_or_default();
            assert!(why.contains(words), "{json}: {why}");
        }
    }

    #[test]
    fn tags_and_digests_are_told_apart_and_one_bad_repository_loses_no_other() {
        let json = format!(
            r#"{{"Repositories":{{"bad":7,"worse":{{"worse:1":null}},
            "app":{{"app:two":"{A}","app@{B}":"{A}","app:one":"{A}"}},
            "registry.local:5000/team/app":{{"registry.local:5000/team/app:stable":"{A}"}}}}}}"#
        );
        let names = parse_names(json.as_bytes()).unwrap_or_default();
        let id = Digest::parse(A.as_bytes()).expect("a digest of 64 hexadecimal digits");
        let (tags, digests) = names.get(&id).cloned().unwrap_or_default();
        assert_eq!(tags, ["app:one", "app:two", "registry.local:5000/team/app:stable"]);
        assert_eq!(digests, [format!("app@{B}").as_str()]);
        assert_eq!(names.len(), 1);
    }
}
