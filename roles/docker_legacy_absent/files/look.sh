# What is there of Docker, and who stands in the way: looks, and changes nothing.

# -- pydock's journal (roles/docker_host/README.md)

journal=/var/lib/pydock/journal.jsonl
# remembered NAME: values as they were found, the oldest first.
remembered() { sed -n 's/.*"action": "found".*"name": "'"$1"'".*"value": "\([^"]*\)".*/\1/p' "$journal"; }
# packages_that ACTION: names of the packages that were installed or removed.
packages_that() {
    sed -n 's/.*"action": "'"$1"'".*"packages": \[\([^]]*\)\].*/\1/p' "$journal" | tr -d ' "' | tr ',' '\n' |
        sed -n 's/^\([A-Za-z0-9][A-Za-z0-9._+-]*\)-[^-]*-[^-]*$/\1/p' | sort -u
}
# Packages that came with pydock: new, not a newer version of what was there.
brought() {
    packages_that installed >"$work/installed"
    packages_that removed >"$work/removed"
    comm -23 "$work/installed" "$work/removed"
}
# Whether pydock made a file where there was none, and that was the last that it did to it.
is_ours() { grep -F "\"file\": \"$1\"" "$journal" | tail -n 1 | grep -q '"action": "created"'; }

# -- mounts; where a path has a blank, mountinfo has \040 (proc(5))

is_mounted() { cut -d ' ' -f 5 /proc/self/mountinfo | grep -q -x -F -e "$1"; }
# below DIRECTORY: what is mounted in it, the innermost and the last first.
below() {
    place=$1 awk 'index($5, ENVIRON["place"] "/") == 1 { print length($5), NR, $5 }' /proc/self/mountinfo |
        sort -k 1,1nr -k 2,2nr | cut -d ' ' -f 3-
}
plain() { printf %b "$(printf %s "$1" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')"; }
# elsewhere DIRECTORY: mount points outside of it where a part of it, or all of it, is visible as well.
elsewhere() {
    real=$1 awk '
        function inside(path, directory) { sub(/\/$/, "", directory); return index(path, directory "/") == 1 }
        { device[NR] = $3; root[NR] = $4; point[NR] = $5 }
        END {
            real = ENVIRON["real"]
            for (i = 1; i <= NR; i++)
                if ((point[i] == real || inside(real, point[i])) && (!best || length(point[i]) >= length(point[best]))) best = i
            if (!best) exit
            rest = point[best]
            sub(/\/$/, "", rest)
            inner = root[best] substr(real, length(rest) + 1)
            gsub("//+", "/", inner)
            for (i = 1; i <= NR; i++)
                if (device[i] == device[best] && (root[i] == inner || inside(root[i], inner)) &&
                    point[i] != real && !inside(point[i], real)) print point[i]
        }' /proc/self/mountinfo
}
# holders PATH: processes that keep it busy, by what they have open or mounted, three at most.
holders() {
    own=no
    grep -q -F -e " $1 " /proc/self/mountinfo && own=yes
    for place in /proc/[0-9]*; do
        ls -l "$place/cwd" "$place/root" "$place/exe" "$place/fd" | sed -n 's/.* -> //p' |
            path=$1 awk '$0 == ENVIRON["path"] || index($0, ENVIRON["path"] "/") == 1 { found = 1 } END { exit !found }' ||
            { [ "$own" = no ] && grep -q -F -e " $1 " -e " $1/" "$place/mountinfo"; } || continue
        echo "${place##*/} ($(sed -n 's/^Name:[[:space:]]*//p' "$place/status"))"
    done | head -n 3 | awk 'NR > 1 { printf ", " } { printf "%s", $0 }'
}

# -- data roots

