"""Facts of hosts as tests need them: a bare CentOS host, changed in what a test is about."""

from dataclasses import replace

from pydock_installer.model import Engine, Facts, Known, Package, Proof, Release, Service

NAMES = {"7": "CentOS Linux 7.9.2009", "8": "CentOS Linux 8.5.2111", "9": "CentOS Stream 9"}
VERSIONS = {"7": "7.9.2009", "8": "8.5.2111", "9": "9"}
KERNELS = {
    "7": "3.10.0-1160.119.1.el7.x86_64",
    "8": "4.18.0-348.7.1.el8_5.x86_64",
    "9": "5.14.0-480.el9.x86_64",
}


def installed(*names, version="1.0"):
    """Packages as rpm tells them."""
    return Known({name: (Package(name, "0", version, "1", "x86_64"),) for name in names})


def bare(major="7", **changes):
    """A fresh host of a release, seen as root."""
    facts = Facts(
        kernel=Known(KERNELS[major]),
        architecture=Known("x86_64"),
        word_size=Known(64),
        release=Known(Release("centos", VERSIONS[major], NAMES[major])),
        user=Known("root"),
        privilege=Known("root"),
        packages=Known({}),
        package_keys=Known(()),
    )
    return replace(facts, **changes)


def converged(repository_content, mirrors=("https://docker.m.daocloud.io",), version="20.10.24", **changes):
    """A host on which everything has been done."""
    packages = installed("gcc", "gcc-c++", "yum-utils", "device-mapper-persistent-data", "lvm2").value
    engine = installed("docker-ce", "docker-ce-cli", "containerd.io", version=version).value
    listed = ", ".join(f'"{mirror}"' for mirror in mirrors)
    return bare(
        packages=Known({**packages, **engine}),
        package_keys=Known(("621e9f35",)),
        repository_file=Known(repository_content),
        repository_key=Known("key"),
        daemon_json=Known(f'{{"registry-mirrors": [{listed}]}}\n'),
        service=Known(Service("active", "enabled")),
        engine=Known(Engine(version, version, tuple(f"{m}/" for m in mirrors))),
        proof_record=Known(Proof(version, version, tuple(mirrors), True, "hello-world")),
        **changes,
    )
