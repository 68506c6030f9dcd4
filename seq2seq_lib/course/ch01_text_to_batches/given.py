"""What the notebooks of chapter 1 are given: a few lines, and numbers to choose from."""

FRESH_LINES = ("we want black trees", "mice", "his dog waits for my aunt", "a cat")
MERGES = (("i", "x"), ("s", "ix"), ("six", "t"), ("e", "e"), ("ee", "n"))


def share_options() -> dict[str, str]:
    """Six numbers that somebody takes for the PAD share of ``FRESH_LINES``, the smallest first."""
    words = [len(line.split()) for line in FRESH_LINES]
    rows, real, longest = len(words), sum(words) + len(words), max(words) + 1  # + 1: EOS
    cells = rows * longest
    shares = [
        (cells - real) / cells,
        (rows * max(words) - sum(words)) / (rows * max(words)),
        (cells - real) / (cells + rows),
        (cells - sum(words)) / cells,
        real / cells,
        (cells - real) / real,
    ]
    return dict(zip("ABCDEF", (f"{100 * share:.1f} %" for share in sorted(shares)), strict=True))
