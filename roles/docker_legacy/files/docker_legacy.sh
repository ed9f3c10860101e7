# Docker 1.7.1 on release 6, where there is no Python: looks, does what is missing, looks again, and tells its steps.
# POSIX sh with the tools of CentOS 6 (coreutils 8.4, sysvinit). Arguments are KEY=VALUE; none of them is evaluated.
# Each line that it prints is "pydock: " and JSON: a step, the proof, or the failure.
exec </dev/null 2>/dev/null
LC_ALL=C
LANG=C
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
export LC_ALL LANG PATH
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
umask 022
newline='
'

check=no
only=
archives=
epel=
epel_key=
absent=
compilers=
other_args=unset
was=unset
proxies=
restart=no
mirrors=
image=hello-world
builtin=
builtin_name=
greeting='Hello from Docker'
patience=300
files=
force=no
run=
owner=
command=
break_lock=no
time_limit=3600
for word do
    value=${word#*=}
    case $word in
    check=*) check=$value ;;
    only=*) only=$value ;;
    archive=*) archives="$archives $value" ;;
    epel=*) epel="$epel $value" ;;
    epel_key=*) epel_key=$value ;;
    absent=*) absent="$absent $value" ;;
    compiler=*) compilers="$compilers $value" ;;
    other_args=*) other_args=set:$value ;;
    was=*) was=set:$value ;;
    proxy=*) proxies=$proxies$value$newline ;;
    restart=*) restart=$value ;;
    mirror=*) mirrors="$mirrors ${value%/}" ;;
    image=*) image=$value ;;
    builtin=*) builtin=$value ;;
    builtin_name=*) builtin_name=$value ;;
    greeting=*) builtin_greeting=$value ;;
    patience=*) patience=$value ;;
    file=*) files=$files$value$newline ;;
    force=*) force=$value ;;
    run=*) run=$value ;;
    owner=*) owner=$value ;;
    command=*) command=$value ;;
    break_lock=*) break_lock=$value ;;
    time_limit=*) time_limit=$value ;;
    *=*) ;;
    esac
done

work=$(mktemp -d /tmp/pydock.XXXXXX) || exit 1
trap 'leave; rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM
said=$work/said
: >"$said"
changed=no

# -- what is told

json() {
    printf '%s\n' "$1" | tr '\001-\010\011\013-\037\177-\377' '?' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' |
        awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }'
}
begin() {
    step=lock
    [ -z "$about" ] || mine || fail lock-broken "Nothing more was begun here: $(holder)." /dev/null
    [ -z "$run" ] || [ ! -e "/tmp/.pydock-stop-$run" ] || fail interrupted "Nothing more was begun here: the run was interrupted." /dev/null
    [ "$(date +%s)" -lt "$ends" ] ||
        fail time-limit "Nothing more was begun here: $time_limit s, the limit of the work on a host, are over." /dev/null
    step=$1
    began=$(date +%s)
}
# tell STATUS DETAIL
tell() {
    [ "$1" != changed ] || changed=yes
    printf 'pydock: {"step": {"name": "%s", "status": "%s", "seconds": %s, "detail": "%s"}}\n' \
        "$step" "$1" $(($(date +%s) - began)) "$(json "$2")"
}
# fail CODE MESSAGE [FILE]: the end of the run, with the end of what a tool said.
fail() {
    [ "$1" = interrupted ] || tell failed "$2"
    evidence=$(tail -c 3000 "${3:-$said}")
    printf 'pydock: {"failed": {"code": "%s", "message": "%s", "evidence": "%s"}}\n' \
        "$1" "$(json "$2")" "$(json "$evidence")"
    exit 1
}
# Whether something is to be done; in check mode it is only told.
may() {
    [ "$check" != yes ] && return 0
    tell changed "$1"
    return 1
}

# -- whose turn it is

