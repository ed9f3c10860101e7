# What pydock asks a host: one script, POSIX sh, read-only. It writes nothing, starts nothing, needs no root. (To restore
# packages, yum is asked for them, and may fetch metadata.)
# Arguments: nonce, privilege, then preflight=always|fresh, thorough=yes|no, engine=VERSION, journal=yes|no,
# package-proxy=URL, data-root=PATH, mirror=NAME=BASE, epel=NAME=BASE, registry=URL and
# platform=ID:MAJOR:PATH, then --, then package names. What follows in sections/ is asked for preflight alone.
# Each answer stands between "NONCE name" and "NONCE/ status"; 44 is absent, 77 is not permitted.
exec </dev/null
LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset DOCKER_HOST DOCKER_CONTEXT
nonce=$1
privilege=$2
shift 2

begin() { printf '\n%s %s\n' "$nonce" "$1"; }
end() { printf '\n%s/ %s\n' "$nonce" "$1"; }
if command -v timeout >/dev/null 2>&1; then
    limit() { timeout "$@"; }
else
    limit() { shift; "$@"; }
fi
answer() {
    begin "$1"
    shift
    "$@" 2>/dev/null
    end $?
}

# Every program that is started counts, a thousand times over: the shell reads single lines and short files itself.
# Of a long file, or one of zeros alone, which a shell does not see, head tells the rest.
text() {
    size=0
    {
        while IFS= read -r value; do
            printf '%s\n' "$value"
            size=$((size + ${#value} + 1))
            [ "$size" -lt "$2" ] || return 0
            [ "$size" -lt 4096 ] || { head -c $(($2 - size)); return; }
        done
        if [ -n "$value" ]; then
            printf %s "$value"
        elif [ "$size" = 0 ] && [ -s "$1" ]; then
            head -c "$2" "$1"
        fi
    } <"$1"
}
file() {
    begin "$1"
    if [ -r "$2" ] && [ -f "$2" ]; then
        text "$2" 262144 2>/dev/null
        end $?
    elif [ -e "$2" ]; then
        end 77
    elif [ -x "${2%/*}" ] || [ ! -e "${2%/*}" ]; then
        end 44
    else
        end 77
    fi
}
line() {
    begin "$1"
    if { read -r value <"$2"; } 2>/dev/null; then
        printf '%s\n' "$value"
        end 0
    elif [ -e "$2" ]; then
        end 77
    else
        end 44
    fi
}
# Whether a list of the kernel has a line with a word at its end.
listed() {
    [ -r "$2" ] || return 1
    while read -r value; do
        [ "${value##*[ $tab]}" != "$1" ] || return 0
    done <"$2"
    return 1
}
newline='
'
tab='	'
machine=$(uname -nrm)
hostname=${machine%% *}
kernel=${machine#* }
kernel=${kernel% *}
machine=${machine##* }
case $privilege in
root | sudo) answer user echo root ;;
*) answer user id -un ;;
esac
answer privilege echo "$privilege"
answer hostname echo "$hostname"
answer kernel echo "$kernel"
answer architecture echo "$machine"
line machine_id /etc/machine-id
line boot_id /proc/sys/kernel/random/boot_id
file os-release /etc/os-release
file redhat-release /etc/redhat-release
[ -e /etc/os-release ] || file oracle-release /etc/oracle-release
file repository_file /etc/yum.repos.d/docker-ce.repo
file repository_key /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce
file daemon_json /etc/docker/daemon.json
file proof_record /var/lib/pydock/proof.json

preflight=always
thorough=yes
data_root=/var/lib/docker
engines=
mirrors=
epel=
registries=
platforms=
journal=no
package_proxy=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    preflight=*) preflight=${1#*=} ;;
    thorough=*) thorough=${1#*=} ;;
    engine=*) engines="$engines ${1#*=}" ;;
    journal=*) journal=${1#*=} ;;
    package-proxy=*) package_proxy=${1#*=} ;;
    data-root=*) data_root=${1#*=} ;;
    mirror=*) mirrors="$mirrors ${1#*=}" ;;
    epel=*) epel="$epel ${1#*=}" ;;
    registry=*) registries="$registries ${1#*=}" ;;
    platform=*) platforms="$platforms ${1#*=}" ;;
    esac
    shift
