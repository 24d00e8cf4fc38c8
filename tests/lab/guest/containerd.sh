# shellcheck shell=bash
# containerd with the devmapper snapshotter: its pool over two sparse files, images without a registry.

snap_pool=snap-pool
snap_home=/var/lib/containerd/devmapper
snap_names=io.containerd.snapshotter.v1.devmapper

# attach_pool: as every guide's script does, with dmsetup over two loop devices
attach_pool() {
    local data meta
    data=$(losetup --find --show "$snap_home/data")
    meta=$(losetup --find --show "$snap_home/metadata")
    dmsetup create "$snap_pool" --table \
        "0 $(blockdev --getsz "$data") thin-pool $meta $data 128 4096 1 skip_block_zeroing"
}

make_pool() {
    mkdir -p "$snap_home"
    truncate -s 4G "$snap_home/data"
    truncate -s 16M "$snap_home/metadata"
    attach_pool
}

start_containerd() {
    mkdir -p /etc/containerd
    cat >/etc/containerd/config.toml <<TOML
version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]

[plugins."io.containerd.snapshotter.v1.devmapper"]
  root_path = "$snap_home"
  pool_name = "$snap_pool"
  base_image_size = "128MB"
TOML
    systemctl start containerd
    ctr plugins ls | grep -q 'devmapper .* ok'
}

# archive TAG LAYER-FOLDER…: what docker save writes, on standard output
archive() {
    local tag=$1 folder top nth=0 diffs=() layers=()
    shift
    top=$(mktemp -d /var/tmp/archive.XXXX)
    for folder in "$@"; do
        nth=$((nth + 1))
        mkdir "$top/$nth"
        tar -c --sort=name --mtime=@0 -C "$folder" -f "$top/$nth/layer.tar" .
        diffs+=("sha256:$(sha256sum <"$top/$nth/layer.tar" | cut -d' ' -f1)")
        layers+=("$nth/layer.tar")
    done
    jq -n '{architecture: "amd64", os: "linux", config: {Cmd: ["/bin/sleep", "1000000"], Env: ["DB_PASSWORD=not-a-secret"]},
            rootfs: {type: "layers", diff_ids: $ARGS.positional}, history: []}' --args "${diffs[@]}" >"$top/config.json"
    jq -n --arg tag "$tag" '[{Config: "config.json", RepoTags: [$tag], Layers: $ARGS.positional}]' \
        --args "${layers[@]}" >"$top/manifest.json"
    tar -c -C "$top" .
    rm -rf "$top"
}

# snap_import TAG LAYER-FOLDER…
snap_import() {
    echo "$SECONDS s: image $1"
    archive "$@" | ctr image import --snapshotter devmapper - >/dev/null
}

# snap_run NAME IMAGE COMMAND…: in the background
snap_run() {
    local name=$1 image=$2
    shift 2
    echo "$SECONDS s: container $name"
    ctr run -d --null-io --snapshotter devmapper --env DB_PASSWORD=not-a-secret \
        --label "nerdctl/name=shop-$name" "docker.io/$image" "$name" "$@"
}
