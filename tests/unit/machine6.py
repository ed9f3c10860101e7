"""A root directory that a script of release 6 takes for its host: made-up programs, under every shell there is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pydock_installer import legacy_report
from pydock_installer.setting_parts import EPEL_KEY
from tests.unit.modules import ROLES


def script(role):
    """A role's script, its parts in the order in which the role joins them."""
    text = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())[f"{role}_parts"]
    parts = []
    for names, place in re.findall(r"\[([^]]*)\][^]]*?role_path ~ '([^']*)'", text):
        directory = (ROLES / role / place.lstrip("/")).resolve()
        parts += [(directory / f"{name}.sh").read_text(encoding="utf-8") for name in re.findall(r"'(\w+)'", names)]
    return "".join(parts)


BUSYBOX: str = shutil.which("busybox") or next(
    map(str, Path.home().glob(".cache/pydock-lab/base-*/root/bin/busybox")), ""
)
SHELLS = {"bash": ["bash", "--posix"], "dash": ["dash"], "busybox": [BUSYBOX, "sh"]}
shells = pytest.mark.parametrize(
    "shell",
    [
        pytest.param(words, id=name, marks=pytest.mark.skipif(not words[0] or not shutil.which(words[0]), reason="not there"))
        for name, words in SHELLS.items()
    ],
)

#: What the made-up programs do; $R is the root. Engine and packages are files.
PROGRAMS = {
    "rpm": """
        case $1 in
        -q)
            case $2:$3 in
            --qf:*1.0* | --qf:*VERSION*) shift 3; for n; do printf '%s 1.0, ' "$n"; done ;;
            --qf:*) shift 3; [ "$1" != --whatprovides ] || shift
                for n; do [ -e "$R/rpm/$n" ] && echo "$n" || echo "package $n is not installed"; done ;;
            *) [ -e "$R/rpm/$2" ] ;;
            esac ;;
        -qa) for n in "$R"/rpm/*; do [ ! -e "$n" ] || echo "${n##*/}-1.0-1.x86_64"; done ;;
        -qf) case $2 in "$R"/*) ;; *) exit ;; esac; [ ! -e "$2" ] || echo "file $2 is not owned by any package"; exit 1 ;;
        --import) touch "$R/rpm/gpg-pubkey-0608b895" ;;
        -e)
            [ "$2" = --test ] || { shift 2; for n; do rm -f "$R/rpm/$n"; done; exit; }
            # needs/NAME has the packages that need it.
            shift 2; bad=0
            for n; do for needing in $(cat "$R/needs/$n" 2>/dev/null); do
                case " $* " in *" $needing "*) ;; *) echo "	$n is needed by (installed) $needing-1.0"; bad=1 ;; esac
            done; done
            exit $bad ;;
        esac""",
    "yum": """
        shift; verb=$1; shift
        while :; do case $verb in -*) verb=$1; shift ;; *) break ;; esac; done
        echo "yum $verb $*" >> "$R/log"
        for n; do case $verb:$n in *:-*) ;; install:*) touch "$R/rpm/$n" ;; remove:*) rm -f "$R/rpm/$n" ;; esac; done
        [ "$verb" != remove ] || [ -e "$R/rpm/docker-io" ] || { rm -f "$R/etc/init.d/docker"
            [ ! -e "$R/etc/sysconfig/docker" ] || mv "$R/etc/sysconfig/docker" "$R/etc/sysconfig/docker.rpmsave"; }
        [ ! -e "$R/rpm/docker-io" ] || { touch "$R/etc/init.d/docker"; chmod +x "$R/etc/init.d/docker"
            [ -e "$R/etc/sysconfig/docker" ] || echo 'other_args=""' > "$R/etc/sysconfig/docker"; }""",
    "curl": """
        while read -r key equals value; do case $key in url) url=$value ;; output) out=$value ;; esac; done
        url=${url#\\"} out=${out#\\"}; url=${url%\\"} out=${out%\\"}
        case $url in *archive.example*) echo ok > "$out" ;; *) echo 'curl: (6) no such name' >&2; exit 6 ;; esac""",
    "gpg": """case "$*" in *--fingerprint*) printf 'pub:\\nfpr:::::::::%s:\\n' "$(cat "$R/key")" ;; esac""",
    "chkconfig": """[ "$2" = on ] && touch "$R/etc/rc.d/rc3.d/S95$1" || rm -f "$R"/etc/rc.d/rc3.d/S95"$1" """,
    "service": """
        echo "service $1 $2" >> "$R/log"
        [ "$1" = docker ] || exit 0
        . "$R/etc/sysconfig/docker"
        rm -f "$R/var/run/docker.pid"
        [ "$2" != stop ] || exit 0
        case $other_args in *--bad*) echo "flag provided but not defined: --bad" >> "$R/var/log/docker"; exit 0 ;; esac
        echo 77 > "$R/var/run/docker.pid"
        mkdir -p "$R/proc/77"; printf '/usr/bin/docker\\0-d\\0' > "$R/proc/77/cmdline"
        for w in $other_args; do printf '%s\\0' "$w" >> "$R/proc/77/cmdline"; done""",
    "docker": """
        case $1 in
        version) echo 'Client version: 1.7.1'; [ -e "$R/var/run/docker.pid" ] || exit 1; echo 'Server version: 1.7.1' ;;
        ps) cat "$R/containers" 2>/dev/null ;;
        pull) echo 'missing signature key' >&2; exit 1 ;;
        load) cat > "$R/loaded" ;;
        run) echo 'I am the built-in image.' ;;
        esac""",
    "id": "echo 0",
    "uname": "echo x86_64",
    "restorecon": ":",
    # That of busybox is built without -delete.
    "find": 'exec /usr/bin/find "$@"',
    "sleep": ":",
    "kill": """echo "kill $*" >> "$R/log"; rm -rf "$R/proc/$3" """,
    "umount": """
        echo "umount $1" >> "$R/log"
        [ ! -e "$R/busy" ] || { echo "umount: $1: device is busy" >&2; exit 1; }
        awk -v point="$1" '{ place = $5; gsub(/\\\\040/, " ", place) } place != point' "$R/proc/self/mountinfo" > "$R/mounts"; mv "$R/mounts" "$R/proc/self/mountinfo" """,
    "ip": """[ "$1 $2" != "link delete" ] || rm -rf "$R/sys/class/net/$3" """,
    "getent": """[ -e "$R/etc/group" ] && grep "^$2:" "$R/etc/group" """,
    "groupdel": """grep -v "^$1:" "$R/etc/group" > "$R/groups"; mv "$R/groups" "$R/etc/group" """,
    "iptables-save": """[ "$1" = -t ] || cat "$R/rules" 2>/dev/null""",
    "ip6tables-save": ":",
    "iptables-restore": """echo "iptables-restore $*" >> "$R/log"; tee "$R/undone" > /dev/null; : > "$R/rules" """,
    "dmsetup": """case $1 in ls) cat "$R/devices" 2>/dev/null ;; remove) echo "dmsetup remove $2" >> "$R/log"
        grep -v "^$2	" "$R/devices" > "$R/left"; mv "$R/left" "$R/devices" ;; esac""",
    "losetup": """case $1 in -a) cat "$R/loops" 2>/dev/null ;; -d) echo "losetup -d $2" >> "$R/log"; : > "$R/loops" ;; esac""",
}


