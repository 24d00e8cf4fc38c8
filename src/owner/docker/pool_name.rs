//! Which pool a data root uses, and what that pool rests on (`formats.md` 1.4, 1.8).
//!
//! Pure: decides from what was read.

use super::options::StorageOptions;
use super::pool_files::{LoopFile, PoolFiles};
use super::{DockerFacts, DockerRoot};
use crate::owner::Backing;
use crate::sys::HostPath;
use crate::units::Bytes;

/// The pool that automatic direct-lvm makes; its name is fixed in docker.
const DIRECT_LVM_POOL: &str = "docker-thinpool";

/// Which pool, and how sure that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolChoice {
    /// As docker names it and prints it in `docker info`.
    pub docker_name: String,
    /// The device-mapper name.
    pub dm_name: String,
    /// What it rests on.
    pub backing: Backing,
    /// Whether configuration or the default says so without doubt.
    pub certain: bool,
}

/// The pool of one root.
pub fn pool_choice(facts: &DockerFacts, root: &DockerRoot) -> PoolChoice {
    let none = StorageOptions::default();
    let options = facts.options_of(root).unwrap_or(&none);
    let own = format!("{}-pool", root.pool.prefix.as_deref().unwrap_or("docker"));
    if let Some(device) = &options.thin_pool_device {
        let name = device.strip_prefix("/dev/mapper/").unwrap_or(device);
        return PoolChoice {
            docker_name: name.to_owned(),
            dm_name: dm_name(name),
            backing: Backing::Given,
            certain: true,
        };
    }
    if options.direct_lvm_device.is_some() {
        return given(DIRECT_LVM_POOL, true);
    }
    if let (Some(data), Some(metadata)) = (&options.data_device, &options.metadata_device) {
        let backing = Backing::Devices { data: data.clone(), metadata: metadata.clone() };
        return PoolChoice { docker_name: own.clone(), dm_name: own, backing, certain: true };
    }
    without_options(facts, root, own)
}

/// No option names a pool: then files that docker made say which it was.
fn without_options(facts: &DockerFacts, root: &DockerRoot, own: String) -> PoolChoice {
    let concerned = facts.options_of(root).is_some();
    // with any storage option seen, one that names a pool would have been seen as well
    let told = concerned && (facts.config.running || !facts.config.storage_words.is_empty());
    let files = &root.pool;
    if files.direct_lvm.is_some() && !told {
        return given(DIRECT_LVM_POOL, files.data.is_none());
    }
    match loop_backing(files) {
        Some(backing) => {
            // docker's default: nothing was configured, and the files are there
            PoolChoice { docker_name: own.clone(), dm_name: own, backing, certain: concerned }
        }
        None => given(&own, false),
    }
}

fn given(name: &str, certain: bool) -> PoolChoice {
    PoolChoice {
        docker_name: name.to_owned(),
        dm_name: name.to_owned(),
        backing: Backing::Given,
        certain,
    }
}

fn loop_backing(files: &PoolFiles) -> Option<Backing> {
    let (data, metadata) = (files.data.as_ref()?, files.metadata.as_ref()?);
    let sizes = |file: &LoopFile| Some((Bytes(file.stat.size), Bytes(file.stat.allocated)));
    Some(Backing::LoopFiles {
        data: data.path.clone(),
        metadata: metadata.path.clone(),
        data_size: sizes(data),
        metadata_size: sizes(metadata),
    })
}

/// `dm.thinpooldev=/dev/VG/LV` names LVM's link; the device-mapper name doubles every hyphen of
/// both parts. Any other value is taken by docker as it stands.
fn dm_name(device: &str) -> String {
    match device.strip_prefix("/dev/").and_then(|rest| rest.split_once('/')) {
        Some((vg, lv)) if !lv.contains('/') => {
            format!("{}-{}", vg.replace('-', "--"), lv.replace('-', "--"))
        }
        _ => device.to_owned(),
    }
}

/// Where docker's own files are printed: below the data root with links resolved.
pub(super) fn printed_path(root: &DockerRoot, file: &LoopFile) -> HostPath {
    match file.path.as_path().strip_prefix(root.path.as_path()) {
        Ok(below) => root.real.join(below),
        Err(_) => file.path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_lvm_is_turned_into_the_device_mapper_name() {
        assert_eq!(dm_name("/dev/docker-vg/docker-pool"), "docker--vg-docker--pool");
        assert_eq!(dm_name("docker-thinpool"), "docker-thinpool");
        assert_eq!(dm_name("/dev/dm-3"), "/dev/dm-3");
    }
}
