# -*- coding: utf-8 -*-
"""Docker's part of the packet filters goes, rule by rule: nothing is flushed that is not Docker's own chain."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

#: moby libnetwork/iptables and daemon/libnetwork/drivers/bridge, 1.x to 29.
CHAIN = re.compile(r"DOCKER(-(USER|FORWARD|BRIDGE|CT|INTERNAL|INGRESS|ISOLATION(-STAGE-[12])?))?\Z")
#: The name that Docker gives to the bridge of a network: its id's first twelve digits.
BRIDGE = r"(?:docker0|docker_gwbridge|br-[0-9a-f]{12}%s)"
IPSETS = ("docker-ext-bridges-v4", "docker-ext-bridges-v6")
ZONE, POLICY = "/etc/firewalld/zones/docker.xml", "/etc/firewalld/policies/docker-forwarding.xml"


# -- pure


def parse_save(text):
    """``iptables-save`` -> [(table, {chain: policy}, [rule, ...]), ...]; a rule is a line that begins with -A."""
    tables = []
    for line in text.splitlines():
        if line.startswith("*"):
            tables.append((line[1:].strip(), {}, []))
        elif tables and line.startswith(":"):
            words = line[1:].split()
            tables[-1][1][words[0]] = words[1] if len(words) > 1 else "-"
        elif tables and line.startswith("-A "):
            tables[-1][2].append(line)
    return tables


def dockers_rules(table, chains, rules, bridges=()):
    """The rules in chains of others that are Docker's: those that lead into its chains, and those of its own making.

    The engine writes the latter in fixed forms about its bridges. An administrator's rule about docker0 in any
    other form is not Docker's and stays.
    """
    own = set(name for name in chains if CHAIN.match(name))
    forms = own_forms(table, bridges)
    subnets = [found.group(1) for found in (re.match(r"-A POSTROUTING -s (\S+) ! -o %s -j MASQUERADE\Z" %
               named(bridges), rule) for rule in rules) if found] if table == "nat" else []  # fmt: skip
    found = []
    for rule in rules:
        chain = rule.split()[1]
        if chain in own:
            continue
        leads = set(re.findall(r" (?:-j|-g) (\S+)", without_texts(rule))) & own
        if leads or any(form.match(rule) for form in forms) or is_hairpin(rule, subnets):
            found.append(rule)
    return found


def without_texts(rule):
    """A rule without its comment, which may say anything."""
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', rule)


def named(bridges):
    return BRIDGE % "".join("|" + re.escape(name) for name in bridges)


def own_forms(table, bridges=()):
    """What the engine writes into chains that are not its own (moby, setup_ip_tables.go and its kin, 1.x to 28)."""
    name = named(bridges)
    forms = {
        "filter": [
            r"-A FORWARD -o %s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT" % name,
            r"-A FORWARD -m set --match-set docker-ext-bridges-v[46] dst -m conntrack"
            r" --ctstate RELATED,ESTABLISHED -j ACCEPT",
            r"-A FORWARD -i %s ! -o %s -j ACCEPT" % (name, name),
            r"-A FORWARD -i %s -o %s -j (?:ACCEPT|DROP)" % (name, name),
        ],
        "nat": [
            r"-A POSTROUTING -s \S+ ! -o %s -j MASQUERADE" % name,
            r"-A POSTROUTING -o %s -m addrtype --src-type LOCAL -j MASQUERADE" % name,
        ],
        "raw": [r"-A PREROUTING -d \S+ ! -i %s -j DROP" % name],
    }
    return [re.compile(form + r"\Z") for form in forms.get(table, [])]


def is_hairpin(rule, subnets):
    """Masquerading of a container to itself, for a published port; the address is in a subnet of Docker's."""
    form = r"-A POSTROUTING -s (\S+)/32 -d (\S+)/32 -p (\w+) -m \3 --dport \d+ -j MASQUERADE\Z"
    found = re.match(form, rule)
    return bool(found) and found.group(1) == found.group(2) and any(in_subnet(found.group(1), net) for net in subnets)


def in_subnet(address, subnet):
    """For IPv4 alone: of IPv6 there are no such rules without Docker's ip6tables chains, which go as a whole."""
    try:
        base, _slash, bits = subnet.partition("/")
        shift = 32 - int(bits)
        return number(address) >> shift == number(base) >> shift
    except ValueError:
        return False


def number(address):
    parts = [int(part) for part in address.split(".")]
    if len(parts) != 4 or any(not 0 <= part < 256 for part in parts):
        raise ValueError(address)
    return (parts[0] << 24) + (parts[1] << 16) + (parts[2] << 8) + parts[3]


