# The package manager: its files, rpm's database, locks, and whether the repositories answer. Neither yum nor dnf runs.
# "config:PATH" is a file as it is, but for passwords; repository_status has "ID<TAB>KIND<TAB>HTTP CURL ADDRESSES".
tab=$(printf '\t')

# Passwords stay on the host; nothing else of a line changes, nor its number.
config() {
    [ -r "$1" ] || return 77
    limit 5 head -c 65536 "$1" |
        sed -e 's/^\([ A-Za-z_]*password[ '"$tab"']*[=:]\).*/\1/' -e 's|://[^/@ ]*@|://|g'
}

# yum 3 has /usr/share/yum-cli; where yum is a name of dnf, /etc/yum.conf is its file at best.
yum_config=/etc/dnf/dnf.conf
[ -e "$yum_config" ] && [ ! -d /usr/share/yum-cli ] || yum_config=/etc/yum.conf
config_count=0
config_size=0
for path in "$yum_config" /etc/yum/pluginconf.d/versionlock.* /etc/dnf/plugins/versionlock.* \
    /etc/dnf/modules.d/container-tools.module /etc/yum.repos.d/*.repo; do
    [ -f "$path" ] || continue
    config_count=$((config_count + 1))
    [ "$config_count" -le 60 ] && [ "$config_size" -lt 300000 ] || continue
    answer "config:$path" config "$path"
    size=$(limit 5 head -c 65536 "$path" 2>/dev/null | wc -c)
    config_size=$((config_size + ${size:-0}))
done

# Comes after the files: whoever sees it has seen all of them.
config_end() {
    [ -e /etc/yum.repos.d ] || return 44
    [ -r /etc/yum.repos.d ] && [ -x /etc/yum.repos.d ] || return 77
    printf '%s %s\n' "$config_count" "$yum_config"
}
answer config_end config_end

# Engines and parts of them that pydock does not remove by itself. rpm tells of damage on stderr alone.
rpm_hangs=
rpm_database() {
    command -v rpm >/dev/null 2>&1 || return 44
    said=$(limit 10 rpm -q --qf '%{NAME}\t%{VERSION}-%{RELEASE}\n' rpm moby-engine moby moby-cli docker-io docker-ee \
        docker-ee-cli docker-engine-cs docker-runc docker-proxy rootlesskit containerd 2>&1)
    status=$?
    printf '%s\n' "$said" | head -c 8192
    # rpm exits with the number of packages that are not installed.
    [ "$status" -lt 124 ] || rpm_hangs=yes
    [ -z "$rpm_hangs" ] || return 124
}
answer rpm_database rpm_database

# What yum and dnf make of $releasever: the version that the release package provides.
release_version() {
    [ -z "$rpm_hangs" ] && command -v rpm >/dev/null 2>&1 || return
    limit 10 rpm -q --qf '[%{PROVIDENAME} %{PROVIDEVERSION}\n]version %{VERSION}\n' --whatprovides system-release |
        awk '$1 == "system-release(releasever)" { r = $2 } $1 == "version" && v == "" { v = $2 }
            END { print r == "" ? v : r }'
}
repository_variables() {
    machine=$(uname -m)
    version=$(release_version)
    case $version in [0-9]*) ;; *) version=$major ;; esac
    printf 'arch=%s\nbasearch=%s\nreleasever=%s\n' "$machine" "$(echo "$machine" | sed 's/^i.86$/i386/')" "$version"
    set -- /etc/yum/vars/*
    [ "$yum_config" = /etc/yum.conf ] || set -- "$@" /etc/dnf/vars/*
    for path in "$@"; do
        [ -f "$path" ] && [ -r "$path" ] || continue
        printf '%s=%s\n' "${path##*/}" "$(head -c 200 "$path" | head -n 1)"
    done | head -n 40
}
variables=$(repository_variables 2>/dev/null)
repository_variables_seen() { printf '%s\n' "$variables"; }
answer repository_variables repository_variables_seen

