//! `devicemapper/metadata/`: one JSON file for each thin device, and the two state files
//! (`formats.md` 1.2).
//!
//! Knows nothing of layers, images and containers.

use serde::Deserialize;

use super::ask::Asker;
use super::json::{lenient, parse};
use crate::ids::ThinId;
use crate::sys::{HostPath, Keep, TreeFile};
use crate::text::Printable;
use crate::units::Bytes;

/// One device file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFile {
    /// Its name: `base`, or the hash.
    pub name: Box<[u8]>,
    /// The thin id; `None` when `trouble` says why.
    pub id: Option<ThinId>,
    /// Virtual size.
    pub size: Option<Bytes>,
    /// The transaction that made it.
    pub transaction_id: Option<u64>,
    /// mkfs is done; only ever set for `base`.
    pub initialized: bool,
    /// Deferred deletion pending.
    pub deleted: bool,
    /// Why there is no id.
    pub trouble: Option<Box<str>>,
}

/// `deviceset-metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceSet {
    /// Where the search for a free id starts; stale while the daemon runs.
    pub next_device_id: Option<u64>,
    /// UUID of the base device's filesystem.
    pub base_uuid: Option<Printable>,
    /// `ext4` or `xfs`.
    pub base_filesystem: Option<Printable>,
}

/// `transaction-metadata`: the last or the open transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its id.
    pub open_id: u64,
    /// Whose; empty for the base device.
    pub hash: Printable,
    /// The thin id.
    pub device_id: Option<ThinId>,
}

