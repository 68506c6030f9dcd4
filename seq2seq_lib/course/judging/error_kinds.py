"""What kind of mistake an exception speaks of, so that the question after it fits."""

import re

# The first that fits decides: type, and a pattern for its message. What is asked at each kind
# stands in ``words.toml``.
KINDS = (
    ("exit", SystemExit, ""),
    ("recursion", RecursionError, ""),
    ("memory", MemoryError, ""),
    ("memory", RuntimeError, r"not enough memory|out of memory|allocate memory"),
    ("meta", Exception, r"meta tensor|'Meta' backend|meta device"),
    ("sparse", Exception, r"sparse(?!_grad)"),  # torch 2.6 names that argument of gather
    ("name", NameError | ImportError, ""),
    ("attribute", AttributeError, ""),
    ("single", Exception, r"more than one value is ambiguous|cannot be converted to Scalar"),
    ("single", Exception, r"only (one|integer tensors of a single) element"),
    ("call", TypeError, r"argument|invalid combination"),
    ("call", RuntimeError, r"^Name '.*' not found"),  # torch 2.6: sum("x")
    ("dtype", Exception, r"dtype|scalar types?\b|(bool|integer|boolean) (mask|tensor)|as indices"),
    ("dtype", Exception, r"not implemented for '|can't be cast|and Boolean-type"),
    ("gradient", RuntimeError, r"requires? grad|graph|leaf Variable"),
    ("type", TypeError, ""),
    ("axis", IndexError, r"Dimension out of range|too many indices"),
    ("index", Exception, r"out of (bounds|range)"),
    ("size", Exception, r"size|shape|dimensions|must be a \dD|\bdims?\b"),
    ("index", LookupError, ""),
)


def kind(error: BaseException) -> str:
    """``name``, ``call``, ``size`` and so on, or ``other``."""
    for name, types, pattern in KINDS:
        if isinstance(error, types) and re.search(pattern, str(error), re.IGNORECASE):
            return name
    return "other"
