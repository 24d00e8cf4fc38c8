# shellcheck shell=bash disable=SC2154,SC2034 # parts of one script: lab
# What a machine is given to do, and how it ended.

# script_job FOLDER KIND HOST SCRIPT [ARG…]: the job disk; uses adds=(FILE:GUESTPATH…), job_env
script_job() {
    local folder=$1 kind=$2 host=$3 script=$4 tree add from to
    shift 4
    tree=$folder/job
    mkdir -p "$tree/add"
    cp -r "$lab/guest" "$tree/guest"
    install -m 755 "$script" "$tree/script"
    if [ $# -gt 0 ]; then printf '%s\0' "$@"; fi >"$tree/arguments"
    {
        printf 'LAB=/job\nLAB_HOST=%q\n' "$host"
        printf '%s\n' "${job_env[@]}"
    } >"$tree/env"
    for add in "${adds[@]}"; do
        from=${add%%:*} to=${add#*:}
        [ -e "$from" ] || die "no such file: $from"
        mkdir -p "$tree/add/$(dirname "$to")"
        cp -r --preserve=mode "$from" "$tree/add/$to"
    done
    give_job "$folder" "$kind" "$tree"
    rm -rf "$tree"
}
adds=()
job_env=()

# await_exit FOLDER PID SECONDS: prints the job's status, or why there is none; 0 only for status 0
await_exit() {
    local folder=$1 status
    wait_for "$folder" "$2" '^EXIT' "$3"
    case $? in
    1) status="none: the machine ended" ;;
    2) status="none: the limit of $3 s is over" ;;
    *) status=$(sed -n 's/^EXIT [0-9]* //p' "$folder/ctl") ;;
    esac
    echo "$status"
}
