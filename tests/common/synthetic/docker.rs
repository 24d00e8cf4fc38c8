//! Docker's side of the synthetic host: layers, images, containers and their files
//! (`formats.md` 1.2 and 1.6 tell the forms).

use serde_json::{Value, json};

use super::super::files::Files;
use super::random::{Random, hex};

/// Docker's data root.
pub(crate) const ROOT: &str = "/var/lib/docker";
/// What Docker's thin devices are called, before their hash.
pub(crate) const PREFIX: &str = "docker-254:1-131077";
/// The inode in it.
const HOME_INODE: u64 = 131_077;
/// Size of every thin device.
pub(crate) const BASE_SIZE: u64 = 10 << 30;

/// What a container says of its state, and how many of a hundred do.
const STATES: [(&str, u64); 4] = [("running", 30), ("exited", 55), ("created", 12), ("paused", 3)];

/// A thin device, in the order in which Docker made them.
pub(crate) struct ThinDevice {
    /// `base`, a hash, or a hash with `-init`.
    pub(crate) name: String,
    /// Its id in the pool.
    pub(crate) id: u32,
    /// Pool blocks mapped: its parent's and its own.
    pub(crate) mapped: u64,
    /// Pool blocks that it alone added.
    pub(crate) own: u64,
}

struct Layer {
    chain: String,
    diff: String,
    cache_id: String,
    parent: Option<usize>,
    mapped: u64,
    own: u64,
}

struct Image {
    id: String,
    json: String,
    layers: Vec<usize>,
    tags: Vec<String>,
}

/// A container.
pub(crate) struct Container {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The hash of its writable device.
    pub(crate) mount_id: String,
    /// Docker's word for its state.
    pub(crate) state: &'static str,
    image: usize,
    mapped: u64,
    own: u64,
}

/// All that Docker has.
pub(crate) struct Docker {
    /// Thin devices by id, the base first.
    pub(crate) devices: Vec<ThinDevice>,
    /// Containers.
    pub(crate) containers: Vec<Container>,
    layers: Vec<Layer>,
    images: Vec<Image>,
}

impl Docker {
    /// A base, layers, and for every five layers two containers (with two devices each).
    pub(crate) fn new(thin_devices: u32) -> Self {
        let mut random = Random::new(0x7468_696e);
        let containers = (thin_devices as usize - 1) * 2 / 9;
        let layers = thin_devices as usize - 1 - containers * 2;
        let mut docker = Self {
            devices: Vec::new(),
            containers: Vec::new(),
            layers: Vec::new(),
            images: Vec::new(),
        };
        docker.add_images(layers, &mut random);
        docker.add_containers(containers, &mut random);
        docker.add_devices();
        docker
    }

    /// Families of images: three to five layers that all of a family share, then images of one to
    /// six layers more, some of them on top of another image of the family.
    fn add_images(&mut self, wanted: usize, random: &mut Random) {
        while self.layers.len() < wanted {
            let family = self.images.len();
            let depth = random.within(3, 5);
            let mut tops = vec![self.add_image(None, depth, wanted, random)];
            for _ in 0..random.within(5, 30) {
                if self.layers.len() == wanted {
                    break;
                }
                let below = tops[random.index(tops.len())];
                let depth = random.within(1, 6);
                tops.push(self.add_image(Some(below), depth, wanted, random));
            }
            assert!(self.images.len() > family, "every family has an image");
        }
    }

    fn add_image(
        &mut self,
        below: Option<usize>,
        depth: u64,
        most: usize,
        random: &mut Random,
    ) -> usize {
        let mut layers = below.map_or_else(Vec::new, |image| self.images[image].layers.clone());
        for _ in 0..depth {
            if self.layers.len() < most {
                layers.push(self.add_layer(layers.last().copied(), random));
            }
        }
        let number = self.images.len();
        let diffs: Vec<String> =
            layers.iter().map(|layer| format!("sha256:{}", self.layers[*layer].diff)).collect();
        let json = image_json(number, &diffs);
        let tags = tags(number, random);
        self.images.push(Image { id: hex(&json), json, layers, tags });
        number
    }

