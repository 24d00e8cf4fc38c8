# shellcheck shell=bash disable=SC2034
# Troubles to hold while something looks, each with its undo.

# The data root's running thin device: the writable layer of the container NAME.
thin_of() { docker inspect -f '{{.GraphDriver.Data.DeviceName}}' "$1"; }

# The pool is what has the target thin-pool; there is one on most hosts. No flush: that would commit.
pool_name() { dmsetup table | sed -n 's/^\(.*\): 0 [0-9]* thin-pool .*/\1/p' | head -n 1; }

suspend_thin() { dmsetup suspend --noflush --nolockfs "$1"; }
resume_thin() { dmsetup resume "$1"; }

suspend_pool() { dmsetup suspend --noflush --nolockfs "${1:-$(pool_name)}"; }
resume_pool() { dmsetup resume "${1:-$(pool_name)}"; }

# hold_vg_lock VG: as a hung lvextend would
hold_vg_lock() {
    mkdir -p /run/lock/lvm
    exec {vg_lock}>>"/run/lock/lvm/V_$1"
    flock -x "$vg_lock"
    sleep 1000000 &
    vg_lock_holder=$!
    exec {vg_lock}>&-
}
release_vg_lock() {
    kill "$vg_lock_holder"
    wait "$vg_lock_holder" 2>/dev/null
}

# hold_metadata_snapshot [POOL]: as a backup or another viewer would
hold_metadata_snapshot() { dmsetup message "${1:-$(pool_name)}" 0 reserve_metadata_snap; }
release_metadata_snapshot() { dmsetup message "${1:-$(pool_name)}" 0 release_metadata_snap; }

# mark_superblock DEVICE OFFSET FLAGS [TRANSACTION]: thin metadata's superblock with these flags (1 is
# needs_check), as the kernel writes it after an error
mark_superblock() {
    perl -e '
        my ($file, $at, $flags, $transaction) = @ARGV;
        open my $f, "+<:raw", $file or die; seek $f, $at, 0; read $f, my $b, 4096;
        substr($b, 4, 4) = pack "V", $flags;
        substr($b, 48, 8) = pack "Q<", $transaction if defined $transaction;
        my $crc = 0xffffffff;
        for my $c (unpack "C*", substr $b, 4) {
            $crc ^= $c;
            $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
        }
        substr($b, 0, 4) = pack "V", $crc ^ 160774;
        seek $f, $at, 0; print $f $b; close $f or die;' "$@"
}

# kill_docker: dead, not stopped. Containers go on, nothing is tidied, no client's call wakes it again.
kill_docker() {
    local pid
    mkdir -p /run/systemd/system/docker.service.d
    printf '[Service]\nRestart=no\n' >/run/systemd/system/docker.service.d/lab.conf
    systemctl daemon-reload
    pid=$(systemctl show -p MainPID --value docker)
    kill -KILL "$pid"
    while [ -d "/proc/$pid" ]; do sleep 0.1; done
    # Only now: stopping the socket first would stop the daemon in order.
    systemctl stop docker.socket
    rm -f /run/docker.sock
}
revive_docker() {
    rm -f /run/systemd/system/docker.service.d/lab.conf
    systemctl daemon-reload
    systemctl reset-failed docker
    systemctl start docker.socket docker
}

# What thinscope finds: codes, and one finding's summary. It looks itself, each time anew. A run that
# crashes, or prints no JSON, finds a word that is no code, and fails: nothing is gone because of it.
codes() {
    local said status list
    said=$(thinscope findings --json)
    status=$?
    if [ $status -le 1 ] && list=$(jq -er '.findings | if type == "array" then .[].code, "" else error end' <<<"$said"); then
        sed '/^$/d' <<<"$list" | sort -u
        return 0
    fi
    echo "FINDINGS_FAILED_WITH_$status"
    return 1
}
found() {
    local list
    list=$(codes) && grep -qx -- "$1" <<<"$list"
}
# gone CODE: it was looked for, and is not there
gone() {
    local list
    list=$(codes) && ! grep -qx -- "$1" <<<"$list"
}
summary() { thinscope findings --json | jq -r --arg c "$1" '.findings[] | select(.code == $c) | .summary'; }

# comes CODE CAUSE… / goes CODE CURE…: after the command the finding is there, or is not.
comes() {
    local code=$1
    shift
    ok "$code: the cause is made: $*" "$@"
    ok "$code comes" found "$code"
}
goes() {
    local code=$1
    shift
    ok "$code: the cure is made: $*" "$@"
    ok "$code goes" gone "$code"
}
