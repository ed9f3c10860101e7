"""Docker on fleets of CentOS hosts, from bare host to proof."""
