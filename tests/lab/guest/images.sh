# shellcheck shell=bash
# Images and containers, with no registry and no network.

contexts=/var/tmp/contexts

# A root with a shell, a few commands and their libraries.
tiny_root() {
    local root=$1 file
    mkdir -p "$root"/{etc,tmp,srv}
    for file in /bin/dash /bin/sleep /bin/cat /bin/true /bin/dd; do
        cp --parents "$(readlink -f "$file")" "$root"
        ldd "$file" | grep -o '/[^ ]*' | while read -r library; do cp --parents "$library" "$root"; done
    done
    ln -s usr/bin "$root/bin"
    ln -sf dash "$root/usr/bin/sh"
    echo 'lab' >"$root/etc/hostname"
}

# filler FILE MEGABYTES: few, for every byte of an image is hashed several times by an emulated processor
filler() { head -c "$2M" /dev/zero | tr '\0' "${3:-x}" >"$1"; }

# image TAG PARENT FILE…: one layer a file; a file is NAME:MEGABYTES
image() {
    local tag=$1 parent=$2 file folder
    shift 2
    echo "$SECONDS s: image $tag"
    folder=$(mktemp -d "$contexts.XXXX")
    echo "FROM $parent" >"$folder/Dockerfile"
    for file in "$@"; do
        filler "$folder/${file%%:*}" "${file##*:}"
        echo "COPY ${file%%:*} /srv/${file%%:*}" >>"$folder/Dockerfile"
    done
    echo 'CMD ["/bin/sleep", "1000000"]' >>"$folder/Dockerfile"
    DOCKER_BUILDKIT=0 docker build -q -t "$tag" "$folder" >/dev/null
    rm -rf "$folder"
}

# Two stages: what the first leaves behind is build cache and no image's.
buildkit_image() {
    local tag=$1 parent=$2 folder
    folder=$(mktemp -d "$contexts.XXXX")
    filler "$folder/source" 1
    cat >"$folder/Dockerfile" <<DOCKERFILE
FROM $parent AS build
COPY source /srv/source
RUN cat /srv/source /srv/source > /srv/result
FROM $parent
COPY --from=build /srv/result /srv/result
CMD ["/bin/sleep", "1000000"]
DOCKERFILE
    DOCKER_BUILDKIT=1 docker build -q --network none -t "$tag" "$folder" >/dev/null
    rm -rf "$folder"
}

base_image() {
    local root
    root=$(mktemp -d)
    tiny_root "$root"
    tar -c -C "$root" . | docker import -c 'CMD ["/bin/sleep", "1000000"]' - base:1 >/dev/null
    rm -rf "$root"
}

all_images() {
    base_image
    image runtime:3 base:1 interpreter:4 packages:2
    image shop/web:1.4 runtime:3 web:1 assets:2
    docker tag shop/web:1.4 shop/web:latest
    image shop/worker:1.4 runtime:3 worker:1
    image registry.local:5000/team/app:stable runtime:3 app:2
    image shop/report:1.0 base:1 old-report:2
    image shop/report:1.0 base:1 report:1 # the one before is dangling now
    buildkit_image shop/tools:2 base:1
}

# start_container NAME IMAGE [COMMAND…]: in the background, as compose would label it
start_container() {
    local name=$1 image=$2
    shift 2
    echo "$SECONDS s: container $name"
    docker run -d --net none --name "shop-$name-1" --label com.docker.compose.project=shop \
        --label "com.docker.compose.service=$name" -e DB_PASSWORD=not-a-secret "$image" "$@" >/dev/null
}

all_containers() {
    start_container web shop/web:latest /bin/sh -c 'dd if=/dev/zero of=/srv/log bs=1048576 count=60 2>/dev/null; exec sleep 1000000'
    start_container worker shop/worker:1.4
    docker pause shop-worker-1 >/dev/null
    docker run --net none --name nightly-report shop/report:1.0 /bin/sh -c 'dd if=/dev/zero of=/srv/out bs=1048576 count=3 2>/dev/null; exit 3' || true
    docker create --net none --name app-next registry.local:5000/team/app:stable >/dev/null
}

# What every Docker host of the lab has.
populate() {
    all_images
    all_containers
    settle_images
}

# Less, for hosts whose storage is the point: one chain of three layers, two containers.
populate_small() {
    base_image
    image shop/web:1.4 base:1 web:1 assets:2
    start_container web shop/web:1.4
    docker run --net none --name nightly-report shop/web:1.4 /bin/true
    settle_images
}

settle_images() {
    docker ps -a --format '{{.Names}} {{.State}}'
    sync
}