done
[ $# -eq 0 ] || shift

# rpm is asked once, and tells of damage on stderr alone: the packages that were named, and with them what
# rpm_database (sections/packages.sh) and selinux (sections/engine.sh) are about.
strangers='rpm moby-engine moby moby-cli docker-io docker-ee docker-ee-cli docker-engine-cs docker-runc docker-proxy
    rootlesskit containerd'
rpm_said=
rpm_status=none
packages() {
    command -v rpm >/dev/null 2>&1 || return 44
    # shellcheck disable=SC2086 - words of our own
    rpm_said=$(limit 30 rpm -q --qf '%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n' gpg-pubkey "$@" \
        $strangers container-selinux 2>&1)
    rpm_status=$?
    printf '%.262144s\n' "$rpm_said"
    # rpm exits with the number of packages that are not installed.
    [ "$rpm_status" -lt 124 ] || { rpm_status=124; return 124; }
}
answer packages packages "$@"

# systemd is asked once, too: the state of docker first, then of Kubernetes in its forms, then of firewalld. A unit that
# has no file is not loaded for nothing.
state=
kubernetes_units=
firewalld_state=
units_status=44
there() {
    for base in /etc/systemd/system /usr/lib/systemd/system /run/systemd/system /usr/local/lib/systemd/system; do
        if [ -e "$base/$1" ] || [ -L "$base/$1" ]; then return 0; fi
    done
    return 1
}
# Release 6 has no systemd: a service is a script, its state a process, at boot a link for the runlevel.
at_boot() {
    level=3
    while IFS=: read -r key value rest; do
        [ "$key" != id ] || level=$value
    done </etc/inittab
    for link in "/etc/rc.d/rc$level.d"/S??"$1"; do
        if [ -e "$link" ]; then echo enabled; else echo disabled; fi
        return 0
    done
} 2>/dev/null
engine_pid() {
    number=
    [ ! -r /var/run/docker.pid ] || read -r number </var/run/docker.pid || [ -n "$number" ] || return 1
    case $number in '' | *[!0-9]*) return 1 ;; esac
    value=
    IFS= read -r value 2>/dev/null <"/proc/$number/cmdline" || [ -n "$value" ] || return 1
    # The number may have gone to another program.
    case $value in *docker*) return 0 ;; esac
    return 1
}
service_of_init() {
    [ -e /etc/init.d/docker ] || return 44
    value=inactive
    [ ! -e /var/lock/subsys/docker ] || value=failed
    state="Id=docker.service${newline}LoadState=loaded${newline}ActiveState=$value"
    ! engine_pid || state="Id=docker.service${newline}LoadState=loaded${newline}ActiveState=active"
    state=$state${newline}UnitFileState=$(at_boot docker)
    printf '%s\n' "$state"
}
service() {
    command -v systemctl >/dev/null 2>&1 || { service_of_init; return; }
    set -- docker.service
    for unit in kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service firewalld.service; do
        ! there "$unit" || set -- "$@" "$unit"
    done
    state=$(limit 10 systemctl show "$@" -p Id -p LoadState -p ActiveState -p UnitFileState)
    units_status=$?
    [ "$units_status" = 0 ] || { state=; return "$units_status"; }
    kubernetes_units=${state#"${state%%"$newline$newline"*}"}
    state=${state%%"$newline$newline"*}
    case "$*" in
    *' firewalld.service')
        firewalld_state=${kubernetes_units##*"$newline$newline"}
        kubernetes_units=${kubernetes_units%"$newline$newline"*}
        ;;
    esac
    printf '%s\n' "$state"
}
answer service service

# What sets the engine's proxy besides pydock's own drop-in: lines of units and of files that they may name. Of a line
# with a password its variables are told, with nothing of their values.
proxy_lines() {
    set --
    for base in /usr/lib/systemd/system /run/systemd/system /etc/systemd/system; do
        for path in "$base/docker.service" "$base"/docker.service.d/*.conf; do
            case $path in /usr/*/docker.service | */pydock-proxy.conf) continue ;; esac
            [ -f "$path" ] || continue
            [ -r "$path" ] || return 77
            set -- "$@" "$path"
        done
    done
    [ $# -gt 0 ] || return 44
    for path in /etc/sysconfig/docker /etc/sysconfig/docker-storage /etc/sysconfig/docker-network /etc/default/docker \
        /etc/environment; do
        [ ! -f "$path" ] || [ ! -r "$path" ] || set -- "$@" "$path"
    done
    awk 'BEGIN {
        for (i = 1; i < ARGC; i++) {
            unit = ARGV[i] ~ /\/systemd\//
            size = 0
            printf "%s\t%s\n", unit ? "unit" : "options", ARGV[i]
            while ((getline line < ARGV[i]) > 0 && (size += length(line) + 1) <= 32768) {
                if (line ~ /^[ \t]*[#;]/) continue
                if (unit && line ~ /^[ \t]*EnvironmentFile[ \t]*=/) print line
                if (line !~ /(HTTP|HTTPS|NO|http|https|no)_(PROXY|proxy)=/) continue
                if (line !~ /@/) { print line; continue }
                while (match(line, /(HTTP|HTTPS|NO|http|https|no)_(PROXY|proxy)=/)) {
                    printf "%s%s***@\n", unit ? "Environment=" : "", substr(line, RSTART, RLENGTH)
                    line = substr(line, RSTART + RLENGTH)
                }
            }
            close(ARGV[i])
        }
    }' "$@"
}
answer proxy_lines proxy_lines
# pydock's own by its sum, and with which of its variables the engine runs, by their sums: a password stays here.
proxy_own() {
    path=/etc/systemd/system/docker.service.d/pydock-proxy.conf
    [ -e "$path" ] || return 44
    [ -r "$path" ] || return 77
    printf 'file\t'
    sha256sum <"$path"
    case $state in *ActiveState=active*) engine_pid || return 0 ;; *) return 0 ;; esac
    echo running
    tr '\000' '\n' <"/proc/$number/environ" | head -c 65536 | while IFS= read -r value; do
        case $value in HTTP_PROXY=* | HTTPS_PROXY=* | NO_PROXY=*)
            printf '%s\t' "${value%%=*}"
            printf %s "$value" | sha256sum
            ;;
        esac
    done
}
answer proxy_own proxy_own

