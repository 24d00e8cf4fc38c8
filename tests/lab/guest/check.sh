# shellcheck shell=bash disable=SC2034
# Checks inside the guest. Source it, call ok and equal; the closing line and the exit status
# come by themselves, also when the script ends early.

passed=0
failed=0

# ok SENTENCE COMMAND…: the command succeeds; its output is shown only when it does not
ok() {
    local sentence=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok: $sentence"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  command: %s\n  status: %s\n' "$sentence" "$*" "$status"
        printf '%s\n' "$output" | sed 's/^/  | /'
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

# eventually SECONDS COMMAND…: tries until it succeeds
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

close_checks() {
    local status=$?
    echo "$passed passed, $failed failed"
    [ "$status" = 0 ] || exit "$status"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}
trap close_checks EXIT
