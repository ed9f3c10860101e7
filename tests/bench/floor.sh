# The bare minimum: what an administrator's own script would do on a release-9 host, and nothing else.
# Arguments: release, fingerprint (not checked here), registry mirror.
set -e
export LC_ALL=C
release=$1
mirror=$2
if [ ! -e /etc/yum.repos.d/docker-ce.repo ]; then
    curl -fsS https://download.docker.com/linux/centos/gpg -o /etc/pki/rpm-gpg/docker
    rpm --import /etc/pki/rpm-gpg/docker
    cat > /etc/yum.repos.d/docker-ce.repo <<EOF
[docker-ce-stable]
name=Docker CE Stable
baseurl=https://download.docker.com/linux/centos/$release/\$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/docker
EOF
fi
packages="gcc gcc-c++ yum-utils device-mapper-persistent-data lvm2 docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin"
rpm -q $packages > /dev/null || yum -y -q install $packages
mkdir -p /etc/docker
wanted="{\"registry-mirrors\": [\"$mirror\"]}"
[ "$(cat /etc/docker/daemon.json 2> /dev/null)" = "$wanted" ] || echo "$wanted" > /etc/docker/daemon.json
systemctl is-active -q docker || systemctl -q enable --now docker
docker version > /dev/null
docker info 2> /dev/null | grep -q "$mirror"
[ "$3" = again ] || docker run --rm hello-world | grep -q 'Hello from Docker'
