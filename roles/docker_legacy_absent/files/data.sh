# Data goes: what is mounted below is unmounted first, and nothing is deleted through a mount, a link or into another file
# system. $stuck is a sentence about what stays.

# unmount_below DIRECTORY
unmount_below() {
    tries=0
    while point=$(below "$1" | head -n 1) && [ -n "$point" ]; do
        point=$(plain "$point")
        if ! umount "$point" >"$said" 2>&1; then
            who=$(holders "$point")
            stuck="$point cannot be unmounted: ${who:+process }${who:-$(head -n 1 "$said")}${who:+ uses it}"
            return 1
        fi
        tries=$((tries + 1))
        [ "$tries" -lt 5000 ] || { stuck="$1: new mounts appear as fast as they are unmounted"; return 1; }
    done
}
# empty DIRECTORY, all links followed: what is in it goes, but for lost+found.
empty() {
    (
        cd -P -- "$1" && [ "$(pwd -P)" = "$1" ] || { echo "$1 was moved away"; exit 1; }
        device=$(stat -c %d .)
        for name in * .[!.]* ..?*; do
            [ -e "./$name" ] || [ -L "./$name" ] || continue
            [ "$name" != lost+found ] || continue
            point=$(below "$1" | head -n 1)
            [ -z "$point" ] || { echo "$(plain "$point"): something was mounted there meanwhile"; exit 1; }
            if [ -d "./$name" ] && [ ! -L "./$name" ]; then
                [ "$(stat -c %d "./$name")" = "$device" ] || { echo "$1/$name: it is on another file system"; continue; }
                # find(1) goes down by names relative to where it stands, and follows no link.
                find "./$name" -xdev -depth -delete 2>&1
            else
                rm -f "./$name" 2>&1
            fi
        done
    ) >"$work/kept"
    stuck=$(head -n 3 "$work/kept" | tr '\n' ' ')
    [ -z "$stuck" ] || who=$(holders "$1")
    [ -z "$stuck" ] || [ -z "$who" ] || stuck="$stuck(process $who uses it)"
    [ -z "$stuck" ]
}
# remove_tree PATH: a directory with all that is in it, or a file, or a link itself.
remove_tree() {
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        home=$(cd -P -- "${1%/*}" && pwd -P) || return 0
        unmount_below "$home/${1##*/}" && empty "$home/${1##*/}" && rmdir "$home/${1##*/}"
    else
        rm -f "$1"
    fi
}

# Engine 1.7.1 keeps images in a thin pool of devicemapper's over two files of its data root, unless it was told of another.
# Its devices are named after that directory: docker-MAJOR:MINOR-INODE-... A pool of LVM's is somebody else's and stays.
thin_devices() {
    [ -d "$1/devicemapper" ] && command -v dmsetup >/dev/null || return 0
    set -- $(stat -c '%d %i' "$1/devicemapper")
    prefix=docker-$(($1 >> 8 & 4095)):$(($1 & 255 | $1 >> 12 & 1048320))-$2-
    # The pool goes last: the others are in it.
    dmsetup ls | cut -f 1 | awk -v prefix="$prefix" 'index($0, prefix) == 1 && !/[^A-Za-z0-9:_-]/ { print /-pool$/ ? 1 : 0, $0 }' |
        sort | cut -d ' ' -f 2
}
loops() {
    ! command -v losetup >/dev/null || losetup -a |
        place=$1/devicemapper/ awk -F '[()]' 'index($(NF - 1), ENVIRON["place"]) == 1 { sub(/:.*/, "", $1); print $1 }'
}
close_pool() {
    for name in $(thin_devices "$1"); do
        dmsetup remove "$name" >"$said" 2>&1 || { stuck="the device $name cannot be removed: $(head -n 1 "$said")"; return 1; }
    done
    # Those that clear themselves have gone with the pool.
    for name in $(loops "$1"); do
        losetup -d "$name" >"$said" 2>&1
    done
    name=$(loops "$1")
    [ -z "$name" ] || { stuck="$name is in use: $(head -n 1 "$said")"; return 1; }
}

doomed_roots() {
    [ "$purge_data" = yes ] || return 0
    for root in $every_root; do
        case "$newline$chosen_roots" in "$newline" | *"$newline$root$newline"*) ;; *) continue ;; esac
        ! has_data "$root" || echo "$root"
    done
}
remove_data() {
    for root in $(doomed_roots); do
        real=$(readlink -f -- "$root")
        if [ -d "$real" ]; then
            is_being_purged "$root" || note "\"action\": \"purging\", \"root\": \"$root\""
            unmount_below "$real" && close_pool "$real" || return
            # Again, now that nothing is mounted below and right before it is emptied.
            judge "$root" || { stuck=$why; return; }
            empty "$real" || return
            is_mounted "$real" || rmdir "$real" >"$said" 2>&1 || { stuck="$real: $(head -n 1 "$said")"; return; }
        fi
        [ ! -L "$root" ] || rm -f "$root"
    done
}
