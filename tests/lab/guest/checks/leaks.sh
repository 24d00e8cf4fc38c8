#!/bin/bash
# Ids that nobody names and names without an id, made for real; data blocks found and back.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
mkdir -p /results/leaks && cd /results/leaks || exit 1

pool=$(pool_name)
files=/var/lib/docker/devicemapper/metadata
finding() { thinscope findings --json | jq -r --arg c "$1" '.findings[] | select(.code == $c) | .summary'; }
roles() { thinscope layers --json | jq -c --arg r "$1" '[.devices[] | select(.role == $r) | .device_id]'; }
equal "a healthy host has nothing leaked" '[]' "$(roles leaked)"

dmsetup message "$pool" 0 'create_thin 9000'
dmsetup create --noudevsync leak --table "0 20480 thin /dev/mapper/$pool 9000"
dd if=/dev/zero of="/dev/dm-$(dmsetup info -c --noheadings -o minor leak)" bs=1M count=3 oflag=direct status=none
dmsetup remove --retry leak
# a status that flushes commits
dmsetup status "$pool" >/dev/null
equal "an id that nobody names is leaked" '[9000]' "$(roles leaked)"
ok "device-leaked comes" found device-leaked
contains "the finding says what it would free" "would free 3.0 MiB" "$(finding device-leaked)"
equal "layers says what it holds" 3145728 \
    "$(thinscope layers --sharing --json | jq '.devices[] | select(.device_id == 9000) | .exclusive_bytes')"

# the newest layer's file is gone: its id is nobody's now
layer=$(for file in "$files"/*; do
    case ${file##*/} in *-metadata | base | *-init) ;; *) echo "$(jq .device_id "$file") ${file##*/}" ;; esac
done | sort -n | tail -n 1)
mv "$files/${layer#* }" /var/tmp/
equal "an id whose file is gone is leaked as well" "[${layer% *},9000]" "$(roles leaked)"
# with a file that cannot be read nobody can tell
: >"$files/${layer#* }"
equal "while a file is damaged nothing is called leaked" '[]' "$(roles leaked)"
mv "/var/tmp/${layer#* }" "$files/"
equal "the file is back" '[9000]' "$(roles leaked)"

# a name whose id is not in the pool
jq -c '.device_id = 9001' "$files/${layer#* }" >"$files/$(printf 'f%.0s' {1..64})"
equal "a name without an id is missing" '[9001]' "$(roles missing)"
ok "device-missing comes" found device-missing
contains "and says where it is not" "is not in $pool" "$(finding device-missing)"
goes device-missing rm "$files/$(printf 'f%.0s' {1..64})"

delete() { dmsetup message "$pool" 0 "delete $1" && dmsetup status "$pool" >/dev/null; }
goes device-leaked delete 9000
equal "what was deleted is leaked no more" '[]' "$(roles leaked)"

# blocks: what thin_dump says of every mapping of a device
hold_metadata_snapshot "$pool"
tmeta=/dev/dm-$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
thin_dump -m "$tmeta" >dump.xml
mapping=$(awk -v id="${layer% *}" '$0 ~ "<device dev_id=\"" id "\"" { in_it = 1 } in_it && /single_mapping/ { print; exit }' dump.xml)
virtual=$(sed 's/.*origin_block="\([0-9]*\)".*/\1/' <<<"$mapping") data=$(sed 's/.*data_block="\([0-9]*\)".*/\1/' <<<"$mapping")
time=$(sed 's/.*time="\([0-9]*\)".*/\1/' <<<"$mapping")
thinscope block "$pool" "${layer% *}" "b:$virtual" --json >block.json
equal "a block of a device is the data block that thin_dump says, with its time" "$data $time" \
    "$(jq -r '.block | "\(.data_block) \(.time)"' block.json)"
size=$(jq .block.block_size_bytes block.json)
equal "an offset in bytes leads to the same" "$data" \
    "$(thinscope block "${layer% *}" $((virtual * size + 17)) --json | jq .block.data_block)"
awk -v data="$data" -v want="" '
    /<device/ { match($0, /dev_id="[0-9]+"/); id = substr($0, RSTART + 8, RLENGTH - 9) }
    /single_mapping/ { match($0, /data_block="[0-9]+"/); b = substr($0, RSTART + 12, RLENGTH - 13) + 0; if (b == data) print id }
    /range_mapping/ { match($0, /data_begin="[0-9]+"/); b = substr($0, RSTART + 12, RLENGTH - 13) + 0
        match($0, /length="[0-9]+"/); n = substr($0, RSTART + 8, RLENGTH - 9) + 0; if (b <= data && data < b + n) print id }' dump.xml |
    sort -n | tr '\n' ' ' >users.txt
equal "the way back from the data block names everybody who uses it" "$(cat users.txt)" \
    "$(thinscope block "$pool" --data "$data" --json | jq -r '[.block.uses[].device_id] | sort | map("\(.) ") | add')"
release_metadata_snapshot "$pool"
disk=$(jq -r '.block.physical[-1] | "\(.device) \(.offset_bytes)"' block.json)
node=/dev/$(lsblk -rno KNAME,MAJ:MIN | awk -v d="${disk% *}" '$2 == d { print $1; exit }')
docker ps -q --filter status=running | xargs -r docker pause >/dev/null; sync; sleep 2
name=$(jq -r .block.uses[0].name block.json)
dmsetup create --noudevsync --readonly look --table "0 20971520 thin /dev/mapper/$pool ${layer% *}" 2>/dev/null || true
dev=/dev/dm-$(dmsetup info -c --noheadings -o minor look)
equal "the physical place holds the same bytes as the device" \
    "$(dd if="$dev" bs="$size" skip="$virtual" count=1 iflag=direct status=none | sha256sum)" \
    "$(dd if="$node" bs=64k iflag=direct,skip_bytes,count_bytes skip="${disk#* }" count="$size" status=none | sha256sum)"
dmsetup remove --retry look
thinscope block "$pool" --data "$data" >block.txt
ok "the text names the data block" grep -q "data block $data " block.txt
echo "asked of $name"
