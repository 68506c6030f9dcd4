"""``python -m seq2seq_lib.translate``: see ``command``."""

import sys

from seq2seq_lib._command import open_streams
from seq2seq_lib.translate.command import main

if __name__ == "__main__":
    open_streams()
    sys.exit(main())
