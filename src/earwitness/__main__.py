"""``python -m earwitness`` is the command line."""

import sys

from earwitness.cli import main

if __name__ == "__main__":
    sys.exit(main())