def undoing(tables, bridges=()):
    """Input of ``iptables-restore --noflush`` that takes away Docker's rules and chains; "" if there are none.

    A table is changed as a whole or not at all. Jumps go first: a chain that is referred to cannot be deleted.
    """
    lines = []
    for table, chains, rules in tables:
        own = sorted(name for name in chains if CHAIN.match(name))
        gone = dockers_rules(table, chains, rules, bridges)
        if own or gone:
            lines.append("*" + table)
            lines += ["-D " + rule[3:] for rule in gone]
            lines += ["-F " + name for name in own] + ["-X " + name for name in own]
            lines.append("COMMIT")
    return "\n".join(lines + [""]) if lines else ""


def own_rules(tables):
    """Rules of the administrator's in DOCKER-USER, which go with it."""
    return [rule for _table, _chains, rules in tables for rule in rules
            if rule.startswith("-A DOCKER-USER ") and rule != "-A DOCKER-USER -j RETURN"]  # fmt: skip


def forward_policy(tables):
    return next((chains.get("FORWARD") for table, chains, _rules in tables if table == "filter"), None)


def is_dockers_zone(text):
    """Whether a zone or policy of firewalld has nothing but what the engine puts there, and firewalld itself: from 1.0
    on (release 9) it adds <forward/> to each zone that is made."""
    own = "zone policy short description forward interface ingress-zone egress-zone"
    return set(re.findall(r"<([a-z-]+)[ />]", text)) <= set(own.split())


# -- effects


class Firewall(object):
    """The packet filters of this host. ``run(*command, data=None)`` -> (exit code, stdout, stderr)."""

    def __init__(self, run, bridges=()):
        self.run, self.bridges = run, bridges

    def tools(self):
        """The iptables commands there are, each flavour once."""
        found = []
        for base in ("iptables", "ip6tables"):
            code, out, _err = self.run(base, "--version")
            if code:
                continue
            found.append(base)
            other = base + ("-legacy" if "nf_tables" in out else "-nft")
            if self.run(other, "--version")[0] == 0:
                found.append(other)
        return found

    def saved(self, tool):
        code, out, _err = self.run(tool + "-save")
        return parse_save(out) if code == 0 else []

    def chains(self):
        """[(tool, input that takes Docker's part away)] of those tools that have something of Docker's."""
        pairs = [(tool, undoing(self.saved(tool), self.bridges)) for tool in self.tools()]
        return [pair for pair in pairs if pair[1]]

    def remove_chains(self):
        """Sentences about what did not work."""
        problems = []
        for tool, data in self.chains():
            code, out, err = self.run(tool + "-restore", "--noflush", "-w", "10", data=data)
            if code and re.search(r"(unrecognized|invalid|unknown) option|usage:", err + out, re.IGNORECASE):
                code, out, err = self.run(tool + "-restore", "--noflush", data=data)  # Before 1.6.2.
            if code:
                problems.append("%s: %s" % (tool, (err or out).strip()[:300]))
        return problems

    def tables(self):
        """nft's tables of the engine's nftables backend."""
        code, out, _err = self.run("nft", "list", "tables")
        return re.findall(r"^table (ip6?) docker-bridges$", out, re.MULTILINE) if code == 0 else []

    def remove_tables(self):
        results = [self.run("nft", "delete", "table", family, "docker-bridges") for family in self.tables()]
        return ["nft: " + (err or out).strip()[:300] for code, out, err in results if code]

    def remove_ipsets(self):
        code, out, _err = self.run("ipset", "list", "-n")
        for name in IPSETS if code == 0 else ():
            if name in out.split():
                self.run("ipset", "destroy", name)

    def policies(self):
        """{tool: FORWARD's policy}"""
        found = [(tool, forward_policy(self.saved(tool))) for tool in self.tools()]
        return dict(pair for pair in found if pair[1])

    def zone_files(self):
        return [path for path in (ZONE, POLICY) if os.path.exists(path)]

    def remove_zone(self):
        """firewalld's permanent zone and policy. It is not reloaded: rules that others added for now would be lost."""
        if self.run("firewall-cmd", "--state")[0] == 0:
            for bridge in ("docker0", "docker_gwbridge") + tuple(self.bridges):
                self.run("firewall-cmd", "--zone=docker", "--remove-interface=" + bridge)
            self.run("firewall-cmd", "--permanent", "--delete-policy=docker-forwarding")
            self.run("firewall-cmd", "--permanent", "--delete-zone=docker")
        for path in self.zone_files():
            os.remove(path)
        for path in (ZONE + ".old", POLICY + ".old"):
            if os.path.exists(path):
                os.remove(path)
