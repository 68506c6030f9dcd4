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


# From benchmarks/results/text_to_batches.json: the smallest and the largest count of three seeds.
SHORT, LONG, LIMIT = 191, 198, 7
TRUNCATION = {
    "left whole": ((64, 83), (35, 46), (0, 2)),
    "cut, EOS lost": ((74, 82), (31, 41), (1, 2)),
    "cut, EOS kept": ((61, 74), (0, 0), (97, 100)),
    "pair dropped": ((87, 99), (1, 7), (28, 42)),
}


def truncation_table() -> str:
    """What four ways to treat long targets did to short and long test phrases."""
    lines = [
        f"targets over {LIMIT} tokens   short right   long right   long outputs of",
        f"                        of {SHORT}        of {LONG}       {LIMIT} tokens or fewer",
    ]
    for way, counts in TRUNCATION.items():
        short, long, few = (f"{low} to {high}" if low != high else str(low) for low, high in counts)
        lines.append(f"{way:24}{short:14}{long:13}{few} %")
    return "\n".join(lines)
