#!/bin/sh
# Make the virtual environment and install what Wedau needs: system packages on Debian (as root or
# with sudo), Python packages everywhere. Run by make; `wedau doctor` says what is missing elsewhere.
#   setup.sh VENV                        all of it
#   setup.sh VENV python-only [WHEEL]    Wedau and what it imports, from here or from a wheel; elsewhere
#                                        than on Debian nothing else has to be there
set -eu

venv=$1
part=${2:-all}
wheel=${3:-}
root=$(dirname "$0")/..
packages=$root/tools/wedau/build/debian_packages.txt

say() { printf '%s\n' "wedau: $*" >&2; }
fail() {
    printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

install_debian_packages() {
    missing=
    for package in $(sed 's/#.*//' "$packages"); do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            fail "these system packages are missing:$missing" "as root: apt-get install$missing"
        as_root=sudo
    fi
    say "installing system packages:$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086 # the packages are words
    if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install:$missing" \
            "see the lines above; clang-22 is in Debian 12's and 13's security archive"
    fi
    rm -f "$log"
}

find_python() {
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
        then
            command -v "$python"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found" "install one, for example from python.org"
}

# Debian's packages are for Debian; elsewhere, and on derivatives without clang-22, doctor says what to do.
debian=no
if [ -r /etc/os-release ] && grep -q '^ID=debian' /etc/os-release; then
    debian=yes
    install_debian_packages
fi

python=$(find_python)
if ! [ -x "$venv/bin/python" ]; then
    say "making a virtual environment with $python"
    "$python" -m venv "$venv" || fail "$python cannot make a virtual environment" \
        "install its venv module (Debian: apt-get install python3-venv)"
fi
if [ "$part" = python-only ] && ! [ -e "$venv/.ready" ]; then
    say "installing Wedau and the Python packages that it imports"
    if [ -n "$wheel" ]; then set -- "$wheel"; else set -- --editable "$root"; fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    touch "$venv/.python-ready"
    exit
fi
say "installing Python packages (a few minutes the first time)"
export PIP_USE_PEP517=1 # what comes as source is built as newer versions of pip do, without a warning
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root[test]"
if [ $debian = no ]; then
    "$venv/bin/wedau" doctor >&2 || fail "this system lacks what is marked missing above" \
        "install it as the hints say, then run make again"
fi
touch "$venv/.ready" "$venv/.python-ready"
