"""`python -m nco` is the `nco` command."""

import sys

from nco.cli import main

if __name__ == "__main__":
    sys.exit(main())
