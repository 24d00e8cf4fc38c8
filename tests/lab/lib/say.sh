# shellcheck shell=bash
# How the lab speaks to a person.

note() { echo "lab: $*" >&2; }
die() {
    echo "lab: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# What the building machine must have: command, then the package that brings it.
missing_tools() {
    local command package
    while read -r command package; do
        command -v "$command" >/dev/null || echo "$package"
    done <<'TOOLS'
qemu-system-x86_64 qemu-system-x86
qemu-img qemu-utils
debootstrap debootstrap
mke2fs e2fsprogs
busybox busybox-static
cpio cpio
zstd zstd
TOOLS
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
}

# Twice: a qemu-img from another release is removed when its sister package comes in.
need_tools() {
    local missing
    for _ in 1 2; do
        mapfile -t missing < <(missing_tools)
        [ ${#missing[@]} = 0 ] && return
        note "installing ${missing[*]}"
        as_root apt-get -q update >/dev/null
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -qy --no-install-recommends install "${missing[@]}" >/dev/null ||
            die "cannot install ${missing[*]}"
    done
    mapfile -t missing < <(missing_tools)
    [ ${#missing[@]} = 0 ] || die "still missing after installing: ${missing[*]}"
}
