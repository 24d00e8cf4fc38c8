# shellcheck shell=bash
# A load that only ever adds: new blocks, each committed, and a new snapshot for every 25 of them.
# What is read between two moments must so lie between what is true at either.

# begin_load POOL [PAUSE]: until end_load; writes as fast as it can unless told to pause
begin_load() {
    load_pool=$1 load_stop=$(mktemp -u) load_next=9101
    [ -e /dev/mapper/load ] || {
        dmsetup message "$1" 0 'create_thin 9100'
        dmsetup create --noudevsync load --table "0 16777216 thin /dev/mapper/$1 9100"
    }
    local node snap at=0
    node=/dev/dm-$(dmsetup info -c --noheadings -o minor load)
    (
        snap=$load_next
        while [ ! -e "$load_stop" ]; do
            dd if=/dev/urandom of="$node" bs=4k seek=$((at * 128)) count=1 oflag=direct,dsync status=none
            at=$((at + 1))
            [ -z "$2" ] || sleep "$2"
            if [ $((at % 25)) = 0 ]; then
                dmsetup suspend --noflush load && dmsetup message "$load_pool" 0 "create_snap $snap 9100"
                dmsetup resume load
                snap=$((snap + 1))
            fi
        done
    ) &
    load_writer=$!
}
end_load() {
    touch "$load_stop"
    wait "$load_writer"
    rm -f "$load_stop"
    dmsetup remove --retry load
}

# truth: what thin_ls says of a metadata snapshot: id, mapped, exclusive, shared
truth() {
    hold_metadata_snapshot "$pool"
    thin_ls -m --no-headers -o DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS "$tmeta" | awk '{ $1 = $1; print }' | sort -n
    release_metadata_snapshot "$pool"
}
# said FILE BLOCKBYTES: the same of a document of layers --sharing
said() {
    jq -r --argjson b "$2" '.devices[] | select(.mapped_bytes != null)
        | "\(.device_id) \(.mapped_bytes / $b) \(.exclusive_bytes / $b) \(.shared_bytes / $b)"' "$1" | sort -n
}
# adds_up FILE: exclusive and shared make up what is mapped, row by row
adds_up() { awk '$2 != $3 + $4 { exit 1 }' "$1"; }
# between BEFORE AFTER FILE: no id comes or goes otherwise, none maps less or more
between() {
    awk 'FILENAME == ARGV[1] { low[$1] = $2; next } FILENAME == ARGV[2] { high[$1] = $2; next }
        { seen[$1] = 1; if (!($1 in high) || $2 > high[$1] || ($1 in low && $2 < low[$1])) bad = 1 }
        END { for (id in low) if (!(id in seen)) bad = 1; exit bad }' "$1" "$2" "$3"
}
held() { dmsetup status --noflush "$pool" | awk '{ print $7 }'; }
