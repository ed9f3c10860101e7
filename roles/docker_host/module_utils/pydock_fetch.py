# -*- coding: utf-8 -*-
"""Addresses, fetched as yum would."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import re


def curl_settings(yum_conf):
    """yum's proxy in the words of curl's configuration. Sections after [main] are repositories."""
    yum_conf = re.split(r"^\[(?!main\])", re.sub(r"\A.*?^\[main\]", "", yum_conf, flags=re.DOTALL | re.MULTILINE),
                        maxsplit=1, flags=re.MULTILINE)[0]  # fmt: skip
    found = dict(re.findall(r"^(proxy(?:_username|_password)?)[ \t]*=[ \t]*(\S+)[ \t]*$", yum_conf, re.MULTILINE))
    if found.get("proxy", "_none_") == "_none_":
        return ""
    user = "%s:%s" % (found.get("proxy_username", ""), found.get("proxy_password", ""))
    words = [("proxy", found["proxy"])] + ([("proxy-user", user)] if user != ":" else [])
    return "".join('%s = "%s"\n' % (word, re.sub(r'(["\\])', r"\\\1", value)) for word, value in words)


def read(path):
    """The file's text, or None when it is not there."""
    if not os.path.exists(path):
        return None
    with io.open(path, "rb") as source:
        return source.read().decode("utf-8", "replace")


def fetch(module, url, target, proxy=""):
    """Get an address through this proxy, else through yum's. (curl's exit status, its words)"""
    command = ["curl", "-fsSL", "--proto", "=https,http", "--connect-timeout", "10", "--max-time", "60",
               "-K", "-", "-o", target, url]  # fmt: skip
    settings = 'proxy = "%s"\n' % proxy if proxy else curl_settings(read("/etc/yum.conf") or "")
    # Over stdin: a password shows in no process list.
    code, _out, err = module.run_command(command, data=settings or "\n", expand_user_and_vars=False)
    return code, err
