# shellcheck shell=bash disable=SC2034
# A container that writes all the time, and what must be the same before and after a change.

# start_writer CONTAINER [PAUSE]: numbered lines, each followed by a block that is on the disk when it
# goes on; with a rest of so many seconds after each
start_writer() {
    docker exec -d -e PAUSE="$2" "$1" /bin/sh -c 'n=0; while :; do n=$((n+1)); echo $n >>/written; dd if=/dev/zero of=/synced bs=65536 count=1 conv=fsync 2>/dev/null; ${PAUSE:+sleep $PAUSE}; done'
    eventually 20 wrote_more "$1" 0
}
written() { docker exec "$1" /bin/cat /written 2>/dev/null | tail -n 1; }
# goes_on CONTAINER: it writes more than now, within 20 s
goes_on() {
    local was
    was=$(written "$1")
    eventually 20 wrote_more "$1" "$was"
}
wrote_more() { [ "$(written "$1" | grep . || echo 0)" -gt "$2" ]; }
# whole CONTAINER: it wrote, and no line is missing or twice
whole() { docker exec "$1" /bin/cat /written | awk '$1 != NR { bad = 1; exit } END { exit bad || NR == 0 }'; }

# quiet_sum DEVICE: checksum of the start of a device that nobody writes to (the paused container's)
quiet_sum() { head -c 64M "/dev/mapper/$1" | sha256sum | cut -c 1-64; }

# nothing_suspended: no device-mapper device is
nothing_suspended() { ! dmsetup info -c --noheadings -o name,suspended | grep -q ':Suspended$'; }

# total_of POOL: its data blocks in all, as the kernel's status says
total_of() { dmsetup status --noflush "$1" | sed -n 's|^[^ ]* [^ ]* thin-pool [0-9]* [0-9/]* [0-9]*/\([0-9]*\) .*|\1|p'; }
metadata_of() { dmsetup status --noflush "$1" | sed -n 's|^[^ ]* [^ ]* thin-pool [0-9]* [0-9]*/\([0-9]*\) .*|\1|p'; }
