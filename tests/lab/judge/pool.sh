#!/bin/bash
# The driver section against what docker info printed, line by line, and figures against dmsetup.
. "$(dirname "$0")/../guest/check.sh"

equal "nothing on a healthy host is a gap" '[]' "$(jq -c .gaps pool.json)"
status='.pools[] | select(.driver_status != null and (.driver_status | length) > 0)'
equal "one pool is docker's" 1 "$(jq "[$status] | length" pool.json)"
jq "[$status][0]" pool.json >docker-pool.json
got() { jq -r "$1" docker-pool.json; }
unknown() { jq -e --arg k "$1" '.driver_status_unknown | index($k) != null' docker-pool.json >/dev/null; }

while IFS=$'\t' read -r key value; do
    if ! unknown "$key"; then
        equal "$key" "$value" "$(jq -r --arg k "$key" '.driver_status[$k]' docker-pool.json)"
        continue
    fi
    case $key in
    "Udev Sync Supported" | "Library Version" | "Deferred "*"Enabled") ok "$key is known to the daemon alone" true ;;
    # an own pool goes with its daemon; its figures wait for the pool's metadata
    *) equal "$key is unknown only where no pool is active" inactive "$(got .mode)" ;;
    esac
done < <(jq -r '.DriverStatus[] | @tsv' info.json)
equal "in docker's order, and nothing that docker does not print" \
    "$(jq -c --slurpfile p docker-pool.json '[.DriverStatus[][0]] - $p[0].driver_status_unknown' info.json)" \
    "$(jq -c '.driver_status | keys_unsorted' docker-pool.json)"

line=$(grep ' thin-pool ' dm-status.txt | head -n 1)
if [ -n "$line" ]; then
    read -r _ _ _ _ transaction meta data _ mode _ <<<"$line"
    block=$(grep ' thin-pool ' dm-table.txt | head -n 1 | cut -d' ' -f7)
    equal "transaction id" "$transaction" "$(got .transaction_id)"
    equal "mode" "$mode" "$(got .mode)"
    equal "block size" "$((block * 512))" "$(got .block_size_bytes)"
    equal "data used" "$((${data%/*} * block * 512))" "$(got .data_used_bytes)"
    equal "data in all" "$((${data#*/} * block * 512))" "$(got .data_total_bytes)"
    equal "metadata used" "$((${meta%/*} * 4096))" "$(got .metadata_used_bytes)"
    equal "metadata in all" "$((${meta#*/} * 4096))" "$(got .metadata_total_bytes)"
fi
case $LAB_HOST in
loop-lvm*) kind=loop-lvm ;;
raw*) kind=raw ;;
*) kind=direct-lvm ;;
esac
equal "the pool's kind" "$kind" "$(got .kind)"