# Where the data is: by the engine's flags, and by what the journal remembers of flags that are gone.
data_roots() {
    set -f
    # shellcheck disable=SC2046 - parted at blanks, as the init script does
    set -- $(value_of other_args /etc/sysconfig/docker)
    set +f
    named=
    while [ $# -gt 0 ]; do
        case $1 in
        -g | -graph | --graph) named=$2 ;;
        -g=* | -graph=* | --graph=*) named=${1#*=} ;;
        esac
        shift
    done
    printf '%s\n' "$named" "$(remembered data-root)" /var/lib/docker | grep '^/[A-Za-z0-9/._@:+=,~-]*$' | sed 's|//*|/|g; s|\(.\)/$|\1|' |
        awk '!seen[$0]++'
}
# is_docker_s NAME: whether an engine makes something of that name in its data root (moby 1.7 to 29).
is_docker_s() {
    case $1 in
    aufs | btrfs | buildkit | builder | containerd | containers | devicemapper | discovery_certs | engine-id | execdriver | \
        fuse-overlayfs | graph | image | init | linkgraph.db | lost+found | network | nuke-graph-directory.sh | overlay | \
        overlay2 | plugins | rootfs | runtimes | swarm | tmp | tmp-old | tmpmounts | trust | vfs | volumes | zfs) ;;
    repositories-*[!a-z0-9]* | repositories-) return 1 ;;
    repositories-*) ;;
    *[!0-9.]* | *.*.* | .* | *.) return 1 ;;
    *.*) ;;
    *) return 1 ;;
    esac
}
# One of these makes a directory elsewhere than at the default recognisably Docker's.
is_telling() {
    case $1 in containers | image | overlay2 | volumes | aufs | devicemapper | vfs | graph | buildkit) ;; *) return 1 ;; esac
}
is_system() {
    case $1 in
    /bin | /boot | /data | /dev | /etc | /home | /lib | /lib64 | /media | /mnt | /opt | /proc | /root | /run | /sbin | /srv | \
        /sys | /tmp | /usr | /usr/local | /usr/share | /var | /var/cache | /var/lib | /var/log | /var/opt | /var/run | \
        /var/spool | /var/tmp | /var/lib/containers | /var/lib/kubelet | /var/lib/pydock) ;;
    /*/?*) return 1 ;;
    esac
}
# judge ROOT: whether it is a data root and nothing else; $code and $why if not. The caller stands nowhere in particular.
judge() {
    code=data-root-link
    why="$1 is a link to $(readlink -f -- "$1"); say that it may be followed."
    [ ! -L "$1" ] || [ "$follow_links" = yes ] || return 1
    code=data-root-foreign
    real=$(readlink -f -- "$1")
    case $1$real in
    *[!A-Za-z0-9/._@:+=,~-]*) why="$1 has letters in its name that pydock does not delete by."; return 1 ;;
    */../* | */./* | */.. | */.) why="$1 is not written as a plain path."; return 1 ;;
    esac
    why="$real is a directory of the system, not of Docker alone; move away what is not Docker's."
    ! is_system "$real" && ! is_system "$1" || return 1
    [ -d "$real" ] || return 0
    (
        cd -P -- "$real" || exit 3
        telling=no
        any=no
        for name in * .[!.]* ..?*; do
            [ -e "./$name" ] || [ -L "./$name" ] || continue
            is_docker_s "$name" || { printf %s "$name"; exit 1; }
            any=yes
            ! is_telling "$name" || telling=yes
        done
        [ "$any" = no ] || [ "$telling" = yes ] || [ "$1" = /var/lib/docker ] || is_being_purged "$1" || exit 2
    ) >"$work/stranger"
    case $? in
    0) ;;
    1) why="$real holds other things, too: $(head -c 200 "$work/stranger"); move away what is not Docker's."; return 1 ;;
    2) why="$real does not look like Docker's data; move away what is not Docker's."; return 1 ;;
    *) why="$real cannot be entered."; return 1 ;;
    esac
    code=data-root-elsewhere
    point=$(elsewhere "$real" | head -n 1)
    why="data in $real is mounted at $point, too; unmount that first."
    [ -z "$point" ]
}
# It was recognised before, and only a part of it is left.
is_being_purged() { grep -F "\"root\": \"$1\"" "$journal" | grep -q '"action": "purging"'; }
# has_data ROOT: whether there is something to be removed: a mount point stays, empty.
has_data() {
    [ ! -L "$1" ] || return 0
    [ -d "$1" ] || return 1
    ! is_empty "$1" || ! is_mounted "$(readlink -f -- "$1")"
}
is_empty() {
    for name in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ "${name##*/}" = lost+found ] || { [ ! -e "$name" ] && [ ! -L "$name" ]; } || return 1
    done
}

# -- processes, packages, programs

# Processes of containers that outlived their engine: their control group has the name of a container of this host.
orphans() {
    contained | while read -r number id; do
        for root in $every_root; do [ ! -d "$root/containers/$id" ] || echo "$number"; done
    done | sort -u
}
installed() { [ $# = 0 ] || rpm -q --qf '%{NAME}\n' "$@" | grep -v ' ' | sort -u; }
# Programs of a static archive: a docker that no package knows.
strangers() {
    for place in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /opt/bin; do
        [ -e "$place/docker" ] || [ -L "$place/docker" ] || continue
        case $(rpm -qf "$place/docker" 2>&1) in *'not owned by'*) echo "$place/docker" ;; esac
    done
}
# Who would be left without what is to go, by rpm's own word.
needing() {
    [ $# -gt 0 ] || return 0
    rpm -e --test "$@" 2>&1 | sed -n 's/.* is needed by (installed) //p' | sort -u | head -n 5 | tr '\n' ' '
}
# closed: Docker's packages, with those that came along and that nothing needs which stays, in $going.
closed() {
    # shellcheck disable=SC2086 - names of packages
    certain=$(installed $packages | tr '\n' ' ')
    going=$certain
    chosen=
    for name in $(brought); do
        case " $packages " in *" $name "*) continue ;; esac
        case " $tools " in
        *" $name "*) ;;
        *)
            [ "$purge_config" = yes ] || continue
            case " $keep " in *" $name "*) continue ;; esac
            ;;
        esac
        ! have "$name" || chosen="$chosen $name"
    done
    while [ -n "$chosen" ]; do
        # shellcheck disable=SC2086
        if rpm -e --test $certain $chosen >"$work/test" 2>&1; then
            going="$certain$chosen"
            return
        fi
        needed=$(sed -n 's/^[[:space:]]*\([^[:space:]]*\).* is needed by .*/\1/p' "$work/test" | sort -u)
        set -f
        # shellcheck disable=SC2086
        rpm -q --qf '%{NAME}\n' --whatprovides $needed >"$work/providers" 2>&1
        set +f
        rest=
        for name in $chosen; do grep -q -x -F -e "$name" "$work/providers" || rest="$rest $name"; done
        [ "$rest" != "$chosen" ] || return
        chosen=$rest
    done
}
