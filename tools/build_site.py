"""Use: python tools/build_site.py [--out FOLDER] [--repository OWNER/NAME] [--ref main]

Make the course's site in build/site/html: chapters whose explorers are alive, exercises to read,
docs/, the library's reference, and search. Nothing is listed: what stands in the repository becomes
a page. The pages ask no other host, so any web server will do, also one without a network:

    python -m http.server --directory build/site/html

Notebooks are not executed: their stored outputs are shown. With --repository, or the variable
SEQ2SEQ_REPOSITORY, pages also link to Colab and Binder.

Needs the extra `site`; `make site` installs it.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDS = ("sphinx", "myst_nb", "furo", "latex2mathml")


def missing() -> list[str]:
    """The packages of the extra `site` that this Python lacks."""
    return [name for name in NEEDS if importlib.util.find_spec(name) is None]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--repository", default=os.environ.get("SEQ2SEQ_REPOSITORY", ""))
    parser.add_argument("--ref", default="main", help="the branch that Colab and Binder open")
    options = parser.parse_args(arguments)
    if lacking := missing():
        print(f'Not installed: {", ".join(lacking)}. Run: pip install -e ".[site]"')
        return 1
    # The library that is documented and asked for tables is the one beside this file.
    sys.path.insert(0, str(ROOT))
    from website.build import build

    return build(ROOT, options.out.resolve(), options.repository, options.ref)


if __name__ == "__main__":
    sys.exit(main())
