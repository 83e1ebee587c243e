#!/usr/bin/env bash
# Make .venv with the pinned tools: the first Python >= 3.11 that can make one, installed if none can.
# Usage: tests/tools/venv.sh   (from the root; does nothing when .venv already matches the pins)
set -euo pipefail
cd "$(dirname "$0")/../.."

pins=requirements/dev.txt
stamp=.venv/.pins

works() { "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

pick() {
    local python
    for python in python3 python3.13 python3.12 python3.11; do
        if works "$python"; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

install() {
    command -v apt-get >/dev/null || return 1
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq
    # The distribution's own Python first (Debian 12 and later, Ubuntu 24.04); Ubuntu 22.04's is
    # too old but 3.11 is beside it.
    "${sudo[@]}" apt-get install -y -qq python3 python3-venv >/dev/null
    pick >/dev/null || "${sudo[@]}" apt-get install -y -qq python3.11 python3.11-venv >/dev/null
}

mkdir -p build
exec 9>build/.venv.lock
flock 9
if cmp -s "$pins" "$stamp" && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi
if ! python=$(pick); then
    echo "venv: no Python >= 3.11 that can make a virtual environment; installing one" >&2
    if ! install || ! python=$(pick); then
        echo "venv: install Python >= 3.11 with its venv module, then run this again" >&2
        exit 1
    fi
fi
echo "venv: .venv from $("$python" --version), pinned by $pins (about a minute)" >&2
"$python" -m venv --clear .venv
# --no-deps: the pins are a complete lock, so there is nothing to resolve.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r "$pins"
cp "$pins" "$stamp"
