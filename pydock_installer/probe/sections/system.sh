# Preflight, system. Runs after probe.sh in the same shell, with its functions; see sections/README.md.
# The clock is asked at the very end, in engine.sh: what the probe takes itself must not look like a wrong clock.

file product_uuid /sys/class/dmi/id/product_uuid

# Mount point and options of what is mounted on the directories where programs unpack themselves.
tmp_mounts() {
    [ -r /proc/mounts ] || return 77
    awk '$2 == "/tmp" || $2 == "/var/tmp" { print $2, $4 }' /proc/mounts | head -n 20
}
answer tmp_mounts tmp_mounts

# The options of the running kernel that Docker's check-config.sh asks about, and a few that tell how to judge them.
kernel_config() {
    names='64BIT|NAMESPACES|NET_NS|PID_NS|IPC_NS|UTS_NS|CGROUPS|CGROUP_CPUACCT|CGROUP_DEVICE|CGROUP_FREEZER'
    names="$names|CGROUP_SCHED|CPUSETS|MEMCG|KEYS|VETH|BRIDGE|BRIDGE_NETFILTER|NF_NAT|NF_NAT_IPV4|NF_NAT_NEEDED"
    names="$names|IP6?_NF_(FILTER|MANGLE|RAW|NAT|TARGET_MASQUERADE)|NETFILTER_XT_MATCH_(ADDRTYPE|CONNTRACK|IPVS)"
    names="$names|NETFILTER_XT_MARK|POSIX_MQUEUE|DEVPTS_MULTIPLE_INSTANCES|CGROUP_BPF|NFT_COMPAT"
    running=$(uname -r)
    seen=44
    for config in /proc/config.gz "/boot/config-$running" "/lib/modules/$running/config"; do
        [ -e "$config" ] || continue
        seen=77
        [ -r "$config" ] || continue
        case $config in
        *.gz)
            limit 10 gzip -t "$config" || return
            limit 10 gzip -dc "$config"
            ;;
        *) limit 10 cat "$config" ;;
        esac | grep -E "^CONFIG_($names)=[ym]" | head -n 200
        return 0
    done
    return "$seen"
}
answer kernel_config kernel_config

# The type of the file system in hexadecimal (63677270 is version 2), then the controllers of either version.
cgroups() {
    [ -d /sys/fs/cgroup ] || return 44
    limit 5 stat -f -c 'type %t' /sys/fs/cgroup || return
    if [ -r /sys/fs/cgroup/cgroup.controllers ]; then
        printf 'unified %s\n' "$(head -c 1024 /sys/fs/cgroup/cgroup.controllers)"
    fi
    awk '$3 == "cgroup" { print "mounted", $4 }' /proc/mounts | head -n 50
}
answer cgroups cgroups

# What PID 1 is called, what says that this is a container, and whether PID 1 has the same root directory.
init() {
    [ -r /proc/1/comm ] || return 77
    printf 'name %s\n' "$(head -c 64 /proc/1/comm)"
    head -c 65536 /proc/1/environ | tr '\0' '\n' | sed -n 's/^container=/container /p' | head -n 1
    [ ! -r /run/systemd/container ] || printf 'container %s\n' "$(head -c 64 /run/systemd/container)"
    [ ! -e /.dockerenv ] || echo 'container docker'
    [ ! -e /run/.containerenv ] || echo 'container podman'
    if [ -d /proc/vz ] && [ ! -d /proc/bc ]; then echo 'container openvz'; fi
    head -c 65536 /proc/1/cgroup | sed -n -E 's/.*[:\/](docker|lxc|kubepods|libpod|machine\.slice).*/container \1/p' |
        head -n 1
    first=$(stat -L -c %d:%i /proc/1/root/) || return 0
    if [ "$first" = "$(stat -c %d:%i /)" ]; then echo 'root same'; else echo 'root other'; fi
}
answer init init
