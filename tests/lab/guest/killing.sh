# shellcheck shell=bash disable=SC2034
# Killing runs of thinscope at moments of chance, and what must hold right after. A run that is begun sets
# pid.

# pause MILLISECONDS, without a process: there is one processor too few already
exec {never}<> <(:)
pause() {
    local seconds
    printf -v seconds '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
    read -r -t "$seconds" -u "$never" || return 0
}
any_suspended() { grep -qs 1 /sys/block/dm-*/dm/suspended; }
# suspended_long: something is suspended now, and all of the next second
suspended_long() {
    local until=$((SECONDS + 2))
    while any_suspended; do
        [ "$SECONDS" -lt "$until" ] || return 0
        pause 50
    done
    return 1
}
journals() { local all=(/var/lib/thinscope/journal/*.jsonl); [ -e "${all[0]}" ] && echo ${#all[@]} || echo 0; }
# begun BEFORE: a run beyond so many is written down; or it ended without
begun() {
    while [ "$(journals)" -le "$1" ]; do
        kill -0 "$pid" 2>/dev/null || return 1
        pause 20
    done
}
