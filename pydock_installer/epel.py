"""EPEL 6, which has Docker for release 6: its archives, and the repository file that names one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pydock_installer import platforms
from pydock_installer.model import Facts, Known

FILE = "/etc/yum.repos.d/epel.repo"
KEY_FILE = "/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6"


def archives() -> Mapping[str, str]:
    """The shipped archives by the names of mirrors, in order of preference."""
    found: Mapping[str, str] = platforms.data("archives.yml")["epel"]
    return {name: found[name] for name in platforms.mirrors() if name in found}


def candidates(choice: str) -> Mapping[str, str]:
    """The base addresses a host is asked to try: all archives for ``auto``, else the chosen one."""
    return archives() if choice == "auto" else {"chosen": archives().get(choice, choice).rstrip("/")}


def choose(choice: str, facts: Facts) -> tuple[str, ...]:
    """Base addresses for a host, the best first: those that answered it before those that did not.

    What its repository file names already stays the first while it serves.
    """
    tried = candidates(choice)
    answers = facts.repository_answers.value if isinstance(facts.repository_answers, Known) else ()
    seconds = {answer.name: answer.seconds for answer in answers if answer.status == 200}
    limit = 2 * min(seconds.values(), default=0.0) + 0.3
    file = facts.legacy.repository_file.value if isinstance(facts.legacy.repository_file, Known) else ""

    def rank(name: str) -> tuple[bool, bool, bool, int]:
        serves = name in seconds
        named = f"baseurl={tried[name]}/" in file
        return (not serves, not named, serves and seconds[name] > limit, list(tried).index(name))

    return tuple(tried[name] for name in sorted(tried, key=rank))


def content(base: str) -> str:
    """The repository file, as the role ``docker_legacy`` writes it."""
    return "\n".join(
        (
            "# Managed by pydock. The key below was checked against its pinned fingerprint.",
            "[epel]",
            "name=EPEL 6, its archive",
            f"baseurl={base}/6/$basearch",
            "enabled=1",
            "gpgcheck=1",
            f"gpgkey=file://{KEY_FILE}",
            "skip_if_unavailable=0",
            "",
        )
    )
