#!/usr/bin/env bash
# Install the programs that `make bench` measures edgeprof beside, from Debian's packages, none of their services
# started. What is there already is left alone; the benchmark says which of them it does without.
set -euo pipefail
missing=()
command -v collectd >/dev/null || missing+=(collectd-core)
command -v glances >/dev/null || missing+=(glances)
command -v prometheus-node-exporter >/dev/null || missing+=(prometheus-node-exporter)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, and no root to install with: ${missing[*]}; they are not measured" >&2
    exit 0
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # no service is started
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
