# Preflight, network. Runs after probe.sh in the same shell, with its functions; see sections/README.md.

# Routes as iproute2 tells them, or as the kernel does; and addresses that must stay reachable: the host's own, its
# name servers, and where this login comes from. One process of ip's tells both.
printf 'route show\naddr show\n' | ip -4 -batch - 2>/dev/null | awk -v nonce="$nonce" -v client="${SSH_CONNECTION:-}" '
    function begin(name) { printf "\n%s %s\n", nonce, name }
    function end() { printf "\n%s/ 0\n", nonce }
    BEGIN { begin("routes") }
    /^[0-9]+: / { device = $2; sub(/[:@].*/, "", device); next }
    /^ +inet / { sub(/\/.*/, "", $2); if (count < 200) own[++count] = "own " device " " $2; next }
    /^ / { next }
    routes <= 1000 { routes++; print }
    END {
        if (!routes) while ((getline row < "/proc/net/route") > 0 && routes++ <= 1000) print row
        end()
        begin("neighbours")
        for (i = 1; i <= count; i++) print own[i]
        while ((getline row < "/etc/resolv.conf") > 0)
            if (row ~ /^[ \t]*nameserver[ \t]+[0-9.]+[ \t]*$/ && servers++ < 10) { split(row, word); print "nameserver - " word[2] }
        sub(/ .*/, "", client)
        if (client ~ /\./) print "client - " client
        end()
    }' 2>/dev/null

# What sysctl says at boot, and now.
forwarding() {
    value=
    read -r value </proc/sys/net/ipv4/ip_forward || [ -n "$value" ] || return
    printf 'now %s\n' "$value"
    set --
    for path in /etc/sysctl.conf /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf \
        /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf; do
        [ -f "$path" ] || continue
        if [ -r "$path" ]; then set -- "$@" "$path"; else printf 'unreadable %s\n' "$path"; fi
    done
    [ $# -gt 0 ] || return 0
    awk '/^[ \t]*-?net[.\/]ipv4[.\/]ip_forward[ \t]*=/ && count++ < 200 {
        sub(/^[^=]*=[ \t]*/, "")
        sub(/[^0-9].*/, "")
        print "set " $0 " " FILENAME
    }' "$@"
}
answer forwarding forwarding

firewalld() {
    [ "$units_status" = 0 ] || return "$units_status"
    value=inactive
    case $firewalld_state in *ActiveState=*) value=${firewalld_state##*ActiveState=} ;; esac
    value=${value%%"$newline"*}
    printf 'state %s\n' "$value"
    case $value in active | reloading | activating) ;; *) return 0 ;; esac
    [ -r /etc/firewalld/firewalld.conf ] || return 0
    sed -n 's/^[[:space:]]*FirewallBackend[[:space:]]*=[[:space:]]*\([a-z]*\).*/backend \1/p' /etc/firewalld/firewalld.conf
}
answer firewalld firewalld

packet_filter() {
    command -v iptables >/dev/null 2>&1 || return 44
    iptables --version
}
answer iptables packet_filter
addrtype() {
    if listed addrtype /proc/net/ip_tables_matches; then
        echo loaded
    else
        kernel_module xt_addrtype
    fi
}
answer xt_addrtype addrtype
answer br_netfilter kernel_module br_netfilter

# yum's proxy, in curl's words: they go to it on stdin, where no list of processes shows the password.
quoted() { printf '%s\n' "$1" | sed 's/[\\"]/\\&/g'; }
# The last value of a key in [main], if it is one word.
main() {
    found=
    inside=
    while IFS= read -r key || [ -n "$key" ]; do
        case $key in
        '[main]'*) inside=yes ;;
        \[*) inside= ;;
        "$1"=* | "$1"[\ $tab]*=*)
            value=${key#*=}
            set -f
            # shellcheck disable=SC2086 - blanks around it fall away
            set -- "$1" $value
            set +f
            [ -z "$inside" ] || [ $# -gt 2 ] || found=${2:-}
            ;;
        esac
    done <"$yum"
}
yum_proxy() {
    # The way to Docker's packages alone goes through the proxy of the settings.
    if [ -n "$package_proxy" ]; then
        proxy_words="proxy = \"$(quoted "$package_proxy")\"$tab"
        printf '%s\n' "$package_proxy"
        return 0
    fi
    for yum in /etc/yum.conf /etc/dnf/dnf.conf; do
        [ -e "$yum" ] || continue
        [ -r "$yum" ] || return 77
        main proxy
        proxy=$found
        case $proxy in '' | _none_ | None | none) continue ;; esac
        proxy_words="proxy = \"$(quoted "$proxy")\"$tab"
        main proxy_username
        if [ -n "$found" ]; then
            name=$found
            main proxy_password
            proxy_words="${proxy_words}proxy-user = \"$(quoted "$name"):$(quoted "$found")\"$tab"
        fi
        printf '%s\n' "$proxy" | sed 's#^\([a-z0-9]*://\)\{0,1\}.*@#\1#'
        return 0
    done
    return 44
}
proxy_words=
answer yum_proxy yum_proxy
