#!/bin/bash
# The tree against lsblk, lvs, vgs and pvs, device by device.
. "$(dirname "$0")/../guest/check.sh"

ok "tree prints a document with its format" jq -e '.format == 1 and (.gaps | type == "array")' tree.json
equal "nothing on a healthy host is a gap" '[]' "$(jq -c .gaps tree.json)"
equal "tree says that it is done" 0 "$(cat tree.status)"

# lsblk prints a device once for each path to it
jq -r 'def all: .[] | ., (.children // [] | all);
    [.blockdevices | all] | unique_by(."maj:min")[] | "\(."maj:min") \(.size) \(.type) \(.name)"' lsblk.json |
    sort >lsblk.txt
jq -r '.nodes[] | select(.device != null) | "\(.device) \(.size_bytes)"' tree.json | sort >ours.txt
equal "every block device of lsblk is there once, with the kernel's size" \
    "$(cut -d' ' -f1,2 lsblk.txt | sort)" "$(cat ours.txt)"
equal "ids are unique" 0 "$(jq '[.nodes[].id] | length - (unique | length)' tree.json)"
equal "every parent is a node" 0 \
    "$(jq '([.nodes[].id] | INDEX(.)) as $ids | [.nodes[].parents[] | select($ids[.] == null)] | length' tree.json)"
equal "every id is prefixed by its kind" 0 \
    "$(jq '[.nodes[] | select(.kind as $k | .id | startswith("\($k):") | not)] | length' tree.json)"

kind_of() { jq -r --arg dev "$1" '.nodes[] | select(.device == $dev) | .kind' tree.json; }
while read -r dev _ type name; do
    case $type in
    disk | part | loop | crypt) equal "$name is a $type" "$type" "$(kind_of "$dev")" ;;
    esac
done <lsblk.txt
while read -r major minor name; do
    case $(grep -F "$name: " dm-table.txt | head -n 1 | sed 's/^[^ ]* //' | cut -d' ' -f3) in
    thin-pool) equal "$name is a pool" pool "$(kind_of "$major:$minor")" ;;
    thin) equal "$name is a thin device" thin "$(kind_of "$major:$minor")" ;;
    esac
done <dm-numbers.txt

while read -r name; do
    ok "LVM's VG $name is there" jq -e --arg n "$name" 'any(.nodes[]; .kind == "vg" and .name == $n)' tree.json
done < <(jq -r '.report[0].vg[].vg_name' vgs.json)
while read -r lv size kernel; do
    node=$(jq -c --arg v "$lv" '[.nodes[] | select(.lv != null and "\(.lv.vg)/\(.lv.name)" == $v)]' tree.json)
    equal "LV $lv is one node" 1 "$(jq length <<<"$node")"
    equal "LV $lv has LVM's size" "$size" "$(jq '.[0].size_bytes' <<<"$node")"
    [ "$kernel" = -1:-1 ] && kernel=null
    # of a pool that LVM itself uses, lvs tells the linear device above the one with the pool's target
    dm=${lv//-/--} tpool=$(sed -n "s/^\([0-9]*\) \([0-9]*\) ${dm/\//-}-tpool\$/\1:\2/p" dm-numbers.txt)
    kernel=${tpool:-$kernel}
    equal "LV $lv has the number it is active under, or none" "$kernel" "$(jq -r '.[0].device' <<<"$node")"
    case $lv in
    *_tdata) equal "$lv is tdata" '"tdata"' "$(jq -c '.[0].kind' <<<"$node")" ;;
    *_tmeta) equal "$lv is tmeta" '"tmeta"' "$(jq -c '.[0].kind' <<<"$node")" ;;
    *_pmspare) equal "$lv is the spare" '"pmspare"' "$(jq -c '.[0].kind' <<<"$node")" ;;
    esac
done < <(jq -r '.report[0].lv[] | "\(.vg_name)/\(.lv_name | gsub("[\\[\\]]"; "")) \(.lv_size) \(.lv_kernel_major):\(.lv_kernel_minor)"' lvs.json)
equal "the PVs are LVM's, with their VGs" \
    "$(jq -c '[.report[0].pv[] | .vg_name] | sort' pvs.json)" \
    "$(jq -c '[.nodes as $n | $n[] | select(.kind == "pv") | .id as $id | [$n[] | select(.kind == "vg" and (.parents | index($id)))][0].name // ""] | sort' tree.json)"
refused "the text has no control characters" grep -qP '[\x00-\x08\x0b-\x1f\x7f]' tree.txt layers.txt pool.txt
