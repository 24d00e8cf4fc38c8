#!/usr/bin/env bash
# Makes the picture in README again, from the program's own rendering of a recorded host.
set -euo pipefail
cd "$(dirname "$0")/.."
target/release/thinscope __picture --demo direct-lvm --size 110x30 --keys "jjjjjjj" >assets/screen.svg
