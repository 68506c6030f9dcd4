"""``python -m seq2seq_lib.translate``: see ``command``."""

import sys

from seq2seq_lib.translate.command import main

if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # like its input, also in a pipe on Windows
    sys.exit(main())
