"""Words to numbers and back. Four ids are special and the same in every vocabulary.

| here | torch | Hugging Face |
|---|---|---|
| ``PAD_ID = 0`` | ``padding_idx``, ``ignore_index`` | ``pad_token_id`` |
| ``BOS_ID = 1`` | | ``decoder_start_token_id`` |
| ``EOS_ID = 2`` | | ``eos_token_id`` |
| ``UNK_ID = 3`` | | ``unk_token_id`` |
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from seq2seq_lib._files import write_whole
from seq2seq_lib._numbers import as_id, check_integer, check_positive
from seq2seq_lib._text import check_list, check_text, shortened

PAD_ID, BOS_ID, EOS_ID, UNK_ID = 0, 1, 2, 3
SPECIAL_TOKENS = ("<pad>", "<bos>", "<eos>", "<unk>")


class Vocab:
    """A list of distinct tokens; the id of a token is its place in the list.

    Args:
        tokens: the ordinary tokens, distinct strings. The four special ones are put before them.
        pad_id, bos_id, eos_id, unk_id: here so that a clash is refused. A vocabulary in which PAD
            and EOS share an id trains a model that never learns to stop, because its loss skips
            every EOS (https://github.com/unslothai/unsloth/issues/416).

    Raises:
        ValueError: special ids clash or differ from this library's; tokens repeat; a token is no
            text.
        TypeError: a token is not a string.
    """

    def __init__(
        self,
        tokens: Iterable[str],
        *,
        pad_id: int = PAD_ID,
        bos_id: int = BOS_ID,
        eos_id: int = EOS_ID,
        unk_id: int = UNK_ID,
    ) -> None:
        ids = {"pad_id": pad_id, "bos_id": bos_id, "eos_id": eos_id, "unk_id": unk_id}
        if len(set(ids.values())) < 4:
            raise ValueError(
                f"The four special ids must be distinct, but they are {ids}: a mask or a loss "
                f"cannot tell apart two tokens with one id."
            )
        if tuple(ids.values()) != (PAD_ID, BOS_ID, EOS_ID, UNK_ID):
            raise ValueError(f"The special ids are fixed at 0, 1, 2, 3, but they are {ids}.")
        check_list(tokens, "tokens", "strings")
        self.pad_id, self.bos_id, self.eos_id, self.unk_id = pad_id, bos_id, eos_id, unk_id
        self.tokens: tuple[str, ...] = (*SPECIAL_TOKENS, *tokens)
        for token in self.tokens:
            if not isinstance(token, str):
                raise TypeError(f"Every token must be a string, but one is {token!r}.")
            check_text(token, f"The token {shortened(token)!r}")
        self.tokens = tuple(map(str, self.tokens))  # NumPy's strings become Python's
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = next(t for t, n in Counter(self.tokens).items() if n > 1)
            raise ValueError(f"Every token must occur once, but {shortened(twice)!r} occurs again.")

    @classmethod
    def build(
        cls, token_lists: Iterable[Sequence[str]], min_freq: int = 1, max_size: int | None = None
    ) -> "Vocab":
        """Count tokens and keep the frequent ones, most frequent first, ties in alphabetical order.

        Args:
            token_lists: the **training** sentences as lists of tokens. Valid and test sentences
                stay out, or their new words are in the list and no step has trained them.
            min_freq: drop what occurs less often; dropped tokens encode as UNK. With 1 nothing is
                dropped, so UNK is not met in training and its embedding keeps its random start,
                yet it stands for each new word later. With 2 it is trained on the words that
                occur once. Characters and pieces hardly need it.
            max_size: keep at most so many entries, the four special ones included.

        Raises:
            ValueError: min_freq < 1 or max_size < 4.
            TypeError: a sentence is a string, or a token is none.
        """
        check_positive(min_freq, "min_freq")
        if max_size is not None:
            check_integer(max_size, "max_size", len(SPECIAL_TOKENS), why="the special tokens")
        counts: Counter[str] = Counter()
        for tokens in token_lists:
            if isinstance(tokens, str):
                raise TypeError(
                    f"Each sentence must be a list of tokens, but one is the string "
                    f"{shortened(tokens)!r}: "
                    f"split it first (list(text) gives characters)."
                )
            counts.update(tokens)
        for token in counts:
            if not isinstance(token, str):
                raise TypeError(
                    f"Every token must be a string, but one is {token!r} ({type(token).__name__}): "
                    f"an empty cell of a table?"
                )
        for special in SPECIAL_TOKENS:
            counts.pop(special, None)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        kept = [token for token, count in ranked if count >= min_freq]
        return cls(kept if max_size is None else kept[: max_size - len(SPECIAL_TOKENS)])

    def __len__(self) -> int:
        """Number of entries, the four special ones included: the V of the logits."""
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)

    def __repr__(self) -> str:
        return f"Vocab({len(self)} tokens)"

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Ids of the tokens; UNK for those not in the list. ``collate`` adds BOS and EOS.

        A special token that stands in a text, say ``<eos>`` on a page about markup, is a word that
        is not in the list: no text can end its own sentence or hide a word from the loss.

        Raises:
            TypeError: a string in place of a list, or a token that is none, such as an id: what was
                encoded before would become UNK throughout.
        """
        if isinstance(tokens, str):
            raise TypeError(
                f"encode wants a list of tokens, but got the string {shortened(tokens)!r}: "
                f"split it first (list(text) gives characters)."
            )
        ids = [self._ids.get(token, UNK_ID) for token in tokens]
        for token, i in zip(tokens, ids, strict=True):
            if i == UNK_ID and not isinstance(token, str):
                raise TypeError(f"Every token must be a string, but one is {token!r}.")
        return [i if i >= len(SPECIAL_TOKENS) else UNK_ID for i in ids]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Tokens up to the first EOS, which is left out like PAD and BOS; UNK stays visible.

        Args:
            ids: a list or a tensor ``[T]``, of one sentence.

        Raises:
            ValueError: an id before the EOS is not in ``0 .. len(self) - 1``.
            TypeError: one is no integer.
        """
        tokens = []
        for i in ids.tolist() if hasattr(ids, "tolist") else ids:
            i = as_id(i, "ids")
            if not 0 <= i < len(self):
                raise ValueError(f"Token ids must be in 0 .. {len(self) - 1}, but one is {i}.")
            if i == EOS_ID:
                break
            if i not in (PAD_ID, BOS_ID):
                tokens.append(self.tokens[i])
        return tokens

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokens as JSON, one a line. An interruption leaves the old file as it was."""
        write_whole(path, json.dumps(self.tokens, ensure_ascii=False, indent=0))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Vocab":
        """Read what ``save`` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is not a vocabulary of this library, or only a part of one.
        """
        path = Path(path)
        try:
            tokens = json.loads(path.read_text(encoding="utf-8-sig"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{path} is not a vocabulary file: {error}.") from error
        return cls.from_tokens(tokens, origin=str(path))

    @classmethod
    def from_tokens(cls, tokens: Sequence[str], origin: str = "the list") -> "Vocab":
        """A vocabulary from its whole list, special tokens first, as ``tokens`` holds it.

        Raises:
            ValueError: it is no such list; ``origin`` says in the message where it came from.
        """
        if not isinstance(tokens, list | tuple) or tuple(tokens[:4]) != SPECIAL_TOKENS:
            raise ValueError(
                f"{origin} is not a vocabulary: a list that begins with {SPECIAL_TOKENS} was "
                f"expected."
            )
        try:
            return cls(tokens[4:])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{origin} is not a vocabulary: {error}") from error
