# -*- coding: utf-8 -*-
"""Removals, compilers, tools and the engine: one transaction of yum 3 or dnf, and rpm asked afterwards."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import shutil
import tempfile
import time

from ansible.module_utils.pydock_fetch import pause
from ansible.module_utils.pydock_host import note, tail
from ansible.module_utils.pydock_package_mirror import Mirrors
from ansible.module_utils.pydock_package_set import (
    SAME_VERSION,
    NoSuchVersion,
    Wish,
    choose_versions,
    described,
    difference,
    dropped,
    engine_is_wanted,
    installed_packages,
    listed_packages,
    needed_by,
    order,
    restarts,
    shell_script,
    survives,
    transaction,
)
from ansible.module_utils.pydock_shared import Shared, without_proxy
from ansible.module_utils.pydock_yum import Locked, yum

STRINGS = {"type": "list", "elements": "str", "default": []}
#: What the module takes.
ARGUMENTS = {
    "absent": STRINGS,
    "compilers": {"type": "bool", "default": False},
    "tools": STRINGS,
    "engine": STRINGS,
    "plugins": STRINGS,
    "version": {"type": "str", "default": "latest"},
    "upgrade": {"type": "bool", "default": False},
    "versions": {"type": "dict", "default": {}},
    "restart": {"type": "bool", "default": False},
    "alternatives": STRINGS,
    "repository_id": {"type": "str", "default": "docker-ce-stable"},
    "repository_file": {"type": "path", "default": "/etc/yum.repos.d/docker-ce.repo"},
    "lock_timeout": {"type": "int", "default": 300},
    "shared": {"type": "dict", "default": {}},
}

SETTINGS = "/etc/docker/daemon.json"
COMPILERS = ["gcc", "gcc-c++"]
OPTIONS = ["--setopt=skip_missing_names_on_install=False", "--setopt=clean_requirements_on_remove=False"]
STALE = re.compile(
    r"does not match intended download|checksum|\.rpm: \[Errno 14\] HTTPS? Error 404|Status code: 404 for \S+\.rpm",
    re.IGNORECASE,
)
FOR_WANT_OF_FILES = ("transaction-failed", "no-metadata", "not-available", "no-such-version")
UNKNOWN_NAME = re.compile(r"No match for argument|Unable to find a match|No package \S+ available|Nothing to do")
BROKEN = re.compile(r'File "/usr/bin/(yum|dnf)|problem importing one of the Python modules|bad interpreter')


# -- effects


class Packages(object):
    """The packages of this host and what is wanted of them."""

    def __init__(self, module):
        self.module, self.params = module, module.params
        self.began = time.time()
        self.remove, self.tools = self.params["absent"], self.params["tools"]
        self.engine = self.params["engine"]
        pins = dict((name, split_pin(pin)) for name, pin in self.params["versions"].items())
        # An exact set says itself which plugins are in it.
        plugins = [name for name in pins if name not in self.engine] if pins else self.params["plugins"]
        self.plugins = plugins
        self.wish = Wish(self.engine, plugins, self.params["version"], self.params["upgrade"], pins)
        self.compilers = COMPILERS if self.params["compilers"] else []
        self.mirrors = Mirrors(module, self.params["repository_file"], self.params["alternatives"])
        self.before = {}
        self.shared, self.led, self.told = None, [], ""

    def run(self, *command):
        """(exit code, stdout, stderr); 127 and why, as a shell would, for what cannot be started."""
        try:
            return self.module.run_command(list(command), expand_user_and_vars=False, handle_exceptions=False)
        except (OSError, IOError) as problem:
            return 127, "", str(problem)

    def yum(self, *words):
        """(exit code, stdout, stderr) of yum, once no other package manager works."""
        readable = self.shared.readable if self.shared else lambda text: text
        try:
            code, out, err = yum(self.run, OPTIONS + self.led + list(words), self.params["lock_timeout"])
        except Locked as lock:
            self.fail("locked", "Another package manager%s has held the lock for %d s; let it end, or end it, and run"
                      " again." % (self.who(lock.pid), self.params["lock_timeout"]), readable(lock.said))  # fmt: skip
        out, err = readable(out), readable(err)
        if code == 127 or (code and BROKEN.search(err)):
            said = err.strip().splitlines()[-1][:200]
            self.fail("yum-broken", "yum itself does not run on this host: %s." % said, out, err)
        return code, out, err

    def who(self, pid):
        if not pid:
            return ""
        _code, out, _err = self.run("ps", "-o", "args=", "-p", pid)
        return " (pid %s: %s)" % (pid, out.strip()[:120] or "its command is unknown")

    def take_shared(self):
        """Have yum take what the controller fetched, if it offers that and this host gets there."""
        offer = self.params["shared"]
        # Ansible repeats the parameters in its result.
        self.params["shared"] = sorted(offer)
        if not offer:
            return
        self.shared = Shared(**offer)
        if not self.shared.answers():
            self.give_up_sharing("the controller cannot be reached through SSH (sshd may forbid forwarding)")
            return
        self.led = self.shared.options() or []
        if not self.led:
            self.give_up_sharing("none of this host's repositories is shared")
            return
        self.told = "through the controller"
        self.module.run_command_environ_update.update(without_proxy(os.environ))

    def give_up_sharing(self, why):
        self.shared, self.led, self.told = None, [], "downloaded by itself: " + why

    def transact_with(self, wrong):
        """A held repository is switched off; for the engine's transaction it counts."""
        return ["--enablerepo=" + self.params["repository_id"]] if wrong["engine"] else []

    def ask_rpm(self):
        names = sorted(set(self.remove + self.compilers + self.tools + self.engine + self.plugins))
        if not names:
            return {}
        query = "%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n"
        found = installed_packages(self.run("rpm", "-q", "--qf", query, *names)[1])
        for name in self.compilers + self.tools:
            if name not in found:  # Some releases have it under another name.
                provided = installed_packages(self.run("rpm", "-q", "--qf", query, "--whatprovides", name)[1])
                if provided:
                    found[name] = sorted(provided.values(), key=order)[-1]
        return found

    def all_packages(self):
        return set(self.run("rpm", "-qa", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\\n")[1].split())

    def write_down(self, before):
        """What a transaction really did, dependencies and all, for whoever has to undo it."""
        new, gone = difference(before, self.all_packages())
        if new:
            note("installed", packages=new)
        if gone:
            note("removed", packages=gone)

    def fail(self, code, message, *evidence):
        seconds = round(time.time() - self.began, 2)
        status = [name for name, names in self.groups() if any(self.wrong(name, names, self.before))] or ["engine"]
        steps = [{"name": name, "status": "failed", "seconds": 0.0, "detail": message} for name in status]
        steps[-1]["seconds"] = seconds
        self.mirrors.put_back()
        problems = self.shared.problems() if self.shared and code in FOR_WANT_OF_FILES else []
        if problems:
            code = "not-shared"
            message = "The controller could not hand out what yum asked for: %s." % "; ".join(problems[:3])
            steps[-1]["detail"] = message
        changed = self.ask_rpm() != self.before  # A transaction may have got half-way.
        self.module.fail_json(msg=message, code=code, evidence=tail(*evidence), steps=steps, changed=changed)

    # -- what is right and wrong with the host

    def groups(self):
        return (
            ("remove", self.remove), ("compilers", self.compilers), ("tools", self.tools), ("engine", self.engine),
        )  # fmt: skip

    def wrong(self, group, names, installed):
        """The names of a group that are not as wanted."""
        if group == "remove":
            return [name for name in names if name in installed]
        wrong = [name for name in names if name not in installed]
        if group == "engine" and names and not wrong and engine_is_wanted(installed, self.wish):
            pins = self.wish.pins
            wrong = [name for name in sorted(pins) if installed.get(name) != pins[name]]
            wrong = wrong or [name for name in names if name in SAME_VERSION]
        return wrong

    # -- the work

    def choose(self):
        """The set that is wanted of the engine, of what its repository has."""
        only = ["--disablerepo=*", "--enablerepo=" + self.params["repository_id"]]
        code, out, err = self.yum("-q", *(only + ["list", "--showduplicates"] + self.engine + self.plugins))
        listed = listed_packages(out)
        if code and not listed:
            if re.search(r"No [Mm]atching [Pp]ackages", out + err):
                self.fail("no-such-version", "The repository %s has none of %s; check its address." % (
                    self.params["repository_id"], ", ".join(self.engine)), out, err)  # fmt: skip
            self.fail("no-metadata", "The repository %s cannot be read; check its address and the network."
                      % self.params["repository_id"], out, err)  # fmt: skip
        try:
            return choose_versions(self.before, listed, self.wish)
        except NoSuchVersion as problem:
            self.fail("no-such-version", "Nothing was changed: %s; set docker_version to one that exists." % problem,
                      out, err)  # fmt: skip

    def check_consent(self, chosen, removals):
        """Docker's packages restart the engine, and its containers stop: never without a word."""
        if self.params["restart"] or not (restarts(self.before, chosen) or removals):
            return
        if self.run("systemctl", "is-active", "--quiet", "docker.service")[0]:
            return
        code, out, err = self.run("docker", "ps", "--format", "{{.Names}}")
        names = sorted(out.split())
        if code == 0 and not names:
            return
        if not removals and survives(self.before, chosen):
            if self.run("docker", "info", "--format", "{{.LiveRestoreEnabled}}")[1].strip() == "true":
                return
        told = ", ".join(names[:10]) + (" and %d more" % (len(names) - 10) if names[10:] else "")
        self.fail(
            "restart-needed",
            "Nothing was changed: the engine would restart, and with it stop %s; agree with docker_packages_restart"
            " (`pydock install --restart`)." % (told or "containers that it does not name"),
            out,
            err,
        )

    def check_removals(self, removals, installs, plain, extra):
        """Before something goes: nothing else may need it, and all that shall come must exist."""
        code, out, err = self.run("rpm", "-e", "--test", *removals)
        if code:
            users = needed_by(out + err)
            self.fail(
                "needed-by",
                "Nothing was changed: %s cannot be removed, because %s; remove it yourself first."
                % (", ".join(removals), "installed packages need it: " + ", ".join(users) if users else "rpm refuses"),
                out,
                err,
            )
        if installs:
            # All repositories are asked: in its shell, yum 3 removes also when an installation has failed.
            code, out, err = self.yum("-q", *(extra + ["list"] + installs))
            listed = listed_packages(out)
            gone = [name for name in plain if name in installs and name not in listed]
            if gone:
                self.fail("not-available", "Nothing was changed: no repository has %s; see to the base repositories."
                          % ", ".join(gone), out, err)  # fmt: skip
            if code:
                self.fail("no-metadata", "Nothing was changed: a repository of this host cannot be read, so what is"
                          " removed could not be replaced; its own words say which.", out, err)  # fmt: skip

    def apply(self, wrong, chosen):
        """(yum's answer, the versions that were chosen)"""
        plain, extra = self.compilers + self.tools, self.transact_with(wrong)
        fresh = not any(name in self.before for name in self.remove + self.engine + self.plugins)
        if fresh and wrong["engine"] and self.params["version"] == "latest" and not self.wish.pins:
            # The newest is yum's own choice: no list is needed. A plugin that is unknown here stops all of it.
            missing = [name for name in plain if name not in self.before]
            answer = self.yum("-y", *(extra + ["install"] + missing + self.engine + self.plugins))
            if not answer[0] or not UNKNOWN_NAME.search(answer[1] + answer[2]):
                return answer, {}
        if chosen is None:
            chosen = self.choose() if wrong["engine"] else {}
        removals, installs, downgrades = transaction(self.before, self.remove, plain, chosen)
        self.check_consent(chosen, removals)
        if removals:
            self.check_removals(removals, installs, plain, extra)
        removals += dropped(self.before, chosen, self.wish)
        return self.transact(removals, installs, downgrades, extra), chosen

    def transact(self, removals, installs, downgrades, extra):
        if not removals and not downgrades:
            return self.yum("-y", *(extra + ["install"] + installs))
        handle, script = tempfile.mkstemp(prefix="pydock-", suffix=".yum")
        had_settings = os.path.exists(SETTINGS)
        try:
            os.write(handle, shell_script(removals, installs, downgrades).encode("ascii"))
            os.close(handle)
            return self.yum("-y", *(extra + ["shell", script]))
        finally:
            os.remove(script)
            # rpm puts a changed file aside with its package; it is the user's, and stays in effect.
            if had_settings and not os.path.exists(SETTINGS) and os.path.exists(SETTINGS + ".rpmsave"):
                shutil.copy2(SETTINGS + ".rpmsave", SETTINGS)

    def ensure(self):
        self.take_shared()
        self.before = self.ask_rpm()
        wrong = dict((group, self.wrong(group, names, self.before)) for group, names in self.groups())
        newest = None
        if self.wish.upgrade and self.engine and not wrong["engine"]:
            newest = self.choose()
            wrong["engine"] = sorted(name for name in newest if self.before.get(name) != newest[name])
        if not any(wrong.values()) or self.module.check_mode:
            self.finish(wrong, self.before)
        again = False
        while True:
            everything = self.all_packages()
            (code, out, err), chosen = self.apply(wrong, newest)
            self.write_down(everything)
            after = self.ask_rpm()
            unmet = self.unmet(after, chosen)
            if not unmet or not self.is_worth_another_try(out + err, again):
                break
            again, newest, self.before = True, None, after
        if unmet:
            tried = self.mirrors.tried()
            self.fail("transaction-failed", "yum (exit %d) left this undone: %s; its own words say why.%s"
                      % (code, "; ".join(unmet), " Tried: %s." % tried if tried else ""), out, err)  # fmt: skip
        self.finish(wrong, after)

    def is_worth_another_try(self, said, again):
        """Whether what let yum down is out of its way now. ``again``: it has been let down before."""
        if self.shared and not self.shared.answers() and not again:
            self.give_up_sharing("the way to the controller broke")
        elif STALE.search(said) and not again:
            pass
        elif not self.shared and self.mirrors.next(said, self.engine + self.plugins):
            only = ["--disablerepo=*", "--enablerepo=" + self.params["repository_id"]]
            self.yum("-q", *(only + ["clean", "metadata", "packages"]))
            return True
        else:
            return False
        time.sleep(pause(0))  # A fleet that was let down by its mirror does not come back as one.
        self.yum("-q", "clean", "metadata")
        return True

    def unmet(self, after, chosen):
        """Sentences about what rpm says is not as wanted: yum's exit code does not tell."""
        unmet = ["%s is still there" % name for name in self.remove if name in after]
        wanted = self.compilers + self.tools + [name for name in self.engine if name not in chosen]
        unmet += ["%s is missing" % name for name in wanted if name not in after]
        for name in sorted(chosen):
            found = after.get(name)
            if found is None:
                unmet.append("%s %s is missing" % (name, chosen[name][0]))
            elif (name not in SAME_VERSION and name not in self.wish.pins and self.before.get(name)
                  and order(found) >= order(chosen[name])):  # fmt: skip
                continue  # What was to stay as it is came newer along with the engine, which needs that.
            elif found != tuple(chosen[name]):
                unmet.append("%s is %s, not %s" % (name, found[0], chosen[name][0]))
        return unmet

    def finish(self, wrong, installed):
        """One step for each group that is wanted. They share a transaction: its time stands at the last one."""
        steps = []
        for group, names in self.groups():
            changed = bool(wrong[group])
            if not names or (group == "remove" and not changed):
                continue
            if group == "remove" or (changed and self.module.check_mode):
                detail = ", ".join(wrong[group])
            else:
                engine = changed and group == "engine"
                detail = described(names + (self.plugins if engine else []), installed, self.before)
                detail += self.mirrors.told() if engine else ""
            steps.append({"name": group, "status": "changed" if changed else "ok", "seconds": 0.0, "detail": detail})
        for step in sorted(steps, key=lambda step: step["status"] == "changed")[-1:]:
            step["seconds"] = round(time.time() - self.began, 2)
            if self.told and step["status"] == "changed" and not self.module.check_mode:
                step["detail"] += "; " + self.told
        result = {"changed": any(wrong.values()), "steps": steps}
        if self.compilers and "gcc" in installed:
            result["compilers"] = self.run("gcc", "--version")[1].partition("\n")[0]
        self.module.exit_json(**result)


def split_pin(text):
    """``20.10.24-3.el7`` -> ("20.10.24", "3.el7"), with or without an epoch before it."""
    version, _dash, release = text.rpartition(":")[2].partition("-")
    return version, release


def work(module):
    """Do it; the module ends with the result."""
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    packages = Packages(module)
    names = packages.remove + packages.tools + packages.engine + packages.plugins + [module.params["repository_id"]]
    names += [part for pin in packages.wish.pins.values() for part in pin]
    strange = [name for name in names if not re.match(r"[A-Za-z0-9][A-Za-z0-9._+:-]*\Z", name)]
    if strange or not re.match(r"(latest|\d+(\.[0-9a-z]+)*)\Z", module.params["version"]):
        packages.fail("wrong-settings", "Nothing was changed: %r is no package name or version." % (
            strange or module.params["version"]))  # fmt: skip
    packages.ensure()
