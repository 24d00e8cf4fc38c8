//! From an image to the snapshots of its layers: the garbage collector's labels lead from its
//! target to a configuration, and from that to the top layer (`formats.md` 3.5). No blob is read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::names::Reference;
use crate::sys::BoltBucket;
use crate::text::Printable;

/// A snapshot's key within its namespace, which all chains through it share.
pub(super) type Key = Arc<[u8]>;

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
    pub chain: Vec<Key>,
}

impl Image {
    /// How many names it has.
    pub(super) fn names(&self) -> usize {
        self.tags.len() + self.digests.len() + self.bare.len()
    }
}

/// Most blobs that one image leads to: an index of a dozen platforms has fifty.
const MOST_BLOBS: usize = 10_000;

/// Most layers of all images of one namespace, each as often as its image has names, and blobs
/// on the way to them: a host of 10,000 images has half of it.
pub(super) const MOST: usize = 2_000_000;

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
    snapshots: &HashMap<Key, Reference>,
) -> Vec<Image> {
    read_within(namespace, snapshots, MOST)
}

/// As many as `left` is enough for: it is spent before anything is made.
fn read_within(
    namespace: &BoltBucket,
    snapshots: &HashMap<Key, Reference>,
    mut left: usize,
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
    let mut unpacked: Vec<Image> = Vec::new();
    'all: for (target, image) in images {
        for top in tops_of(&blobs, target, &mut left) {
            let Some(chain) = chain(snapshots, top, (&mut left, image.names())) else { break 'all };
            if !chain.is_empty() {
                unpacked.push(Image { chain, ..image.clone() });
            }
        }
    }
    unpacked.sort_by_key(|image| image.chain.len());
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
fn tops_of<'a>(
    blobs: &HashMap<&'a [u8], Blob<'a>>,
    target: &'a [u8],
    left: &mut usize,
) -> Vec<&'a [u8]> {
    let (mut todo, mut seen, mut tops) = (vec![target], HashSet::new(), Vec::new());
    while let Some(digest) = todo.pop() {
        if seen.len() >= MOST_BLOBS || *left == 0 {
            break;
        }
        if !seen.insert(digest) {
            continue;
        }
        *left -= 1;
        let Some(blob) = blobs.get(digest) else { continue };
        todo.extend(&blob.content);
        tops.extend(blob.top);
    }
    tops.sort_unstable();
    tops.dedup();
    tops
}

/// Keys from the bottom up to `top`; empty where it is not unpacked, as far as it goes where a
/// key leads back or to nothing. Each costs as much as there are names; `None` where that is more
/// than is left.
fn chain(
    snapshots: &HashMap<Key, Reference>,
    top: &[u8],
    (left, names): (&mut usize, usize),
) -> Option<Vec<Key>> {
    let (mut chain, mut seen, mut at) = (Vec::new(), HashSet::new(), top);
    while let Some((key, snapshot)) = snapshots.get_key_value(at) {
        if !seen.insert(key) {
            break;
        }
        *left = left.checked_sub(names)?;
        chain.push(Arc::clone(key));
        at = &snapshot.parent;
    }
    chain.reverse();
    Some(chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::containerd::tests::made_up::{blobs, image};
    use crate::owner::containerd::tests::{bucket, inner};
    use crate::sys::{BoltValue, Raw};

    /// One unpacked image of each name, all of the layers `a` and `b`.
    fn namespace(names: &[&str]) -> BoltBucket {
        let mut blob = Vec::new();
        for name in names {
            let of = [format!("m-{name}"), format!("c-{name}")];
            let BoltValue::Bucket(one) = blobs(&of[0], &of[1], "b") else { unreachable!() };
            let one = one.bucket(b"blob").expect("it has blobs").entries.clone();
            blob.extend(one);
        }
        let blob = BoltValue::Bucket(BoltBucket { sequence: 0, entries: blob });
        let images = names.iter().map(|name| {
            let (_, target) = image("", &format!("m-{name}"));
            (Raw::from(*name), target)
        });
        let images = BoltValue::Bucket(BoltBucket { sequence: 0, entries: images.collect() });
        bucket([("content", inner([("blob", blob)])), ("images", images)])
    }

    fn snapshots() -> HashMap<Key, Reference> {
        let of = |parent: &[u8]| Reference { name: b"x".to_vec(), parent: parent.to_vec() };
        [(b"a", of(b"")), (b"b", of(b"a"))].map(|(key, of)| (Key::from(&key[..]), of)).into()
    }

    #[test]
    fn images_share_the_keys_of_their_layers() {
        let images = read_images(&namespace(&["x:1", "y:1"]), &snapshots());
        let [x, y] = images.as_slice() else { panic!("{images:?}") };
        assert_eq!(x.chain.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>(), [b"a", b"b"]);
        assert!(x.chain.iter().zip(&y.chain).all(|(one, other)| Arc::ptr_eq(one, other)));
    }

    #[test]
    fn what_is_left_is_spent_before_a_chain_is_made() {
        // a manifest, a configuration and two layers of one name
        let made = |left| read_within(&namespace(&["x:1", "y:1"]), &snapshots(), left).len();
        assert_eq!([0, 3, 4, 7, 8].map(made), [0, 0, 1, 1, 2]);
    }
}
