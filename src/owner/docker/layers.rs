//! `image/devicemapper/layerdb/`: read-only layers and the writable layers above them
//! (`formats.md` 1.6.1, 1.6.2).
//!
//! Knows nothing of thin ids, images and containers.

use super::ask::Asker;
use super::digest::Digest;
use crate::sys::{Failure, HostPath, Keep, TreeFile};
use crate::text::Printable;
use crate::units::Bytes;

/// A read-only layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its chain id.
    pub chain: Digest,
    /// Its device's hash.
    pub cache_id: Box<[u8]>,
    /// Its diff id.
    pub diff: Option<Digest>,
    /// The chain id of the layer below; `None` for a bottom layer.
    pub parent: Option<Digest>,
    /// Bytes of files in its diff.
    pub diff_size: Option<Bytes>,
    /// Renamed for removal, not removed yet.
    pub removing: bool,
}

/// A writable layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Container id, or a builder's random name.
    pub name: Printable,
    /// Its device's hash.
    pub mount_id: Box<[u8]>,
    /// The device's hash of the init layer below it.
    pub init_id: Option<Box<[u8]>>,
    /// The chain id of the image's top layer; `None` on an empty image.
    pub parent: Option<Digest>,
}

/// The layer store.
#[derive(Clone, Debug, Default)]
pub struct LayerStore {
    /// Layers, sorted by chain id; those being removed as well.
    pub layers: Vec<Layer>,
    /// Writable layers, sorted by name.
    pub mounts: Vec<Mount>,
}

/// Reads the layer store below a data root.
pub(super) fn read_layers(ask: &mut Asker<'_>, root: &HostPath) -> LayerStore {
    let layerdb = root.join("image/devicemapper/layerdb");
    let layers = folders(ask, &layerdb.join("sha256"), &["cache-id", "diff", "parent", "size"]);
    let mounts = folders(ask, &layerdb.join("mounts"), &["mount-id", "init-id", "parent"]);
    LayerStore {
        layers: layers.iter().filter_map(|(name, files)| layer(name, files)).collect(),
        mounts: mounts.iter().filter_map(|(name, files)| mount(name, files)).collect(),
    }
}

/// A small file: its name and content. A folder has four at most.
type File = (Vec<u8>, Vec<u8>);

/// Sub-folders in the order of their names, each with its files.
fn folders(ask: &mut Asker<'_>, dir: &HostPath, names: &[&str]) -> Vec<(Vec<u8>, Vec<File>)> {
    let mut folders: Vec<(Vec<u8>, Vec<File>)> = Vec::new();
    let mut failures: Vec<(Printable, Failure)> = Vec::new();
    for TreeFile { path, content } in ask.tree(dir, 2, names, Keep::All).unwrap_or_default() {
        let mut folder = path.0;
        let Some(at) = folder.iter().position(|byte| *byte == b'/') else { continue };
        let bytes = match content {
            Ok(bytes) => bytes.0,
            Err(failure) => {
                failures.push((Printable::from_bytes(&folder), failure));
                continue;
            }
        };
        let file = (folder.split_off(at + 1), bytes);
        folder.truncate(at);
        // the answer is sorted by path, so that a folder's files follow one another
        match folders.last_mut() {
            Some((last, files)) if *last == folder => files.push(file),
            _ => folders.push((folder, vec![file])),
        }
    }
    ask.several_failed(dir, &failures);
    folders
}

fn layer(name: &[u8], files: &[File]) -> Option<Layer> {
    let (chain, removing) = match name.strip_suffix(b"-removing") {
        // `<chain>-<64 hex>-removing`: a layer renamed before its removal, since 20.10
        Some(rest) => (rest.get(..64)?, true),
        None => (name, false),
    };
    Some(Layer {
        chain: Digest::parse_hex(chain)?,
        cache_id: word(files, b"cache-id")?,
        diff: word(files, b"diff").and_then(|text| Digest::parse(&text)),
        parent: word(files, b"parent").and_then(|text| Digest::parse(&text)),
        diff_size: word(files, b"size")
            .and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok())
            .map(Bytes),
        removing,
    })
}

fn mount(name: &[u8], files: &[File]) -> Option<Mount> {
    Some(Mount {
        name: Printable::from_bytes(name),
        mount_id: word(files, b"mount-id")?,
        init_id: word(files, b"init-id"),
        parent: word(files, b"parent").and_then(|text| Digest::parse(&text)),
    })
}

/// A file's content without surrounding whitespace; `None` when it is missing or empty.
fn word(files: &[File], name: &[u8]) -> Option<Box<[u8]>> {
    let (_, content) = files.iter().find(|(file, _)| file == name)?;
    let word = content.trim_ascii();
    (!word.is_empty()).then(|| word.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Vec<File> {
        pairs
            .iter()
            .map(|(name, text)| (name.as_bytes().to_vec(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_layer_being_removed_keeps_its_chain_id() {
        let name = format!("{}-{}-removing", "a".repeat(64), "b".repeat(64));
        let layer = layer(name.as_bytes(), &files(&[("cache-id", "c0ffee\n"), ("size", "12")]));
        let layer =
            layer.map(|layer| (layer.chain, layer.cache_id, layer.diff_size, layer.removing));
        let chain = Digest::parse_hex(&[b'a'; 64]);
        assert_eq!(layer, chain.map(|chain| (chain, b"c0ffee"[..].into(), Some(Bytes(12)), true)));
    }

    #[test]
    fn folders_that_are_no_layer_are_passed_over() {
        let good = files(&[("cache-id", "c")]);
        assert!(layer(&[b'a'; 64], &good).is_some());
        assert_eq!(layer(b"tmp", &good), None);
        assert_eq!(layer(b"-removing", &good), None);
        assert_eq!(layer(&[b'a'; 64], &files(&[("cache-id", " \n")])), None);
        assert_eq!(mount(b"name", &files(&[("init-id", "x")])), None);
    }

    #[test]
    fn a_parent_that_is_no_digest_is_no_parent() {
        let mount = mount(b"web", &files(&[("mount-id", "m"), ("parent", "../../etc")]));
        assert_eq!(mount.map(|mount| mount.parent), Some(None));
    }
}
