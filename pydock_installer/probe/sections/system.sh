# Preflight, system. Runs after probe.sh in the same shell, with its functions; see sections/README.md.
# The clock is asked at the very end, in engine.sh: what the probe takes itself must not look like a wrong clock.

file product_uuid /sys/class/dmi/id/product_uuid

# /proc/mounts is read once, for every section: its rows, without those that containers bring in hundreds. An overlay
# lists all its layers: its options end at the first of them.
mounts=$(awk '$3 != "nsfs" && $2 !~ /\/(merged|shm)$/ { sub(/,lowerdir=.*/, "", $4); print $1, $2, $3, $4 }' \
    /proc/mounts 2>/dev/null)

# Mount point and options of what is mounted on the directories where programs unpack themselves.
tmp_mounts() {
    [ -r /proc/mounts ] || return 77
    set -f
    IFS=$newline
    for row in $mounts; do
        case $row in
        *" /tmp "* | *" /var/tmp "*)
            row=${row#* }
            printf '%s %s\n' "${row%% *}" "${row##* }"
            ;;
        esac
    done
    set +f
    unset IFS
}
answer tmp_mounts tmp_mounts

# The options of the running kernel that Docker's check-config.sh asks about, and a few that tell how to judge them.
kernel_config() {
    names='64BIT|NAMESPACES|NET_NS|PID_NS|IPC_NS|UTS_NS|CGROUPS|CGROUP_CPUACCT|CGROUP_DEVICE|CGROUP_FREEZER'
    names="$names|CGROUP_SCHED|CPUSETS|MEMCG|KEYS|VETH|BRIDGE|BRIDGE_NETFILTER|NF_NAT|NF_NAT_IPV4|NF_NAT_NEEDED"
    names="$names|IP6?_NF_(FILTER|MANGLE|RAW|NAT|TARGET_MASQUERADE)|NETFILTER_XT_MATCH_(ADDRTYPE|CONNTRACK|IPVS)"
    names="$names|NETFILTER_XT_MARK|POSIX_MQUEUE|DEVPTS_MULTIPLE_INSTANCES|CGROUP_BPF|NFT_COMPAT"
    seen=44
    for config in /proc/config.gz "/boot/config-$kernel" "/lib/modules/$kernel/config"; do
        [ -e "$config" ] || continue
        seen=77
        [ -r "$config" ] || continue
        # The packed one is made by the kernel itself: it is whole.
        case $config in
        *.gz) gzip -dc "$config" | grep -m 200 -E "^CONFIG_($names)=[ym]" ;;
        *) grep -m 200 -E "^CONFIG_($names)=[ym]" "$config" ;;
        esac
        return 0
    done
    return "$seen"
}
answer kernel_config kernel_config

# The type of the file system in hexadecimal (63677270 is version 2, 1021994 tmpfs), then the controllers of either
# version.
cgroups() {
    type=
    mounted=
    set -f
    IFS=$newline
    for row in $mounts; do
        case $row in
        *" /sys/fs/cgroup "*)
            type=${row% *}
            type=${type##* }
            ;;
        *" cgroup "*) mounted="${mounted}mounted ${row##* }$newline" ;;
        esac
    done
    set +f
    unset IFS
    # Release 6 has them below /cgroup, once Docker or cgconfig was started.
    [ -d /sys/fs/cgroup ] || [ -n "$mounted" ] || return 44
    case $type in
    cgroup2) echo 'type 63677270' ;;
    tmpfs) echo 'type 1021994' ;;
    *) if [ -d /sys/fs/cgroup ]; then stat -f -c 'type %t' /sys/fs/cgroup || return; else echo 'type 27e0eb'; fi ;;
    esac
    if [ -r /sys/fs/cgroup/cgroup.controllers ]; then
        read -r value </sys/fs/cgroup/cgroup.controllers
        printf 'unified %s\n' "$value"
    fi
    printf %s "$mounted"
}
answer cgroups cgroups

# What PID 1 is called, what says that this is a container, and whether PID 1 has the same root directory.
init() {
    [ -r /proc/1/comm ] || return 77
    read -r value </proc/1/comm
    printf 'name %s\n' "$value"
    # systemd has written down there what it was told in its environment.
    if [ -r /run/systemd/container ]; then
        read -r value </run/systemd/container
        printf 'container %s\n' "$value"
    elif [ -r /proc/1/environ ]; then
        value=
        IFS= read -r value </proc/1/environ
        case $value in
        *container=*) head -c 65536 /proc/1/environ | tr '\0' '\n' | sed -n 's/^container=/container /p' ;;
        esac
    fi
    [ ! -e /.dockerenv ] || echo 'container docker'
    [ ! -e /run/.containerenv ] || echo 'container podman'
    if [ -d /proc/vz ] && [ ! -d /proc/bc ]; then echo 'container openvz'; fi
    [ ! -r /proc/1/cgroup ] || while read -r value; do
        for word in docker lxc kubepods libpod machine.slice; do
            case $value in *[:/]"$word"*) printf 'container %s\n' "$word"; break 2 ;; esac
        done
    done </proc/1/cgroup
    [ -d /proc/1/root/. ] || return 0
    if [ /proc/1/root/ -ef / ]; then echo 'root same'; else echo 'root other'; fi
}
answer init init
