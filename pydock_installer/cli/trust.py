"""``pydock trust``: fingerprints shown, a question per host, keys written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydock_installer.errors import ExitCode
from pydock_installer.workflows.request import Request
from pydock_installer.workflows.trust import Offer, offers
from pydock_installer.workflows.trust import trust as enrol

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console


def trust(request: Request, talk: Console) -> int:
    """Exit 0 when every host is known in the end; 4 where one was not reached, 5 where the answer was no."""
    offered = offers(request.hosts, request.settings)

    def agreed(offer: Offer) -> bool:
        talk.note(f"{offer.host.name} shows:")
        for key in offer.new:
            talk.note(f"  {key.type}  {key.fingerprint}")
        return request.yes or talk.ask(f"Trust {offer.host.name} from now on?")

    written = {offer.host.name: path for offer, path in enrol(offered, request.settings, agreed)}
    entries = [_entry(offer, written) for offer in offered]
    if talk.json:
        talk.document({"command": "trust", "exit_code": int(_code(entries)), "hosts": entries})
    else:
        for entry in entries:
            talk.out(f"{entry['name']}: {entry['state']}" + (f": {entry['cause']}" if entry["cause"] else ""))
            if entry["remedy"]:
                talk.out(f"  {entry['remedy']}")
    return int(_code(entries))


def _entry(offer: Offer, written: Mapping[str, object]) -> dict[str, object]:
    name = offer.host.name
    state = (
        "problem"
        if offer.problem
        else f"trusted, written to {written[name]}"
        if name in written
        else "known already"
        if not offer.new
        else "not trusted"
    )
    return {
        "name": name,
        "state": state,
        "fingerprints": [key.fingerprint for key in offer.keys],
        "cause": offer.problem.message if offer.problem else None,
        "remedy": offer.problem.hint if offer.problem else None,
    }


def _code(entries: list[dict[str, object]]) -> ExitCode:
    states = {entry["state"] for entry in entries}
    if "problem" in states:
        return ExitCode.UNREACHABLE
    return ExitCode.REFUSED if "not trusted" in states else ExitCode.OK