# A lock that goes with this process, and in it who sent it (role docker_host, pydock_turn.py).
lock=/var/run/pydock.lock
about=
ends=$(($(date +%s) + time_limit))
began=$(date +%s)
mine() { [ "$(cat "$lock")" = "$about" ]; }
field() { sed -n 's/.*"'"$1"'": "\([^"]*\)".*/\1/p' "$lock" | tr -d '\000-\037' | cut -c 1-160; }
holder() { printf '%s has been at work on this host since %s (`%s`)' "$(field owner)" "$(field since)" "$(field command)"; }
take_turn() {
    [ "$check" != yes ] || return 0
    step=lock
    [ "$break_lock" != yes ] || rm -f "$lock"
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
leave() {
    [ -n "$about" ] && mine && rm -f "$lock"
    [ -z "$run" ] || rm -f "/tmp/.pydock-stop-$run"
}

# -- files

stamp() { date -u +%Y%m%dT%H%M%SZ; }
sum() {
    rest=$(sha256sum "$1") && printf %s "${rest%% *}"
}
# The journal of what was done to this host (roles/docker_host/README.md).
note() {
    mkdir -p /var/lib/pydock || return
    journal=/var/lib/pydock/journal.jsonl
    [ -e "$journal" ] || (umask 077 && : >"$journal")
    [ ! -s "$journal" ] || [ -z "$(tail -c 1 "$journal")" ] || echo >>"$journal"
    printf '{%s, "time": "%s"}\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >>"$journal"
}
# A name for a copy beside a file, which no tool reads.
beside() {
    copy=$1.pydock-$(stamp).bak
    while [ -e "$copy" ]; do
        sleep 1
        copy=$1.pydock-$(stamp).bak
    done
    printf %s "$copy"
}
# replace FILE NEW: keeps the old file beside it, with mode, owner and label.
backup=
replace() {
    backup=
    if [ -e "$1" ]; then
        backup=$(beside "$1")
        cp -p "$1" "$backup" && cp -p "$1" "$1.pydock-new" && cat "$2" >"$1.pydock-new" && mv -f "$1.pydock-new" "$1" ||
            fail write-failed "$1 could not be written; is the disk full?"
        note "\"action\": \"replaced\", \"backup\": \"$backup\", \"file\": \"$1\", \"sha256\": \"$(sum "$1")\""
    else
        cp "$2" "$1.pydock-new" && chmod 644 "$1.pydock-new" && mv -f "$1.pydock-new" "$1" ||
            fail write-failed "$1 could not be written; is the disk full?"
        note "\"action\": \"created\", \"file\": \"$1\", \"sha256\": \"$(sum "$1")\""
    fi
    ! command -v restorecon >/dev/null || restorecon "$1"
}

# -- yum and the network

have() { rpm -q "$1" >/dev/null 2>&1; }
missing() {
    found=
    for name in "$@"; do have "$name" || found="$found $name"; done
    printf %s "${found# }"
}
# yum waits for its lock without an end: we wait for it before, and not for ever.
yum_do() {
    waited=0
    while read -r holder </var/run/yum.pid && [ -d "/proc/$holder" ]; do
        [ "$waited" -lt "$patience" ] ||
            fail locked "Another package manager (process $holder) has held yum's lock for $patience s; let it finish."
        sleep 2
        waited=$((waited + 2))
    done
    limit=$((ends - $(date +%s)))
    [ "$limit" -gt 0 ] || limit=1
    timeout "$limit" yum -y "$@" >"$said" 2>&1
}
# yum's own proxy; a password in it reaches curl on its stdin.
main() { sed -n '/^\[main\]/,/^\[/s/^'"$1"'[[:space:]]*=[[:space:]]*\([^[:space:]"\\]*\)[[:space:]]*$/\1/p' /etc/yum.conf | tail -n 1; }
proxy=$(main proxy)
case $proxy in _none_ | None | none) proxy= ;; esac
fetch() {
    {
        printf 'url = "%s"\noutput = "%s"\n' "$1" "$2"
        [ -z "$proxy" ] || printf 'proxy = "%s"\n' "$proxy"
        user=$(main proxy_username)
        [ -z "$proxy" ] || [ -z "$user" ] || printf 'proxy-user = "%s:%s"\n' "$user" "$(main proxy_password)"
    } | curl -q -f -s -S -L --connect-timeout 10 --max-time 60 -K - >"$said" 2>&1
}
machine=$(uname -m)

# -- the steps