class Machine:
    """A root directory that the script takes for its host."""

    def __init__(self, root, shell, role="docker_legacy"):
        self.root, self.shell, self.role = root, shell, role
        for name in ("rpm", "proc/self", "proc/sys/net/ipv4", "tmp", "var/run", "var/log", "etc/init.d", "etc/rc.d/rc3.d", "etc/yum.repos.d",
                     "etc/sysconfig", "etc/pki/rpm-gpg", "bin"):  # fmt: skip
            (root / name).mkdir(parents=True)
        self.write("etc/redhat-release", "CentOS release 6.10 (Final)\n")
        self.write("etc/inittab", "# runlevels\nid:3:initdefault:\n")
        self.write("key", EPEL_KEY)
        self.write("proc/sys/net/ipv4/ip_forward", "0\n")
        self.write("proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
        for name, body in PROGRAMS.items():
            self.write(f"bin/{name}", f"#!/bin/sh\nR={root}\n{body}\n").chmod(0o755)
        here = re.sub(r"(?<![\w}$])/(etc|var|proc|tmp)/", rf"{root}/\1/", script(role))
        here = here.replace("/sbin/service", f"{root}/bin/service").replace("PATH=/usr/local/sbin", f"PATH={root}/bin:/usr/local/sbin")
        here = here.replace("/sys/class/net", f"{root}/sys/class/net").replace("/opt/bin", f"{root}/opt/bin")
        # busybox takes its own applets before what is in PATH, and every shell its own kill.
        first = "".join(f'{name}() {{ {root}/bin/{name} "$@"; }}\n' for name in ("rpm", "id", "uname", "sleep", "umount", "losetup", "ip", "find"))
        self.script = f'kill() {{ {root}/bin/kill "$@"; }}\n' + (first if "busybox" in shell[0] else "") + here

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)
        return self.root / name

    def read(self, name):
        return (self.root / name).read_text()

    def run(self, *arguments):
        done = subprocess.run(
            [*self.shell, "-c", self.script, self.role, *arguments],
            capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.stderr == ""
        assert not list((self.root / "tmp").iterdir()), "nothing is left behind"
        told = legacy_report.result({"stdout": f"a banner\r\n{done.stdout}".replace("\n", "\r\n"), "rc": done.returncode})
        assert len(told["steps"]) == done.stdout.count('"step"')
        return {step["name"]: step["status"] for step in told["steps"]}, told
