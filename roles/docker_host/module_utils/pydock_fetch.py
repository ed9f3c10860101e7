# -*- coding: utf-8 -*-
"""Addresses, fetched as yum would."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import random
import re
import time

#: What of curl's errors and HTTP's answers may be otherwise in a moment, and how often it is tried: a connection that
#: was cut, a mirror under load. One that does not answer at all is not asked again: there are others.
ATTEMPTS = 3
CUT_OFF = (18, 52, 55, 56)
UNDER_LOAD = ("408", "429", "500", "502", "503", "504")


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
               "-w", "%{http_code}", "-K", "-", "-o", target, url]  # fmt: skip
    settings = 'proxy = "%s"\n' % proxy if proxy else curl_settings(read("/etc/yum.conf") or "")
    for attempt in range(ATTEMPTS):
        # Over stdin: a password shows in no process list.
        code, out, err = module.run_command(command, data=settings or "\n", expand_user_and_vars=False)
        passing = code in CUT_OFF or (code == 22 and out.strip() in UNDER_LOAD)
        if not passing or attempt + 1 == ATTEMPTS:
            break
        time.sleep(pause(attempt))
    return code, err


def pause(attempt):
    """Seconds before the next attempt: twice as long each time, and never the same for two hosts."""
    return random.uniform(0.5, 1.5) * 2.0**attempt