# Only a running engine is asked: a question to an idle socket would start it.
engine_said=
engine() {
    case $state in *ActiveState=active*) ;; *) return 44 ;; esac
    # Engine 1.7.1 has words of its own (below).
    [ "$units_status" = 0 ] || return 44
    limit 15 docker version --format '{{.Client.Version}}' || return
    # The last line is engine_state's (sections/engine.sh): an engine that has no such words is asked without.
    engine_said=$(limit 15 docker info --format '{{.ServerVersion}}
{{json .RegistryConfig.Mirrors}}
{{.ContainersRunning}}
{{.Swarm.LocalNodeState}} {{.LiveRestoreEnabled}}') && {
        facts_said=${engine_said%"$newline"*}
        engine_said=${engine_said##*"$newline"}
        printf '%s\n' "$facts_said"
        return 0
    }
    engine_said=
    limit 15 docker info --format '{{.ServerVersion}}
{{json .RegistryConfig.Mirrors}}
{{.ContainersRunning}}'
}
facts_said=
answer engine engine

# What a restart would stop: whether containers survive it (live-restore), and the names of those that run.
containers() {
    case $facts_said in '' | *"$newline"0) return 44 ;; esac
    printf '%s\n' "${engine_said##* }"
    limit 15 docker ps --format '{{.Names}}' | head -n 100
}
answer containers containers

# The engine of release 6 cannot be asked in a format of our choice; what it was started with tells its mirrors.
arguments() {
    engine_pid || return 44
    head -c 65536 "/proc/$number/cmdline" | tr '\000\n' '\n '
}
if [ "$units_status" != 0 ] && [ -e /etc/init.d/docker ]; then
    case $state in *ActiveState=active*)
        answer legacy_version limit 15 docker version
        answer legacy_containers limit 15 docker ps
        answer legacy_arguments arguments
        ;;
    esac
    # Of passwords in it (proxies) nothing is told but that there are some.
    sysconfig() {
        [ -e /etc/sysconfig/docker ] || return 44
        [ -r /etc/sysconfig/docker ] || return 77
        stat -c '%a %U %G' /etc/sysconfig/docker
        head -c 65536 /etc/sysconfig/docker | sed 's|://[^/@ ]*@|://***@|g'
    }
    answer legacy_sysconfig sysconfig
    legacy_cgconfig() {
        [ -e /etc/init.d/cgconfig ] || return 44
        value=inactive
        [ ! -e /var/lock/subsys/cgconfig ] || value=active
        printf 'LoadState=loaded\nActiveState=%s\nUnitFileState=%s\n' "$value" "$(at_boot cgconfig)"
    }
    answer legacy_cgconfig legacy_cgconfig
fi
if [ ! -e /etc/os-release ]; then
    file legacy_repository /etc/yum.repos.d/epel.repo
    file legacy_key /etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6
fi

