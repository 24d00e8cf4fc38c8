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

# sum_of_stopped CONTAINER: of the start of a stopped container's device, through a mapping of its own that
# can only read
sum_of_stopped() {
    local id size
    # kept for when the daemon is not asked any more
    [ -s "/var/tmp/id-of-$1" ] || docker inspect -f '{{.GraphDriver.Data.DeviceId}}' "$1" >"/var/tmp/id-of-$1"
    id=$(cat "/var/tmp/id-of-$1")
    dmsetup create --noudevsync quiet --readonly --table "0 131072 thin /dev/dm-$(dmsetup info -c --noheadings -o minor "$(pool_name)") $id"
    head -c 64M "/dev/dm-$(dmsetup info -c --noheadings -o minor quiet)" | sha256sum | cut -c 1-64
    dmsetup remove --retry quiet
}

# docker_says KEY: a line of the driver's part of docker info
docker_says() { docker info -f '{{json .DriverStatus}}' | jq -r --arg k "$1" '.[] | select(.[0] == $k) | .[1]'; }
# as_docker BYTES: as docker prints sizes (go-units, HumanSize)
as_docker() { awk -v n="$1" 'BEGIN { split("B kB MB GB TB PB", u, " "); i = 1; while (n >= 1000 && i < 6) { n /= 1000; i++ } printf "%.4g%s", n, u[i] }'; }
# docker_agrees POOL BLOCKBYTES: docker info has the kernel's totals
docker_agrees() {
    equal "docker info has the kernel's data" "$(as_docker $(($(total_of "$1") * $2)))" "$(docker_says "Data Space Total")"
    equal "and its metadata" "$(as_docker $(($(metadata_of "$1") * 4096)))" "$(docker_says "Metadata Space Total")"
}

# nothing_suspended: no device-mapper device is
nothing_suspended() { ! dmsetup info -c --noheadings -o name,suspended | grep -q ':Suspended$'; }

# total_of POOL: its data blocks in all, as the kernel's status says
total_of() { dmsetup status --noflush "$1" | sed -n 's|^[^ ]* [^ ]* thin-pool [0-9]* [0-9/]* [0-9]*/\([0-9]*\) .*|\1|p'; }
metadata_of() { dmsetup status --noflush "$1" | sed -n 's|^[^ ]* [^ ]* thin-pool [0-9]* [0-9]*/\([0-9]*\) .*|\1|p'; }
