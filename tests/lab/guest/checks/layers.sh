#!/bin/bash
# The owner of every thin device against docker inspect, container by container and image by image.
. "$LAB/guest/check.sh"
. "$LAB/guest/expected.sh"

thinscope layers --json >/results/layers.json
equal "nothing on a healthy host is a gap" '[]' "$(jq -c .gaps /results/layers.json)"
docker_containers >/results/containers.json
docker_images >/results/images.json
row() { jq -c --argjson id "$1" '.devices[] | select(.device_id == $id and .engine == "docker")' /results/layers.json; }

ok "there are containers and images to compare" \
    test "$(jq length /results/containers.json)" -ge 1 -a "$(jq length /results/images.json)" -ge 1
while read -r container; do
    field() { jq -r "$1" <<<"$container"; }
    name=$(field '.Name | ltrimstr("/")')
    row=$(row "$(field .GraphDriver.Data.DeviceId)")
    got() { jq -r "$1" <<<"$row"; }
    equal "$name: role" container "$(got .role)"
    equal "$name: id" "$(field .Id)" "$(got .container.id)"
    equal "$name: name" "$name" "$(got .container.name)"
    equal "$name: state" "$(field .State.Status)" "$(got .container.state)"
    equal "$name: device" "$(field .GraphDriver.Data.DeviceName)" "$(got .dm_name)"
    equal "$name: size" "$(field .GraphDriver.Data.DeviceSize)" "$(got .size_bytes)"
    equal "$name: active exactly while device-mapper has it" \
        "$([ -e "/dev/mapper/$(field .GraphDriver.Data.DeviceName)" ] && echo true || echo false)" "$(got .active)"
    parent=$(row "$(got .parent_device_id)")
    equal "$name: its parent is its init layer" container-init "$(jq -r .role <<<"$parent")"
    top=$(row "$(jq -r .parent_device_id <<<"$parent")")
    image=$(field .Image)
    equal "$name: below it is its image's top layer" \
        "$(jq -r --arg id "$image" '.[] | select(.Id == $id) | .GraphDriver.Data.DeviceId' /results/images.json)" \
        "$(jq -r .device_id <<<"$top")"
done < <(jq -c '.[]' /results/containers.json)

while read -r image; do
    field() { jq -r "$1" <<<"$image"; }
    tag=$(field '.RepoTags[0] // .Id')
    row=$(row "$(field .GraphDriver.Data.DeviceId)")
    got() { jq -r "$1" <<<"$row"; }
    equal "$tag: role" image-layer "$(got .role)"
    equal "$tag: device" "$(field .GraphDriver.Data.DeviceName)" "$(got .dm_name)"
    equal "$tag: every tag is named" '[]' \
        "$(jq -c --argjson want "$(field '.RepoTags | if length == 0 then empty else . end' | jq -c . || true)" \
            '$want - .images' <<<"$row" 2>/dev/null || echo '[]')"
    [ "$(field '.RepoTags | length')" -gt 0 ] ||
        equal "$tag: an image without name is named by its id" "$(field .Id)" "$(got '.images[] | select(startswith("sha256:"))' | grep -Fx "$(field .Id)")"
    layers=$(field '.RootFS.Layers | length')
    # walk down: as many layers as the image has, then the base
    id=$(got .device_id) depth=0
    while [ "$(jq -r .role <<<"$(row "$id")")" = image-layer ]; do
        depth=$((depth + 1))
        ok "$tag: layer $depth from the top names the image" jq -e --arg t "$tag" '.images | index($t) != null' <<<"$(row "$id")"
        id=$(jq -r .parent_device_id <<<"$(row "$id")")
    done
    equal "$tag: its chain has its layers" "$layers" "$depth"
    equal "$tag: under the bottom layer is the base" base "$(jq -r .role <<<"$(row "$id")")"
done < <(jq -c '.[]' /results/images.json)

for file in $(find /var/lib/docker/devicemapper/metadata -type f ! -name '*-metadata' ! -name '.*' -printf '%f\n'); do
    id=$(jq .device_id "/var/lib/docker/devicemapper/metadata/$file")
    equal "device file ${file:0:12}… is one row" 1 "$(jq --argjson id "$id" '[.devices[] | select(.device_id == $id)] | length' /results/layers.json)"
done
equal "as many rows as device files" \
    "$(find /var/lib/docker/devicemapper/metadata -type f ! -name '*-metadata' ! -name '.*' | wc -l)" \
    "$(jq '[.devices[] | select(.engine == "docker")] | length' /results/layers.json)"
while read -r name mapped; do
    equal "$name: mapped bytes are the kernel's" "$((mapped * 512))" \
        "$(jq --arg n "$name" '.devices[] | select(.dm_name == $n) | .mapped_bytes' /results/layers.json)"
done < <(dmsetup status --noflush --target thin | grep -v '^No devices' | sed 's/: / /' | awk '{print $1, $5}' | grep '^docker-')
