"""Docker on fleets of CentOS hosts, from bare host to proof."""

__version__ = "0.1.0"
