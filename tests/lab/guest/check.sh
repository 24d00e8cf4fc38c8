# shellcheck shell=bash disable=SC2034
# Checks inside the guest. Source it, call ok and equal; the closing line and the exit status
# come by themselves, also when the script ends early.

passed=0
failed=0
check_output=$(mktemp)

# ok SENTENCE COMMAND…: the command succeeds; its output is shown only when it does not
ok() {
    local sentence=$1 status
    shift
    # A file, no pipe: a process that cannot be killed would keep a pipe open.
    "$@" >"$check_output" 2>&1
    status=$?
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok: $sentence"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  command: %s\n  status: %s\n' "$sentence" "$*" "$status"
        sed 's/^/  | /' "$check_output"
    fi
}

# refused SENTENCE COMMAND…: the command fails
refused() {
    local sentence=$1
    shift
    ok "$sentence" not "$@"
}
not() { ! "$@"; }

# equal SENTENCE EXPECTED GOT
equal() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
    fi
}

# contains SENTENCE PART WHOLE
contains() {
    case $3 in
    *"$2"*) equal "$1" same same ;;
    *) equal "$1" "… $2 …" "$3" ;;
    esac
}

# says SENTENCE STATUS PART COMMAND…: the command ends so, and a part of what it prints is this
says() {
    local sentence=$1 status=$2 part=$3 said
    shift 3
    said=$("$@" 2>&1 </dev/null)
    equal "$sentence: exit status" "$status" $?
    contains "$sentence: words" "$part" "$said"
}

# end_tmux: its server is gone when this returns; a client that came meanwhile would end with it
end_tmux() {
    tmux kill-server 2>/dev/null
    eventually 10 not pgrep '^tmux' >/dev/null
}

# eventually SECONDS COMMAND…: tries until it succeeds
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# within SECONDS COMMAND…: unlike timeout, it does not wait for a process that cannot be killed
# (LVM reading a suspended device ends only when that is resumed)
within() {
    local deadline=$((SECONDS + $1)) pid
    shift
    "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill -KILL "$pid"
            return 124
        fi
        sleep 0.1
    done
    wait "$pid"
}

# reboot_machine: an orderly reboot, after which the script is run again from its beginning with what
# was counted so far (lab run --reboots); after_reboot holds then. remember_counts keeps that for a machine
# that is to die otherwise.
reboot_counts=/var/lib/lab-reboot
after_reboot() { [ -n "$rebooted" ]; }
remember_counts() {
    local said
    said=$(readlink /proc/$$/fd/1)
    echo "passed=$passed failed=$failed" >"$reboot_counts"
    trap - EXIT
    [ ! -f "$said" ] || cp "$said" "$reboot_counts.log"
}
reboot_machine() {
    echo "rebooting"
    remember_counts
    sync
    systemctl reboot
    sleep infinity
}
rebooted=''
if [ -f "$reboot_counts" ]; then
    # shellcheck disable=SC1090
    . "$reboot_counts"
    cat "$reboot_counts.log" 2>/dev/null
    rm -f "$reboot_counts" "$reboot_counts.log"
    rebooted=yes
fi

close_checks() {
    local status=$?
    rm -f "$check_output"
    echo "$passed passed, $failed failed"
    [ "$status" = 0 ] || exit "$status"
    if [ "$failed" = 0 ] && [ "$passed" -gt 0 ]; then exit 0; fi
    exit 1 # a bare exit here would give the status from before the trap
}
trap close_checks EXIT
