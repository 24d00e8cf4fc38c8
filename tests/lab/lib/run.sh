# shellcheck shell=bash disable=SC2154,SC2034 # parts of one script: lab
# Running a script on a host: a throwaway machine that goes on from the saved one.

# open_machine HOST FOLDER KIND SCRIPT [ARG…]: its disks and job; fills qemu_command up to the serial line
open_machine() {
    local host=$1 folder=$2 kind=$3 script=$4
    shift 4
    build_host "$host"
    new_disks "$folder" "$cache/$(host_folder "$host")"
    script_job "$folder" "$kind" "$host" "$script" "$@"
    resume_of "$cache/$(host_folder "$host")"
}

# run_on HOST OUT SECONDS SCRIPT [ARG…]: the script's status; its output on ours, /results in OUT
run_on() {
    local host=$1 out=$2 seconds=$3 script=$4 folder pid follower status
    shift 4
    folder=$(mktemp -d "${TMPDIR:-/var/tmp}/thinscope-lab.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    open_machine "$host" "$folder" run "$script" "$@"
    mkdir -p "$out"
    qemu_of "$folder" "$cache/$(root_folder)" -serial "file:$out/console.log" -monitor none "${resume[@]}"
    : >"$folder/log"
    [ -z "$reboots" ] || let_reboot
    "${qemu_command[@]}" </dev/null 2>"$folder/qemu.log" &
    pid=$!
    tail -q -s 0.2 -n +1 -f --pid="$pid" "$folder/log" &
    follower=$!
    status=$(await_exit "$folder" "$pid" "$seconds")
    [ "${status#none}" = "$status" ] || sleep 0.3
    await_end "$pid" 10
    wait "$follower" 2>/dev/null
    cp "$folder/log" "$out/output.log"
    [ ! -s "$folder/out" ] || tar -x --no-same-owner -C "$out" -f "$folder/out" || status="none: the results are torn"
    case $status in
    none*)
        note "$host: no exit status ($status)"
        tail -n 5 "$out/console.log" "$folder/qemu.log" >&2
        status=125
        ;;
    esac
    rm -rf "$folder"
    trap - EXIT
    return "$status"
}

# let_reboot: a machine that reboots starts again instead of ending. Its agent finds the job disk as
# it was and runs the script again, from its beginning: reboot_machine in guest/check.sh.
let_reboot() {
    local argument kept=()
    for argument in "${qemu_command[@]}"; do
        [ "$argument" = -no-reboot ] || kept+=("$argument")
    done
    qemu_command=("${kept[@]}")
}
reboots=''

# await_end PID SECONDS: until it ended by itself, or is ended
await_end() {
    local tries=$(($2 * 10))
    while kill -0 "$1" 2>/dev/null && [ $((tries--)) -gt 0 ]; do sleep 0.1; done
    end_machine "$1"
}

# console_on HOST: the serial line is the person's terminal
console_on() {
    local host=$1 folder rows columns
    folder=$(mktemp -d "${TMPDIR:-/var/tmp}/thinscope-lab.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'; stty sane 2>/dev/null" EXIT
    read -r rows columns < <(stty size 2>/dev/null || echo 24 80)
    job_env=("LAB_ROWS=${rows:-24}" "LAB_COLUMNS=${columns:-80}" "LAB_TERM=$(console_term)")
    open_machine "$host" "$folder" console /dev/null
    qemu_of "$folder" "$cache/$(root_folder)" -serial stdio -monitor none "${resume[@]}"
    note "$host; leave with exit; ctrl-c belongs to the guest"
    # Without signals: ctrl-c and ctrl-z go to the guest.
    [ ! -t 0 ] || stty raw -echo -isig
    "${qemu_command[@]}"
}

# The guest knows only the terminals of ncurses-base.
console_term() {
    case ${TERM:-} in
    xterm | xterm-256color | screen | screen-256color | tmux | tmux-256color | linux | vt100) echo "$TERM" ;;
    *) echo xterm-256color ;;
    esac
}