# One line for each address of an enabled repository: its ID, what is there, and how to ask, as curl's settings.
# docker-ce.repo is left out: pydock writes it anew.
repository_addresses() {
    {
        printf '%s\n[]\n' "$variables"
        for path in "$yum_config" /etc/yum.repos.d/*.repo; do
            case $path in */docker-ce.repo) continue ;; esac
            [ -f "$path" ] && [ -r "$path" ] || continue
            limit 5 head -c 65536 "$path"
            printf '\n[]\n'
        done
    } | awk '
        function get(key) { return (key in own) ? own[key] : ((key in main) ? main[key] : "") }
        function off(text) { return tolower(text) ~ /^(0|no|false|off)$/ }
        function say(name, text) {
            gsub(/[\001-\037]/, "", text)
            gsub(/[\\"]/, "\\\\&", text)
            return name " = \"" text "\"\001"
        }
        function fill(text,   done, name) {
            while (match(text, /\$([A-Za-z0-9_]+|\{[A-Za-z0-9_]+\})/)) {
                name = substr(text, RSTART + 1, RLENGTH - 1)
                gsub(/[{}]/, "", name)
                done = done substr(text, 1, RSTART - 1) ((name in vars) ? vars[name] : substr(text, RSTART, RLENGTH))
                text = substr(text, RSTART + RLENGTH)
            }
            return done text
        }
        function ask(kind, url) {
            url = fill(url)
            if (url ~ /^(https?|ftp|file):\/\//) printf "%s\t%s\t%s%s\n", id, kind, how, say("url", url)
        }
        function finish(   count, urls, i, proxy) {
            if (id == "main") { for (i in own) main[i] = own[i] }
            else if (id != "" && !("enabled" in own && off(own["enabled"]))) {
                how = ""
                proxy = get("proxy")
                if (tolower(proxy) == "_none_" || ("proxy" in own && proxy == "")) how = say("proxy", "")
                else if (proxy != "") {
                    how = say("proxy", proxy)
                    if (get("proxy_username") != "")
                        how = how say("proxy-user", get("proxy_username") ":" get("proxy_password"))
                }
                if (get("username") != "") how = how say("user", get("username") ":" get("password"))
                if (off(get("sslverify"))) how = how "insecure\001"
                if (get("sslcacert") != "") how = how say("cacert", fill(get("sslcacert")))
                if (get("sslclientcert") != "") how = how say("cert", fill(get("sslclientcert")))
                if (get("sslclientkey") != "") how = how say("key", fill(get("sslclientkey")))
                if (own["metalink"] != "") ask("list", own["metalink"])
                else if (own["mirrorlist"] != "") ask("list", own["mirrorlist"])
                count = split(own["baseurl"], urls, /[ \t,]+/)
                for (i = 1; i <= count && i <= 4; i++)
                    if (urls[i] != "") { sub(/\/+$/, "", urls[i]); ask("base", urls[i] "/repodata/repomd.xml") }
            }
            for (i in own) delete own[i]
            id = key = ""
        }
        { sub(/\r$/, "") }
        !filled && $0 == "[]" { filled = 1; next }
        !filled { i = index($0, "="); vars[substr($0, 1, i - 1)] = substr($0, i + 1); next }
        /^[ \t]*([#;]|$)/ { next }
        /^\[/ {
            finish()
            id = substr($0, 2)
            sub(/\].*/, "", id)
            gsub(/[\001-\040\\]/, "", id)
            next
        }
        /^[ \t]/ { if (key != "") { sub(/^[ \t]+/, ""); own[key] = own[key] " " $0 }; next }
        match($0, /[=:]/) {
            key = tolower(substr($0, 1, RSTART - 1))
            gsub(/[ \t]/, "", key)
            text = substr($0, RSTART + 1)
            gsub(/^[ \t]+|[ \t]+$/, "", text)
            own[key] = text
        }
        END { finish() }
    ' | head -n 30
}

# The settings, which may hold a password, reach curl on its stdin.
ask_repository() {
    case $2 in base) set -- "$1" "$2" "$3" -o /dev/null ;; *) set -- "$1" "$2" "$3" --max-filesize 1048576 ;; esac
    id=$1 kind=$2 settings=$3
    shift 3
    {
        printf '%s' "$settings" | tr '\001' '\n' | limit 12 curl -q -K - -s -g -L --connect-timeout 4 --max-time 8 \
            --limit-rate 200k "$@" -w '\n%{http_code}'
        printf ' %s\n' $?
    } | awk -v about="$id$tab$kind$tab" '
        tolower($0) ~ /^[ \t]*(https?|ftp|file):\/\/|<url[ >]/ { count++ }
        { last = $0 }
        END { print about last, count + 0 }'
}
repository_status() {
    command -v curl >/dev/null 2>&1 && command -v awk >/dev/null 2>&1 || return 44
    repository_addresses | {
        while IFS=$tab read -r id kind settings; do
            ask_repository "$id" "$kind" "$settings" &
        done
        wait
    }
}
answer repository_status repository_status

# yum and dnf wait for whatever process has the number in such a file, whoever it is by now.
holder() { [ -d "/proc/$2" ] && printf '%s\t%s\t%s\n' "$1" "$2" "$(tr '\000\t\n' '   ' <"/proc/$2/cmdline" | head -c 200)"; }
locks() {
    for path in /var/run/yum.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid \
        /var/lib/dnf/rpmdb_lock.pid; do
        [ -f "$path" ] || continue
        [ -r "$path" ] || return 77
        pid=$(head -c 16 "$path" | tr -dc 0-9)
        [ -z "$pid" ] || holder "$path" "$pid"
    done
    for path in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do
        inode=$(stat -L -c %i "$path") || continue
        # Lines are "1: POSIX ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF".
        for pid in $(awk -v inode="$inode" '$2 == "POSIX" && $4 == "WRITE" && $5 > 0 { split($6, at, ":")
            if (at[3] == inode) print $5 }' /proc/locks | tr -dc '0-9\n'); do
            holder "$path" "$pid"
        done
    done
    return 0
}
answer locks locks
