# Preflight, storage. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# Where a path is, or will be: the nearest directory that exists, its file system's row of df for blocks and for
# inodes, its last row of /proc/mounts (a later mount hides an earlier one), and whether xfs keeps d_type.

# What is not on a disk of this machine may hang: there a process looks that can be ended.
near_of() {
    case $1 in /*) near=$1 ;; *) return 44 ;; esac
    row=
    length=0
    set -f
    IFS=$newline
    for candidate in $mounts; do
        point=${candidate#* }
        point=${point%% *}
        case $near/ in
        "${point%/}"/*) [ "${#point}" -lt "$length" ] || { row=$candidate && length=${#point}; } ;;
        esac
    done
    set +f
    unset IFS
    case ${row% *} in
    *' ext'? | *' xfs' | *' btrfs' | *' overlay' | *' tmpfs' | *' zfs') look= ;;
    *) look='limit 5' ;;
    esac
    until $look test -d "$near"; do
        [ $? -lt 124 ] && [ "$near" != / ] || return 124
        near=${near%/*}
        near=${near:-/}
    done
}

# Where the settings or the default put Docker's data, and where files that are there already put it.
data_root_there=
[ ! -r /etc/docker/daemon.json ] || while IFS= read -r value || [ -n "$value" ]; do
    case $value in
    *'"data-root"'*:*\"*\"*)
        value=${value##*'"data-root"'}
        value=${value#*\"}
        data_root_there=${data_root_there:-${value%%\"*}}
        ;;
    esac
done </etc/docker/daemon.json
containerd_root=
[ ! -r /etc/containerd/config.toml ] || while read -r value || [ -n "$value" ]; do
    case $value in
    root=*[\"\']* | root[\ $tab]*=*[\"\']*)
        value=${value#*[\"\']}
        containerd_root=${containerd_root:-${value%%[\"\']*}}
        ;;
    esac
done </etc/containerd/config.toml
yum_cache=/var/cache/yum
[ ! -d /var/cache/dnf ] || yum_cache=/var/cache/dnf

# Both tables of df under one limit.
tables() { limit 10 sh -c 'df -P -k "$@" || exit; df -P -i "$@"; exit 0' df "$@" 2>/dev/null; }
dirs=
for path in "$data_root" "$data_root_there" "${containerd_root:-/var/lib/containerd}" "$yum_cache"; do
    near_of "$path" && [ -z "$look" ] || continue
    case $newline$dirs in *"$newline$near$newline"*) ;; *) dirs=$dirs$near$newline ;; esac
done
set -f
IFS=$newline
# shellcheck disable=SC2086 - a directory is a line
tables_said=$(tables $dirs)
tables_status=$?
set +f
unset IFS

# The rows about a directory, by its place among those that df was asked about.
rows_of() {
    blocks=
    inodes=
    wanted=0
    number=0
    set -f
    IFS=$newline
    for directory in $2; do
        number=$((number + 1))
        [ "$directory" != "$1" ] || wanted=$number
    done
    for row in $3; do
        number=$((number + 1))
        case $row in Filesystem\ *) number=0 ;; esac
        [ "$number" = "$wanted" ] || continue
        if [ -z "$blocks" ]; then blocks=$row; else inodes=$row; fi
    done
    set +f
    unset IFS
}
ftype_at=
place() {
    near_of "$1" || return
    if [ -z "$look" ] && [ "$tables_status" = 0 ]; then
        rows_of "$near" "$dirs" "$tables_said"
    elif [ -z "$look" ] && [ "$tables_status" = 124 ]; then
        return 124
    else
        told=$(tables "$near") || return
        rows_of "$near" "$near" "$told"
    fi
    case $blocks in
    *'% /'*) at=/${blocks#*% /} ;;
    *' - /'*) at=/${blocks#* - /} ;;
    *) at= ;;
    esac
    printf 'path %s\nblocks %s\ninodes %s\n' "$1" "$blocks" "$inodes"
    row=
    set -f
    IFS=$newline
    for candidate in $mounts; do
        point=${candidate#* }
        [ "${point%% *}" != "$at" ] || row=$candidate
    done
    set +f
    unset IFS
    printf 'mount %s\n' "$row"
    case $row in
    *" $at xfs "*)
        [ "$ftype_at" = "$at" ] || ftype=$(limit 10 xfs_info "$at")
        ftype_at=$at
        case $ftype in *ftype=1*) echo 'ftype 1' ;; *ftype=0*) echo 'ftype 0' ;; esac
        ;;
    esac
    return 0
}
said_in() {
    [ ! -e "$2" ] || [ -r "$2" ] || return 77
    place "$1"
}
answer place_data_root place "$data_root"
answer place_data_root_there said_in "$data_root_there" /etc/docker/daemon.json
answer place_containerd_root said_in "${containerd_root:-/var/lib/containerd}" /etc/containerd/config.toml
answer place_yum_cache place "$yum_cache"

# Whether a module of the kernel could be loaded; nothing is loaded. CIS benchmarks switch modules off with
# "install NAME /bin/false", which modprobe tells of as a success.
kernel_module() {
    [ ! -d "/sys/module/$1" ] || {
        echo loaded
        return 0
    }
    [ -d "/lib/modules/$kernel" ] && command -v modprobe >/dev/null 2>&1 || {
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
    if listed overlay /proc/filesystems; then
        echo loaded
    else
        kernel_module overlay
    fi
}
answer overlay_module overlay
