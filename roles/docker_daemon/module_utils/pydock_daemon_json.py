# -*- coding: utf-8 -*-
"""daemon.json as text: read strictly, merged, and edited without touching what stays. Pure.

The role's module uses it on hosts (Python 2.7 to 3.12), pydock on the controller: what is shown is what is written.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import re
from collections import OrderedDict

BOM = u"\ufeff"
#: Deeper than any settings, and not so deep that Python gives up first.
DEEPEST = 100
STRING = re.compile(u'"(?:[^"\\\\\x00-\x1f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
SCALAR = re.compile(r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)(?![\w.+-])")
SPACE = re.compile(r"[ \t\r\n]*")


class NotSettings(Exception):
    """The file is no JSON object; the message says where."""


# -- reading


class Member(object):
    """One key of the file and where it stands: of the key its place, of the value its place and end."""

    def __init__(self, key, place, value, start, end):
        self.key, self.place, self.value, self.start, self.end = key, place, value, start, end


class Reader(object):
    """A strict reader of JSON that knows where everything stands. The same messages under every Python."""

    def __init__(self, text):
        self.offset = len(text) - len(text.lstrip(BOM))
        self.text = text
        self.members = []
        self.start = self.end = self.offset

    def settings(self):
        """The keys of the file in their order. Raises NotSettings. An empty file, as the engine reads it, is none."""
        place = self.space(self.offset)
        if place == len(self.text):
            return OrderedDict()
        if self.text[place] != u"{":
            self.complain(place, "it is no object { ... }")
        self.start = place
        values, self.end = self.object(place, 0, self.members)
        rest = self.space(self.end)
        if rest != len(self.text):
            self.complain(rest, "something stands behind the closing }")
        return values

    def complain(self, place, reason):
        """Raise NotSettings with line and column, both from 1, as editors count them."""
        if place == len(self.text):
            # Where the last character stands, not on the empty line behind it.
            place, reason = len(self.text.rstrip()), reason + " before the end of the file"
        before = self.text[self.offset : place]
        column = len(before) - (before.rfind(u"\n") + 1) + 1
        raise NotSettings("line %d, column %d: %s" % (before.count(u"\n") + 1, column, reason))

    def space(self, place):
        return SPACE.match(self.text, place).end()

    def value(self, place, depth):
        """(the value that begins at a place, its end)"""
        letter = self.text[place : place + 1]
        if depth > DEEPEST:
            self.complain(place, "it is nested too deeply")
        if letter == u"{":
            return self.object(place, depth + 1, [])
        if letter == u"[":
            return self.list(place, depth + 1)
        if letter == u'"':
            return self.string(place)
        found = SCALAR.match(self.text, place)
        if not found and self.text.startswith((u"NaN", u"Infinity", u"-Infinity"), place):
            self.complain(place, "JSON knows no such number")
        if not found:
            self.complain(place, "a value is expected")
        try:
            return json.loads(found.group()), found.end()
        except ValueError:  # Python 3.11 reads no numbers of thousands of digits.
            self.complain(place, "the number is too long")

    def string(self, place):
        found = STRING.match(self.text, place)
        if not found:
            self.complain(place, "the text that begins here has no end, or a character in it that JSON does not allow")
        return json.loads(found.group()), found.end()

    def list(self, place, depth):
        found, place = [], self.space(place + 1)
        if self.text[place : place + 1] == u"]":
            return found, place + 1
        while True:
            value, place = self.value(place, depth)
            found.append(value)
            place = self.space(place)
            letter = self.text[place : place + 1]
            if letter == u"]":
                return found, place + 1
            if letter != u",":
                self.complain(place, "a comma or ] is expected")
            place = self.space(place + 1)

    def object(self, place, depth, members):
        found, lines = OrderedDict(), {}
        place = self.space(place + 1)
        if self.text[place : place + 1] == u"}":
            return found, place + 1
        while True:
            begin = place
            if self.text[place : place + 1] != u'"':
                self.complain(place, "a name in double quotes is expected")
            key, place = self.string(place)
            line = self.text.count(u"\n", 0, begin) + 1
            if key in found:
                # The engine takes the last one without a word; which of them is meant, only its author knows.
                self.complain(begin, "%s stands in line %d already" % (json.dumps(key)[:60], lines[key]))
            place = self.space(place)
            if self.text[place : place + 1] != u":":
                self.complain(place, "a colon is expected")
            start = self.space(place + 1)
            value, place = self.value(start, depth)
            found[key], lines[key] = value, line
            members.append(Member(key, begin, value, start, place))
            place = self.space(place)
            letter = self.text[place : place + 1]
            if letter == u"}":
                return found, place + 1
            if letter != u",":
                self.complain(place, "a comma or } is expected")
            place = self.space(place + 1)


def parse(text):
    """The keys of daemon.json in their own order. Raises NotSettings."""
    return Reader(text).settings()


# -- merging


def normal_mirrors(mirrors):
    """Addresses as the engine reports them: one trailing slash, no doubles."""
    if not isinstance(mirrors, (list, tuple)):
        return []
    return list(OrderedDict((u"%s/" % (u"%s" % mirror).rstrip("/"), None) for mirror in mirrors))


def same(key, left, right):
    """Whether two values of a key mean the same to the engine."""
    if key == "registry-mirrors" and _texts(left) and _texts(right):
        return normal_mirrors(left) == normal_mirrors(right)
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)  # 1 is not true here


def _texts(value):
    return isinstance(value, list) and all(isinstance(entry, (type(u""), str)) for entry in value)


def merge(present, settings):
    """(the merged settings, the keys that change)"""
    changed = [key for key in settings if key not in present or not same(key, present[key], settings[key])]
    merged = OrderedDict(present)
    for key in sorted(changed):
        merged[key] = settings[key]
    return merged, sorted(changed)


def differing(present, former):
    """The keys that do not mean the same in both, or stand in one alone."""
    names = set(present) | set(former)
    both = set(present) & set(former)
    return sorted(key for key in names if key not in both or not same(key, present[key], former[key]))


# -- writing


def edit(text, changes):
    """The text with these keys set, sorted where they are new. Not a character that need not change does."""
    for key in sorted(changes):
        text = _set(text, key, changes[key])
    return text


def _set(text, key, value):
    reader = Reader(text)
    reader.settings()
    newline = u"\r\n" if u"\r\n" in text else u"\n"
    if not reader.members:
        whole = _dump(OrderedDict([(key, value)]), u"", u"  ", newline)
        if not text[reader.offset :].strip():
            return text[: reader.offset] + whole + newline
        return text[: reader.start] + whole + text[reader.end :]
    first, last = reader.members[0], reader.members[-1]
    before = text[reader.start + 1 : first.place]
    # None where the keys do not begin lines of their own.
    indent = before.rpartition(u"\n")[2] if u"\n" in before else None
    for member in reader.members:
        if member.key == key:
            old = text[member.start : member.end]
            flat = indent is None or (len(old) > 2 and old[0] in u"[{" and u"\n" not in old)
            return text[: member.start] + _value(value, indent, newline, flat) + text[member.end :]
    colon = text[first.place : first.start][len(STRING.match(text, first.place).group()) :]
    if indent is None:
        gap = u" " if colon.endswith(u" ") else u""
        gap = text[reader.members[-2].end : last.place].lstrip(u" \t")[1:] if len(reader.members) > 1 else gap
    else:
        gap = newline + indent
    name = json.dumps(key, ensure_ascii=False)
    added = u"," + gap + name + colon + _value(value, indent, newline, indent is None)
    return text[: last.end] + added + text[last.end :]


def _value(value, indent, newline, flat):
    if flat:
        return _text(json.dumps(value, sort_keys=True, ensure_ascii=False))
    return _dump(value, indent, indent or u"  ", newline)


def _dump(value, base, unit, newline):
    """A value over several lines, each of them indented by ``base`` and, for each level, ``unit``."""
    # Sorted, because a module under Python 2.7 gets its settings in no order.
    text = json.dumps(value, sort_keys=True, indent=1, separators=(",", ": "), ensure_ascii=False)
    lines = _text(text).split(u"\n")
    rest = [base + unit * (len(line) - len(line.lstrip(u" "))) + line.lstrip(u" ") for line in lines[1:]]
    return newline.join(lines[:1] + rest)


def _text(text):
    """Python 2.7 gives bytes where all is ASCII."""
    return text if isinstance(text, type(u"")) else text.decode("utf-8")


#: Keys of log-opts and the like whose values are secrets, such as splunk-token.
SECRET = r"[\w.-]*(?:token|secret|password|credential)[\w.-]*"


def without_passwords(value):
    """Settings for logs: an address loses its user and password, and a key that is named for a secret its value."""
    if isinstance(value, dict):
        return dict((k, u"***" if _is_secret(k, item) else without_passwords(item)) for k, item in value.items())
    if isinstance(value, list):
        return [without_passwords(item) for item in value]
    if isinstance(value, type(u"")) or isinstance(value, str):
        value = re.sub(r'("%s"\s*:\s*)"(?:[^"\\]|\\.)*"' % SECRET, r'\1"***"', value, flags=re.I)
        return re.sub(r"://[^/\s\"]*@", "://***@", value)
    return value


def _is_secret(key, value):
    """Whether a member is a secret. Lists and mappings are looked into, whatever they are called."""
    return not isinstance(value, (dict, list, bool)) and re.match(SECRET + r"\Z", key, re.I) is not None
