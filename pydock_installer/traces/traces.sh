# What there is of Docker on a host: everything that an uninstallation shows, takes away or leaves. Runs after probe.sh
# and sections/engine.sh in the same shell, with their functions and rules: POSIX sh, read-only, bounded.
# Rows are separated by tabs; a path or name that has one is not Docker's.
case $privilege in
root | sudo) ;;
*) exit 0 ;;
esac

file journal /var/lib/pydock/journal.jsonl

units() {
    command -v systemctl >/dev/null 2>&1 || return 44
    limit 10 systemctl show docker.service docker.socket containerd.service \
        -p Id -p LoadState -p ActiveState -p UnitFileState -p FragmentPath
}
answer units units

# Release 6: no systemd, an engine that takes no --format, and nothing of containerd.
old=no
command -v systemctl >/dev/null 2>&1 || old=yes

active=no
case $state in *ActiveState=active*) active=yes ;; esac
containerd_active=no
! limit 10 systemctl is-active -q containerd.service 2>/dev/null || containerd_active=yes

# Where the data is: what the engine says, its settings, its flags, and what the journal remembers of all that.
setting() { sed -n 's/.*"\('"$2"'\)"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\2/p' "$1" 2>/dev/null | head -n 1; }
flag() { docker_unit 2>/dev/null | sed -n 's/.*[[:space:]"'"'"']\(-g\|--graph\|--data-root\)[= ]["'"'"']*\([^ "'"'"']*\).*/\2/p' | tail -n 1; }
remembered() { sed -n 's/.*"name": "'"$1"'".*"value": "\([^"]*\)".*/\1/p' /var/lib/pydock/journal.jsonl 2>/dev/null; }
docker_roots() {
    [ "$active" = no ] || limit 15 docker info --format '{{.DockerRootDir}}' 2>/dev/null | sed 's|/[0-9]*\.[0-9]*$||'
    setting /etc/docker/daemon.json 'data-root'
    setting /etc/docker/daemon.json 'graph'
    flag
    remembered data-root
    echo /var/lib/docker
}
containerd_roots() {
    sed -n 's/^[[:space:]]*root[[:space:]]*=[[:space:]]*["'"'"']\([^"'"'"']*\)["'"'"'].*/\1/p' /etc/containerd/config.toml 2>/dev/null | head -n 1
    remembered containerd-root
    echo /var/lib/containerd
}
containerd_roots=
data_roots=$(docker_roots | grep '^/' | awk '!seen[$0]++' | head -n 8)
[ "$old" = yes ] || containerd_roots=$(containerd_roots | grep '^/' | awk '!seen[$0]++' | head -n 8)

# kind, path, what it really is, dir|link|absent|other, KiB or -
root() {
    kind=other
    [ ! -d "$2" ] || kind=dir
    [ ! -L "$2" ] || kind=link
    [ -e "$2" ] || [ -L "$2" ] || kind=absent
    real=$(readlink -f -- "$2" 2>/dev/null) || real=$2
    size=-
    if [ -d "$2" ]; then
        size=$(limit 20 du -skx -- "$real/" 2>/dev/null | cut -f 1)
    fi
    printf 'root\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$real" "$kind" "${size:--}"
    [ -d "$2" ] || return 0
    ls -Aq -- "$2/" | head -n 200 | sed 's/^/entry\t/'
}
roots() {
    printf '%s\n' "$data_roots" | while IFS= read -r place; do root docker "$place"; done
    printf '%s' "${containerd_roots:+$containerd_roots$newline}" | while IFS= read -r place; do root containerd "$place"; done
}
answer roots roots

# KiB or -, and the directory that holds a volume's files.
volumes() {
    printf '%s\n' "$data_roots" | while IFS= read -r place; do
        [ -d "$place/volumes" ] || continue
        cd "$place/volumes" || return 77
        for volume in */; do
            [ -d "$volume" ] || continue
            printf 'volume\t%s\t%s\n' "$place" "${volume%/}"
        done
        limit 20 du -skx -- */_data 2>/dev/null | sed 's|^\([0-9]*\)\t\(.*\)/_data$|size\t\1\t\2|' | head -n 5000
    done
    return 0
}
answer volumes volumes

