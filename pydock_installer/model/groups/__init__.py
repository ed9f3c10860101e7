"""What a probe brings for preflight, a group of facts each: ``NOT_ASKED`` where it was left out."""

from pydock_installer.model.groups.engine import EngineFacts
from pydock_installer.model.groups.legacy import LegacyFacts
from pydock_installer.model.groups.network import NetworkFacts
from pydock_installer.model.groups.packages import PackageFacts
from pydock_installer.model.groups.storage import StorageFacts
from pydock_installer.model.groups.system import SystemFacts

__all__ = ["EngineFacts", "LegacyFacts", "NetworkFacts", "PackageFacts", "StorageFacts", "SystemFacts"]