# Repository files whose servers were switched off, pointed to the first archive that serves this host.
base_repositories() {
    begin base-repositories
    grep -l -E '^[^#]*(mirrorlist|mirror)\.centos\.org' /etc/yum.repos.d/*.repo >"$work/dead" || return 0
    chosen=
    for archive in $archives; do
        if fetch "$archive/os/$machine/repodata/repomd.xml" "$work/repomd"; then
            chosen=$archive
            break
        fi
    done
    [ -n "$chosen" ] || fail no-archive "No archive of this release serves this host; nothing was changed: $(cat "$said")"
    for part in os updates extras centosplus contrib cr fasttrack; do
        printf '%s\n' "s|^\(mirrorlist[[:space:]]*=.*mirrorlist\.centos\.org.*[?&]repo=$part\)\([&[:space:]].*\)*\$|#\1\2|" \
            "s|^[#[:space:]]*baseurl[[:space:]]*=[[:space:]]*https*://mirror\.centos\.org/[^/]*/[^/]*/$part/|baseurl=$chosen/$part/|"
    done >"$work/repair"
    done_to=
    while read -r path; do
        sed -f "$work/repair" "$path" >"$work/new" && ! cmp -s "$path" "$work/new" || continue
        may "point ${path##*/} to $chosen" || continue
        replace "$path" "$work/new"
        done_to="$done_to ${path##*/}"
    done <"$work/dead"
    [ -z "$done_to" ] || tell changed "${done_to# } to $chosen"
}