# What pydock did here, where that is to be taken back: its journal, sums of the files that it names and of their backups,
# and their texts without passwords. Preflight is not asked then.
sum() { sha256sum <"$1"; }
shown() { head -c 16384 "$1" | sed -e 's/^\([ A-Za-z_]*password[ '"$tab"']*[=:]\).*/\1/' -e 's|://[^/@ ]*@|://|g'; }
book=/var/lib/pydock/journal.jsonl
# Names of the packages that were removed, of NAME-VERSION-RELEASE.ARCH.
was_removed() {
    sed -n -e 's/"time".*//' -e '/"action": *"removed"/s/[^A-Za-z0-9._+~^-]/ /gp' "$book" | tr ' ' '\n' |
        sed -n 's/^\([A-Za-z0-9_][A-Za-z0-9._+-]*\)-[^-]*-[^-]*$/\1/p' | sort -u | head -n 100
}
still_there() { limit 30 rpm -q --qf '%{NAME}\n' "$@" | grep -v ' '; }
# The one question that starts yum, which may fetch metadata: whether what was removed can be had. While Docker is there
# nobody asks.
can_be_had() {
    command -v yum >/dev/null 2>&1 || return 44
    limit 60 yum --setopt=exit_on_lock=True --setopt=timeout=15 --setopt=retries=1 -q list --showduplicates "$@" 2>&1
    [ $? -lt 124 ]
}
if [ "$journal" = yes ]; then
    preflight=no
    file journal "$book"
    answer settings_file readlink -f /etc/docker/daemon.json
    for path in $(tr '{},' '\n\n\n' <"$book" 2>/dev/null | sed -n \
        -e 's|^ *"file": *"\(/[A-Za-z0-9_./:@+-]*\)".*|\1|p' \
        -e 's|^ *"backup": *"\(/[A-Za-z0-9_./:@+-]*\)".*|\1|p' | sort -u | head -n 200); do
        if [ -f "$path" ] && [ -r "$path" ]; then
            answer "sum:$path" sum "$path"
            answer "shown:$path" shown "$path"
        fi
    done
    # shellcheck disable=SC2046 - names have no blanks
    set -- $([ ! -r "$book" ] || was_removed 2>/dev/null)
    if [ $# -gt 0 ]; then
        begin removed_there
        value=$(still_there "$@" 2>/dev/null)
        printf '%s\n' "$value"
        end 0
        for path in "$@"; do
            case $newline$value$newline in *"$newline$path$newline"*) ;; *) set -- "$@" "$path" ;; esac
            shift
        done
        case $newline$rpm_said in *"${newline}docker-ce$tab"* | *"${newline}docker-ce-cli$tab"* | *"${newline}containerd.io$tab"*) set -- ;; esac
        [ $# -eq 0 ] || answer removed_had can_be_had "$@"
    fi
fi

# Preflight is asked where it was wished for, where no Docker of docker-ce's runs yet, and where it is to change.
changes() {
    [ -n "$engines" ] || return 1
    installed=$newline$rpm_said
    case $installed in *"${newline}docker-ce$tab"*) ;; *) return 0 ;; esac
    # Name, epoch, version, release, architecture.
    installed=${installed#*"${newline}docker-ce$tab"*"$tab"}
    version=${installed%%"$tab"*}
    installed=${installed#*"$tab"}
    installed=$version-${installed%%"$tab"*}
    set -f
    for version in $engines; do
        case $installed in "$version" | "$version".* | "$version"-*) set +f; return 1 ;; esac
    done
    set +f
}
case $preflight:$state in
fresh:*ActiveState=active*)
    [ ! -e /etc/yum.repos.d/docker-ce.repo ] || changes || preflight=no
    case $newline$rpm_said in *"${newline}docker-io$tab"*) preflight=no ;; esac
    ;;
esac
case $preflight:$thorough in
no:*) ;;
*:yes) preflight=thorough ;;
*) preflight=yes ;;
esac
answer preflight echo "$preflight"
[ "$preflight" != no ] || exit 0

answer word_size getconf LONG_BIT
file centos-release /etc/centos-release

# ID and the number at the start of VERSION_ID say which path of the repository is this release's.
release_id=
major=
[ ! -r /etc/os-release ] || while IFS='=' read -r key value || [ -n "$key" ]; do
    value=${value#[\"\']}
    case $key in
    ID) release_id=${release_id:-${value%%[!A-Za-z0-9_.-]*}} ;;
    VERSION_ID)
        value=${value#V}
        major=${major:-${value%%[!0-9]*}}
        ;;
    esac
done </etc/os-release
# Release 6 has no such file. Oracle's and CentOS's have one of their own beside that of Red Hat.
[ -e /etc/os-release ] || for path in centos oracle redhat; do
    [ -r "/etc/$path-release" ] && read -r value <"/etc/$path-release" || continue
    release_id=$path
    [ "$path" != redhat ] || release_id=rhel
    major=${value##*release }
    major=${major%%[!0-9]*}
    break
done
repository_path=
for platform in $platforms; do
    case $platform in "$release_id:$major:"*) repository_path=${platform##*:} ;; esac
done
# Docker for release 6 is in EPEL's archive, whose trees are laid out otherwise.
case $repository_path in epel/*) mirrors=$epel ;; esac
tree_of() {
    case $repository_path in
    epel/*) tree=${1#*=}/${repository_path#epel/}/$machine ;;
    *) tree=${1#*=}/linux/$repository_path/$machine/stable ;;
    esac
}
