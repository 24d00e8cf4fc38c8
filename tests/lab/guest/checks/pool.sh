#!/bin/bash
# The driver section against what docker info prints, line by line, and figures against dmsetup.
. "$LAB/guest/check.sh"
. "$LAB/guest/expected.sh"

docker_info >/results/info.json
thinscope pool --json >/results/pool.json
equal "nothing on a healthy host is a gap" '[]' "$(jq -c .gaps /results/pool.json)"
status='.pools[] | select(.driver_status != null and (.driver_status | length) > 0)'
equal "one pool is docker's" 1 "$(jq "[$status] | length" /results/pool.json)"
jq "[$status][0]" /results/pool.json >/results/docker-pool.json
unknown() { jq -e --arg k "$1" '.driver_status_unknown | index($k) != null' /results/docker-pool.json >/dev/null; }

while IFS=$'\t' read -r key value; do
    if unknown "$key"; then
        case $key in
        "Udev Sync Supported" | "Library Version" | "Deferred "*"Enabled") ok "$key is known to the daemon alone" true ;;
        # the daemon owns its loop pool; with it dead the figures wait for the pool's metadata
        *) ok "$key can be unknown only without an active pool" test "$(jq -r .mode /results/docker-pool.json)" = inactive ;;
        esac
    else
        equal "$key" "$value" "$(jq -r --arg k "$key" '.driver_status[$k]' /results/docker-pool.json)"
    fi
done < <(jq -r '.DriverStatus[] | @tsv' /results/info.json)
equal "in docker's order, and nothing that docker does not print" \
    "$(jq -c --slurpfile p /results/docker-pool.json '[.DriverStatus[][0]] - $p[0].driver_status_unknown' /results/info.json)" \
    "$(jq -c '.driver_status | keys_unsorted' /results/docker-pool.json)"

line=$(dmsetup status --noflush --target thin-pool | head -n 1)
if [ -n "$line" ] && [ "$line" != "No devices found" ]; then
    read -r _ _ _ _ transaction meta data _ mode _ <<<"$line"
    block=$(dmsetup table --target thin-pool | head -n 1 | awk '{print $6}')
    got() { jq -r "$1" /results/docker-pool.json; }
    equal "transaction id" "$transaction" "$(got .transaction_id)"
    equal "mode" "$mode" "$(got .mode)"
    equal "block size" "$((block * 512))" "$(got .block_size_bytes)"
    equal "data used" "$((${data%/*} * block * 512))" "$(got .data_used_bytes)"
    equal "data in all" "$((${data#*/} * block * 512))" "$(got .data_total_bytes)"
    equal "metadata used" "$((${meta%/*} * 4096))" "$(got .metadata_used_bytes)"
    equal "metadata in all" "$((${meta#*/} * 4096))" "$(got .metadata_total_bytes)"
fi
equal "the pool's kind" "${LAB_POOL_KIND:-$(case $LAB_HOST in loop-lvm*) echo loop-lvm ;; raw*) echo raw ;; *) echo direct-lvm ;; esac)}" \
    "$(jq -r .kind /results/docker-pool.json)"