# An engine that does not answer is a reason to take it off: then its directories tell.
containers() {
    if [ "$active$old" = yesno ] && listed=$(limit 15 docker ps -a --no-trunc --format '{{.Names}}	{{.Image}}	{{.Status}}'); then
        printf '%s\n' "$listed" | grep .
        return 0
    fi
    running=
    [ "$active$old" != yesyes ] || running=$(limit 15 docker ps -q --no-trunc)
    printf '%s\n' "$data_roots" | while IFS= read -r place; do
        # Up to 1.7 it is config.json.
        for one in "$place"/containers/*/config.v2.json "$place"/containers/*/config.json; do
            [ -f "$one" ] || continue
            name=$(head -c 262144 "$one" | sed -n 's/.*"Name":"\/\([A-Za-z0-9_.-]*\)".*/\1/p' | head -n 1)
            id=${one%/*}
            status=
            [ -z "$running" ] || case $running in *"${id##*/}"*) status=Up ;; *) status=Exited ;; esac
            printf '%s\t\t%s\n' "${name:-?}" "$status"
        done
    done
}
answer containers containers

images() {
    if [ "$active" = yes ] && listed=$(limit 15 docker images -q --no-trunc); then
        printf '%s\n' "$listed" | grep . | sort -u | grep -c .
        return 0
    fi
    printf '%s\n' "$data_roots" | while IFS= read -r place; do
        ls "$place"/image/*/imagedb/content/sha256 2>/dev/null
        # Up to 1.9: the images that have a name.
        grep -h -o -E '"[0-9a-f]{64}"' "$place"/repositories-* 2>/dev/null | sort -u
    done | grep -c .
    return 0
}
answer images images

networks() {
    [ "$active$old" = yesno ] || return 44
    limit 15 docker network ls --format '{{.Name}}	{{.Driver}}'
}
answer networks networks

# Bridges that Docker's own book names as made by it; its book is a database whose values are JSON.
own_bridges() {
    printf '%s\n' "$data_roots" | while IFS= read -r place; do
        [ -f "$place/network/files/local-kv.db" ] || continue
        head -c 16777216 "$place/network/files/local-kv.db" |
            grep -a -o '"BridgeIfaceCreator":1,"BridgeName":"[A-Za-z0-9_.-]*"' | sed 's/.*:"\(.*\)"/\1/'
    done | sort -u | head -n 500
}
answer own_bridges own_bridges

# Bridges with their ports.
links() {
    for link in /sys/class/net/*/bridge; do
        [ -d "$link" ] || continue
        link=${link%/bridge}
        printf '%s' "${link##*/}"
        for port in "$link"/brif/*; do
            [ ! -e "$port" ] || printf '\t%s' "${port##*/}"
        done
        printf '\n'
    done
}
answer links links

# What may be Docker's in each packet filter: its chains, rules that lead there or name its links, and FORWARD's policy.
firewall() {
    for tool in iptables ip6tables; do
        command -v "$tool-save" >/dev/null 2>&1 || continue
        flavours=$tool
        case $(limit 10 "$tool" --version 2>/dev/null) in
        *nf_tables*) command -v "$tool-legacy-save" >/dev/null 2>&1 && flavours="$flavours $tool-legacy" ;;
        *) command -v "$tool-nft-save" >/dev/null 2>&1 && flavours="$flavours $tool-nft" ;;
        esac
        for flavour in $flavours; do
            printf 'tool\t%s\n' "$flavour"
            limit 10 "$flavour-save" 2>/dev/null |
                awk '/^\*/ || /^:FORWARD / || /^:DOCKER/ || (/^-A/ && (/DOCKER/ || /docker/ || /br-[0-9a-f]/))' | head -c 100000
        done
    done
    ! command -v nft >/dev/null 2>&1 || limit 10 nft list tables 2>/dev/null | sed -n 's/^table \(ip6\{0,1\}\) docker-bridges$/nft\t\1 docker-bridges/p'
    for zone in zones/docker.xml policies/docker-forwarding.xml; do
        [ ! -f "/etc/firewalld/$zone" ] || printf 'firewalld\t%s\n' "/etc/firewalld/$zone"
    done
    return 0
}
answer firewall firewall

