# -*- coding: utf-8 -*-
"""The engine's HTTP proxy: the drop-in of docker's unit that is pydock's own, and what others say about it. Pure."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

#: Beside http-proxy.conf, the name that Docker's manual gives to such a file and that others have taken.
FILE = "/etc/systemd/system/docker.service.d/pydock-proxy.conf"
#: Variables of the engine's environment, by the setting's key (Docker's manual, "Daemon proxy configuration").
NAMES = (("http_proxy", "HTTP_PROXY"), ("https_proxy", "HTTPS_PROXY"), ("no_proxy", "NO_PROXY"))


def variables(proxy):
    """The settings as variables, ordered; what is empty is not set."""
    return [(name, proxy[key]) for key, name in NAMES if proxy.get(key)]


def problem_with(proxy):
    """Why these values must not be written, or None: a line break would smuggle options into the unit."""
    for key in sorted(proxy):
        value, known = proxy[key], dict(NAMES)
        if key not in known:
            return "%s is none of %s" % (key[:40], ", ".join(sorted(known)))
        if value and not (isinstance(value, (type(u""), str)) and re.match(r"[!#-\[\]-~]{1,2000}\Z", value)):
            return "%s is no text of printable letters without blanks, quotes and backslashes" % key
        if value and key != "no_proxy" and not re.match(r"https?://[^/]", value):
            return "%s does not begin with http:// or https://" % key
    return None


def content(pairs):
    """The whole drop-in, or None where nothing is to be set.

    ``%`` begins a specifier in a unit (systemd.unit(5)); ``$`` has no meaning in Environment= (systemd.exec(5)).
    """
    if not pairs:
        return None
    lines = [u"# Managed by pydock: engine_proxy of its settings. It replaces this file.", u"[Service]"]
    for name, value in pairs:
        lines.append(u'Environment="%s=%s"' % (name, value.replace("%", "%%")))
    return u"\n".join(lines) + u"\n"


def has_password(pairs):
    return any("@" in value for _name, value in pairs)


def clashes(rows, pairs):
    """[(name, file)] of what others set otherwise; ``rows`` are their (name, value, file).

    A value with a password is never the same: nobody compares it who need not know it. The engine reads small letters,
    too (Go's net/http, ProxyFromEnvironment).
    """
    wanted = dict(pairs)
    return [
        (name, path)
        for name, value, path in rows
        if name.upper() in wanted and ("@" in value or value != wanted[name.upper()])
    ]


def is_set(rows, pairs):
    """Whether others have set all of it already, just so."""
    there = dict((name.upper(), value) for name, value, _path in rows)
    return bool(pairs) and not has_password(pairs) and all(there.get(name) == value for name, value in pairs)


def refusal(rows, pairs, settings):
    """Why the drop-in must not be written, in one sentence; None where nothing is against it.

    ``settings`` are the keys of daemon.json: its ``proxies`` count over the environment (from 23.0 on).
    """
    both = clashes(rows, pairs)
    if both:
        files = sorted(set(path for _name, path in both))
        names = ", ".join(sorted(set(name for name, _path in both)))
        return "%s already %s %s otherwise, and a file that is not pydock's is never changed" % (
            " and ".join(files), "sets" if len(files) == 1 else "set", names)  # fmt: skip
    if pairs and settings.get("proxies"):
        return "daemon.json has proxies, which count over the engine's environment"
    return None
