"""The lab's server finds what public mirrors have, where they have it."""

import pytest

from tests.lab.trees import file_for


@pytest.mark.parametrize(
    ("host", "path", "file"),
    [
        ("vault.centos.org", "/7.9.2009/os/x86_64/repodata/repomd.xml", "trees/7/os/repodata/repomd.xml"),
        ("vault.centos.org", "/centos/7.9.2009/extras/x86_64/a.rpm", "trees/7/extras/a.rpm"),
        ("vault.centos.org", "/altarch/7.9.2009/updates/aarch64/a.rpm", "trees/7/updates/a.rpm"),
        ("vault.centos.org", "/8.5.2111/BaseOS/x86_64/os/a.rpm", "trees/8/BaseOS/a.rpm"),
        ("vault.centos.org", "/centos/8-stream/AppStream/x86_64/os/a.rpm", "trees/8/AppStream/a.rpm"),
        ("mirrors.aliyun.com", "/centos-vault/8.5.2111/extras/x86_64/os/a.rpm", "trees/8/extras/a.rpm"),
        ("mirrors.aliyun.com", "/centos-altarch/7.9.2009/os/aarch64/a.rpm", "trees/7/os/a.rpm"),
        ("mirrors.aliyun.com", "/centos-vault/RPM-GPG-KEY-CentOS-7", "keys/os.asc"),
        ("mirrors.aliyun.com", "/docker-ce/linux/centos/9/x86_64/stable/a.rpm", "docker-ce/linux/centos/9/x86_64/stable/a.rpm"),
        ("download.docker.com", "/linux/centos/gpg", "keys/docker.asc"),
        ("vault.centos.org", "/6.10/os/x86_64/a.rpm", "trees/6/os/a.rpm"),
        ("mirrors.aliyun.com", "/centos-vault/6.10/updates/i386/a.rpm", "trees/6/updates/a.rpm"),
        ("dl.fedoraproject.org", "/pub/archive/epel/6/x86_64/repodata/repomd.xml", "trees/6/epel/repodata/repomd.xml"),
        ("dl.fedoraproject.org", "/pub/archive/epel/RPM-GPG-KEY-EPEL-6", "keys/epel.asc"),
        ("mirrors.aliyun.com", "/epel-archive/6/x86_64/a.rpm", "trees/6/epel/a.rpm"),
        ("dl.fedoraproject.org", "/pub/epel/6/x86_64/repodata/repomd.xml", None),
        ("dl.fedoraproject.org", "/pub/archive/epel/5/x86_64/a.rpm", None),
        ("vault.centos.org", "/8.5.2111/BaseOS/x86_64/a.rpm", None),
        ("vault.centos.org", "/7.8.2003/os/x86_64/a.rpm", None),
        ("mirrors.aliyun.com", "/7.9.2009/os/x86_64/a.rpm", None),
        ("download.docker.com", "/7.9.2009/os/x86_64/a.rpm", None),
    ],
)
def test_a_public_address_means_a_file(host, path, file):
    assert file_for(host, path) == file
