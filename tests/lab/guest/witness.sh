# shellcheck shell=bash disable=SC2034
# A container that writes all the time, and what must be the same before and after a change.

# start_writer CONTAINER: appends a line and syncs, for ever; the lines are numbered
start_writer() {
    docker exec -d "$1" sh -c 'n=0; while :; do n=$((n+1)); echo $n >>/written; sync; usleep 20000 2>/dev/null || sleep 1; done'
    eventually 20 has_written "$1"
}
has_written() { [ "$(written "$1")" -gt 0 ] 2>/dev/null; }
written() { docker exec "$1" sh -c 'tail -n 1 /written' 2>/dev/null; }
# goes_on CONTAINER: it writes more than now, within 20 s
goes_on() {
    local was
    was=$(written "$1")
    eventually 20 wrote_more "$1" "$was"
}
wrote_more() { [ "$(written "$1")" -gt "$2" ]; }
# whole CONTAINER: no line is missing or twice
whole() {
    docker exec "$1" sh -c 'n=0; while read -r l; do n=$((n+1)); [ "$l" = "$n" ] || exit 1; done </written'
}

# quiet_sum DEVICE: checksum of a device that nobody writes to (the paused container's)
quiet_sum() { sha256sum <"/dev/mapper/$1" | cut -c 1-64; }

# nothing_suspended: no device-mapper device is
nothing_suspended() { ! dmsetup info -c --noheadings -o name,suspended | grep -q ':Suspended$'; }

# total_of POOL: its data blocks in all, as the kernel's status says
total_of() { dmsetup status --noflush "$1" | sed -n 's|^[^ ]* [^ ]* thin-pool [0-9]* [0-9/]* [0-9]*/\([0-9]*\) .*|\1|p'; }
metadata_of() { dmsetup status --noflush "$1" | sed -n 's|^[^ ]* [^ ]* thin-pool [0-9]* [0-9]*/\([0-9]*\) .*|\1|p'; }
