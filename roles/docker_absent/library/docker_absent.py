#!/usr/bin/python
# -*- coding: utf-8 -*-
"""Docker off again: what is there is looked at, taken away, and looked at again. Data only if that was asked for."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_absent
short_description: Take Docker off a host, and nothing else
description:
  - Stops the engine, removes its packages and links and chains and run files. Every step is decided from what is there.
  - Data and settings stay unless they are asked for. Nothing is touched if anything speaks against the whole.
options:
  packages: {description: Names of the packages that are Docker's., type: list, elements: str, required: true}
  tools: {description: Compilers and tools to remove if pydock installed them., type: list, elements: str, default: []}
  keep: {description: Packages that stay although pydock installed them., type: list, elements: str, default: []}
  purge_data: {description: Whether images and containers and volumes go., type: bool, default: false}
  purge_config: {description: Whether settings and repository and key and dependencies go., type: bool, default: false}
  data_roots: {description: The only directories whose data may go., type: list, elements: str, default: []}
  follow_links: {description: Whether a data root that is a link is followed., type: bool, default: false}
  foreign: {description: Whether a static archive or a snap goes., type: bool, default: false}
  lock_timeout: {description: Seconds to wait for another package manager., type: int, default: 300}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: Docker off, its data left in place
  docker_absent:
    packages: [docker-ce, docker-ce-cli, containerd.io]
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
left: {description: What is still there and why., type: list, returned: success}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

import os
import re
import time

from ansible.module_utils.pydock_data import DEFAULTS, Root, shown
from ansible.module_utils.pydock_engine import UNITS, Engine, read
from ansible.module_utils.pydock_firewall import Firewall, is_dockers_zone
from ansible.module_utils.pydock_host import journal, note, tail
from ansible.module_utils.pydock_leavings import CONFIG, CONTAINERD_CONFIG, Leavings, Packages, brought, present
from ansible.module_utils.pydock_turn import HostModule
from ansible.module_utils.pydock_yum import Locked, yum

OPTIONS = ["--setopt=clean_requirements_on_remove=False", "--disablerepo=*"]


class Absent(object):
    """Docker on this host, on its way out."""

    def __init__(self, module):
        self.module, self.params = module, module.params
        self.began = time.time()
        self.steps = []
        self.journal = journal()
        self.engine = Engine(self.run, self.journal)
        self.rpm = Packages(self.run)

    def run(self, *command, **more):
        """(exit code, stdout, stderr); 127 and why for what cannot be started."""
        try:
            return self.module.run_command(
                list(command), data=more.get("data"), expand_user_and_vars=False, handle_exceptions=False
            )
        except (OSError, IOError) as problem:
            return 127, "", str(problem)

    def step(self, name, status, detail):
        now = time.time()
        self.steps.append({"name": name, "status": status, "seconds": round(now - self.began, 2), "detail": detail})
        self.began = now

    def fail(self, code, message, *evidence):
        changed = any(step["status"] == "changed" for step in self.steps)
        self.module.fail_json(msg=message, code=code, evidence=tail(*evidence), steps=self.steps, changed=changed)

    # -- looking

    def look(self):
        """What must be known before anything changes."""
        trusted = set(entry.get("root") for entry in self.journal if entry["action"] == "purging")
        named = [("docker", path) for path in self.engine.data_roots()]
        containerd = self.engine.containerd_roots()
        self.shared = self.engine.sharers(containerd)
        self.data_roots = [path for _kind, path in named]
        self.roots = [
            Root(kind, path, path in trusted)
            for kind, path in named + [("containerd", path) for path in containerd]
            if os.path.lexists(path)
        ]
        self.bridges = self.engine.own_bridges(self.data_roots)
        self.firewall = Firewall(self.run, self.bridges)
        self.names = self.docker_packages()
        wanted = self.rpm.installed(self.names)
        refusal = self.rpm.refusal(wanted)
        if refusal and "containerd.io" in wanted and not self.shared:
            without = [name for name in wanted if name != "containerd.io"]
            if not self.rpm.refusal(without):
                self.shared, refusal = "the package %s" % ", ".join(refusal), []
                self.names = self.docker_packages()
        self.refusal = refusal
        self.going = self.rpm.closed(self.rpm.installed(self.names), self.companions())

    def docker_packages(self):
        return [name for name in self.params["packages"] if not (self.shared and name == "containerd.io")]

    def companions(self):
        """Packages that pydock brought and that go as well: dependencies with the settings, tools on request."""
        came = brought(self.journal)
        stay = set(self.params["keep"]) - set(self.params["tools"])
        chosen = came if self.params["purge_config"] else came & set(self.params["tools"])
        return self.rpm.installed(sorted(chosen - stay - set(self.params["packages"])))

    def refuse(self):
        """Everything that speaks against it, before anything is touched."""
        static = self.engine.static_files(not self.shared)
        if not self.params["foreign"] and (static or self.engine.has_snap()):
            what = static[0] if static else "the snap docker"
            self.fail("foreign-docker", "Nothing was touched: this Docker came from no package (%s); say that it"
                      " may go, or remove it as it was installed." % what)  # fmt: skip
        if self.refusal:
            self.fail("still-needed", "Nothing was touched: other packages need Docker's: %s; remove them first."
                      % ", ".join(self.refusal))  # fmt: skip
        if self.params["purge_data"]:
            for root in self.purged():
                self.refuse_root(root)

    def purged(self):
        """The roots whose data goes."""
        chosen = set(self.params["data_roots"])
        roots = [root for root in self.roots if not (root.kind == "containerd" and self.shared)]
        return [root for root in roots if not chosen or root.path in chosen]

    def refuse_root(self, root):
        found = root.refusal(self.params["follow_links"])
        if found:
            self.fail(found[0], "Nothing was touched: %s." % found[1])

    def remember(self):
        """What later runs could not see any more: this one may be cut off, and settings may go before data."""
        moved = [root for root in self.roots if root.path != DEFAULTS[root.kind]]
        for name, values in (
            ("data-root", [root.path for root in moved if root.kind == "docker"]),
            ("containerd-root", [root.path for root in moved if root.kind == "containerd"]),
            ("containerd-shared", re.findall(r"the namespace (\S+)", self.shared)),
        ):
            for value in values:
                if value not in self.engine.remembered.get(name, []):
                    note("found", name=name, value=value)

    # -- stop

    def stop_wanted(self):
        units = self.engine.units()
        ours = [unit for unit in UNITS if unit in units and not (unit == "containerd.service" and self.shared)]
        words = [
            "%s (%s)" % (unit, units[unit]["ActiveState"])
            for unit in ours
            if units[unit].get("ActiveState") not in ("inactive", "failed")
            or units[unit].get("UnitFileState") in ("enabled", "enabled-runtime", "linked")
        ]
        return words + ["the container of process %d" % shim for shim, _children in self.engine.shims()]

    def stop(self):
        self.remember()
        return self.engine.stop(not self.shared)

    # -- packages

    def packages_wanted(self):
        words = self.rpm.installed(self.going)
        if self.params["foreign"]:
            words += self.engine.static_files(not self.shared) + ["the snap docker"] * self.engine.has_snap()
        return words

    def packages(self):
        names = self.rpm.installed(self.going)
        problems = []
        if names:
            code, out, err = self.yum("-y", "remove", *names)
            gone = sorted(set(names) - set(self.rpm.installed(names)))
            if gone:
                note("uninstalled", packages=gone)
            if code:
                problems.append(tail(out, err))
        if self.params["foreign"]:
            if self.engine.has_snap():
                problems += [self.run("snap", "remove", "docker")[2].strip()]
            for path in self.engine.static_files(not self.shared):
                os.remove(path)
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "reset-failed", *UNITS)
        return [problem for problem in problems if problem]

    def yum(self, *words):
        """(exit code, stdout, stderr) of yum, once no other package manager works."""
        try:
            return yum(self.run, OPTIONS + list(words), self.params["lock_timeout"])
        except Locked as lock:
            self.step("packages", "failed", "locked")
            self.fail("locked", "Another package manager (pid %s) has held the lock for %d s; let it end, and run"
                      " again." % (lock.pid or "unknown", self.params["lock_timeout"]), lock.said)  # fmt: skip

    # -- network and firewall

    def network_wanted(self):
        """Bridges that are there and Docker's: its standard ones, and those that its book names."""
        names = ["docker0", "docker_gwbridge"] + self.bridges
        return sorted(set(name for name in names if os.path.isdir("/sys/class/net/%s/bridge" % name)))

    def network(self):
        problems = []
        for name in self.network_wanted():
            for port in sorted(os.listdir("/sys/class/net/%s/brif" % name)):
                if port.startswith("veth"):
                    self.run("ip", "link", "delete", port)
            code, _out, err = self.run("ip", "link", "delete", name)
            problems += ["%s: %s" % (name, err.strip())] if code else []
        return problems

    def firewall_wanted(self):
        words = ["%s (%s)" % (tool, ", ".join(re.findall(r"^-X (\S+)", data, re.MULTILINE)) or "rules")
                 for tool, data in self.firewall.chains()]  # fmt: skip
        words += ["nft table %s docker-bridges" % family for family in self.firewall.tables()]
        words += [path for path in self.firewall.zone_files() if is_dockers_zone(read(path))]
        return words + ["policy of FORWARD (%s)" % tool for tool in sorted(self.changed_policies())]

    def changed_policies(self):
        """{tool: the policy before Docker}, where the journal knows it and it is another one now."""
        found = {}
        for tool, policy in self.firewall.policies().items():
            before = self.engine.remembered.get("%s FORWARD" % tool, [None])[-1]
            if before in ("ACCEPT", "DROP") and policy == "DROP" and before != policy:
                found[tool] = before
        return found

    def remove_firewall(self):
        policies = self.changed_policies()
        problems = self.firewall.remove_chains() + self.firewall.remove_tables()
        self.firewall.remove_ipsets()
        if all(is_dockers_zone(read(path)) for path in self.firewall.zone_files()):
            if self.firewall.zone_files():
                self.firewall.remove_zone()
        for tool, policy in policies.items():
            self.run(tool, "-w", "-P", "FORWARD", policy)
        return problems

    # -- data

    def data_wanted(self):
        return [root.path for root in self.purged() if root.is_there()] if self.params["purge_data"] else []

    def data(self):
        problems = []
        for root in self.purged():
            if not root.is_there():
                continue
            if os.path.isdir(root.real):
                note("purging", root=root.path)
                problems += root.purge(self.run, self.params["follow_links"])
            if not problems and os.path.islink(root.path):
                os.unlink(root.path)
        return problems

    # -- settings, and what is left over

    def leavings(self):
        rest = [root for root in self.roots if root.entries()]
        return Leavings(self.module, self.run, self.engine, self.shared, self.params["purge_config"], bool(rest))

    def config_wanted(self):
        return self.leavings().config_wanted()

    def config(self):
        return self.leavings().remove_config()

    def system_wanted(self):
        return self.leavings().system_wanted()

    def system(self):
        return self.leavings().clear()

    # -- all of it

    def ensure(self):
        self.look()
        self.refuse()
        for name, wanted, work in (
            ("stop", self.stop_wanted, self.stop),
            ("packages", self.packages_wanted, self.packages),
            ("network", self.network_wanted, self.network),
            ("firewall", self.firewall_wanted, self.remove_firewall),
            ("data", self.data_wanted, self.data),
            ("system", self.system_wanted, self.system),
            ("config", self.config_wanted, self.config),
        ):
            words = wanted()
            if not words:
                continue
            detail = ", ".join(shown(word) for word in words)[:500]
            if self.module.check_mode:
                self.step(name, "changed", detail)
                continue
            stop = self.module.turn.stop()
            if stop:
                self.module.end(stop, steps=self.steps, changed=bool(self.steps))
            said = work()
            rest = wanted()  # What counts is what is there afterwards.
            if rest:
                message = "%s still there: %s" % (name, ", ".join(shown(word) for word in rest)[:300])
                self.step(name, "failed", message)
                message += ("; " + said[0][:300] if said else "") + "."
                self.fail("data-remain" if name == "data" else "still-there", message, "\n".join(said))
            self.step(name, "changed", detail)
        changed = any(step["status"] == "changed" for step in self.steps)
        self.module.exit_json(changed=changed, steps=self.steps, left=self.left())

    def left(self):
        """What is still there, and why."""
        left = []
        for root in self.roots:
            if root.entries():
                used = "%s uses it" % self.shared if root.kind == "containerd" and self.shared else None
                left.append((root.path, used or "data goes only if that is asked for"))
        if not self.params["purge_config"]:
            left += [(path, "settings go only if that is asked for") for path in present(CONFIG + CONTAINERD_CONFIG)]
        stay = self.rpm.installed(sorted(brought(self.journal) - set(self.names)))
        left += [(name, "it came with Docker and may be in use") for name in stay]
        group, forwarding = self.leavings().group(), self.leavings().forwarding_stays()
        if group:
            left.append(("the group docker", "it has members: %s" % ", ".join(group[0] + group[1])))
        if forwarding:
            left.append(("net.ipv4.ip_forward = 1", forwarding))
        return [{"what": what, "why": why} for what, why in left]


def main():
    strings = {"type": "list", "elements": "str", "default": []}
    module = HostModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "required": True},
            "tools": strings,
            "keep": strings,
            "purge_data": {"type": "bool", "default": False},
            "purge_config": {"type": "bool", "default": False},
            "data_roots": strings,
            "follow_links": {"type": "bool", "default": False},
            "foreign": {"type": "bool", "default": False},
            "lock_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C", "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
    absent = Absent(module)
    params = module.params
    strange = [n for n in params["packages"] + params["tools"] if not re.match(r"[A-Za-z0-9][A-Za-z0-9._+:-]*\Z", n)]
    if strange:
        absent.fail("wrong-settings", "Nothing was touched: %r is no name of a package." % strange[0])
    absent.ensure()


if __name__ == "__main__":
    main()
