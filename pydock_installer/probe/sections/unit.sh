# Docker's unit. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# The lines that decide docker's flags: of the unit, of its drop-ins (also where there is no unit yet), and of the
# files with its options. Lines about proxies are left out, because they may hold passwords.
docker_unit() {
    set --
    for base in /usr/lib/systemd/system /run/systemd/system /etc/systemd/system; do
        for path in "$base/docker.service" "$base"/docker.service.d/*.conf; do
            [ -f "$path" ] || continue
            [ -r "$path" ] || return 77
            set -- "$@" "$path"
        done
    done
    for path in /etc/sysconfig/docker /etc/sysconfig/docker-storage /etc/sysconfig/docker-network /etc/default/docker; do
        [ ! -f "$path" ] || [ ! -r "$path" ] || set -- "$@" "$path"
    done
    [ $# -gt 0 ] || return 0
    awk 'BEGIN {
        for (i = 1; i < ARGC; i++) {
            unit = ARGV[i] ~ /\/systemd\//
            printf "%s\t%s\n", unit ? "unit" : "options", ARGV[i]
            more = size = 0
            while ((getline line < ARGV[i]) > 0 && (size += length(line) + 1) <= 32768) {
                if (unit && (more || line ~ /^[ \t]*ExecStart[ \t]*=/)) { print line; more = line ~ /\\$/ }
                else if (tolower(line) ~ /proxy/) continue
                else if (line ~ (unit ? "^[ \t]*Environment[ \t]*=" : "^[A-Za-z_]+=")) print line
            }
            close(ARGV[i])
        }
    }' "$@"
}
answer docker_unit docker_unit
