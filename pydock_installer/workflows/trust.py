"""``pydock trust``: enrol host keys, after their fingerprints were seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydock_installer import ssh
from pydock_installer.errors import UnreachableError
from pydock_installer.model import Host
from pydock_installer.settings import Settings
from pydock_installer.workflows.look import ssh_options


@dataclass(frozen=True)
class Offer:
    """What a host shows of itself: its keys, and those of them that are new."""

    host: Host
    keys: tuple[ssh.HostKey, ...] = ()
    new: tuple[ssh.HostKey, ...] = ()
    problem: UnreachableError | None = None


def offers(hosts: tuple[Host, ...], settings: Settings) -> tuple[Offer, ...]:
    """Ask every host for its keys. A key that differs from a known one is a problem, never an offer."""
    options = ssh_options(settings)

    def ask(host: Host) -> Offer:
        keys = tuple(ssh.fetch_host_keys(host, options))
        states = [(key, ssh.known_state(host, options, key)) for key in keys]
        known = any(state == "known" for _, state in states)
        # Beside a known key, those of other kinds are no news (ssh keeps one); without it they are another host's.
        if any(state == "changed" or (state == "beside" and not known) for _, state in states):
            return Offer(
                host,
                problem=UnreachableError(
                    "changed-host-key",
                    f"{host.name} shows another host key than the one that is known",
                    f"Find out why. If the host was reinstalled: `ssh-keygen -R {host.address}`, then trust it anew.",
                ),
            )
        # Of a host that is known, further keys are not offered: they would prove nothing that is not proven.
        new = () if known else keys
        return Offer(host, keys, new)

    found = ssh.run_everywhere(hosts, ask, settings.forks)
    return tuple(
        Offer(host, problem=result) if isinstance(result, UnreachableError) else result
        for host, result in ((host, found[host.name]) for host in hosts)
    )


def trust(
    offered: tuple[Offer, ...], settings: Settings, agreed: Callable[[Offer], bool]
) -> tuple[tuple[Offer, Path], ...]:
    """Write the new keys of those hosts to whose keys ``agreed`` says yes; where they went."""
    options = ssh_options(settings)
    return tuple(
        (offer, ssh.add_known_host(offer.host, options, offer.new))
        for offer in offered
        if offer.new and agreed(offer)
    )
