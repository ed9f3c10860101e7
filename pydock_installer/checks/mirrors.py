"""Rules about what a host must reach: names, package mirrors and what they have, registry mirrors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from pydock_installer import epel, platforms
from pydock_installer.checks.judging import proxied, worst
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known, Unknown
from pydock_installer.model.groups.network import WebAnswer
from pydock_installer.platforms.versions import version_key
from pydock_installer.repository import base, candidates
from pydock_installer.repository_choice import PRESENT, keeps

WEB = {6: "its name does not resolve", 7: "connection refused", 28: "no answer in time",
       35: "TLS fails", 60: "the host does not trust its certificate"}  # fmt: skip
#: Seconds after which the probe takes no answer for a slow one (its limits for connecting and for all of it: 4, 8).
PATIENCE = 4
ENGINE_PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io")


def _installed(facts: Facts) -> bool:
    return isinstance(facts.packages, Known) and not {"docker-ce", "docker-io"}.isdisjoint(
        facts.packages.value
    )


def _needed(facts: Facts, code: str, message: str, remedy: str) -> Finding:
    """A repository that does not serve stands in the way only where Docker is not installed yet."""
    return (warning if _installed(facts) else blocker)(code, message, remedy)


def _mirrors(facts: Facts, context: Context) -> Mapping[str, str]:
    """The package mirrors of which one must serve, name to address: several only while none is chosen."""
    path = context.platform.path if context.platform else ""
    choice = context.settings.repository
    if not path:
        return {}
    if path.startswith("epel/"):
        # There is none for another: the rule of the architecture tells.
        if not isinstance(facts.architecture, Known) or facts.architecture.value != "x86_64":
            return {}
        return epel.candidates(context.settings.legacy.epel)
    kept, _ = keeps(facts, context.settings) if choice == "auto" else (None, "")
    if kept:
        return {kept if kept in platforms.mirrors() else PRESENT: base(kept)}
    return candidates(choice)


def dns(facts: Facts, context: Context) -> Finding | None:
    """The host knows where the mirrors are."""
    code, seen = "dns", facts.network.names
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "whether names resolve", seen or Unknown("there is no getent"))
    remedy = "See /etc/resolv.conf on the host and `getent hosts {0}`; without name servers, /etc/hosts can tell it."
    found: list[Finding] = []
    proxy = facts.network.yum_proxy
    names = _names(_mirrors(facts, context).values())
    if names and not isinstance(proxy, Known) and not any(seen.value.get(name) for name in names):
        what = ", ".join(names)
        if proxy is None and any(name in seen.value for name in names):
            message = f"the package repository's name does not resolve: {what}"
            found.append(_needed(facts, code, message, remedy.format(names[0])))
        else:
            found.append(unknown(code, f"whether {what} resolves, or a proxy does it,", proxy))
    if not proxied(facts, context):
        for name in _names(context.settings.registry_mirrors):
            if name not in seen.value:
                found.append(unknown(code, f"whether {name} resolves", Unknown("the host did not say")))
            elif not seen.value[name]:
                message = f"the registry mirror's name does not resolve: {name}"
                found.append(warning(code, message, remedy.format(name)))
    return worst(code, found, "the mirrors' names resolve" if not proxy else "yum's proxy resolves names")


def _names(addresses: Iterable[str]) -> list[str]:
    """The names in addresses; what is an IP address already needs no one to resolve it."""
    hosts = dict.fromkeys(urlsplit(address).hostname or "" for address in addresses)
    return [host for host in hosts if host and ":" not in host and not re.fullmatch("[0-9.]+", host)]


def package_repository(facts: Facts, context: Context) -> Finding | None:
    """A mirror of Docker's packages answers."""
    code, asked, said = "package-repository", facts.network.mirror_answers, facts.repository_answers
    mirrors, proxy = _mirrors(facts, context), facts.network.yum_proxy
    if asked == NOT_ASKED or not mirrors:
        return None
    # The first question went without yum's proxy: what answered it does not say what yum will see.
    direct = said.value if isinstance(said, Known) and not isinstance(proxy, Known) else ()
    known = [(answer.name, answer.status) for answer in direct]
    known += asked.value.items() if isinstance(asked, Known) else ()
    if alive := [name for name in mirrors if (name, 200) in known]:
        return ok(code, f"{', '.join(alive)} answer{'s' if len(alive) == 1 else ''}")
    statuses = {name: status for name, status in known if name in mirrors}
    if not statuses or isinstance(proxy, Unknown):
        reason = asked if isinstance(asked, Unknown) else proxy if isinstance(proxy, Unknown) else None
        return unknown(code, "what mirrors answer", reason or Unknown("there is no curl on the host"))
    if any(answer.status == 0 and answer.seconds >= PATIENCE for answer in direct) and not any(
        statuses.values()
    ):
        # yum is more patient than the probe: slow is not dead.
        return unknown(
            code, "what mirrors have", Unknown(f"none answered within {PATIENCE} s: slow, or filtered")
        )
    told = ", ".join(f"{name} {status or 'does not answer'}" for name, status in statuses.items())
    path = context.platform.path if context.platform else ""
    if path.startswith("epel/"):
        return _needed(
            facts,
            code,
            f"no archive of EPEL 6, which has docker-io, serves this host{' through ' + proxy.value if proxy else ''}: "
            f"{told}",
            f"Try `curl -I {next(iter(mirrors.values()))}/6/x86_64/repodata/repomd.xml` on the host. Open the way out "
            "(firewall, proxy= in /etc/yum.conf), or name an archive that it reaches: `legacy: {epel: "
            "http://MIRROR/epel-archive}`; over http, if its TLS is too new for release 6.",
        )
    return _needed(
        facts,
        code,
        f"no mirror of Docker's packages has {path} for this host{' through ' + proxy.value if proxy else ''}: {told}",
        f"Try `curl -IL {next(iter(mirrors.values()))}/linux/{path}/` on the host. Open the way out (firewall, "
        "proxy= in /etc/yum.conf), or name a mirror that it reaches: `repository: https://MIRROR/docker-ce`.",
    )


