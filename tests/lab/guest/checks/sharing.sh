#!/bin/bash
# What every layer costs, against thin_ls and thin_delta on a metadata snapshot of the same moment.
. "$LAB/guest/check.sh"
. "$LAB/guest/trouble.sh"
mkdir -p /results/sharing && cd /results/sharing || exit 1

# an inactive pool is read in place first, then activated and compared
if [ "$LAB_HOST" = inactive ]; then
    thinscope layers --sharing --json >inactive.json
    ok "an inactive pool is read through its extents" jq -e '.gaps == [] and all(.devices[]; .exclusive_bytes != null)' inactive.json
    equal "nothing was activated for it" "" "$(dmsetup ls | grep -v 'No devices found')"
    vgchange -q -ay docker
fi
pool=$(pool_name)
tmeta=/dev/dm-$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
[ "$(dmsetup table "$pool" | awk '{ print substr($4, 1, 2) }')" != 7: ] ||
    tmeta=/dev/loop$(dmsetup table "$pool" | awk '{ split($4, n, ":"); print n[2] }')
bytes=$(($(dmsetup table "$pool" | awk '{ print $6 }') * 512))
status() { dmsetup status --noflush "$pool"; }
writes() { awk '{ print $5 }' "/sys/class/block/${tmeta#/dev/}/stat"; }

# nobody writes while figures are compared
running=$(docker ps -q --filter status=running 2>/dev/null)
echo "$running" | xargs -r docker pause >/dev/null
take_views() {
    thinscope layers --sharing --json >sharing.json &&
        thinscope layers --json >layers.json &&
        thinscope pool --json >pool.json &&
        thinscope layers --sharing >sharing.txt
}
# a filesystem that was just mounted writes on by itself for a while
quiet() {
    local before
    sync
    before="$(status) $(writes)"
    take_views
    [ "$before" = "$(status) $(writes)" ]
}
ok "the views answer, and looking writes nothing and commits nothing" eventually 120 quiet
used() { status | awk '{ print $4, $6 }'; }
compared() {
    local before
    before=$(used)
    take_views
    all=$(jq -r '[.devices[].device_id] | join(",")' sharing.json)
    thinscope layers --json --freed-by "$all" >all.json
    hold_metadata_snapshot "$pool"
    thin_ls -m --no-headers -o DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS,TRANSACTION,CREATE_TIME,SNAP_TIME "$tmeta" |
        awk '{ $1 = $1; print }' >thin_ls.txt
    while read -r id parent _; do
        echo "$id $parent $(thin_delta -m --thin1 "$parent" --thin2 "$id" "$tmeta" |
            sed -n 's/.*<\(different\|right_only\) .*length="\([0-9]*\)".*/\2/p' | awk '{ sum += $1 } END { print sum + 0 }')"
    done < <(deltas) >thin_delta.txt
    release_metadata_snapshot "$pool"
    [ "$before" = "$(used)" ]
}
deltas() {
    jq -r --argjson b "$bytes" \
        '.devices[] | select(.delta_bytes != null) | "\(.device_id) \(.parent_device_id) \(.delta_bytes / $b)"' sharing.json
}
ok "there was a moment in which nobody allocated" eventually 120 compared
equal "nothing is a gap" '[]' "$(jq -c .gaps sharing.json)"

equal "every id of the pool is there with its mapped, exclusive and shared blocks and its times" \
    "$(cat thin_ls.txt)" \
    "$(jq -r --argjson b "$bytes" '.devices[] | select(.device_id != null and .mapped_bytes != null)
        | "\(.device_id) \(.mapped_bytes / $b) \(.exclusive_bytes / $b) \(.shared_bytes / $b) \(.pool_transaction_id) \(.created_time) \(.snapshotted_time)"' sharing.json | sort -n)"
ok "devices have parents to be compared with" test -s thin_delta.txt
equal "every device adds to its parent what thin_delta says" "$(cat thin_delta.txt)" "$(deltas)"

[ ! -f inactive.json ] ||
    equal "read in place it says the same as active" \
        "$(jq -cS '[.devices[] | del(.active, .dm_name)]' sharing.json)" "$(jq -cS '[.devices[] | del(.active, .dm_name)]' inactive.json)"
equal "details alone say the same of what is mapped" \
    "$(jq -c '[.devices[] | [.device_id, .mapped_bytes]]' sharing.json)" \
    "$(jq -c '[.devices[] | [.device_id, .mapped_bytes]]' layers.json)"
equal "without --sharing nobody claims to know what is shared" '[null]' \
    "$(jq -c '[.devices[].exclusive_bytes] | unique' layers.json)"
equal "no id is leaked and no name is without id on a healthy host" '[]' \
    "$(jq -c '[.devices[] | select(.role == "leaked" or .role == "missing" or .role == "unknown") | .device_id]' sharing.json)"
equal "what is used by owner adds up to what is used" \
    "$(jq '.pools[0].data_used_bytes' pool.json)" "$(jq '[.pools[0].holders[]] | add' pool.json)"
equal "what is committed is what is used now, for nothing was written" \
    "$(jq '.pools[0].data_used_bytes' pool.json)" "$(jq '.pools[0].committed.data_used_bytes' pool.json)"
equal "deleting everything frees everything" "$(jq '.pools[0].data_used_bytes' pool.json)" \
    "$(jq .freed.freed_bytes all.json)"
while read -r id exclusive; do
    equal "deleting $id alone frees what it holds alone" "$exclusive" \
        "$(thinscope layers --json --freed-by "$id" | jq .freed.freed_bytes)"
done < <(jq -r '.devices[] | "\(.device_id) \(.exclusive_bytes)"' sharing.json | head -n 4)
# parents: Docker's own word against the mappings, and what the metadata alone tells of them
parents() { jq -r '.devices[] | select(.parent_device_id != null) | "\(.device_id) \(.parent_device_id)"' sharing.json | sort -n; }
equal "no parent that the engine names is contradicted by the mappings" "[]" \
    "$(jq -c '[.devices[] | select(.parent_descent == "contradicted") | .device_id]' sharing.json)"
if [ -d /var/lib/docker/devicemapper ]; then
    ok "most are confirmed by them" jq -e '[.devices[] | select(.parent_device_id != null) | .parent_descent == "confirmed"]
        | (map(select(.)) | length) * 2 > length and length > 0' sharing.json
    thinscope layers --sharing --json --metadata "$tmeta" >alone.json
    parents >named.txt
    jq -r '.devices[] | .device_id as $id | .inferred_parent | select(.certainty == "certain") | "\($id) \(.device_id)"' \
        alone.json | sort -n >certain.txt
    ok "for some devices the metadata alone is certain" test -s certain.txt
    equal "and where it is, Docker says the same" "" "$(comm -23 <(sort certain.txt) <(sort named.txt))"
    jq -r '.devices[] | .device_id as $id | .inferred_parent | select(.certainty == "none" or .certainty == "gone") | $id' \
        alone.json | sort >parentless.txt
    equal "none that it calls empty or orphaned has a parent that is there" "" \
        "$(comm -12 parentless.txt <(awk '{ print $1 }' named.txt | sort))"
    echo "figure: of $(wc -l <named.txt) parents that Docker names, the metadata alone tells $(wc -l <certain.txt) for certain and $(jq '[.devices[] | select(.inferred_parent.certainty == "likely")] | length' alone.json) as likely"
fi
# whatever is checked after this finds them as they were
echo "$running" | xargs -r docker unpause >/dev/null
