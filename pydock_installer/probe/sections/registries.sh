# Registry mirrors, as the engine would see them. Runs after probe.sh and unit.sh in the same shell, with their
# functions; see sections/README.md. $registries: addresses to ask, and the word "configured" for those that the host
# has. Reads, and moves one small image; no word of an answer is evaluated, no password is an argument.
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
newline='
'
set -f

# What is wanted of a JSON document, a few words a line. Strings are found where they stand, not where they look alike.
read_json() {
    head -c 65536 | tr -d '\000' | awk -v what="$1" -v arch="$named" '
        function where() { return d == 0 ? "" : P[d] "/" (K[d] == "{" ? N[d] : I[d]) }
        function word(v, limit) { gsub(/\\\//, "/", v); return v ~ /^[!-~]+$/ && length(v) <= limit ? v : "" }
        function digest(v) { return v ~ /^sha256:[0-9a-f]+$/ && length(v) == 71 ? v : "-" }
        { t = t $0 " " }
        END {
            d = 0
            while (match(t, /[^ \t\r]/)) {
                t = substr(t, RSTART)
                c = substr(t, 1, 1)
                n = 1
                if (c == "{" || c == "[") {
                    p = where()
                    if (++d > 60) break
                    P[d] = p; K[d] = c; I[d] = 0; key = (c == "{"); V[p] = c
                } else if (c == "}" || c == "]") {
                    if (--d < 0) break
                } else if (c == ",") {
                    I[d]++; key = (K[d] == "{")
                } else if (c == ":") {
                    key = 0
                } else {
                    if (!match(t, c == "\"" ? "^\"([^\"\\\\]|\\\\.)*\"" : "^[^] \t\r,:{}[\"]+")) break
                    n = RLENGTH
                    v = c == "\"" ? substr(t, 2, n - 2) : substr(t, 1, n)
                    if (key) N[d] = v; else V[where()] = v
                }
                t = substr(t, n + 1)
            }
            if (what == "settings") {
                for (i = 0; i < 32 && (m = V["/registry-mirrors/" i]) != ""; i++) print "mirror", word(m, 300)
                for (i = 0; i < 64 && (m = V["/insecure-registries/" i]) != ""; i++) print "insecure", word(m, 300)
                for (m in V) if (m ~ /^\/proxies\/(http|https|no)-proxy$/) print substr(m, 10), word(V[m], 1000)
            } else if (what == "list") {
                for (i = 0; i < 32 && (m = V["/" i]) != ""; i++) print "mirror", word(m, 300)
            } else if (what == "token") {
                print "token", word(V["/token"] != "" ? V["/token"] : V["/access_token"], 8192)
            } else if (what == "config") {
                print "platform", word(V["/os"], 20) "/" word(V["/architecture"], 20)
            } else if (V["/manifests"] == "[") {
                found = "-"
                for (i = 0; i < 200 && V["/manifests/" i] == "{"; i++) {
                    p = "/manifests/" i
                    if (V[p "/platform/os"] == "linux" && V[p "/platform/architecture"] == arch && found == "-")
                        found = digest(V[p "/digest"])
                }
                print "index", found
            } else if (V["/layers"] == "[") {
                for (i = 0; i < 500 && V["/layers/" i] == "{"; i++) ;
                print "manifest", digest(V["/layers/0/digest"]), digest(V["/config/digest"]), i, word(V["/layers/0/mediaType"], 100)
            } else if (V["/schemaVersion"] == "1") {
                print "schema1"
            } else if (V["/errors"] == "[") {
                m = V["/errors/0/message"]
                gsub(/[^ -~]/, "?", m)
                print "says", substr(m, 1, 200)
            }
        }'
}
case $(uname -m) in
x86_64) named=amd64 ;;
aarch64) named=arm64 ;;
i?86) named=386 ;;
armv*) named=arm ;;
*) named=$(uname -m) ;;
esac

# Proxies as the running engine was told, else as it would be: dockerd's environment, systemd's, the options' file;
# daemon.json counts over them.
environment() {
    number=$(head -c 16 /var/run/docker.pid)
    case $number in
    '' | *[!0-9]*) ;;
    *) [ ! -r "/proc/$number/environ" ] || { tr '\000' '\n' <"/proc/$number/environ"; return; } ;;
    esac
    limit 10 systemctl show docker.service -p Environment | sed 's/^Environment=//' | tr -d '"' | tr ' ' '\n'
    sed -n 's/^\(export \)\{0,1\}\([A-Za-z]*_[A-Za-z]*=\)"\{0,1\}\([^"]*\)"\{0,1\}$/\2\3/p' /etc/sysconfig/docker
}
variable() { printf '%s\n' "$variables" | sed -n "s/^$1=//p" | head -n 1; }
proxy_of() {
    told=$(printf '%s\n' "$settings" | sed -n "s/^$1-proxy //p" | head -n 1)
    [ -n "$told" ] || told=$(variable "$2")
    [ -n "$told" ] || told=$(variable "$3")
    printf '%s' "$told" | head -c 1000
}
{
    settings=$(read_json settings </etc/docker/daemon.json)
    variables=$(environment | grep -i '^[a-z]*_proxy=' | head -c 4096)
    http_by=$(proxy_of http HTTP_PROXY http_proxy)
    https_by=$(proxy_of https HTTPS_PROXY https_proxy)
    none_for=$(proxy_of no NO_PROXY no_proxy)
    flags=$(set +f; docker_unit | tr "'\" \t" '\n\n\n\n')
} 2>/dev/null
# Flags with their value behind "=" or behind a blank.
flag() {
    printf '%s\n' "$flags" | sed -n -e "s/^--$1=//p" -e "/^--$1\$/{" -e n -e p -e '}'
}
insecure=$(printf '%s\n' "$settings" | sed -n 's/^insecure //p'; flag insecure-registry)

