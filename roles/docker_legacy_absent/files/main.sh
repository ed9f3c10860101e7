# Docker off release 6: looks, refuses if anything speaks against it, and step by step takes away and looks again.
# Every step is decided from what is there, so that a run that was cut off is finished by the next one.
packages=
tools=
keep=
purge_data=no
purge_config=no
chosen_roots=
follow_links=no
foreign=no
for word do
    value=${word#*=}
    case $word in
    package=* | tool=* | keep=*)
        case $value in
        '' | -* | *[!A-Za-z0-9._+-]*) begin stop; fail wrong-settings "Nothing was touched: $value is no name of a package." ;;
        esac
        ;;
    esac
    case $word in
    package=*) packages="$packages $value" ;;
    tool=*) tools="$tools $value" ;;
    keep=*) keep="$keep $value" ;;
    purge_data=*) purge_data=$value ;;
    purge_config=*) purge_config=$value ;;
    data_root=*) chosen_roots=$chosen_roots$value$newline ;;
    follow_links=*) follow_links=$value ;;
    foreign=*) foreign=$value ;;
    *=*) ;;
    esac
done
bridge=docker0

stop_wanted() {
    ! running || echo "docker (process $number)"
    ! on_any_level || echo "docker at boot"
    [ -z "$(orphans)" ] || echo "processes of containers: $(orphans | grep -c .)"
}
on_any_level() {
    [ -e /etc/init.d/docker ] || return 1
    for link in /etc/rc.d/rc[0-6].d/S[0-9][0-9]docker; do [ ! -e "$link" ] || return 0; done
    return 1
}
# What a later run could not see any more: this one may be cut off, and settings may go before data.
remember() {
    for root in $every_root; do
        [ "$root" = /var/lib/docker ] || [ ! -d "$root" ] || remembered data-root | grep -q -x -F -e "$root" ||
            note "\"action\": \"found\", \"name\": \"data-root\", \"value\": \"$root\""
    done
}
stop() {
    ! running || timeout 330 /sbin/service docker stop >"$said" 2>&1
    ! on_any_level || chkconfig docker off >"$said" 2>&1
    for signal in TERM KILL; do
        # They end as `docker stop` would end them.
        for number in $(orphans); do kill -s "$signal" "$number"; done
        waited=0
        while [ -n "$(orphans)" ] && [ "$waited" -lt 10 ]; do
            sleep 1
            waited=$((waited + 1))
        done
    done
}

packages_wanted() {
    # shellcheck disable=SC2086 - names of packages
    installed $going
    [ "$foreign" != yes ] || strangers
}
remove_packages() {
    # shellcheck disable=SC2086
    names=$(installed $going)
    if [ -n "$names" ]; then
        # No repository is needed for that, and one that is dead would hinder it.
        # shellcheck disable=SC2086
        yum_do --disablerepo='*' --setopt=clean_requirements_on_remove=False remove $names
        # shellcheck disable=SC2086
        gone=$(for name in $names; do have "$name" || printf ', "%s"' "$name"; done)
        [ -z "$gone" ] || note "\"action\": \"uninstalled\", \"packages\": [${gone#, }]"
    fi
    [ "$foreign" != yes ] || for path in $(strangers); do rm -f "$path"; done
}

network_wanted() { [ ! -d "/sys/class/net/$bridge/bridge" ] || echo "$bridge"; }
remove_network() {
    for port in "/sys/class/net/$bridge/brif"/veth*; do
        [ ! -e "$port" ] || ip link delete "${port##*/}"
    done
    # The kernel of release 6 does not delete a bridge for ip(8).
    ip link delete "$bridge" >"$said" 2>&1 || {
        ip link set "$bridge" down
        brctl delbr "$bridge" >"$said" 2>&1
    }
}

# step NAME WANTED WORK CODE: what counts is what is there afterwards.
step() {
    begin "$1"
    words=$($2)
    [ -n "$words" ] || return 0
    words=$(printf '%s\n' "$words" | awk 'NR > 1 { printf ", " } { printf "%s", $0 }' | head -c 500)
    may "$words" || return 0
    stuck=
    : >"$said"
    $3
    rest=$($2 | awk 'NR > 1 { printf ", " } { printf "%s", $0 }' | head -c 300)
    [ -z "$rest" ] || fail "$4" "$1 still there: $rest${stuck:+; $stuck}."
    tell changed "$words"
}

see_the_host
take_turn
# What is started from here on must not hold the lock on.
{
begin stop
set -f
every_root=$(data_roots)
set +f
closed
if [ "$foreign" != yes ] && [ -n "$(strangers)" ]; then
    fail foreign-docker "Nothing was touched: this Docker came from no package ($(strangers | head -n 1)); say that it may go, or remove it as it was installed."
fi
# shellcheck disable=SC2086 - names of packages
needing=$(needing $(installed $packages))
[ -z "$needing" ] || fail still-needed "Nothing was touched: other packages need Docker's: ${needing% }; remove them first."
for root in $(doomed_roots); do
    judge "$root" || fail "$code" "Nothing was touched: $why" /dev/null
done
[ "$check" = yes ] || remember
step stop stop_wanted stop still-there
# Before the packages: what takes these away may have come along with Docker.
step network network_wanted remove_network still-there
step firewall firewall_wanted remove_firewall still-there
step packages packages_wanted remove_packages still-there
step data doomed_roots remove_data data-remain
step system system_wanted clear_system still-there
step config config_wanted remove_config still-there
} 9>&-
exit 0
