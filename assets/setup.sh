# Shared by assets/start.sh and tests/run.sh: installs what is missing on Debian and Ubuntu.
# Sourced, not run.

say() { printf '%s\n' "== $*" >&2; }
die() { printf '%s\n' "$0: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages NAME...: those that are not there yet, from the distribution's own mirror.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null || die "these are needed and this machine has no apt-get: ${missing[*]}"
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
}

# What the build needs: libdevmapper's header, libclang for its bindings, a linker.
install_build_packages() {
    install_packages gcc libc6-dev pkg-config libdevmapper-dev libudev-dev clang libclang-dev
}

find_cargo() {
    command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null || die "no Rust toolchain: install Rust 1.88 or later (rustup), then run this again"
}