configured() { own | head -n 32; }
own() {
    case $state in
    *ActiveState=active*) limit 15 docker info --format '{{json .RegistryConfig.Mirrors}}' 2>/dev/null | read_json list ;;
    esac | sed -n 's/^mirror //p'
    printf '%s\n' "$settings" | sed -n 's/^mirror //p'
    flag registry-mirror
}
addresses() {
    for word in $registries; do
        case $word in configured) configured ;; *) printf '%s\n' "$word" ;; esac
    done | sed -n 's#^\(https\{0,1\}://[!-~][!-~]*\)$#\1#p' | sed 's#/*$##' | awk '!seen[$0]++' | head -n 99
}

# One request: $1 the address, $2 who reads what comes ($3 of it: its headers, or its body). Sets $curl, $status,
# $redirect, $digest (sha256 of what came) and $heard, and adds to $told.
authority() { authority=${1#*://}; authority=${authority%%/*}; authority=${authority%%\?*}; }
quoted() { printf '%s\n' "$1" | sed 's/[\\"]/\\&/g'; }
words() {
    printf '%s\n' "$credentials" "$accept"
    case $trust in
    '') ;;
    insecure) echo insecure ;;
    *) printf 'cacert = "%s"\n' "$trust" ;;
    esac
    # Go never asks a proxy for the host itself.
    authority "$1"
    case $authority in localhost | localhost:* | 127.* | \[::1\]*) return ;; esac
    case $1 in https:*) by=$https_by ;; *) by=$http_by ;; esac
    [ -n "$by" ] || return
    printf 'proxy = "%s"\n' "$(quoted "$by")"
    [ -z "$none_for" ] || printf 'noproxy = "%s"\n' "$(quoted "$none_for")"
}
once() {
    time=$((ends - $(date +%s)))
    [ "$time" -gt 0 ] || time=1
    [ "$time" -le 10 ] || time=10
    case $3 in headers) put='-D /dev/fd/3 -o /dev/null' ;; *) put='-o /dev/fd/3' ;; esac
    heard=$(
        {
            {
                {
                    words "$1" | curl -q -s -g -K - --connect-timeout 5 --max-time "$time" -A "docker (pydock)" $put \
                        -w 'curl %{http_code} %{time_starttransfer} %{time_total} %{size_download} %{redirect_url}\n' \
                        "$1" 3>&1 >&5
                    echo "exit $?" >&5
                } | tee /dev/fd/4 | sha256sum >&5
            } 4>&1 | {
                $2
                cat >/dev/null
            } >&5
        } 5>&1 2>/dev/null
    )
    curl=2 status=000 first=0 total=0 size=0 redirect='' digest=-
    IFS=$newline
    for line in $heard; do
        IFS=' '
        case $line in
        "curl "*)
            set -- ${line#curl } ''
            status=$1 first=$2 total=$3 size=$4 redirect=$5
            ;;
        "exit "*) curl=${line#exit } ;;
        *'  -') digest=sha256:${line%  -} ;;
        esac
    done
    IFS=$blanks
}
request() {
    step=$1
    place=$2
    hops=0
    while :; do
        tried=nothing
        for trust in "$trust" '' $authorities; do
            [ "$trust" != "$tried" ] || continue
            tried=$trust
            once "$place" "$3" "$4"
            case $curl in 60 | 77) ;; *) break ;; esac
        done
        told="$told$number ask $step $curl $status $first $total $size$newline"
        case $curl:$status:$redirect in 0:30[12378]:http://* | 0:30[12378]:https://*) ;; *) return ;; esac
        hops=$((hops + 1))
        [ "$hops" -le 5 ] || return
        # Credentials stay with the host that they are for.
        authority "$place"
        before=$authority
        authority "$redirect"
        [ "$before" = "$authority" ] || credentials=
        place=$redirect
    done
}
blanks=$IFS
heard() { printf '%s\n' "$heard" | sed -n "s/^$1 //p" | head -n 1; }
note() { told="$told$number note $1 $2$newline"; }

