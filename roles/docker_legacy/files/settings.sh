# /etc/sysconfig/docker: one of its variables set, backed up, judged, and put back if the engine does not start.
# assign VARIABLE VALUE FILE: the last line that sets it is set anew, or one is added.
assign() {
    case $2 in
    *[\\\"\$\`]*) text="'$(printf '%s\n' "$2" | sed "s/'/'\\\\''/g")'" ;;
    *) text="\"$2\"" ;;
    esac
    text=$1=$text
    [ "$1" = other_args ] || text="export $text"
    text=$text name=$1 awk '
        { lines[NR] = $0; if ($0 ~ "^[ \t]*(export[ \t]+)?" ENVIRON["name"] "=") last = NR }
        END {
            for (i = 1; i <= NR; i++) print i == last ? ENVIRON["text"] : lines[i]
            if (!last) print ENVIRON["text"]
        }' "$3" >"$work/assigned" && cat "$work/assigned" >"$3"
}
options=/etc/sysconfig/docker
options_backup=
options_changed=no
see_to_settings() {
    [ "$other_args$proxies" != unset ] || return 0
    begin settings
    : >"$work/options"
    [ ! -e "$options" ] || cat "$options" >"$work/options"
    told=
    if [ "$other_args" != unset ]; then
        present=$(value_of other_args "$options")
        if [ "$was" != unset ] && [ "$present" != "${was#set:}" ] && [ "$present" != "${other_args#set:}" ]; then
            fail settings-refused "other_args of $options was changed meanwhile; nothing was touched. Run again." /dev/null
        fi
        if [ "$present" != "${other_args#set:}" ]; then
            assign other_args "${other_args#set:}" "$work/options"
            [ "$(value_of other_args "$work/options")" = "${other_args#set:}" ] || fail settings-refused \
                "$options sets other_args in a way that pydock does not change; write it there by hand." "$options"
            told=other_args
        fi
    fi
    while IFS='=' read -r name value; do
        [ -n "$name" ] && [ "$(value_of "$name" "$options")" != "$value" ] || continue
        assign "$name" "$value" "$work/options"
        told="$told $name"
    done <<EOT
$proxies
EOT
    [ -n "$told" ] || { tell ok "as wanted"; return; }
    sh -n "$work/options" >"$said" 2>&1 || fail settings-refused "The new $options would be no valid shell script."
    if running && [ "$restart" != yes ] && [ "$(containers)" -gt 0 ]; then
        fail restart-needed "The engine has to restart for ${told# }, which would stop $(containers) running container(s); nothing was touched." /dev/null
    fi
    may "set ${told# } in $options" || return 0
    replace "$options" "$work/options"
    options_backup=$backup
    options_changed=yes
    tell changed "${told# }"
}
put_back() {
    if [ -n "$options_backup" ]; then
        cp -p "$options_backup" "$options.pydock-new" && mv -f "$options.pydock-new" "$options"
        note "\"action\": \"restored\", \"backup\": \"$options_backup\", \"file\": \"$options\", \"sha256\": \"$(sum "$options")\""
        rm -f "$options_backup"
    else
        rm -f "$options"
    fi
    /sbin/service docker restart >"$said" 2>&1
    if await; then
        back="the old file is in place again, and the engine runs with it."
    else
        back="the old file is in place again, but the engine does not start with it either."
    fi
}
