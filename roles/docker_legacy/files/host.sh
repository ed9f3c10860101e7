# What both scripts of release 6 begin with: telling, the journal, files, rpm and yum; turn.sh goes on. There is no Python there.
# POSIX sh with the tools of CentOS 6 (coreutils 8.4, gawk 3.1, sysvinit). Arguments are KEY=VALUE; none of them is evaluated.
# Each line that is printed is "pydock: " and JSON: a step, the proof, or the failure.
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
patience=300
for word do
    case $word in
    check=*) check=${word#*=} ;;
    patience=*) patience=${word#*=} ;;
    esac
done

work=$(mktemp -d /tmp/pydock.XXXXXX) || exit 1
trap 'exit 129' HUP INT TERM
said=$work/said
: >"$said"
changed=no
began=$(date +%s)

# -- what is told

json() {
    printf '%s\n' "$1" | tr '\001-\010\011\013-\037\177-\377' '?' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' |
        awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }'
}
begin() {
    go_on
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

# -- rpm and yum

have() { rpm -q "$1" >/dev/null 2>&1; }
missing() {
    found=
    for name in "$@"; do have "$name" || found="$found $name"; done
    printf %s "${found# }"
}
# FILE: the number of a process in it. yum writes it without an end of line, where read fails and yet has read.
number_in() {
    number=
    read -r number <"$1" || [ -n "$number" ] || return 1
    case $number in '' | *[!0-9]*) return 1 ;; esac
}
# yum waits for its lock without an end: we wait for it before, and not for ever.
yum_do() {
    waited=0
    while number_in /var/run/yum.pid && [ -d "/proc/$number" ]; do
        [ "$waited" -lt "$patience" ] ||
            fail locked "Another package manager (process $number) has held yum's lock for $patience s; let it finish."
        sleep 2
        waited=$((waited + 2))
    done
    limit=$((ends - $(date +%s)))
    [ "$limit" -gt 0 ] || limit=1
    timeout "$limit" yum -y "$@" >"$said" 2>&1
}
# No other release, and root.
see_the_host() {
    begin release
    for path in /etc/centos-release /etc/oracle-release /etc/redhat-release; do read -r release <"$path" && break; done
    case $release in *' release 6.'*) ;; *) fail not-release-6 "This host is no release 6: ${release:-unknown}." /dev/null ;; esac
    [ "$(id -u)" = 0 ] || fail not-root "This takes root." /dev/null
}
