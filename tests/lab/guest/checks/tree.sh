#!/bin/bash
# The tree against lsblk, lvs, vgs and pvs, device by device.
. "$LAB/guest/check.sh"

thinscope tree --json >/results/tree.json
ok "tree prints a document with its format" jq -e '.format == 1 and (.gaps | type == "array")' /results/tree.json
equal "nothing on a healthy host is a gap" '[]' "$(jq -c .gaps /results/tree.json)"

# lsblk prints a device once for each path to it
lsblk -b -J -o MAJ:MIN,SIZE,TYPE,NAME | jq -r '
    def all: .[] | ., (.children // [] | all);
    [.blockdevices | all] | unique_by(."maj:min")[] | "\(."maj:min") \(.size) \(.type) \(.name)"' |
    sort >/results/lsblk.txt
jq -r '.nodes[] | select(.device != null) | "\(.device) \(.size_bytes)"' /results/tree.json | sort >/results/ours.txt
equal "every block device of lsblk is there once, with the kernel's size" \
    "$(cut -d' ' -f1,2 /results/lsblk.txt | sort)" "$(cat /results/ours.txt)"
equal "ids are unique" 0 "$(jq '[.nodes[].id] | length - (unique | length)' /results/tree.json)"
equal "every parent is a node" 0 \
    "$(jq '([.nodes[].id] | INDEX(.)) as $ids | [.nodes[].parents[] | select($ids[.] == null)] | length' /results/tree.json)"
equal "every id is prefixed by its kind" 0 \
    "$(jq '[.nodes[] | select(.kind as $k | .id | startswith("\($k):") | not)] | length' /results/tree.json)"

kind_of() { jq -r --arg dev "$1" '.nodes[] | select(.device == $dev) | .kind' /results/tree.json; }
while read -r dev _ type name; do
    got=$(kind_of "$dev")
    case $type in
    disk | part | loop | crypt) equal "$name is a $type" "$type" "$got" ;;
    esac
done </results/lsblk.txt
while IFS= read -r line; do
    name=${line%%: *} && rest=${line#*: } && target=$(cut -d' ' -f3 <<<"$rest")
    dev=$(dmsetup info -c --noheadings -o major,minor --separator : "$name")
    case $target in
    thin-pool) equal "$name is a pool" pool "$(kind_of "$dev")" ;;
    thin) equal "$name is a thin device" thin "$(kind_of "$dev")" ;;
    esac
done < <(dmsetup table | sort -u -t: -k1,1)

while read -r kind name; do
    ok "LVM's $kind $name is there" jq -e --arg k "$kind" --arg n "$name" \
        'any(.nodes[]; .kind == $k and .name == $n)' /results/tree.json
done < <(vgs --noheadings -o vg_name | sed 's/^ */vg /')
while read -r vg lv role active; do
    name="${vg//-/--}-${lv//-/--}"
    ok "LV $vg/$lv ($role, $active) is a node" jq -e --arg n "$name" --arg v "$vg/$lv" \
        'any(.nodes[]; .lv == $v or .name == $n)' /results/tree.json
done < <(lvs -a --noheadings -o vg_name,lv_name,lv_role,lv_active | tr -d '[]')
while read -r lv; do
    node=$(jq -c --arg v "$lv" '[.nodes[] | select(.lv == $v)][0] | .kind' /results/tree.json)
    case $lv in
    *_tdata) equal "$lv is tdata" '"tdata"' "$node" ;;
    *_tmeta) equal "$lv is tmeta" '"tmeta"' "$node" ;;
    *_pmspare) equal "$lv is the spare" '"pmspare"' "$node" ;;
    esac
done < <(lvs -a --noheadings -o lv_full_name | tr -d '[] ')
equal "there are as many PVs as LVM has" "$(pvs --noheadings | wc -l)" \
    "$(jq '[.nodes[] | select(.kind == "pv")] | length' /results/tree.json)"

ok "the text has no control characters" bash -c '! thinscope tree | LC_ALL=C grep -q "[[:cntrl:]]"'