# The group, its members, and those who have it as their first.
group() {
    line=$(getent group docker) || return 44
    printf '%s\n' "$line"
    number=$(printf '%s' "$line" | cut -d : -f 3)
    awk -F : -v number="$number" '$4 == number { print $1 }' /etc/passwd | head -n 20
}
answer group group

# On release 6: what /run is elsewhere, the engine's log, links of a service that is gone, EPEL, and saved rules.
old_files() {
    [ -L /var/run ] || set -- /var/run/docker /var/run/docker.sock /var/run/docker.pid
    [ -e /etc/init.d/docker ] || set -- "$@" /etc/rc.d/rc[0-6].d/[SK][0-9][0-9]docker
    for place in "$@" /var/lock/subsys/docker /etc/sysconfig/docker.pydock-*.bak /var/log/docker /var/log/docker-[0-9]*; do
        { [ ! -e "$place" ] && [ ! -L "$place" ]; } || printf '%s\tfile\n' "$place"
    done
    for place in /etc/yum.repos.d/epel.repo /etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6 /var/cache/yum/*/*/epel; do
        [ ! -e "$place" ] || printf '%s\tepel\n' "$place"
    done
    ! grep -q '^:DOCKER ' /etc/sysconfig/iptables 2>/dev/null || printf '/etc/sysconfig/iptables\tsaved\n'
}

# Files and directories that are Docker's wherever they are; what belongs to a package goes with it.
files() {
    for place in /etc/docker /etc/containerd /etc/systemd/system/docker.service /etc/systemd/system/docker.socket \
        /etc/systemd/system/containerd.service /etc/systemd/system/docker.service.d /etc/systemd/system/docker.socket.d \
        /etc/systemd/system/containerd.service.d /etc/sysconfig/docker /etc/sysconfig/docker-storage \
        /etc/sysconfig/docker-network /etc/sysconfig/*docker*.rpmsave /etc/containerd/*.rpmsave \
        /etc/systemd/system/multi-user.target.wants/docker.service /etc/systemd/system/sockets.target.wants/docker.socket \
        /etc/systemd/system/multi-user.target.wants/containerd.service \
        /etc/yum.repos.d/docker-ce.repo /etc/yum.repos.d/docker-ce.repo.* /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce \
        /var/cache/yum/*/*/docker-ce-* /var/cache/dnf/docker-ce-* /run/docker /run/docker.sock /run/docker.pid /run/containerd \
        /opt/containerd /var/lib/pydock/proof.json; do
        [ -e "$place" ] || [ -L "$place" ] || continue
        case $old$place in yes*containerd*) continue ;; esac
        what=file
        [ ! -d "$place" ] || what=dir
        printf '%s\t%s\n' "$place" "$what"
        case $place in
        /etc/docker | /etc/*.service.d | /etc/*.socket.d) find "$place" -mindepth 1 -maxdepth 3 ! -type d 2>/dev/null | head -n 50 | sed 's/$/\tinside/' ;;
        esac
    done
    [ "$old" = no ] || old_files
    for list in /etc/yum/pluginconf.d/versionlock.list /etc/dnf/plugins/versionlock.list; do
        [ ! -f "$list" ] || grep -E '^[^#]*(docker-ce|containerd\.io|docker-(buildx|compose|scan|model)-plugin)' "$list" | head -n 20 | sed "s|^.*\$|$list\thold|"
    done
    return 0
}
answer files files

# Namespaces of this containerd, with the number of containers and images in each; without it, what its book names.
namespaces() {
    if [ "$containerd_active" = yes ]; then
        listed=$(limit 10 ctr namespaces ls -q) || return
        printf '%s\n' "$listed" | grep -E '^[A-Za-z0-9._-]{1,76}$' | head -n 50 | while IFS= read -r name; do
            things=$( (limit 10 ctr -n "$name" containers ls -q; limit 10 ctr -n "$name" images ls -q) 2>/dev/null | grep -c .)
            printf '%s\t%s\n' "$name" "$things"
        done
        return 0
    fi
    printf '%s\n' "$containerd_roots" | while IFS= read -r place; do
        [ -f "$place/io.containerd.metadata.v1.bolt/meta.db" ] || continue
        ! limit 10 grep -a -q 'k8s\.io' "$place/io.containerd.metadata.v1.bolt/meta.db" || printf 'k8s.io\t-\n'
    done
    remembered containerd-shared | head -n 1 | sed 's/$/\t-/'
    return 0
}
answer namespaces namespaces

# Engines and the shims of containers, also those that outlive their engine: process, name, arguments. Engine 1.7 has no shims:
# there a container's processes are known by their control group, which has the name of a container of this host.
processes() {
    [ "$old" = no ] || grep -H -E '/docker/[0-9a-f]+$' /proc/[0-9]*/cgroup 2>/dev/null |
        sed -n 's|^/proc/\([0-9]*\)/cgroup:.*/docker/\([0-9a-f]*\)$|\1 \2|p' | sort -u | while read -r number id; do
        printf '%s\n' "$data_roots" | while IFS= read -r place; do
            [ ! -d "$place/containers/$id" ] || printf '%s\tdocker-container\t%s\n' "$number" "$id"
        done
    done
    for place in /proc/[0-9]*; do
        { read -r name <"$place/comm"; } 2>/dev/null || continue
        case $name in
        dockerd | dockerd-* | containerd | containerd-shim* | docker-containe* | docker-proxy) ;;
        *) continue ;;
        esac
        printf '%s\t%s\t%s\n' "${place##*/}" "$name" "$(tr '\0\n\t' '   ' <"$place/cmdline" 2>/dev/null | head -c 300)"
    done
    return 0
}
answer processes processes

