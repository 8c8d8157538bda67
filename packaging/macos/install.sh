#!/bin/bash
# Install edgeprof on a Mac: an environment of its own, its commands on the PATH, and the agent as a service.
#     packaging/macos/install.sh dist/edgeprof-*.whl [FOLDER]        FOLDER is /opt/edgeprof unless given
# Once more with a newer wheel upgrades it. To remove it: sudo edgeprof-agent uninstall-service; sudo rm -r /opt/edgeprof
set -euo pipefail

die() { echo "install.sh: $1" >&2; exit 2; }

[ "$(uname -s)" = Darwin ] || die "this is for macOS; on Debian and Ubuntu install the package edgeprof_*.deb"
[ "$(uname -m)" = arm64 ] || die "only Macs with Apple Silicon are supported"
wheel=${1:?which wheel? make packages builds one in dist/}
[ -f "$wheel" ] || die "$wheel is not there: make packages builds it"
folder=${2:-/opt/edgeprof}
constraints=$(dirname "$0")/../../constraints.txt

python=""
for version in 3.13 3.12 3.11 3.10; do
    if command -v "python$version" >/dev/null; then python=python$version && break; fi
done
[ -n "$python" ] || die "no Python 3.10 to 3.13 was found: brew install python@3.13"

as_root=sudo
if mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ]; then as_root=""; fi
[ -x "$folder/bin/python" ] || $as_root "$python" -m venv "$folder"
# Not from a download of a browser, so that Gatekeeper does not ask about it.
$as_root "$folder/bin/python" -m pip install --quiet --upgrade --constraint "$constraints" "$wheel[models,hub,enroll,collector,mlx]"
if [ "$folder" = /opt/edgeprof ]; then
    sudo mkdir -p /usr/local/bin
    for command in edgeprof edgeprof-agent; do sudo ln -sf "$folder/bin/$command" "/usr/local/bin/$command"; done
    sudo "$folder/bin/edgeprof-agent" install-service
fi
"$folder/bin/edgeprof" --version