    fn add_layer(&mut self, parent: Option<usize>, random: &mut Random) -> usize {
        let number = self.layers.len();
        let diff = hex(&format!("diff {number}"));
        let chain = match parent {
            Some(parent) => hex(&format!("sha256:{} sha256:{diff}", self.layers[parent].chain)),
            None => diff.clone(),
        };
        let own = random.within(2, 160);
        let below = parent.map_or(BASE_MAPPED, |parent| self.layers[parent].mapped);
        let cache_id = hex(&format!("cache {number}"));
        self.layers.push(Layer { chain, diff, cache_id, parent, mapped: below + own, own });
        number
    }

    fn add_containers(&mut self, wanted: usize, random: &mut Random) {
        for number in 0..wanted {
            let image = random.index(self.images.len());
            let own = random.within(1, 400);
            let top = self.images[image].layers.last().map(|top| self.layers[*top].mapped);
            self.containers.push(Container {
                id: hex(&format!("container {number}")),
                name: format!("{}-{number}", WORDS[random.index(WORDS.len())]),
                mount_id: hex(&format!("mount {number}")),
                state: state(random.within(1, 100)),
                image,
                mapped: top.unwrap_or(BASE_MAPPED) + INIT_OWN + own,
                own,
            });
        }
    }

    fn add_devices(&mut self) {
        let base = ("base".to_owned(), BASE_MAPPED, BASE_MAPPED);
        let layers = self.layers.iter().map(|one| (one.cache_id.clone(), one.mapped, one.own));
        let containers = self.containers.iter().flat_map(|one| {
            let init = (format!("{}-init", one.mount_id), one.mapped - one.own, INIT_OWN);
            [init, (one.mount_id.clone(), one.mapped, one.own)]
        });
        let all = std::iter::once(base).chain(layers).chain(containers);
        self.devices = (1..)
            .zip(all)
            .map(|(id, (name, mapped, own))| ThinDevice { name, id, mapped, own })
            .collect();
    }

    /// The pool's transaction id: one for each device made.
    pub(crate) fn transaction(&self) -> usize {
        self.devices.len()
    }

    /// All of Docker's files.
    pub(crate) fn write_files(&self, files: &mut Files) {
        let options =
            ["dm.thinpooldev=/dev/mapper/docker-thinpool", "dm.use_deferred_removal=true"];
        let daemon = json!({"storage-driver": "devicemapper", "storage-opts": options});
        files.put("/etc/docker/daemon.json", daemon.to_string());
        // of the running daemon's command line the door keeps its storage options: none here
        files.put("/run/docker.pid", "4200");
        files.put("/proc/4200/comm", "dockerd\n");
        files.put("/proc/4200/cmdline", "");
        files.set_inode(&format!("{ROOT}/devicemapper"), HOME_INODE);
        self.write_metadata(files);
        self.write_layers(files);
        self.write_images(files);
        self.write_containers(files);
    }

    fn write_metadata(&self, files: &mut Files) {
        let dir = format!("{ROOT}/devicemapper/metadata");
        for device in &self.devices {
            let (id, base) = (device.id, device.name == "base");
            let text = format!(
                r#"{{"device_id":{id},"size":{BASE_SIZE},"transaction_id":{id},"initialized":{base},"deleted":false}}"#
            );
            files.put(format!("{dir}/{}", device.name), text);
        }
        let last = self.devices.last().map_or("", |device| &device.name);
        let transaction = self.transaction();
        files.put(
            format!("{dir}/transaction-metadata"),
            format!(
                r#"{{"open_transaction_id":{transaction},"device_hash":"{last}","device_id":{transaction}}}"#
            ),
        );
        files.put(
            format!("{dir}/deviceset-metadata"),
            format!(
                r#"{{"next_device_id":{},"BaseDeviceUUID":"0c2e4a4c-8c0f-4a51-9f53-2f9a3d1b7e10","BaseDeviceFilesystem":"xfs"}}"#,
                transaction + 1
            ),
        );
    }

    fn write_layers(&self, files: &mut Files) {
        for layer in &self.layers {
            let dir = format!("{ROOT}/image/devicemapper/layerdb/sha256/{}", layer.chain);
            files.put(format!("{dir}/cache-id"), layer.cache_id.clone());
            files.put(format!("{dir}/diff"), format!("sha256:{}", layer.diff));
            files.put(format!("{dir}/size"), (layer.own << 18).to_string());
            if let Some(parent) = layer.parent {
                let chain = format!("sha256:{}", self.layers[parent].chain);
                files.put(format!("{dir}/parent"), chain);
            }
        }
    }

