# Docker's unit. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# The lines that decide docker's flags: of the unit, of its drop-ins (also where there is no unit yet), and of the
# files with its options. Lines about proxies are left out, because they may hold passwords.
docker_unit() {
    for base in /usr/lib/systemd/system /run/systemd/system /etc/systemd/system; do
        for unit in "$base/docker.service" "$base"/docker.service.d/*.conf; do
            [ -f "$unit" ] || continue
            [ -r "$unit" ] || return 77
            printf 'unit\t%s\n' "$unit"
            head -c 32768 "$unit" | awk '
                more || /^[ \t]*ExecStart[ \t]*=/ { print; more = ($0 ~ /\\$/); next }
                /^[ \t]*Environment[ \t]*=/ && tolower($0) !~ /proxy/ { print }'
        done
    done
    for options in /etc/sysconfig/docker /etc/sysconfig/docker-storage /etc/sysconfig/docker-network \
        /etc/default/docker; do
        [ -f "$options" ] && [ -r "$options" ] || continue
        printf 'options\t%s\n' "$options"
        head -c 32768 "$options" | grep -E '^[A-Za-z_]+=' | grep -v -i proxy
    done
    return 0
}
answer docker_unit docker_unit
