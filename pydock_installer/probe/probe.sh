# What pydock asks a host: one script, POSIX sh, read-only. It writes nothing, starts nothing, needs no root.
# Arguments: nonce, privilege, then preflight=always|fresh, thorough=yes|no, data-root=PATH, mirror=NAME=BASE, registry=URL and
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
file() {
    begin "$1"
    if [ -r "$2" ] && [ -f "$2" ]; then
        head -c 262144 "$2" 2>/dev/null
        end $?
    elif [ -e "$2" ]; then
        end 77
    elif [ -x "${2%/*}" ] || [ ! -e "${2%/*}" ]; then
        end 44
    else
        end 77
    fi
}

# Every program that is started counts, a thousand times over: the shell reads single lines itself.
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
names=$(uname -nrm)
answer user id -un
answer privilege echo "$privilege"
answer hostname echo "${names%% *}"
names=${names#* }
answer kernel echo "${names% *}"
answer architecture echo "${names##* }"
line machine_id /etc/machine-id
line boot_id /proc/sys/kernel/random/boot_id
file os-release /etc/os-release
file redhat-release /etc/redhat-release
file repository_file /etc/yum.repos.d/docker-ce.repo
file repository_key /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce
file daemon_json /etc/docker/daemon.json
file proof_record /var/lib/pydock/proof.json

preflight=always
thorough=yes
data_root=/var/lib/docker
mirrors=
registries=
platforms=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    preflight=*) preflight=${1#*=} ;;
    thorough=*) thorough=${1#*=} ;;
    data-root=*) data_root=${1#*=} ;;
    mirror=*) mirrors="$mirrors ${1#*=}" ;;
    registry=*) registries="$registries ${1#*=}" ;;
    platform=*) platforms="$platforms ${1#*=}" ;;
    esac
    shift
done
[ $# -eq 0 ] || shift

packages() {
    command -v rpm >/dev/null 2>&1 || return 44
    limit 30 rpm -q --qf '%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n' gpg-pubkey "$@"
    # rpm exits with the number of packages that are not installed.
    [ $? -lt 124 ] || return 124
}
answer packages packages "$@"

service() {
    command -v systemctl >/dev/null 2>&1 || return 44
    state=$(limit 10 systemctl show docker.service -p LoadState -p ActiveState -p UnitFileState) || return
    printf '%s\n' "$state"
}
state=
answer service service

# Only a running engine is asked: a question to an idle socket would start it.
engine() {
    case $state in *ActiveState=active*) ;; *) return 44 ;; esac
    limit 15 docker version --format '{{.Client.Version}}' || return
    said=$(limit 15 docker info --format '{{.ServerVersion}}
{{json .RegistryConfig.Mirrors}}
{{.ContainersRunning}}
{{.LiveRestoreEnabled}}') || return
    printf '%s\n' "$said"
}
said=
answer engine engine

# What a restart would stop: whether containers survive it (live-restore), and the names of those that run.
containers() {
    case $said in '' | *"$newline"0"$newline"*) return 44 ;; esac
    printf '%s\n' "${said##*"$newline"}"
    limit 15 docker ps --format '{{.Names}}' | head -n 100
}
newline='
'
answer containers containers

# Preflight is asked where it was wished for, and where no Docker of docker-ce's runs yet.
case $preflight:$state in
fresh:*ActiveState=active*) [ ! -e /etc/yum.repos.d/docker-ce.repo ] || preflight=no ;;
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
release_id=$(sed -n 's/^ID=["'"'"']*\([A-Za-z0-9_.-]*\).*/\1/p' /etc/os-release 2>/dev/null | head -n 1)
major=$(sed -n 's/^VERSION_ID=["'"'"']*V*\([0-9]*\).*/\1/p' /etc/os-release 2>/dev/null | head -n 1)
repository_path=
for platform in $platforms; do
    case $platform in "$release_id:$major:"*) repository_path=${platform##*:} ;; esac
done
