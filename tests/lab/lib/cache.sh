# shellcheck shell=bash disable=SC2154,SC2034 # parts of one script: lab
# What is made once: the root, a booted machine over it, the hosts over that. Each is a folder
# whose name carries a hash of everything it was made from, and which appears only when finished.

cache=${THINSCOPE_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/thinscope-lab}

hash_of() { cat "$@" | sha256sum | cut -c 1-12; }

root_folder() { echo "root-$(find "$lab/make" -type f | LC_ALL=C sort | xargs cat | hash_of -)"; }

base_folder() {
    echo "base-$({ root_folder && qemu-system-x86_64 --version && cat "$lab/lib/vm.sh"; } | hash_of -)"
}

# make_once FOLDER FUNCTION…: calls FUNCTION… NEW-FOLDER unless FOLDER is there; safe against
# interruption and against another lab at the same time
make_once() {
    local name=$1 new
    shift
    [ -d "$cache/$name" ] && return
    mkdir -p "$cache"
    (
        flock 9
        [ -d "$cache/$name" ] && exit
        new=$cache/partial-$name
        rm -rf "$new"
        mkdir "$new"
        "$@" "$new" 9>&- || exit 1
        mv -T "$new" "$cache/$name"
    ) 9>"$cache/lock-$name"
}

make_root() {
    note "making the root file system (about two minutes)"
    as_root env THINSCOPE_LAB_MIRROR="${THINSCOPE_LAB_MIRROR:-}" "$lab/make/root.sh" "$1" || return 1
    as_root chown -R "$(id -u):$(id -g)" "$1"
}

make_base() {
    local folder=$1
    note "first boot (about 30 seconds)"
    first_disks "$folder" "../$(root_folder)/root.img"
    no_job "$folder"
    start_saveable "$folder" "$cache/$(root_folder)"
    wait_for "$folder" "$vm_pid" READY 900 || {
        end_machine "$vm_pid"
        tail -n 20 "$folder/console.log" >&2
        die "the first boot failed"
    }
    save_machine "$folder"
}

build_base() {
    make_once "$(root_folder)" make_root || die "no root file system"
    make_once "$(base_folder)" make_base || die "no booted machine"
}

# Folders of another hash: of no use any more.
drop_stale() {
    local keep folder
    keep=" $(root_folder) $(base_folder) $(for host in $(host_names); do host_folder "$host"; done | tr '\n' ' ')"
    for folder in "$cache"/*-*/; do
        folder=$(basename "$folder")
        case $keep in *" $folder "*) ;; *) rm -rf "${cache:?}/$folder" ;; esac
    done
}
