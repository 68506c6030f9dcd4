"""Sealing what each letter of a choice means, so that the source does not give the answer away.

It is no secret, only nothing that is read by accident. For an author::

    python -m seq2seq_lib.course.judging.seal A=total B=correct C=with_pads

prints the string for ``ChoiceTask``: each letter with the name of its finding in the exercise's
TOML, and the right one with ``correct``. Given a sealed string, it prints the letters again.
"""

import argparse
import base64
import json
import re
import zlib

CORRECT = "correct"


def seal(reasons: dict[str, str]) -> str:
    """One string out of letters and what each means.

    Raises:
        ValueError: a letter is not one of A to Z, or not exactly one is correct.
    """
    for letter in reasons:
        if not re.fullmatch("[A-Z]", letter):
            raise ValueError(f"A choice is a letter from A to Z, but one is {letter!r}.")
    count = list(reasons.values()).count(CORRECT)
    if count != 1:
        raise ValueError(f"Exactly one letter must be {CORRECT!r}, but {count} are.")
    return base64.b64encode(zlib.compress(json.dumps(reasons).encode(), 9)).decode()


def unseal(sealed: str) -> dict[str, str]:
    """The letters and what each means.

    Raises:
        ValueError: the string was not made by ``seal``.
    """
    try:
        return json.loads(zlib.decompress(base64.b64decode(sealed, validate=True)))
    except (ValueError, zlib.error) as error:
        raise ValueError(
            "The letters of this choice cannot be unsealed: copy the whole string that "
            "python -m seq2seq_lib.course.judging.seal printed."
        ) from error


def main(arguments: list[str] | None = None) -> None:
    """Seal ``LETTER=finding`` pairs, or show what a sealed string holds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("text", nargs="+", help="A=finding B=correct …, or one sealed string")
    given = parser.parse_args(arguments).text
    if all(re.match("[A-Z]=[a-z]", text) for text in given):
        print(seal(dict(text.split("=", 1) for text in given)))
    else:
        print(" ".join(f"{letter}={reason}" for letter, reason in unseal("".join(given)).items()))


if __name__ == "__main__":
    main()
