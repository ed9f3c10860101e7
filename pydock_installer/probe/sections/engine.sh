# Preflight, engine. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# The package that a file belongs to, "-" for none, "?" where that could not be found out.
owner_of() {
    command -v rpm >/dev/null 2>&1 || { echo '?'; return; }
    if owner=$(limit 20 rpm -qf --qf '%{NAME}\n' "$1" 2>&1); then
        printf '%s\n' "$owner" | head -n 1
    else
        case $owner in *"not owned by"*) echo - ;; *) echo '?' ;; esac
    fi
}

# Every docker command there is, and the engine that runs: how found, where, what it is after links, whose.
docker_copies() {
    for place in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /opt/bin /snap/bin /var/lib/snapd/snap/bin; do
        for name in docker dockerd; do
            [ -e "$place/$name" ] || continue
            target=$(limit 5 readlink -f "$place/$name") || target=$place/$name
            printf 'file\t%s\t%s\t%s\n' "$place/$name" "$target" "$(owner_of "$target")"
        done
    done
    number=$(head -c 16 /var/run/docker.pid)
    case $number in '' | *[!0-9]*) return 0 ;; esac
    target=$(readlink "/proc/$number/exe") || return 0
    target=${target% (deleted)}
    printf 'running\t%s\t%s\t%s\n' "$target" "$target" "$(owner_of "$target")"
}
answer docker_copies docker_copies

# Only a running engine is asked: a question to an idle socket would start it.
engine_state() {
    case $state in *ActiveState=active*) ;; *) return 44 ;; esac
    limit 15 docker info --format '{{.Swarm.LocalNodeState}} {{.LiveRestoreEnabled}}'
}
answer engine_state engine_state

# Kubernetes in its forms, by systemd; whether kubeadm was here; and the runtime that kubelet was told to use.
kubernetes() {
    if command -v systemctl >/dev/null 2>&1; then
        limit 10 systemctl show kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service \
            -p Id -p LoadState -p ActiveState || return
    fi
    [ ! -e /etc/kubernetes/kubelet.conf ] || echo Joined=yes
    sed -n 's/.*container-\{0,1\}[rR]untime-\{0,1\}[eE]ndpoint[=: "]*\([A-Za-z0-9:\/._-]*\).*/Runtime=\1/p' \
        /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env /etc/sysconfig/kubelet | head -n 5
    return 0
}
answer kubernetes kubernetes

# SELinux's mode by its own file (1, 0, or off where it is not there), and whether Docker's policy is installed.
selinux() {
    mode=off
    for enforce in /sys/fs/selinux/enforce /selinux/enforce; do
        [ ! -r "$enforce" ] || mode=$(head -c 1 "$enforce")
    done
    printf '%s\n' "$mode"
    [ "$mode" != off ] && command -v rpm >/dev/null 2>&1 || return 0
    limit 20 rpm -q --qf '%{NAME}\n' container-selinux
    [ $? -lt 124 ]
}
answer selinux selinux

# Last of all, so that what the probe itself takes does not look like a wrong clock.
answer clock date +%s
