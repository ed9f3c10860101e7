"""``python -m pydock_installer``."""

import sys

from pydock_installer.cli import main

sys.exit(main())
