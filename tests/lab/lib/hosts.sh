# shellcheck shell=bash disable=SC2154,SC2034 # parts of one script: lab
# The hosts: hosts/NAME.sh each, made once and saved while running; NAME-dead is NAME with its
# Docker daemon killed.

# host_script NAME: the file that makes it
host_script() {
    if [ -f "$lab/hosts/$1.sh" ]; then
        echo "$lab/hosts/$1.sh"
    elif [ "${1%-dead}" != "$1" ] && has_docker "${1%-dead}"; then
        echo "$lab/guest/kill-docker.sh"
    else
        die "no host named $1; see: lab list"
    fi
}

# has_docker NAME: a daemon runs there, started by its script or by that of the host before it
has_docker() {
    local file=$lab/hosts/$1.sh before
    [ -f "$file" ] || return 1
    grep -q '^start_docker' "$file" && return
    grep -q '^stop_docker' "$file" && return 1
    before=$(host_before "$1")
    [ -n "$before" ] && has_docker "$before"
}

host_names() {
    local file name
    for file in "$lab"/hosts/*.sh; do
        name=$(basename "$file" .sh)
        echo "$name"
        ! has_docker "$name" || echo "$name-dead"
    done
}

# The second line of a host's file says what it is; "# after NAME" names the host it goes on from.
describe_host() {
    local file
    file=$(host_script "$1") || exit 1
    case $file in
    */kill-docker.sh) echo "${1%-dead}, its Docker daemon killed (SIGKILL)" ;;
    *) sed -n '2s/^# //p' "$file" ;;
    esac
}

host_before() {
    local file
    file=$(host_script "$1") || exit 1
    case $file in
    */kill-docker.sh) echo "${1%-dead}" ;;
    *) sed -n 's/^# after //p' "$file" ;;
    esac
}

# What a host's state depends on: its script, the functions it uses, the host before it.
host_folder() {
    local file before parts
    file=$(host_script "$1") || exit 1
    before=$(host_before "$1")
    mapfile -t parts < <(sed -n "s|^\\. \"\$LAB/\\(guest/.*\\)\"|$lab/\\1|p" "$file")
    echo "host-$1-$({
        cat "$file" "$lab/lib/jobs.sh" "${parts[@]}"
        if [ -n "$before" ]; then host_folder "$before"; else base_folder; fi
    } | hash_of -)"
}

before_folder() {
    local before
    before=$(host_before "$1") || exit 1
    if [ -n "$before" ]; then host_folder "$before"; else base_folder; fi
}

# Minutes on a busy machine; alone, the longest takes two.
prepare_limit=900

make_host() {
    local host=$1 folder=$2 before began=$SECONDS status
    before=$(before_folder "$host")
    note "preparing $host"
    new_disks "$folder" "../$before"
    script_job "$folder" prepare "$host" "$(host_script "$host")"
    resume_of "$cache/$before"
    start_saveable "$folder" "$cache/$(root_folder)" "${resume[@]}"
    status=$(await_exit "$folder" "$vm_pid" "$prepare_limit")
    if [ "$status" != 0 ]; then
        end_machine "$vm_pid"
        tail -n 20 "$folder/log" "$folder/console.log" >&2
        die "preparing $host failed (status $status)"
    fi
    cp "$folder/log" "$folder/prepare.log"
    save_machine "$folder" || return 1
    note "prepared $host in $((SECONDS - began)) s"
}

build_host() {
    local before
    before=$(host_before "$1") || exit 1
    if [ -n "$before" ]; then build_host "$before"; else build_base; fi
    make_once "$(host_folder "$1")" make_host "$1" || die "no host $1"
}
