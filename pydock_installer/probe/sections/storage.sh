# Preflight, storage. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# Where a path is, or will be: the nearest directory that exists, its file system's row of df for blocks and for
# inodes, its last row of /proc/mounts (a later mount hides an earlier one), and whether xfs keeps d_type.
place() {
    case $1 in /*) near=$1 ;; *) return 44 ;; esac
    until limit 5 test -d "$near"; do
        [ $? -lt 124 ] && [ "$near" != / ] || return 124
        near=${near%/*}
        near=${near:-/}
    done
    blocks=$(limit 10 df -P -k "$near") || return
    blocks=$(printf '%s\n' "$blocks" | sed -n '$p')
    inodes=$(limit 10 df -P -i "$near" | sed -n '$p')
    at=$(printf '%s\n' "$blocks" | sed -n 's|^.* [0-9-]\{1,4\}%\{0,1\}  *\(/.*\)$|\1|p')
    printf 'path %s\nblocks %s\ninodes %s\n' "$1" "$blocks" "$inodes"
    row=
    while read -r device mounted type options rest; do
        [ "$mounted" != "$at" ] || row="$device $mounted $type $options"
    done </proc/mounts
    # An overlay lists all its layers: its options end at the first of them.
    printf 'mount %s\n' "${row%%,lowerdir=*}"
    case $row in
    *" $at xfs "*) limit 10 xfs_info "$at" | sed -n 's/.*ftype=\([01]\).*/ftype \1/p' | head -n 1 ;;
    esac
    return 0
}

# Where the settings or the default put Docker's data, and where a daemon.json that is there already puts them.
answer place_data_root place "$data_root"
said_in() {
    [ ! -e "$2" ] || [ -r "$2" ] || return 77
    where=$(sed -n "$3" "$2" 2>/dev/null | head -n 1)
    place "${where:-$1}"
}
answer place_data_root_there said_in '' /etc/docker/daemon.json \
    's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p'
answer place_containerd_root said_in /var/lib/containerd /etc/containerd/config.toml \
    's/^[[:space:]]*root[[:space:]]*=[[:space:]]*["'"'"']\([^"'"'"']*\).*/\1/p'
cache=/var/cache/yum
[ ! -d /var/cache/dnf ] || cache=/var/cache/dnf
answer place_yum_cache place "$cache"

# Whether a module of the kernel could be loaded; nothing is loaded. CIS benchmarks switch modules off with
# "install NAME /bin/false", which modprobe tells of as a success.
kernel_module() {
    [ ! -d "/sys/module/$1" ] || {
        echo loaded
        return 0
    }
    [ -d "/lib/modules/$(uname -r)" ] && command -v modprobe >/dev/null 2>&1 || {
        echo unseen
        return 0
    }
    said=$(limit 10 modprobe -n -v "$1" 2>/dev/null)
    case $?:$said in
    124:* | 137:*) return 124 ;;
    0:*install*/false* | 0:*install*/true*) echo disabled ;;
    0:*) echo available ;;
    *) echo missing ;;
    esac
}
overlay() {
    if grep -q -w overlay /proc/filesystems; then
        echo loaded
    else
        kernel_module overlay
    fi
}
answer overlay_module overlay
