"""What release 6 has of its own: options of an engine without daemon.json, and the words of remedies there."""

from __future__ import annotations

import re

from pydock_installer import planner_legacy
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import Facts, Finding, Known, Unknown

#: What remedies say for later releases, and what is said instead: there is no systemctl, no `sysctl --system` and no
#: /etc/sysctl.d, chrony came later, and yum-config-manager is in a package that nobody may have.
INSTEAD = (
    (r"`systemctl disable --now docker`", "`service docker stop; chkconfig docker off`"),
    (r"its unit in /etc/systemd/system", "its script in /etc/init.d"),
    (r"`systemctl restart docker`", "`service docker restart`"),
    (r"systemctl stop packagekit", "killall packagekitd"),
    (r", or `yum-config-manager --disable [^`]*`", ""),
    (r"`yum-config-manager --enable [^`]*` \(or (`enabled=1` below [^)]*)\)", r"\1"),
    (r"`yum install -y chrony; systemctl enable --now chronyd; chronyc makestep`",
     "`yum install -y ntpdate; ntpdate NTP-SERVER; hwclock --systohc`"),
    (r"echo net\.ipv4\.ip_forward=1 > /etc/sysctl\.d/99-zz-docker\.conf; sysctl --system",
     "echo net.ipv4.ip_forward=1 >> /etc/sysctl.conf; sysctl -p"),
    (r"sysctl --system", "sysctl -p"),
    (r"`systemctl status docker` and `journalctl -u docker -n 50` on the host say",
     "`service docker status` and /var/log/docker on the host say"),
    (r"`journalctl -u docker -n 50` on the host says", "/var/log/docker on the host says"),
    (r"`systemctl enable docker` on the host says why; a masked unit is freed by `systemctl unmask docker`",
     "`chkconfig docker on` on the host says why"),
    (r"systemd would not", "chkconfig did not"),
    (r" Or set `live-restore: true` .*", ""),
    (r", most often because its start command sets some of its own", ": they count from its next start on"),
    (r"Look for --registry-mirror in `systemctl cat docker`, remove it .* then run `pydock install HOST` again",
     "`pydock mirror set URL... HOST`, or `pydock install HOST`, makes both the same, by a restart"),
    (r"/etc/docker/daemon\.json|daemon\.json", "/etc/sysconfig/docker"),
    (r"Use another mirror for Docker's \(`[^`]*`\)", "Name another archive of EPEL (`legacy.epel` in pydock.yml)"),
    (r"Use another mirror \(`[^`]*`\)", "Name another archive of EPEL (`legacy.epel` in pydock.yml)"),
    (r": `--repository-key FINGERPRINT`", " (`legacy.epel_key` in pydock.yml)"),
    (r"Install a newer one: `[^`]*`", "There is no newer engine for release 6; prove it with `verify.image: builtin`"),
    (r"; one that you do not need can be switched off: `yum-config-manager --disable ID`", ""),
    (r"`grubby --set-default [^`]*`", "/boot/grub/grub.conf"),
)  # fmt: skip


def in_its_words(text: str) -> str:
    """A message or remedy with the commands that release 6 has."""
    for found, instead in INSTEAD:
        text = re.sub(found, instead, text)
    return text


def options(facts: Facts, context: Context) -> Finding | None:
    """Engine 1.7.1 can have what the settings say, and /etc/sysconfig/docker can be changed to that."""
    code = "legacy-options"
    if context.platform is None or not context.platform.legacy:
        return None
    file = facts.legacy.options
    if isinstance(file, Unknown):
        return unknown(code, "/etc/sysconfig/docker", file, "Log in as root (-u root) or with sudo.")
    try:
        wished = planner_legacy.options(facts, context.settings.legacy_settings())
    except ValueError as problem:
        found = planner_legacy.refusal(str(problem))
        return blocker(code, found.message, found.remedy or "")
    if not wished.changes:
        return ok(code, "as the settings say" if wished.flags else "left as they are")
    engine = facts.engine
    running = engine.value.containers_running if isinstance(engine, Known) else 0
    if running:
        return warning(
            code,
            f"{running} running container{'s' if running > 1 else ''} will stop: engine 1.7.1 takes "
            f"{', '.join(wished.changes)} at a restart alone",
            "Do it when they may stop; those with a restart policy come back by themselves.",
        )
    return ok(code, f"{', '.join(wished.changes)} will be set in /etc/sysconfig/docker")


RULES: tuple[Rule, ...] = (options,)