mounts() { head -c 262144 /proc/self/mountinfo; }
answer mounts mounts
answer ip_forward cat /proc/sys/net/ipv4/ip_forward

# Who would be left without what is to go: rpm's own word, with containerd and without. "$@" are the names that are asked about.
needed() {
    command -v rpm >/dev/null 2>&1 || return 44
    installed=$(limit 30 rpm -q --qf '%{NAME}\n' "$@" 2>/dev/null | grep -E '^(docker|containerd)' | grep -v ' ')
    # An application for the system tray.
    [ "$old" = no ] || installed=$(printf '%s\n' "$installed" | grep -v -x docker)
    [ -n "$installed" ] || return 0
    # Names of packages have no blanks and no stars.
    limit 30 rpm -e --test $installed 2>&1 | sed -n 's/.* is needed by (installed) \(.*\)/all\t\1/p' | head -n 20
    rest=$(printf '%s\n' "$installed" | grep -v '^containerd\.io$')
    [ -z "$rest" ] || limit 30 rpm -e --test $rest 2>&1 | sed -n 's/.* is needed by (installed) \(.*\)/engine\t\1/p' | head -n 20
    return 0
}
answer needed needed "$@"

# Of the packages that the journal says were installed, those that are there.
companions() {
    [ -r /var/lib/pydock/journal.jsonl ] && command -v rpm >/dev/null 2>&1 || return 0
    grep '"action": "installed"' /var/lib/pydock/journal.jsonl | tr ' ' '\n' | tr -d '[]",}' |
        sed -n 's/^\([A-Za-z0-9][A-Za-z0-9._+-]*\)-[^-]*-[^-]*$/\1/p' | sort -u | head -n 2000 |
        limit 30 xargs rpm -q --qf '%{NAME}\n' 2>/dev/null | grep -v ' ' | sort -u
    return 0
}
answer companions companions
