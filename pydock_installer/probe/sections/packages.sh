# The package manager: its files, rpm's database, locks, and whether the repositories answer. Neither yum nor dnf runs.
# "config:PATH" is a file as it is, but for passwords; repository_status has "ID<TAB>KIND<TAB>HTTP CURL ADDRESSES".
# yum 3 has /usr/share/yum-cli; where yum is a name of dnf, /etc/yum.conf is its file at best.
yum_config=/etc/dnf/dnf.conf
[ -e "$yum_config" ] && [ ! -d /usr/share/yum-cli ] || yum_config=/etc/yum.conf
config_count=0
set --
for path in "$yum_config" /etc/yum/pluginconf.d/versionlock.* /etc/dnf/plugins/versionlock.* \
    /etc/dnf/modules.d/container-tools.module /etc/yum.repos.d/*.repo; do
    [ -f "$path" ] || continue
    config_count=$((config_count + 1))
    [ "$config_count" -gt 60 ] || set -- "$@" "$path"
done
# Passwords stay on the host; nothing else of a line changes, nor its number. Ends with 3 where an address may depend
# on the release's version.
releasever=
[ $# = 0 ] || awk -v nonce="$nonce" '
    BEGIN {
        for (i = 1; i < ARGC && all < 300000; i++) {
            printf "\n%s config:%s\n", nonce, ARGV[i]
            size = 0
            while (size < 65536 && (got = (getline line < ARGV[i])) > 0) {
                line = substr(line, 1, 65536 - size)
                size += length(line) + 1
                if (line ~ /\$(releasever|\{releasever)/) wanted = 3
                if (match(line, /^[ A-Za-z_]*password[ \t]*[=:]/)) line = substr(line, 1, RLENGTH)
                while (match(line, /:\/\/[^\/@ ]*@/)) line = substr(line, 1, RSTART - 1) "\001" substr(line, RSTART + RLENGTH)
                gsub("\001", "://", line)
                print line
            }
            all += size
            printf "\n%s/ %d\n", nonce, size == 0 && got < 0 ? 77 : 0
            close(ARGV[i])
        }
        exit wanted
    }' "$@" 2>/dev/null
[ $? != 3 ] || releasever=wanted

# Comes after the files: whoever sees it has seen all of them.
config_end() {
    [ -e /etc/yum.repos.d ] || return 44
    [ -r /etc/yum.repos.d ] && [ -x /etc/yum.repos.d ] || return 77
    printf '%s %s\n' "$config_count" "$yum_config"
}
answer config_end config_end

# Engines and parts of them that pydock does not remove by itself, and what rpm says of damage.
rpm_database() {
    [ "$rpm_status" != none ] || return 44
    set -f
    IFS=$newline
    lines=0
    for row in $rpm_said; do
        name=${row%%"$tab"*}
        case $row in
        *"$tab"*"$tab"*"$tab"*)
            case " $strangers " in *[\ $newline]"$name"[\ $newline]*) ;; *) continue ;; esac
            row=${row#*"$tab"*"$tab"}
            row=${row%"$tab"*}
            row=$name$tab${row%%"$tab"*}-${row#*"$tab"}
            ;;
        esac
        lines=$((lines + 1))
        [ "$lines" -gt 100 ] || printf '%.200s\n' "$row"
    done
    set +f
    unset IFS
    [ "$rpm_status" != 124 ] || return 124
}
answer rpm_database rpm_database

# What yum and dnf make of $releasever: the version that the release package provides. It costs a process of rpm's, and
# so it is asked where an address has that word.
release_version() {
    [ -n "$releasever" ] && [ "$rpm_status" != 124 ] && command -v rpm >/dev/null 2>&1 || return
    limit 10 rpm -q --qf '[%{PROVIDENAME} %{PROVIDEVERSION}\n]version %{VERSION}\n' --whatprovides system-release |
        awk '$1 == "system-release(releasever)" { r = $2 } $1 == "version" && v == "" { v = $2 }
            END { print r == "" ? v : r }'
}
variables=
repository_variables() {
    version=$major
    [ -z "$releasever" ] || version=$(release_version)
    case $version in [0-9]*) ;; *) version=$major ;; esac
    base=$machine
    case $machine in i?86) base=i386 ;; esac
    variables="arch=$machine${newline}basearch=$base${newline}releasever=$version"
    set -- /etc/yum/vars/*
    [ "$yum_config" = /etc/yum.conf ] || set -- "$@" /etc/dnf/vars/*
    lines=3
    for path in "$@"; do
        [ -f "$path" ] && [ -r "$path" ] && [ "$lines" -lt 40 ] || continue
        lines=$((lines + 1))
        IFS= read -r value <"$path"
        [ "${#value}" -le 200 ] || value=$(printf %.200s "$value")
        variables=$variables$newline${path##*/}=$value
    done
    printf '%s\n' "$variables"
}
answer repository_variables repository_variables

# One line for each address of an enabled repository: its ID, what is there, and how to ask, as curl's settings with
# tabs between them; section web.sh asks. docker-ce.repo is left out: pydock writes it anew.
repository_addresses() {
    set --
    for path in "$yum_config" /etc/yum.repos.d/*.repo; do
        case $path in */docker-ce.repo) continue ;; esac
        [ ! -f "$path" ] || [ ! -r "$path" ] || set -- "$@" "$path"
    done
    [ $# = 0 ] || variables=$variables awk '
        function get(key) { return (key in own) ? own[key] : ((key in main) ? main[key] : "") }
        function off(text) { return tolower(text) ~ /^(0|no|false|off)$/ }
        function say(name, text) {
            gsub(/[\001-\037]/, "", text)
            gsub(/[\\"]/, "\\\\&", text)
            return name " = \"" text "\"\t"
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
            if (url ~ /^(https?|ftp|file):\/\// && asked++ < 30) printf "%s\t%s\t%s%s\n", id, kind, how, say("url", url)
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
                if (off(get("sslverify"))) how = how "insecure\t"
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
        BEGIN {
            count = split(ENVIRON["variables"], rows, "\n")
            for (number = 1; number <= count; number++) {
                i = index(rows[number], "=")
                vars[substr(rows[number], 1, i - 1)] = substr(rows[number], i + 1)
            }
        }
        FNR == 1 { finish(); size = 0 }
        { if ((size += length($0) + 1) > 65536) next; sub(/\r$/, "") }
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
    ' "$@"
}

# yum and dnf wait for whatever process has the number in such a file, whoever it is by now.
holder() { [ -d "/proc/$2" ] && printf '%s\t%s\t%s\n' "$1" "$2" "$(tr '\000\t\n' '   ' <"/proc/$2/cmdline" | head -c 200)"; }
locks() {
    for path in /var/run/yum.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid \
        /var/lib/dnf/rpmdb_lock.pid; do
        [ -f "$path" ] || continue
        [ -r "$path" ] || return 77
        pid=
        read -r pid <"$path"
        case $pid in '' | *[!0-9]*) ;; *) holder "$path" "$pid" ;; esac
    done
    # Lines are "1: POSIX ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF".
    writers=
    [ ! -r /proc/locks ] || while read -r number kind advice mode pid at rest; do
        case $kind:$mode:$pid in POSIX:WRITE:[1-9]*) writers="$writers ${at##*:}:$pid" ;; esac
    done </proc/locks
    [ -n "$writers" ] || return 0
    for path in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do
        [ -e "$path" ] || continue
        inode=$(stat -L -c %i "$path") || continue
        for writer in $writers; do
            [ "${writer%:*}" != "$inode" ] || holder "$path" "${writer#*:}"
        done
    done
    return 0
}
answer locks locks
