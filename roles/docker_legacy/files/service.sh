# The service that reads /etc/sysconfig/docker.
# What an engine's first start changes: forwarding, and FORWARD's policy. Nothing if it ran before.
note_found() {
    policies=
    for tool in iptables ip6tables; do
        command -v "$tool-save" >/dev/null || continue
        "$tool-save" -t filter >"$work/filter"
        ! grep -q '^:DOCKER' "$work/filter" || return 0
        policy=$(sed -n 's/^:FORWARD \([A-Z]*\) .*/\1/p' "$work/filter")
        # The kernel's, as long as nobody uses the table.
        policies="$policies $tool:${policy:-ACCEPT}"
    done
    ! read -r forwarding </proc/sys/net/ipv4/ip_forward ||
        note "\"action\": \"found\", \"name\": \"ip_forward\", \"value\": \"$forwarding\""
    for policy in $policies; do
        note "\"action\": \"found\", \"name\": \"${policy%:*} FORWARD\", \"value\": \"${policy#*:}\""
    done
}
# At boot and now; cgconfig, which mounts control groups, before docker. What these scripts end with tells nothing.
await() {
    waited=0
    until answers; do
        [ "$waited" -lt 30 ] && { [ "$waited" -lt 12 ] || running; } || return 1
        sleep 1
        waited=$((waited + 1))
    done
}
log_size() { wc -c </var/log/docker | tr -d ' '; }
see_to_service() {
    begin service
    told=
    for name in cgconfig docker; do
        [ "$only" != settings ] || break
        if [ -x "/etc/init.d/$name" ] && ! on_at_boot "$name"; then
            if [ "$check" != yes ]; then
                chkconfig "$name" on >"$said" 2>&1
                on_at_boot "$name" || fail not-enabled "chkconfig did not set $name to start at boot."
            fi
            told="$told $name at boot,"
        fi
    done
    action=
    why="for other_args to take effect"
    if ! running; then
        action=start
    elif [ "$options_changed" = yes ] || ! in_effect; then
        action=restart
    elif ! answers; then
        action=restart
        why="because it runs but does not answer"
    fi
    [ -n "$told$action" ] || { tell ok running; return; }
    may "$told $action" || return 0
    if [ -n "$action" ]; then
        if [ "$action" = restart ] && [ "$restart" != yes ] && [ "$options_changed" != yes ] && [ "$(containers)" -gt 0 ]; then
            fail restart-needed "The engine has to restart $why, which would stop $(containers) running container(s)." /dev/null
        fi
        if [ -x /etc/init.d/cgconfig ] && ! /sbin/service cgconfig status >/dev/null 2>&1; then
            /sbin/service cgconfig start >"$said" 2>&1
        fi
        [ "$action" != start ] || note_found
        before=$(log_size)
        /sbin/service docker $action >"$said" 2>&1
        if ! await; then
            tail -c +$((${before:-0} + 1)) /var/log/docker | grep -v -E 'level=(info|debug)' | tail -c 3000 >"$work/log"
            back=
            if [ "$options_changed" = yes ]; then put_back; fi
            [ -z "$back" ] || fail settings-rolled-back "The engine does not start with the new options; $back" "$work/log"
            fail engine-does-not-start "The engine does not start; /var/log/docker says why." "$work/log"
        fi
        told="$told ${action}ed"
    fi
    tell changed "${told# }"
}
# Whether the engine was started with what the file says now.
in_effect() {
    set -f
    # shellcheck disable=SC2046 - parted at blanks, as the init script does
    set -- $(value_of other_args "$options")
    set +f
    line=" $(tr '\000' ' ' <"/proc/$number/cmdline") "
    case $line in *" ${*:-} "*) ;; *) [ $# = 0 ] || return 1 ;; esac
    # What was taken out of the file may be in effect still.
    [ "$(mirrors_in "$line")" = "$(mirrors_in "$*")" ]
}
mirrors_in() { printf %s "$1" | grep -o -e "--registry-mirror[= ]" | wc -l; }