challenge() {
    tr -d '\r' | awk '
        function value(name) { return match($0, name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3) : "" }
        tolower($1) == "www-authenticate:" && scheme != "bearer" {
            scheme = tolower($2); realm = value("realm"); service = value("service")
        }
        END {
            if (scheme ~ /^[a-z]+$/) print "scheme", substr(scheme, 1, 20)
            if (realm ~ /^https?:\/\/[!-~]+$/ && length(realm) < 500) print "realm", realm
            if (service ~ /^[A-Za-z0-9 ._:\/-]+$/ && length(service) < 200) print "service", service
        }'
}
manifest() { read_json manifest; }
configuration() { read_json config; }
token() { read_json token; }
layer() { gzip -dc 2>/dev/null | head -c 16777216 | grep -c 'Hello from Docker!' | sed 's/^/greeting /'; }

# The whole talk with one mirror, as an engine has it that pulls library/hello-world.
talk() {
    told= credentials= accept= trust=
    ends=$(($(date +%s) + 25))
    authority "$1"
    mirror=$authority
    set +f
    authorities=
    for file in "/etc/docker/certs.d/$mirror"/*.crt; do
        [ ! -r "$file" ] || authorities="$authorities $file"
    done
    set -f
    for word in $insecure; do
        [ "$mirror" != "$word" ] || trust=insecure
    done
    # So engines hold it, whatever they are told.
    case $mirror in localhost | localhost:* | 127.* | \[::1\]*) trust=insecure ;; esac
    case $1 in https:*) by=$https_by ;; *) by=$http_by ;; esac
    [ -z "$by" ] || note proxy "$(printf '%s\n' "$by" | sed 's#^\([a-z0-9]*://\)\{0,1\}.*@#\1#')"
    request v2 "$1/v2/" challenge headers
    [ "$curl" = 0 ] || return
    case $status in
    200) ;;
    401)
        scheme=$(heard scheme)
        note scheme "${scheme:--}"
        realm=$(heard realm)
        [ "$scheme" = bearer ] && [ -n "$realm" ] || return
        authority "$realm"
        note realm "$authority"
        service=$(heard service)
        credentials="get${newline}data-urlencode = \"service=$service\"
data-urlencode = \"scope=repository:library/hello-world:pull\""
        request token "$realm" token
        credentials=$(heard token | sed -n 's/^\([A-Za-z0-9._~+\/=-][A-Za-z0-9._~+\/=-]*\)$/header = "Authorization: Bearer \1"/p')
        [ -n "$credentials" ] || return
        note token yes
        ;;
    *) return ;;
    esac
    allowed=$credentials
    accept='header = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"'
    request index "$1/v2/library/hello-world/manifests/latest" manifest
    [ "$curl:$status" = 0:200 ] || { note says "$(heard says)"; return; }
    found=$(heard index)
    if [ -n "$found" ]; then
        note index "$found"
        [ "$found" != - ] || return
        credentials=$allowed
        request manifest "$1/v2/library/hello-world/manifests/$found" manifest
        note manifest-digest "$digest"
        [ "$curl:$status:$digest" = "0:200:$found" ] || return
    else
        note image "$digest"
    fi
    parts=$(heard manifest)
    [ -n "$parts" ] || { case $heard in *schema1*) note schema1 yes ;; esac; return; }
    note parts "$parts"
    accept=
    layer=${parts%% *}
    parts=${parts#* }
    [ "$layer" != - ] || return
    if [ -z "$found" ]; then
        found=${parts%% *}
        [ "$found" != - ] || return
        credentials=$allowed
        request config "$1/v2/library/hello-world/blobs/$found" configuration
        note config-digest "$digest"
        note platform "$(heard platform)"
        [ "$curl:$status:$digest" = "0:200:$found" ] || return
    fi
    credentials=$allowed
    request layer "$1/v2/library/hello-world/blobs/$layer" layer
    note layer-digest "$digest"
    note greeting "$(heard greeting)"
}

# Eight at a time take the next number from a pipe, whole ones: what hangs holds up nobody else.
work() {
    while record=$(dd bs=4 count=1 2>/dev/null) && [ -n "$record" ]; do
        number=$((record - 1000))
        set -- $urls
        shift $((number - 1))
        url=$1
        talk "$url"
        printf '%s url %s\n%s' "$number" "$url" "$told"
    done
}
registries() {
    command -v curl >/dev/null 2>&1 || return 44
    echo "platform linux/$named"
    set -- $urls
    awk -v count=$# 'BEGIN { for (i = 1; i <= count; i++) printf "%d", 1000 + i }' | {
        exec 6<&0
        for worker in 1 2 3 4 5 6 7 8; do work <&6 & done
        wait
    }
    echo end
}
urls=$(addresses)
answer registries registries
set +f