/// The whole folder.
#[derive(Clone, Debug, Default)]
pub struct MetadataFolder {
    /// Whether the folder could be read.
    pub seen: bool,
    /// All device files, sorted by name.
    pub devices: Vec<DeviceFile>,
    /// `deviceset-metadata`, where it could be read.
    pub set: Option<DeviceSet>,
    /// `transaction-metadata`, where it is there and could be read.
    pub transaction: Option<Transaction>,
    /// `transaction-metadata` is there and could not be read.
    pub transaction_unreadable: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceJson {
    #[serde(deserialize_with = "lenient")]
    device_id: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    size: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    transaction_id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    initialized: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    deleted: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceSetJson {
    #[serde(deserialize_with = "lenient")]
    next_device_id: Option<u64>,
    #[serde(rename = "BaseDeviceUUID", deserialize_with = "lenient")]
    base_uuid: Option<String>,
    #[serde(rename = "BaseDeviceFilesystem", deserialize_with = "lenient")]
    base_filesystem: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TransactionJson {
    #[serde(deserialize_with = "lenient")]
    open_transaction_id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    device_hash: Option<String>,
    #[serde(deserialize_with = "lenient")]
    device_id: Option<u64>,
}

const SET_FILE: &[u8] = b"deviceset-metadata";
const TRANSACTION_FILE: &[u8] = b"transaction-metadata";

/// Reads the folder below a driver's home. Only files right in it count: the daemon walks
/// deeper, yet looks every name up right here.
pub(super) fn read_metadata(ask: &mut Asker<'_>, home: &HostPath) -> MetadataFolder {
    let dir = home.join("metadata");
    let Some(files) = ask.tree(&dir, 1, &[], Keep::All) else { return MetadataFolder::default() };
    let mut folder = MetadataFolder { seen: true, ..MetadataFolder::default() };
    let mut failures = Vec::new();
    for file in files {
        if let Err(failure) = &file.content {
            failures.push((Printable::from_bytes(&file.path.0), failure.clone()));
        }
        put_file(&mut folder, ask, &dir, file);
    }
    ask.several_failed(&dir, &failures);
    folder
}

/// Reads the transaction file alone, to see whether anything moved since.
pub(super) fn read_transaction(ask: &mut Asker<'_>, home: &HostPath) -> Option<Transaction> {
    let dir = home.join("metadata");
    let path = dir.join("transaction-metadata");
    parse_transaction(&ask.file(path, Keep::All, Some(&dir))?).ok()
}

fn put_file(folder: &mut MetadataFolder, ask: &mut Asker<'_>, dir: &HostPath, file: TreeFile) {
    let name = file.path.0;
    match (&name[..], &file.content) {
        (SET_FILE, Ok(bytes)) => folder.set = or_gap(parse_set(&bytes.0), ask, dir, &name),
        (TRANSACTION_FILE, Ok(bytes)) => {
            folder.transaction = or_gap(parse_transaction(&bytes.0), ask, dir, &name);
            folder.transaction_unreadable = folder.transaction.is_none();
        }
        (SET_FILE, Err(_)) => {}
        (TRANSACTION_FILE, Err(_)) => folder.transaction_unreadable = true,
        _ if is_passed_over(&name) => {}
        (_, Ok(bytes)) => folder.devices.push(parse_device(&name, &bytes.0)),
        (_, Err(failure)) => folder.devices.push(troubled(&name, failure.why.clone())),
    }
}

/// What Docker's own walk passes over.
fn is_passed_over(name: &[u8]) -> bool {
    name.starts_with(b".") || name.ends_with(b".migrated") || name.contains(&b'/')
}

fn or_gap<T>(
    parsed: Result<T, String>,
    ask: &mut Asker<'_>,
    dir: &HostPath,
    name: &[u8],
) -> Option<T> {
    parsed
        .map_err(|why| {
            let path = Printable::from_bytes(&dir.join(String::from_utf8_lossy(name).as_ref()).0.0);
            ask.gap(format!("{path}: {why}; docker writes it anew at an orderly shutdown"));
        })
        .ok()
}

fn troubled(name: &[u8], why: String) -> DeviceFile {
    DeviceFile {
        name: name.into(),
        id: None,
        size: None,
        transaction_id: None,
        initialized: false,
        deleted: false,
        trouble: Some(why.into()),
    }
}

/// One device file; whatever is wrong with it is said in `trouble`.
pub fn parse_device(name: &[u8], bytes: &[u8]) -> DeviceFile {
    let json: DeviceJson = match parse(bytes) {
        Ok(json) => json,
        Err(why) => return troubled(name, why),
    };
    let id = json.device_id.and_then(|id| u64::try_from(id).ok()).and_then(ThinId::new);
    let trouble = match (id, json.device_id) {
        (Some(_), _) => None,
        (None, None) => Some("device_id is missing or no whole number".into()),
        (None, Some(id)) => {
            Some(format!("device_id {id} is not within 0 to {}", ThinId::MAX).into())
        }
    };
    DeviceFile {
        name: name.into(),
        id,
        size: json.size.map(Bytes),
        transaction_id: json.transaction_id,
        initialized: json.initialized.unwrap_or_default(),
        deleted: json.deleted.unwrap_or_default(),
        trouble,
    }
}

fn parse_set(bytes: &[u8]) -> Result<DeviceSet, String> {
    let json: DeviceSetJson = parse(bytes)?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Printable::from);
    Ok(DeviceSet {
        next_device_id: json.next_device_id,
        base_uuid: filled(json.base_uuid),
        base_filesystem: filled(json.base_filesystem),
    })
}

fn parse_transaction(bytes: &[u8]) -> Result<Transaction, String> {
    let json: TransactionJson = parse(bytes)?;
    Ok(Transaction {
        open_id: json.open_transaction_id.ok_or("open_transaction_id is missing or no number")?,
        hash: json.device_hash.unwrap_or_default().into(),
        device_id: json.device_id.and_then(ThinId::new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(json: &str) -> DeviceFile {
        parse_device(b"base", json.as_bytes())
    }

    #[test]
    fn a_device_file_is_read_as_docker_writes_it() {
        let file = device(
            r#"{"device_id":9,"size":10737418240,"transaction_id":12,"initialized":false,"deleted":true}"#,
        );
        assert_eq!(file.id, ThinId::new(9));
        assert_eq!(file.size, Some(Bytes(10 << 30)));
        assert_eq!(file.transaction_id, Some(12));
        assert_eq!((file.initialized, file.deleted), (false, true));
        assert_eq!(file.trouble, None);
    }

    #[test]
    fn a_file_from_before_deferred_deletion_is_not_deleted() {
        assert!(
            !device(r#"{"device_id":1,"size":1,"transaction_id":1,"initialized":true}"#).deleted
        );
    }

    #[test]
    fn one_key_of_a_wrong_type_does_not_lose_the_others() {
        let file = device(r#"{"device_id":7,"size":"big","transaction_id":[1],"deleted":"no"}"#);
        assert_eq!(file.id, ThinId::new(7));
        assert_eq!((file.size, file.transaction_id, file.deleted), (None, None, false));
    }

    #[test]
    fn a_broken_device_file_keeps_its_name_and_says_why() {
        for (json, words) in [
            ("", "the file is empty"),
            ("\0\0\0", "the file is empty"),
            (r#"{"device_id":9,"si"#, "no valid JSON: EOF"),
            ("[]", "device_id is missing"),
            ("{}", "device_id is missing"),
            (r#"{"device_id":"9"}"#, "device_id is missing or no whole number"),
            (r#"{"device_id":16777216}"#, "device_id 16777216 is not within 0 to 16777215"),
            (r#"{"device_id":-1}"#, "device_id -1 is not within"),
        ] {
            let file = device(json);
            assert_eq!(file.id, None, "{json}");
            let trouble = file.trouble.unwrap_or_default();
            assert!(trouble.contains(words), "{json}: {trouble}");
        }
    }

    #[test]
    fn left_overs_of_interrupted_writes_are_no_devices() {
        assert!(is_passed_over(b".tmp123456"));
        assert!(is_passed_over(b"json.migrated"));
        assert!(!is_passed_over(b"base"));
    }

    #[test]
    fn the_transaction_file_names_its_device() {
        let parsed = parse_transaction(
            br#"{"open_transaction_id":12,"device_hash":"abc-init","device_id":9}"#,
        );
        assert_eq!(
            parsed,
            Ok(Transaction { open_id: 12, hash: "abc-init".into(), device_id: ThinId::new(9) })
        );
        assert!(parse_transaction(b"{\"open_transaction_id\":").is_err());
    }

    #[test]
    fn an_empty_base_filesystem_is_not_known() {
        let set =
            parse_set(br#"{"next_device_id":7,"BaseDeviceUUID":"0c2e","BaseDeviceFilesystem":""}"#);
        let set = set.unwrap_or_default();
        assert_eq!(set.base_uuid.as_ref().map(Printable::as_str), Some("0c2e"));
        assert_eq!(set.base_filesystem, None);
    }
}
