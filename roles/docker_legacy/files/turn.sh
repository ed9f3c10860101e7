# Whose turn it is on a host, how long it may take, and whether it may still begin something (as role docker_host's
# pydock_turn.py): a lock that goes with this process, and in it who sent it.
run=
owner=
command=
break_lock=False
time_limit=3600
for word do
    case $word in
    run=*) run=${word#*=} ;;
    owner=*) owner=${word#*=} ;;
    command=*) command=${word#*=} ;;
    break_lock=*) break_lock=${word#*=} ;;
    time_limit=*) time_limit=${word#*=} ;;
    esac
done
lock=/var/run/pydock.lock
about=
ends=$(($(date +%s) + time_limit))
trap 'leave; rm -rf "$work"' EXIT

mine() { [ "$(cat "$lock")" = "$about" ]; }
field() { sed -n 's/.*"'"$1"'": "\([^"]*\)".*/\1/p' "$lock" | tr -d '\000-\037' | cut -c 1-160; }
holder() { printf '%s has been at work on this host since %s (`%s`)' "$(field owner)" "$(field since)" "$(field command)"; }
take_turn() {
    [ "$check" != yes ] || return 0
    step=lock
    [ "$break_lock" != True ] || rm -f "$lock"
    exec 9>>"$lock"
    # An earlier try of the same run, whose connection broke, ends by itself.
    until flock -n 9; do
        [ -n "$run" ] && [ "$(field run)" = "$run" ] && [ "$(date +%s)" -lt "$ends" ] ||
            fail host-locked "Nothing was changed: $(holder)." /dev/null
        sleep 2
        exec 9>>"$lock"
    done
    about="{\"command\": \"$(json "$command")\", \"owner\": \"$(json "$owner")\", \"pid\": $$, \"run\": \"$run\", \"since\": \"$(date -u '+%Y-%m-%d %H:%M:%S UTC')\"}"
    printf '%s\n' "$about" >"$lock"
}
# Fails where nothing new may begin.
go_on() {
    step=lock
    [ -z "$about" ] || mine || fail lock-broken "Nothing more was begun here: $(holder)." /dev/null
    [ -z "$run" ] || [ ! -e "/tmp/.pydock-stop-$run" ] || fail interrupted "Nothing more was begun here: the run was interrupted." /dev/null
    [ "$(date +%s)" -lt "$ends" ] ||
        fail time-limit "Nothing more was begun here: $time_limit s, the limit of the work on a host, are over." /dev/null
}
leave() {
    [ -n "$about" ] && mine && rm -f "$lock"
    [ -z "$run" ] || rm -f "/tmp/.pydock-stop-$run"
}
