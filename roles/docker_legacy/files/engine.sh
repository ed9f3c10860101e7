# The engine as it is found: its process, its containers, its options, and whether it starts at boot.
running() {
    number=
    read -r number </var/run/docker.pid || [ -n "$number" ] || return 1
    case $number in '' | *[!0-9]*) return 1 ;; esac
    grep -q docker "/proc/$number/cmdline"
}
answers() { timeout 15 docker version >"$work/version" 2>&1 && grep -q '^Server version:' "$work/version"; }
# How many run. An engine that does not answer is not without containers: the kernel knows those of it.
containers() {
    if timeout 15 docker ps -q >"$work/containers" 2>"$said"; then
        grep -c . "$work/containers"
    else
        sed -n 's|.*/docker/\([0-9a-f]\{12,\}\)$|\1|p' /proc/[0-9]*/cgroup 2>"$said" | sort -u | grep -c .
    fi
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
