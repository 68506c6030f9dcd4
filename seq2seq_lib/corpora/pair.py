"""What every corpus is made of: ``Pair`` (one example) and ``Corpus`` (three splits of them).

Tokens are plain strings: the words, characters or digits of one sequence, *without* BOS, EOS or
padding, which belong to ``vocab`` and ``batching``. Nothing here imports torch.
"""

from dataclasses import dataclass

SPLITS = ("train", "valid", "test")

Tokens = tuple[str, ...]
Alignment = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """One example: the source tokens, the target tokens and, where it is known, who made whom.

    Attributes:
        source, target: tuples of non-empty strings, no BOS and no EOS.
        alignment: ``(source position, target position)`` links, both counted from 0, sorted; or
            None where the truth is unknown. A position without a link is aligned to nothing (EOS
            never is). Several links may share a position: "twelve" makes both digits of 12.

    Raises:
        TypeError: a string where a tuple of strings belongs.
        ValueError: a link that points outside the sequences.
    """

    source: Tokens
    target: Tokens
    alignment: Alignment | None = None

    def __post_init__(self) -> None:
        for name, tokens in (("source", self.source), ("target", self.target)):
            if not isinstance(tokens, tuple) or not all(isinstance(t, str) for t in tokens):
                raise TypeError(
                    f"{name} must be a tuple of strings, one string a token, but got "
                    f"{tokens!r}: write tuple('abc') for characters, tuple(text.split()) for words"
                )
            if "" in tokens:
                raise ValueError(f"{name} {tokens!r} holds an empty token: drop it")
        for i, j in self.alignment or ():
            if not (0 <= i < len(self.source) and 0 <= j < len(self.target)):
                raise ValueError(
                    f"alignment link {(i, j)} points outside a pair of {len(self.source)} source "
                    f"and {len(self.target)} target tokens (positions count from 0)"
                )


@dataclass(frozen=True, repr=False)
class Corpus:
    """Three splits of a task, ready for ``Vocab.build`` and ``collate``.

    Attributes:
        name: for messages and file names, such as "dates" or "multi30k-de-en".
        train, valid, test: tuples of ``Pair``. In every generated corpus and in ``tatoeba`` no
            source of one split occurs in another; ``multi30k`` is the published split, unaltered:
            see there.
        entropy_floor: the lowest loss that any model can have, in **nats per target token, where
            the EOS that ends each target counts as a token**:

                sum over the sources x of H(Y | x)  /  sum over the sources x of E[len(Y) + 1 | x]

            with natural logarithms. This is the unit of ``LossSum.mean``: summed NLL over summed
            target tokens. 0.0 where the target is a function of the source, None where nobody
            knows.
        licence: what you may do with the texts; "generated" where the library wrote them itself.
    """

    name: str
    train: tuple[Pair, ...]
    valid: tuple[Pair, ...]
    test: tuple[Pair, ...]
    entropy_floor: float | None = None
    licence: str = "generated"

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={len(self.split(name))}" for name in SPLITS)
        return f"Corpus({self.name!r}, {sizes}, entropy_floor={self.entropy_floor})"

    def split(self, name: str) -> tuple[Pair, ...]:
        """The pairs of the split called "train", "valid" or "test"."""
        if name not in SPLITS:
            raise ValueError(f"Unknown split: {name!r}. Valid: 'train', 'valid', 'test'")
        return getattr(self, name)

    def references(self, split: str = "test") -> dict[Tokens, list[Tokens]]:
        """Every distinct target of each source of a split, in the order of the corpus.

        What a metric with several references needs: a translation that the corpus itself gives
        elsewhere for the same sentence is not an error.
        """
        found: dict[Tokens, list[Tokens]] = {}
        for pair in self.split(split):
            targets = found.setdefault(pair.source, [])
            if pair.target not in targets:
                targets.append(pair.target)
        return found

    def shared_sources(self, one: str = "train", other: str = "test") -> tuple[Tokens, ...]:
        """The distinct sources that occur in both splits, in the order of ``other``.

        Empty in a clean corpus: a source seen in training measures memory, not generalisation.
        """
        known = {pair.source for pair in self.split(one)}
        return tuple(dict.fromkeys(p.source for p in self.split(other) if p.source in known))
