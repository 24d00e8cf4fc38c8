//! From an image to the snapshots of its layers: the garbage collector's labels lead from its
//! target to a configuration, and from that to the top layer (`formats.md` 3.5). No blob is read.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::names::Reference;
use crate::sys::BoltBucket;
use crate::text::Printable;

/// Everything that one target is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Names with a tag.
    pub tags: Vec<Printable>,
    /// Names with a digest: `repo@sha256:…`.
    pub digests: Vec<Printable>,
    /// A bare digest, where there is no other name.
    pub bare: Vec<Printable>,
    /// Keys of its layers' snapshots, from the bottom up.
    pub chain: Vec<Vec<u8>>,
}

/// Most blobs that one image leads to: an index of a dozen platforms has fifty.
const MOST_BLOBS: usize = 10_000;

/// Most pairs of image and layer of one namespace; a host of 10,000 images has a tenth.
const MOST_PAIRS: usize = 2_000_000;

const CONTENT: &[u8] = b"containerd.io/gc.ref.content";
const SNAPSHOT: &[u8] = b"containerd.io/gc.ref.snapshot.devmapper";

/// What the labels of a blob lead to.
#[derive(Default)]
struct Blob<'a> {
    /// Other blobs.
    content: Vec<&'a [u8]>,
    /// The snapshot of a configuration's top layer.
    top: Option<&'a [u8]>,
}

/// All images of a namespace that are unpacked.
pub(super) fn read_images(
    namespace: &BoltBucket,
    snapshots: &HashMap<Vec<u8>, Reference>,
) -> Vec<Image> {
    let blobs = namespace.bucket(b"content").and_then(|content| content.bucket(b"blob"));
    let blobs: HashMap<&[u8], Blob<'_>> = blobs
        .into_iter()
        .flat_map(BoltBucket::buckets)
        .filter_map(|(digest, blob)| Some((digest, parse_blob(blob.bucket(b"labels")?))))
        .collect();
    let mut images: BTreeMap<&[u8], Image> = BTreeMap::new();
    for (name, image) in namespace.bucket(b"images").into_iter().flat_map(BoltBucket::buckets) {
        if let Some(target) = image.bucket(b"target").and_then(|target| target.bytes(b"digest")) {
            put_name(images.entry(target).or_default(), name);
        }
    }
    let mut unpacked: Vec<Image> = images
        .into_iter()
        .flat_map(|(target, image)| {
            let tops = tops_of(&blobs, target);
            tops.into_iter().map(move |top| Image { chain: chain(snapshots, top), ..image.clone() })
        })
        .filter(|image| !image.chain.is_empty())
        .collect();
    unpacked.sort_by_key(|image| image.chain.len());
    let mut pairs = 0_usize;
    let reach = unpacked.iter().take_while(|image| {
        pairs = pairs.saturating_add(image.chain.len());
        pairs <= MOST_PAIRS
    });
    let reach = reach.count();
    unpacked.truncate(reach);
    for image in &mut unpacked {
        if !image.tags.is_empty() || !image.digests.is_empty() {
            image.bare.clear();
        }
    }
    unpacked
}

fn parse_blob(labels: &BoltBucket) -> Blob<'_> {
    let mut blob = Blob::default();
    for (name, value) in &labels.entries {
        let crate::sys::BoltValue::Bytes(value) = value else { continue };
        if name.0 == SNAPSHOT {
            blob.top = Some(&value.0);
        } else if name.0.starts_with(CONTENT) {
            blob.content.push(&value.0);
        }
    }
    blob
}

/// The CRI names one image thrice: by tag, by digest, and by its configuration alone.
fn put_name(image: &mut Image, name: &[u8]) {
    let shown = Printable::from_bytes(name);
    if name.starts_with(b"sha256:") {
        image.bare.push(shown);
    } else if name.contains(&b'@') {
        image.digests.push(shown);
    } else {
        image.tags.push(shown);
    }
}

/// The top layers of all configurations that a target leads to, each once.
fn tops_of<'a>(blobs: &HashMap<&'a [u8], Blob<'a>>, target: &'a [u8]) -> Vec<&'a [u8]> {
    let (mut todo, mut seen, mut tops) = (vec![target], HashSet::new(), Vec::new());
    while let Some(digest) = todo.pop() {
        if seen.len() >= MOST_BLOBS || !seen.insert(digest) {
            continue;
        }
        let Some(blob) = blobs.get(digest) else { continue };
        todo.extend(&blob.content);
        tops.extend(blob.top);
    }
    tops.sort_unstable();
    tops.dedup();
    tops
}

/// Keys from the bottom up to `top`; empty where it is not unpacked, as far as it goes where a
/// key leads back or to nothing.
fn chain(snapshots: &HashMap<Vec<u8>, Reference>, top: &[u8]) -> Vec<Vec<u8>> {
    let (mut chain, mut seen, mut at) = (Vec::new(), HashSet::new(), top);
    while let Some((key, snapshot)) = snapshots.get_key_value(at) {
        if !seen.insert(key) {
            break;
        }
        chain.push(key.clone());
        at = &snapshot.parent;
    }
    chain.reverse();
    chain
}
