#!/usr/bin/env bash
# Install the servers and the browser that tests talk to, from Debian's packages. What is there already is left alone;
# without root or apt-get the tests that need them are skipped, each saying what it lacks.
set -euo pipefail
missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
command -v promtool >/dev/null || missing+=(prometheus)
command -v victoria-metrics >/dev/null || missing+=(victoria-metrics)
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
command -v ip >/dev/null || missing+=(iproute2)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, and no root to install with: ${missing[*]}; the tests that need them are skipped" >&2
    exit 0
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # no service is started
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
