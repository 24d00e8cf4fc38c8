#!/bin/bash
# The owner of every thin device against docker inspect, container by container, image by image.
. "$(dirname "$0")/../guest/check.sh"

equal "nothing on a healthy host is a gap" '[]' "$(jq -c .gaps layers.json)"
row() { jq -c --argjson id "$1" '.devices[] | select(.device_id == $id and .engine == "docker")' layers.json; }

ok "there are containers and images to compare" \
    test "$(jq length containers.json)" -ge 1 -a "$(jq length images.json)" -ge 1
active=$(cut -d' ' -f3 dm-numbers.txt)
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
        "$(grep -qxF "$(field .GraphDriver.Data.DeviceName)" <<<"$active" && echo true || echo false)" "$(got .active)"
    parent=$(row "$(got .parent_device_id)")
    equal "$name: its parent is its init layer" container-init "$(jq -r .role <<<"$parent")"
    top=$(row "$(jq -r .parent_device_id <<<"$parent")")
    equal "$name: below it is its image's top layer" \
        "$(jq -r --arg id "$(field .Image)" '.[] | select(.Id == $id) | .GraphDriver.Data.DeviceId' images.json)" \
        "$(jq -r .device_id <<<"$top")"
done < <(jq -c '.[]' containers.json)

while read -r image; do
    field() { jq -r "$1" <<<"$image"; }
    names=$(field '(.RepoTags + .RepoDigests) | if length == 0 then empty else . end | tojson')
    [ -n "$names" ] || names="[\"$(field .Id)\"]"
    title=$(jq -r '.[0]' <<<"$names")
    row=$(row "$(field .GraphDriver.Data.DeviceId)")
    got() { jq -r "$1" <<<"$row"; }
    equal "$title: role" image-layer "$(got .role)"
    equal "$title: device" "$(field .GraphDriver.Data.DeviceName)" "$(got .dm_name)"
    equal "$title: size" "$(field .GraphDriver.Data.DeviceSize)" "$(got .size_bytes)"
    # walk down: as many layers as the image has, then the base
    id=$(got .device_id) depth=0
    while [ "$(jq -r .role <<<"$(row "$id")")" = image-layer ] && [ "$depth" -lt 130 ]; do
        depth=$((depth + 1))
        equal "$title: layer $depth from the top names the image by all its names" '[]' \
            "$(jq -c --argjson want "$names" '$want - .images' <<<"$(row "$id")")"
        id=$(jq -r .parent_device_id <<<"$(row "$id")")
    done
    equal "$title: its chain has its layers" "$(field '.RootFS.Layers | length')" "$depth"
    equal "$title: under the bottom layer is the base" base "$(jq -r .role <<<"$(row "$id")")"
done < <(jq -c '.[]' images.json)

wanted=$(find device-files -type f ! -name '*-metadata' -print0 | xargs -0 cat | jq -c .device_id | sort -n)
equal "the rows are the device files' ids, each once" "$wanted" \
    "$(jq '.devices[] | select(.engine == "docker") | .device_id' layers.json | sort -n)"
equal "sizes are the device files'" \
    "$(find device-files -type f ! -name '*-metadata' -print0 | xargs -0 cat | jq -c '[.device_id, .size]' | sort)" \
    "$(jq -c '.devices[] | select(.engine == "docker") | [.device_id, .size_bytes]' layers.json | sort)"
while read -r name mapped; do
    equal "$name: mapped bytes are the kernel's" "$((mapped * 512))" \
        "$(jq --arg n "$name" '.devices[] | select(.dm_name == $n) | .mapped_bytes' layers.json)"
done < <(sed -n 's/^\(docker-.*\): [0-9]* [0-9]* thin \([0-9]*\) .*/\1 \2/p' dm-status.txt)
