#!/bin/sh
# Prints the path of a Python that has everything pydock and its tests need; makes it first where it is missing.
# It lives outside the checkout, keyed by what it was made from, so that every checkout with the same needs shares it.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
apt_install() {
    say "installing $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@" >&2
}

usable() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null; }
python=
for candidate in python3.11 python3.12 python3.10 python3; do
    if usable "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    apt_install python3
    python=python3
    usable "$python" || { say "pydock needs Python 3.10, 3.11 or 3.12; this system has $(python3 --version)"; exit 1; }
fi
wanted=
"$python" -c 'import ensurepip, venv' 2>/dev/null || wanted="$wanted python3-venv"
command -v sshpass >/dev/null || wanted="$wanted sshpass"
command -v ssh >/dev/null || wanted="$wanted openssh-client"
[ -x /usr/sbin/sshd ] || wanted="$wanted openssh-server"
# shellcheck disable=SC2086
[ -z "$wanted" ] || apt_install $wanted

version=$("$python" -c 'import sys; print(sys.version)')
key=$( (printf '%s\n' "$version"; cat "$top/pyproject.toml") | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pydock
venv=$cache/venv-$key
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -e "$venv/complete" ]; then
    say "making a Python environment with ansible-core and the test tools (once)"
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$top[test]" >&2
    # The checkout itself is used from where it is.
    "$venv/bin/python" -m pip uninstall --quiet --yes pydock-installer >&2
    touch "$venv/complete"
fi
printf '%s\n' "$venv/bin/python"