repository_text() {
    printf '%s\n' "# Managed by pydock. The key below was checked against its pinned fingerprint." "[epel]" \
        "name=EPEL 6, its archive" "baseurl=$1/6/\$basearch" enabled=1 gpgcheck=1 "gpgkey=file://$key_file" \
        skip_if_unavailable=0
}
key_file=/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6
repository_file=/etc/yum.repos.d/epel.repo
key_short() { printf %s "$epel_key" | sed 's/.*\(........\)$/\1/' | tr A-F a-f; }
# EPEL's archive: its key checked before it is trusted.
see_to_repository() {
    begin repository
    chosen=
    why=
    for base in $epel; do
        repository_text "$base" >"$work/repo"
        # What is there and serves stays.
        if fetch "$base/6/$machine/repodata/repomd.xml" "$work/repomd"; then
            chosen=$base
            break
        fi
        why=$why${why:+; }$(cat "$said")
    done
    [ -n "$chosen" ] || fail no-metadata "No archive of EPEL 6 serves this host: $why"
    if cmp -s "$work/repo" "$repository_file" && [ -s "$key_file" ] && have "gpg-pubkey-$(key_short)"; then
        tell ok "$chosen"
        return
    fi
    may "set up EPEL 6 of $chosen" || return 0
    command -v gpg >/dev/null || fail no-gpg "There is no gpg to check the key of EPEL with; install gnupg2."
    fetch "$chosen/RPM-GPG-KEY-EPEL-6" "$work/key" || fail key-not-fetched "The key of EPEL was not to be had from $chosen."
    mkdir -m 700 "$work/gpg"
    gpg --homedir "$work/gpg" --batch --no-tty --import "$work/key" >"$said" 2>&1
    prints=$(gpg --homedir "$work/gpg" --batch --no-tty --with-colons --fingerprint | awk -F: '
        $1 == "pub" { wanted = 1 }
        $1 == "fpr" && wanted { print $10; wanted = 0 }')
    [ "$prints" = "$epel_key" ] || fail wrong-key \
        "The key at $chosen is not the pinned one: it is ${prints:-no key}, wanted is $epel_key. Nothing was imported."
    cmp -s "$work/key" "$key_file" || replace "$key_file" "$work/key"
    rpm --import "$key_file" >"$said" 2>&1
    have "gpg-pubkey-$(key_short)" || fail key-not-imported "rpm did not take the key of EPEL."
    cmp -s "$work/repo" "$repository_file" || replace "$repository_file" "$work/repo"
    tell changed "$chosen"
}

see_to_removal() {
    begin remove
    present=
    for name in $absent; do ! have "$name" || present="$present $name"; done
    [ -n "$present" ] || return 0
    may "remove${present}" || return 0
    # shellcheck disable=SC2086 - names of packages
    yum_do remove $present
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
    # shellcheck disable=SC2086 - names of packages
    yum_do install $wanted
    code=$?
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

running() {
    number=
    read -r number </var/run/docker.pid || [ -n "$number" ] || return 1
    case $number in '' | *[!0-9]*) return 1 ;; esac
    grep -q docker "/proc/$number/cmdline"
}
answers() { timeout 15 docker version >"$work/version" 2>&1 && grep -q '^Server version:' "$work/version"; }
containers() { timeout 15 docker ps -q | grep -c .; }
level() { sed -n 's/^id:\([0-9]\):.*/\1/p' /etc/inittab; }
on_at_boot() {
    for link in "/etc/rc.d/rc$(level).d"/S??"$1"; do [ ! -e "$link" ] || return 0; done
    return 1
}
value_of() { # VARIABLE FILE: what a shell makes of it
    [ -e "$2" ] || return 0
    (
        set +e
        unset other_args HTTP_PROXY HTTPS_PROXY NO_PROXY
        # shellcheck disable=SC1090 - as the init script does
        . "$2" >/dev/null 2>&1
        case $1 in
        other_args) printf %s "$other_args" ;;
        HTTP_PROXY) printf %s "$HTTP_PROXY" ;;
        HTTPS_PROXY) printf %s "$HTTPS_PROXY" ;;
        NO_PROXY) printf %s "$NO_PROXY" ;;
        esac
    )
}
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
    if ! running; then action=start; elif [ "$options_changed" = yes ] || ! in_effect; then action=restart; elif ! answers; then action=restart; fi
    [ -n "$told$action" ] || { tell ok running; return; }
    may "$told $action" || return 0
    if [ -n "$action" ]; then
        if [ "$action" = restart ] && [ "$restart" != yes ] && [ "$options_changed" != yes ] && [ "$(containers)" -gt 0 ]; then
            fail restart-needed "The engine has to restart for other_args to take effect, which would stop $(containers) running container(s)." /dev/null
        fi
        if [ -x /etc/init.d/cgconfig ] && ! /sbin/service cgconfig status >/dev/null 2>&1; then
            /sbin/service cgconfig start >"$said" 2>&1
        fi
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
used_mirrors() {
    running || return
    tr '\000' '\n' <"/proc/$number/cmdline" | awk '
        wanted { print; wanted = 0; next }
        $0 == "--registry-mirror" { wanted = 1; next }
        sub(/^--registry-mirror=/, "") { print }' | sed 's|/*$|/|' | awk '!seen[$0]++'
}

# Client, server, mirrors in effect, and a container that has run.
prove() {
    begin proof
    [ "$check" != yes ] || { tell skipped "a proof runs a container"; return; }
    command -v docker >/dev/null || fail no-client "This host has no docker command; install docker-io first."
    answers || fail no-server "The engine does not answer on this host; \`service docker status\` and /var/log/docker say why." "$work/version"
    client=$(sed -n 's/^Client version: *//p' "$work/version")
    server=$(sed -n 's/^Server version: *//p' "$work/version")
    used=$(used_mirrors)
    for mirror in $mirrors; do
        case $newline$used$newline in
        *"$newline$mirror/$newline"*) ;;
        *) fail mirrors-not-in-effect "The engine uses the registry mirrors ${used:-(none)}, but $mirror is wanted; restart it." /dev/null ;;
        esac
    done
    name=pydock-proof-$$
    ran=$image
    how=run
    if [ "$image" != builtin ] && [ -z "$(docker images -q "$image")" ]; then
        how='pulled and run'
        # Docker Hub has nothing for an engine this old: only a mirror may, and is not waited for for long.
        timeout 90 docker pull "$image" >"$work/pull" 2>&1 || {
            [ "$image" = hello-world ] && [ -n "$builtin" ] || fail run-failed \
                "$image could not be pulled: $(grep . "$work/pull" | tail -n 1). Engine 1.7.1 reads images of schema 1 alone, which Docker Hub has no more; use verify.image: builtin, or a mirror that has them." "$work/pull"
            how="run, made on the spot: $image cannot be pulled ($(grep . "$work/pull" | tail -n 1)); engine 1.7.1 reads schema 1 alone, which Docker Hub has no more"
            ran=builtin
        }
    fi
    start=$ran
    if [ "$ran" = builtin ]; then
        [ "$image" != builtin ] || how='run, made on the spot: nothing was pulled'
        printf %s "$builtin" | base64 -d | gzip -dc >"$work/image.tar"
        timeout 120 docker load <"$work/image.tar" >"$said" 2>&1 || fail run-failed "docker load did not take the built-in image."
        start=$builtin_name
        greeting=$builtin_greeting
    fi
    timeout 180 docker run --rm --name "$name" "$start" >"$said" 2>&1
    code=$?
    if [ "$code" != 0 ] || ! grep -q -F "$greeting" "$said"; then
        cat "$said" >"$work/run"
        tail -n 20 /var/log/docker >>"$work/run"
        docker rm -f "$name" >"$said" 2>&1
        [ "$code" != 124 ] || fail run-timeout "$ran did not run within 180 s." "$work/run"
        [ "$code" = 0 ] || fail run-failed "docker run $ran failed: $(grep . "$work/run" | head -n 1)" "$work/run"
        fail wrong-greeting "The image $ran ran, but did not say \"$greeting\"; check which image that name brings." "$work/run"
    fi
    list=
    for mirror in $used; do list="$list${list:+, }\"$(json "$mirror")\""; done
    record="\"client\": \"$(json "$client")\", \"image\": \"$(json "$ran")\", \"registry_mirrors\": [$list], \"server\": \"$(json "$server")\""
    case $(cat /var/lib/pydock/proof.json) in
    "{$record,"*) ;;
    *)
        mkdir -p /var/lib/pydock
        printf '{%s, "time": "%s"}\n' "$record" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$work/proof" &&
            cp "$work/proof" /var/lib/pydock/proof.json
        ;;
    esac
    tell ok "$ran $how; client $client, server $server"
    printf 'pydock: {"proof": {%s, "hello_world": true}}\n' "$record"
}

