# Preflight, network. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# Routes as iproute2 tells them, or as the kernel does.
routes() {
    found=$(limit 5 ip -4 route 2>/dev/null | head -n 1001)
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
    else
        head -n 1001 /proc/net/route
    fi
}
answer routes routes

# Addresses that must stay reachable: the host's own, its name servers, and where this login comes from.
neighbours() {
    limit 5 ip -4 -o addr 2>/dev/null |
        sed -n 's/^[0-9]*: *\([^ @]*\)[^ ]* *inet \([0-9.]*\).*/own \1 \2/p' | head -n 200
    sed -n 's/^[[:space:]]*nameserver[[:space:]]*\([0-9.]*\)[[:space:]]*$/nameserver - \1/p' /etc/resolv.conf |
        head -n 10
    from=${SSH_CONNECTION:-}
    case ${from%% *} in *.*) printf 'client - %s\n' "${from%% *}" ;; esac
    return 0
}
answer neighbours neighbours

# What sysctl says at boot, and now.
forwarding() {
    printf 'now %s\n' "$(head -c 16 /proc/sys/net/ipv4/ip_forward)"
    for configuration in /etc/sysctl.conf /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf \
        /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf; do
        [ -e "$configuration" ] || continue
        [ -r "$configuration" ] || printf 'unreadable %s\n' "$configuration"
        sed -n 's/^[[:space:]]*-\{0,1\}net[./]ipv4[./]ip_forward[[:space:]]*=[[:space:]]*\([0-9]*\).*/\1/p' \
            "$configuration" | while read -r value; do
            printf 'set %s %s\n' "$value" "$configuration"
        done
    done | head -n 200
}
answer forwarding forwarding

firewalld() {
    command -v systemctl >/dev/null 2>&1 || return 44
    printf 'state %s\n' "$(limit 10 systemctl is-active firewalld.service | head -n 1)"
    [ -r /etc/firewalld/firewalld.conf ] || return 0
    sed -n 's/^[[:space:]]*FirewallBackend[[:space:]]*=[[:space:]]*\([a-z]*\).*/backend \1/p' \
        /etc/firewalld/firewalld.conf | tail -n 1
}
answer firewalld firewalld

packet_filter() {
    command -v iptables >/dev/null 2>&1 || return 44
    limit 10 iptables --version
}
answer iptables packet_filter
addrtype() {
    if grep -q -x addrtype /proc/net/ip_tables_matches; then
        echo loaded
    else
        kernel_module xt_addrtype
    fi
}
answer xt_addrtype addrtype
answer br_netfilter kernel_module br_netfilter

# yum's proxy, in curl's words: they go to it on stdin, where no list of processes shows the password.
main() { sed -n "/^\[main\]/,/^\[[^m]/s/^$1[[:space:]]*=[[:space:]]*\([^[:space:]]*\)[[:space:]]*\$/\1/p" "$yum" | tail -n 1; }
quoted() { printf '%s\n' "$1" | sed 's/[\\"]/\\&/g'; }
yum_proxy() {
    for yum in /etc/yum.conf /etc/dnf/dnf.conf; do
        [ -e "$yum" ] || continue
        [ -r "$yum" ] || return 77
        proxy=$(main proxy)
        case $proxy in '' | _none_ | None | none) continue ;; esac
        proxy_words=$(
            printf 'proxy = "%s"\n' "$(quoted "$proxy")"
            name=$(main proxy_username)
            [ -z "$name" ] || printf 'proxy-user = "%s:%s"\n' "$(quoted "$name")" "$(quoted "$(main proxy_password)")"
        )
        printf '%s\n' "$proxy" | sed 's#^\([a-z0-9]*://\)\{0,1\}.*@#\1#'
        return 0
    done
    return 44
}
proxy_words=
answer yum_proxy yum_proxy

