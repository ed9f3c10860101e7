# Packages: what is in the way goes, compilers and the engine come.
everything() { rpm -qa --qf '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' | grep -v '^gpg-pubkey-' | sort; }
# note_packages: what a transaction brought and took, by what rpm had before it.
note_packages() {
    everything >"$work/has"
    for action in installed removed; do
        if [ "$action" = installed ]; then set -- -13; else set -- -23; fi
        names=$(comm "$@" "$work/had" "$work/has" | sed 's/.*/, "&"/' | tr -d '\n')
        [ -z "$names" ] || note "\"action\": \"$action\", \"packages\": [${names#, }]"
    done
}
see_to_removal() {
    begin remove
    present=
    for name in $unwanted; do ! have "$name" || present="$present $name"; done
    [ -n "$present" ] || return 0
    may "remove${present}" || return 0
    everything >"$work/had"
    # shellcheck disable=SC2086 - names of packages
    yum_do remove $present
    note_packages
    for name in $present; do
        ! have "$name" || fail transaction-failed "yum did not remove $name."
    done
    tell changed "${present# }"
}
versions() {
    found=$(rpm -q --qf '%{NAME} %{VERSION}, ' "$@")
    printf %s "${found%, }"
}
see_to_packages() {
    begin "$1"
    shift
    # shellcheck disable=SC2086 - names of packages
    wanted=$(missing "$@")
    [ -n "$wanted" ] || { tell ok "$(versions "$@")"; return; }
    may "install $wanted" || return 0
    everything >"$work/had"
    # shellcheck disable=SC2086 - names of packages
    yum_do install $wanted
    code=$?
    note_packages
    # shellcheck disable=SC2086 - names of packages
    still=$(missing $wanted)
    [ "$code" != 124 ] || fail hung "yum did not end within $limit s, its limit, and was ended."
    [ -z "$still" ] || fail transaction-failed "yum did not install $still."
    tell changed "$(versions "$@")"
}
# Without its newer library, the program does not even start (dm_task_get_info_with_deferred_remove).
see_to_library() {
    [ "$check" != yes ] || return 0
    case $(docker -v 2>&1) in *'relocation error'*) ;; *) return 0 ;; esac
    begin library
    yum_do update device-mapper-libs
    docker -v >"$said" 2>&1 || fail library-too-old "docker does not start with the device-mapper-libs of this host."
    tell changed "$(rpm -q device-mapper-libs)"
}