    fn write_images(&self, files: &mut Files) {
        let store = format!("{ROOT}/image/devicemapper");
        let mut repositories = serde_json::Map::new();
        for image in &self.images {
            files.put(format!("{store}/imagedb/content/sha256/{}", image.id), image.json.clone());
            for tag in &image.tags {
                let name = tag.rsplit_once([':', '@']).map_or(&**tag, |(name, _)| name);
                let name = name.strip_suffix("@sha256").unwrap_or(name);
                let entry = repositories.entry(name).or_insert_with(|| json!({}));
                entry[tag] = Value::from(format!("sha256:{}", image.id));
            }
        }
        let text = json!({"Repositories": repositories}).to_string();
        files.put(format!("{store}/repositories.json"), text);
    }

    fn write_containers(&self, files: &mut Files) {
        for one in &self.containers {
            let image = &self.images[one.image];
            let dir = format!("{ROOT}/image/devicemapper/layerdb/mounts/{}", one.id);
            files.put(format!("{dir}/mount-id"), one.mount_id.clone());
            files.put(format!("{dir}/init-id"), format!("{}-init", one.mount_id));
            if let Some(top) = image.layers.last() {
                files.put(format!("{dir}/parent"), format!("sha256:{}", self.layers[*top].chain));
            }
            let config = format!("{ROOT}/containers/{}/config.v2.json", one.id);
            files.put(config, container_json(one, image).to_string());
        }
    }
}

/// Pool blocks of 512 KiB in an empty filesystem of 10 GiB.
const BASE_MAPPED: u64 = 98;
/// What an init layer adds.
const INIT_OWN: u64 = 3;

const WORDS: [&str; 12] = [
    "web", "api", "worker", "cache", "queue", "db", "mail", "search", "build", "proxy", "cron",
    "metrics",
];

fn state(percent: u64) -> &'static str {
    let mut sum = 0;
    for (state, share) in STATES {
        sum += share;
        if percent <= sum {
            return state;
        }
    }
    "exited"
}

/// One image in eight is dangling, one in five has two names, one in seven a digest as well.
fn tags(number: usize, random: &mut Random) -> Vec<String> {
    let word = WORDS[random.index(WORDS.len())];
    let name = format!("registry.local:5000/{word}/{word}-{}", number / 40);
    if random.within(1, 8) == 1 {
        return Vec::new();
    }
    let mut tags = vec![format!("{name}:1.{number}")];
    if random.within(1, 5) == 1 {
        tags.push(format!("{name}:release-{number}"));
    }
    if random.within(1, 7) == 1 {
        tags.push(format!("{name}@sha256:{}", hex(&format!("manifest {number}"))));
    }
    tags
}

fn image_json(number: usize, diffs: &[String]) -> String {
    let created = format!("2023-10-{:02}T08:00:00.{number:09}Z", number % 28 + 1);
    let rootfs = json!({"type": "layers", "diff_ids": diffs});
    json!({"architecture": "amd64", "created": created, "os": "linux", "rootfs": rootfs})
        .to_string()
}

/// The keys that are let through the door.
fn container_json(one: &Container, image: &Image) -> Value {
    let running = matches!(one.state, "running" | "paused");
    let started =
        if one.state == "created" { "0001-01-01T00:00:00Z" } else { "2023-11-01T08:00:00Z" };
    let reference = image.tags.first().cloned().unwrap_or_else(|| image.id[..12].to_owned());
    json!({
        "ID": one.id,
        "Name": format!("/{}", one.name),
        "Created": "2023-11-01T07:59:59.123456789Z",
        "Image": format!("sha256:{}", image.id),
        "Driver": "devicemapper",
        "State": {
            "Running": running, "Paused": one.state == "paused", "Restarting": false,
            "RemovalInProgress": false, "Dead": false, "Pid": if running { 4711 } else { 0 },
            "StartedAt": started,
        },
        "Config": {"Image": reference},
    })
}