# One question each, all at once, a line of answer each.
fetch() {
    printf '%s\n' "$proxy_words" | curl -s -L --connect-timeout 4 --max-time 8 -K - "$@"
}
ask_name() {
    address=${1#*://}
    address=${address%%/*}
    case $address in \[*) return ;; esac
    address=${address%%:*}
    case $address in *[!0-9.]*) ;; *) return ;; esac
    limit 8 getent hosts "$address" >/dev/null
    echo "name $address $?"
}
ask_mirror() {
    tree=${1#*=}/linux/$repository_path/$(uname -m)/stable
    # The status comes last: sed keeps the list's address until then.
    fetch -w '\nstatus=%{http_code}\nseconds=%{http_code} %{time_total}\n' "$tree/repodata/repomd.xml" |
        head -c 65536 | tr '>' '\n' | sed -n \
        -e 's/.*href="\([A-Za-z0-9_.\/-]*primary\.xml\.gz\)".*/\1/' -e t1 -e "s/^status=/mirror ${1%%=*} /" -e t2 \
        -e "s/^seconds=/seconds ${1%%=*} /p" -e d -e :1 -e 'h;d' -e :2 -e 'G;s/\n/ /p'
}
ask_registry() {
    code=$(curl -s -o /dev/null --connect-timeout 4 --max-time 8 -w '%{http_code}' "${1%/}/v2/")
    echo "registry $1 $code $?"
}
everybody() {
    set -f
    for place in $mirrors; do
        [ -n "$names" ] && ask_name "${place#*=}" &
        [ -n "$asker" ] && [ -n "$repository_path" ] && ask_mirror "$place" &
    done
    for place in $registries; do
        [ -n "$names" ] && ask_name "$place" &
        [ "$thorough" = yes ] || continue
        [ -n "$asker" ] && ask_registry "$place" &
    done
    wait
}
names=$(command -v getent)
asker=$(command -v curl)
told=$(everybody 2>/dev/null)
about() { printf '%s\n' "$told" | sed -n "s/^$1 //p" | sort -u; }
names() {
    [ -n "$names" ] || return 44
    about name
}
registry_answers() {
    [ -n "$asker" ] || return 44
    about registry
}
mirror_answers() {
    [ -n "$asker" ] && [ -n "$mirrors" ] && [ -n "$repository_path" ] || return 44
    about mirror
}
# A host that has a repository already keeps its mirror.
repository_answers() {
    [ -n "$asker" ] && [ -n "$mirrors" ] && [ -n "$repository_path" ] || return 44
    [ ! -e /etc/yum.repos.d/docker-ce.repo ] || return 44
    about seconds
}
answer names names
answer repository_answers repository_answers
answer mirror_answers mirror_answers
[ "$thorough" != yes ] || answer registry_answers registry_answers

# The first mirror that has a list: the names of Docker's packages in it. Nothing is written.
package_set() {
    [ -n "$asker" ] && [ -n "$repository_path" ] && command -v gzip >/dev/null 2>&1 || return 44
    set -f
    # What yum will ask comes first: a mirror may lag behind another.
    content=$(head -c 65536 /etc/yum.repos.d/docker-ce.repo)
    own=
    others=
    for mirror in $mirrors; do
        case $content in *"${mirror#*=}/linux/"*) own="$own $mirror" ;; *) others="$others $mirror" ;; esac
    done
    for mirror in $own $others; do
        list=$(printf '%s\n' "$told" | sed -n "s/^mirror ${mirror%%=*} 200 \(.*gz\)\$/\1/p" | head -n 1)
        [ -n "$list" ] || continue
        set +f
        printf 'mirror %s\n' "${mirror%%=*}"
        fetch "${mirror#*=}/linux/$repository_path/$(uname -m)/stable/$list" | gzip -dc | tr '>' '\n' | sed -n \
            -e 's/.*<location .*href="\([^"]*\)".*/\1/' -e 's/.*\///' \
            -e '/^docker-ce-[0-9]/p' -e '/^docker-ce-cli-[0-9]/p' -e '/^containerd\.io-[0-9]/p' \
            -e '/^docker-ce-rootless-extras-[0-9]/p' -e '/^docker-[a-z]*-plugin-[0-9]/p' | head -n 800
        return 0
    done
    set +f
    return 1
}
[ "$thorough" != yes ] || answer package_set package_set
