#!/usr/bin/python
# -*- coding: utf-8 -*-
"""Docker's package repository: its file, its checked key, its metadata."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_repository
short_description: Write Docker's repository file with a key checked against its fingerprint
description:
  - Fetches the key, compares its fingerprint, imports it, writes the repository file and caches its metadata.
  - What was there before is put back when the metadata cannot be read.
options:
  baseurl: {description: Address of the packages with a literal release number., type: str, required: true}
  key_url: {description: Address of the package key., type: str, required: true}
  fingerprint: {description: The only fingerprint that is accepted., type: str, required: true}
  path: {description: The repository file., type: path, default: /etc/yum.repos.d/docker-ce.repo}
  repository_id: {description: Name of the repository., type: str, default: docker-ce-stable}
  local_key: {description: Where the key is kept., type: path, default: /etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce}
  alternatives:
    description: Addresses like baseurl, tried in this order where that one does not serve.
    type: list
    elements: str
    default: []
  proxy: {description: An HTTP proxy on the way to Docker's packages and key., type: str, default: ''}
  archives:
    description: Archives of an ended release; its repository files are pointed to the first that serves them.
    type: list
    elements: str
    default: []
  makecache: {description: Whether to read the metadata at once., type: bool, default: true}
  hold: {description: Whether C(yum update) is kept from these packages., type: bool, default: false}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: Docker's packages from a mirror
  docker_repository:
    baseurl: https://mirrors.aliyun.com/docker-ce/linux/centos/7/$basearch/stable
    key_url: https://mirrors.aliyun.com/docker-ce/linux/centos/gpg
    fingerprint: 060A61C51B558A7F742B77AAC52FEB6B621E9F35
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

from ansible.module_utils.pydock_repository import ARGUMENTS, work
from ansible.module_utils.pydock_turn import HostModule


def main():
    work(HostModule(argument_spec=ARGUMENTS, supports_check_mode=True))


if __name__ == "__main__":
    main()
