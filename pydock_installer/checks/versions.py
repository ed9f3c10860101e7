"""Rules about versions: is the engine that is wanted to be had?"""

from __future__ import annotations

from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown
from pydock_installer.engine_change import SAME_VERSION, versions_there
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known, Unknown
from pydock_installer.platforms.versions import matches, nearest


def docker_version(facts: Facts, context: Context) -> Finding | None:
    """A version that was named exists for this release: engine and client alike, for they have one version."""
    code, seen, wanted = "docker-version", facts.network.package_set, context.settings.docker_version
    if wanted == "latest" or seen == NOT_ASKED or not (context.platform and context.platform.path):
        return None
    installed = facts.packages.value if isinstance(facts.packages, Known) else {}
    if all(name in installed and matches(installed[name][0].version, wanted) for name in SAME_VERSION[:2]):
        return ok(code, f"{wanted} is installed")
    if not isinstance(seen, Known):
        return unknown(
            code, f"whether there is a docker-ce {wanted}", seen or Unknown("there is no curl or gzip")
        )
    there = versions_there(facts)
    if any(matches(version, wanted) for version in there):
        return ok(code, f"{seen.value.mirror} has {wanted}")
    if not seen.value.whole:
        return unknown(code, f"whether there is a docker-ce {wanted}", Unknown("the list is too long"))
    if not there:
        return None  # package-set tells that.
    near = ", ".join(nearest(wanted, there))
    return blocker(
        code,
        f"there is no Docker {wanted} for {context.platform.path}; the newest is {there[-1]}, the nearest: {near}",
        f"Ask for one that there is: `pydock install --docker-version {there[-1]} HOST`, or docker_version in "
        "pydock.yml.",
    )


RULES: tuple[Rule, ...] = (docker_version,)
