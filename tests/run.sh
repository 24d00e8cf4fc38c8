#!/usr/bin/env bash
# Passes all tests, installing what they need: style, lints, docs, licences, unit and integration
# tests, a short fuzz run, and the lab (a virtual machine with a real kernel, LVM and Docker).
#   tests/run.sh            everything
#   tests/run.sh quick      without fuzzing and without the lab
set -euo pipefail
cd "$(dirname "$0")/.."
. assets/setup.sh
what=${1:-all}

step() { say "$* (after ${SECONDS} s)"; }

step "packages"
install_build_packages
install_packages thin-provisioning-tools lvm2 util-linux e2fsprogs tmux jq
# public judges of what monitoring systems get
install_packages python3 python3-nagiosplugin libmonitoring-plugin-perl python3-prometheus-client
tests/promtool.sh
find_cargo

if [ "$what" = all ]; then
    step "lab: building the virtual machine in the background"
    lab_log=$(mktemp)
    tests/lab/lab build >"$lab_log" 2>&1 &
    lab_build=$!
fi

step "style";       cargo fmt --check
step "lints";       cargo clippy --locked --all-targets --quiet -- -D warnings
step "docs";        RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
step "tests";       cargo test --locked --no-fail-fast
[ "$what" = all ] || exit 0

step "fuzzing, briefly"
tests/fuzz/run.sh 4

step "lab"
wait "$lab_build" || { cat "$lab_log" >&2; die "the lab could not be built"; }
cargo build --release --locked --quiet
tests/lab/suite.sh
step "done"