def package_set(facts: Facts, context: Context) -> Finding | None:
    """What is to be installed is really there."""
    code, seen = "package-set", facts.network.package_set
    if seen == NOT_ASKED or not _mirrors(facts, context) or (context.platform and context.platform.legacy):
        return None
    if not isinstance(seen, Known):
        asked = facts.network.mirror_answers
        silent = isinstance(asked, Known) and 200 not in asked.value.values()
        reason = Unknown("no mirror answers") if silent else seen
        return unknown(code, "the mirror's packages", reason or Unknown("there is no curl or gzip"))
    versions = {name: seen.value.versions.get(name, ()) for name in ENGINE_PACKAGES}
    newest = {name: max(found, key=version_key) for name, found in versions.items() if found}
    missing = [name for name, found in versions.items() if not found]
    there = ", ".join(f"{name} {version}" for name, version in newest.items()) or "none of Docker's packages"
    if not missing:
        return ok(code, f"{seen.value.mirror} has {there}")
    if not seen.value.whole:
        return unknown(code, f"whether {', '.join(missing)} is there", Unknown("the list is too long"))
    return _needed(
        facts,
        code,
        f"{seen.value.mirror} has no {' and no '.join(missing)} for this release; what is there: {there}",
        "Name another mirror: `repository: official`, or an address.",
    )


def registry_mirror(facts: Facts, context: Context) -> Finding | None:
    """Each registry mirror answers this host; without them the engine asks Docker Hub."""
    code, seen, mirrors = "registry-mirror", facts.network.registry_answers, context.settings.registry_mirrors
    if seen == NOT_ASKED or not mirrors:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "what registry mirrors answer", seen or Unknown("there is no curl on the host"))
    behind = proxied(facts, context)
    found = [_registry(code, mirror, seen.value.get(mirror), behind) for mirror in mirrors]
    return worst(code, found, f"{', '.join(mirrors)} answer{'s' if len(mirrors) == 1 else ''}")


def _registry(code: str, mirror: str, answer: WebAnswer | None, proxied: bool) -> Finding:
    if answer is None:
        return unknown(code, mirror, Unknown("the host did not say"))
    if answer.status in (200, 401):
        return ok(code, mirror)
    if proxied:
        return unknown(code, mirror, Unknown("the engine goes through a proxy, which this question did not"))
    if answer.status == 403:
        return warning(
            code,
            f"{mirror} refuses this host (403): it serves only some networks or customers",
            "Take it out of registry_mirrors, or ask who runs it for access; a pull-through cache of your own "
            "serves everybody.",
        )
    why = f"answers {answer.status}" if answer.status else WEB.get(answer.curl, "does not answer")
    certificate = f"Put its CA's certificate into /etc/docker/certs.d/{urlsplit(mirror).netloc}/ca.crt. "
    return warning(
        code,
        f"{mirror}: {why}; a living one says 200 or 401 at /v2/",
        f"{certificate if answer.curl == 60 else ''}Try `curl -i {mirror}/v2/` on the host; take what is dead out of "
        "registry_mirrors: each pull waits for it first.",
    )


RULES: tuple[Rule, ...] = (dns, package_repository, package_set, registry_mirror)