# Repository files that pydock replaced, put back from their backups: FILE|BACKUP|sum of what pydock wrote.
put_back_files() {
    begin restore
    told=
    while IFS='|' read -r path copy wrote; do
        [ -n "$path" ] || continue
        case $path:$copy in /etc/yum.repos.d/*/*:*) fail restore-failed "$path is no repository file." /dev/null ;; esac
        case $path:$copy in /etc/yum.repos.d/*.repo:"$path".pydock-*) ;; *) fail restore-failed "$copy is no backup of $path." /dev/null ;; esac
        [ -f "$copy" ] || fail restore-failed "$path cannot be put back: its backup $copy is gone." /dev/null
        [ "$force" = yes ] || [ "$(sum "$path")" = "$wrote" ] ||
            fail restore-failed "$path is not as pydock left it, so nothing was put back; compare it with $copy." /dev/null
    done <<EOT
$files
EOT
    while IFS='|' read -r path copy wrote; do
        [ -n "$path" ] || continue
        may "put back $path" || continue
        kept=$(beside "$path")
        cp -p "$path" "$kept"
        cp -p "$copy" "$path.pydock-new" && mv -f "$path.pydock-new" "$path" || fail restore-failed "$path could not be written."
        note "\"action\": \"restored\", \"backup\": \"$copy\", \"file\": \"$path\", \"kept\": \"$kept\", \"sha256\": \"$(sum "$path")\""
        rm -f "$copy"
        told="$told ${path##*/}"
    done <<EOT
$files
EOT
    [ -z "$told" ] || tell changed "${told# }"
}

case $(uname -m) in x86_64) ;; *) begin release; fail not-release-6 "Docker 1.7.1 is there for x86_64 alone." /dev/null ;; esac
for path in /etc/centos-release /etc/oracle-release /etc/redhat-release; do read -r release <"$path" && break; done
case $release in *' release 6.'*) ;; *) begin release; fail not-release-6 "This host is no release 6: ${release:-unknown}." /dev/null ;; esac
[ "$(id -u)" = 0 ] || { begin release; fail not-root "This takes root." /dev/null; }
take_turn
# What is started from here on, an engine for one, must not hold the lock on.
{
case $only in
proof) prove ;;
restore) put_back_files ;;
settings)
    see_to_settings
    see_to_service
    ;;
*)
    [ -z "$archives" ] || base_repositories
    have docker-io || see_to_repository
    see_to_removal
    # shellcheck disable=SC2086 - names of packages
    [ -z "$compilers" ] || see_to_packages compilers $compilers
    see_to_packages engine docker-io
    see_to_library
    see_to_settings
    [ "$check" = yes ] && ! have docker-io || see_to_service
    prove
    ;;
esac
} 9>&-
exit 0
