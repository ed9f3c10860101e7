# -*- coding: utf-8 -*-
"""Package keys: their fingerprints, as gpg and rpm tell them. Pure."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re


def normal_fingerprint(text):
    return re.sub(r"\s", "", text).upper()


def primary_fingerprints(listing):
    """Fingerprints of the primary keys in gpg's colon listing; newer gpg lists those of subkeys too."""
    found, primary = [], False
    for line in listing.splitlines():
        fields = line.split(":")
        if fields[0] in ("pub", "sec"):
            primary = True
        elif fields[0] in ("sub", "ssb"):
            primary = False
        elif fields[0] == "fpr" and primary and len(fields) > 9:
            found.append(fields[9].upper())
            primary = False
    return found


def imported(versions, fingerprint):
    """Is the key in rpm's database? rpm names keys by the last 8 digits, the newest ones by all 40."""
    wanted = fingerprint.lower()
    names = [line.strip().lower() for line in versions.splitlines()]
    return any(len(name) >= 8 and wanted.endswith(name) for name in names)
