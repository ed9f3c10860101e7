"""Docker on fleets of CentOS hosts, from bare host to proof."""

import sys

__version__ = "0.1.0"

# paramiko imports invoke where it is installed, for `Match exec` lines that pydock does not follow. To import it takes
# as long as paramiko itself, at every start.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
