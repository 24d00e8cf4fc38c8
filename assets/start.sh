#!/usr/bin/env bash
# Builds thinscope, installing what the build needs, and opens the screen: on this host where it
# has device-mapper, else on a recorded host. Arguments are passed on to thinscope.
set -euo pipefail
cd "$(dirname "$0")/.."
. assets/setup.sh

install_build_packages
find_cargo
say "building"
cargo build --release --locked --quiet
thinscope=target/release/thinscope

[ $# -gt 0 ] && exec "$thinscope" "$@"
if ! grep -qw device-mapper /proc/misc; then
    say "this host has no device-mapper: opening a recorded host instead"
    exec "$thinscope" demo
fi
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
    exec sudo "$PWD/$thinscope"
fi
exec "$thinscope"
