#!/usr/bin/env bash
# Puts Prometheus' checker of metrics and rules at target/promtool, out of the distribution's
# package and without installing that: it would start a server.
set -euo pipefail
cd "$(dirname "$0")/.."
[ ! -x /usr/bin/promtool ] && [ ! -x target/promtool ] || exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get -q -o APT::Sandbox::User=root download prometheus >/dev/null)
dpkg -x "$folder"/prometheus_*.deb "$folder/root"
mkdir -p target
mv "$folder/root/usr/bin/promtool" target/promtool
