"""Which file of the lab a public address means: the trees of CentOS and Docker, as their mirrors lay them out. Pure."""

from __future__ import annotations

import re

#: Where the trees of CentOS begin, by server. Those of other architectures have a place of their own.
ROOTS = {
    "vault.centos.org": ("", "centos/", "altarch/"),
    "mirrors.aliyun.com": ("centos-vault/", "centos-altarch/", "centos-vault/centos/"),
    "mirror.stream.centos.org": ("",),
}
#: And those of EPEL, of which the archive alone has release 6.
EPEL = {
    "dl.fedoraproject.org": "pub/archive/epel/",
    "archives.fedoraproject.org": "pub/archive/epel/",
    "mirrors.aliyun.com": "epel-archive/",
}
#: What they call a release.
VERSIONS = {"6.10": "6", "7.9.2009": "7", "8.5.2111": "8", "8-stream": "8", "9-stream": "9", "10-stream": "10"}
ARCHITECTURE = r"(?:x86_64|aarch64|i386)"


def file_for(host: str, path: str) -> str | None:
    """Which file of the repositories a request means; ``None`` if there is none."""
    path = path.lstrip("/")
    docker = path.removeprefix("docker-ce/")
    if docker.startswith("linux/"):
        return "keys/docker.asc" if docker.endswith("/gpg") else f"docker-ce/{docker}"
    if (epel := EPEL.get(host)) and path.startswith(epel):
        path = path.removeprefix(epel)
        tree = re.fullmatch(r"6/x86_64/(.+)", path)
        return f"trees/6/epel/{tree[1]}" if tree else "keys/epel.asc" if path == "RPM-GPG-KEY-EPEL-6" else None
    for root in ROOTS.get(host, ()):
        if path.startswith(root) and (name := _of_centos(path.removeprefix(root))):
            return name
    return None


def _of_centos(path: str) -> str | None:
    """VERSION/os/ARCHITECTURE/... up to release 7, VERSION/BaseOS/ARCHITECTURE/os/... since; keys lie at the top."""
    if re.fullmatch(r"RPM-GPG-KEY-[A-Za-z0-9-]+", path):
        return "keys/os.asc"
    version, _, rest = path.partition("/")
    release = VERSIONS.get(version)
    form = rf"([A-Za-z]+)/{ARCHITECTURE}/{'' if release in ('6', '7') else 'os/'}(.+)"
    found = re.fullmatch(form, rest)
    return f"trees/{release}/{found[1]}/{found[2]}" if release and found else None
