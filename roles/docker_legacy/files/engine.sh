# The engine as it is found: its process, its containers, its options, and whether it starts at boot.
running() { number_in /var/run/docker.pid && grep -q docker "/proc/$number/cmdline"; }
answers() { timeout 15 docker version >"$work/version" 2>&1 && grep -q '^Server version:' "$work/version"; }
# PROCESS CONTAINER of every process in a container, as the kernel has it: no engine is asked.
contained() {
    grep -H -E '/docker/[0-9a-f]+$' /proc/[0-9]*/cgroup |
        sed -n 's|^/proc/\([0-9]*\)/cgroup:.*/docker/\([0-9a-f]*\)$|\1 \2|p' | sort -u
}
# How many run. An engine that does not answer is not without containers.
containers() {
    timeout 15 docker ps -q >"$work/containers" || contained | sed 's/.* //' | sort -u >"$work/containers"
    grep -c . "$work/containers"
}
level() { sed -n 's/^id:\([0-9]\):.*/\1/p' /etc/inittab; }
on_at_boot() {
    for link in "/etc/rc.d/rc$(level).d"/S??"$1"; do [ ! -e "$link" ] || return 0; done
    return 1
}
value_of() { # VARIABLE FILE: what a shell makes of it
    [ -e "$2" ] || return 0
    (
        set +e
        unset other_args HTTP_PROXY HTTPS_PROXY NO_PROXY
        # shellcheck disable=SC1090 - as the init script does
        . "$2" >/dev/null 2>&1
        case $1 in
        other_args) printf %s "$other_args" ;;
        HTTP_PROXY) printf %s "$HTTP_PROXY" ;;
        HTTPS_PROXY) printf %s "$HTTPS_PROXY" ;;
        NO_PROXY) printf %s "$NO_PROXY" ;;
        esac
    )
}
