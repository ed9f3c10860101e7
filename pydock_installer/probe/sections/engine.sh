# Preflight, engine. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# The packages that files belong to, a line each: "-" for none, "?" where that could not be found out.
owners_of() {
    [ "$rpm_status" != 124 ] && command -v rpm >/dev/null 2>&1 || return
    owners=$(limit 20 rpm -qf --qf '%{NAME}\n' "$@" 2>&1)
    lines=0
    set -f
    IFS=$newline
    for owner in $owners; do lines=$((lines + 1)); done
    # A file of two packages has two lines: then each is asked about alone, and the first counts.
    [ "$lines" -le $# ] || [ $# = 1 ] || {
        owners=
        for path in "$@"; do
            owner=$(limit 20 rpm -qf --qf '%{NAME}\n' "$path" 2>&1)
            owners=$owners${owner%%"$newline"*}$newline
        done
    }
    for owner in $owners; do
        case $owner in
        *'not owned by'*) echo - ;;
        *' '*) echo '?' ;;
        *) printf '%s\n' "$owner" ;;
        esac
    done
    set +f
    unset IFS
}

# Every docker command there is, and the engine that runs: how found, where, what it is after links, whose.
docker_copies() {
    set --
    copies=
    for place in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /opt/bin /snap/bin /var/lib/snapd/snap/bin; do
        for name in docker dockerd; do
            [ -e "$place/$name" ] || continue
            target=$(limit 5 readlink -f "$place/$name") || target=$place/$name
            copies="${copies}file$tab$place/$name$tab$target$newline"
            set -- "$@" "$target"
        done
    done
    number=
    [ ! -r /var/run/docker.pid ] || read -r number </var/run/docker.pid || [ -n "$number" ]
    case $number in
    '' | *[!0-9]*) ;;
    *)
        if target=$(readlink "/proc/$number/exe"); then
            target=${target% (deleted)}
            copies="${copies}running$tab$target$tab$target$newline"
            set -- "$@" "$target"
        fi
        ;;
    esac
    [ $# -gt 0 ] || return 0
    whose=$(owners_of "$@")
    set -f
    IFS=$newline
    # shellcheck disable=SC2086 - a line is a word
    set -- $whose
    for copy in $copies; do
        printf '%s\t%s\n' "$copy" "${1:-?}"
        [ $# = 0 ] || shift
    done
    set +f
    unset IFS
}
answer docker_copies docker_copies

# Only a running engine is asked: a question to an idle socket would start it.
engine_state() {
    case $state in *ActiveState=active*) ;; *) return 44 ;; esac
    # Engine 1.7.1 knows neither swarm nor live-restore.
    [ "$units_status" = 0 ] || return 44
    [ -z "$engine_said" ] || { printf '%s\n' "$engine_said"; return 0; }
    limit 15 docker info --format '{{.Swarm.LocalNodeState}} {{.LiveRestoreEnabled}}'
}
answer engine_state engine_state

# Kubernetes in its forms, by systemd; whether kubeadm was here; and the runtime that kubelet was told to use.
kubernetes() {
    case $units_status in 0 | 44) ;; *) return "$units_status" ;; esac
    printf '%s\n' "$kubernetes_units"
    [ ! -e /etc/kubernetes/kubelet.conf ] || echo Joined=yes
    set --
    for path in /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env /etc/sysconfig/kubelet; do
        [ ! -r "$path" ] || set -- "$@" "$path"
    done
    [ $# -gt 0 ] || return 0
    sed -n 's/.*container-\{0,1\}[rR]untime-\{0,1\}[eE]ndpoint[=: "]*\([A-Za-z0-9:\/._-]*\).*/Runtime=\1/p' "$@" |
        head -n 5
    return 0
}
answer kubernetes kubernetes

# SELinux's mode by its own file (1, 0, or off where it is not there), and whether Docker's policy is installed.
selinux() {
    mode=off
    for enforce in /sys/fs/selinux/enforce /selinux/enforce; do
        [ ! -r "$enforce" ] || read -r mode <"$enforce"
    done
    printf '%s\n' "$mode"
    [ "$mode" != off ] || return 0
    [ "$rpm_status" != 124 ] || return 1
    case $newline$rpm_said in *"${newline}container-selinux$tab"*) echo container-selinux ;; esac
    return 0
}
answer selinux selinux

# Last of all, so that what the probe itself takes does not look like a wrong clock.
answer clock date +%s
