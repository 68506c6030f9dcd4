"""``python -m seq2seq_lib.latent``: see ``command``."""

from seq2seq_lib.latent.command import main

if __name__ == "__main__":
    raise SystemExit(main())
