"""A notebook that passes with a broken library tests nothing: break it, and nbval must go red.

Each break is made in a copy of the library that the notebook's kernel imports first.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# chapter, what is broken, file, code as it is, code as it must not be
BREAKS = [
    (
        "ch00_start_here",
        "sequence_mask is inverted",
        "masks.py",
        "positions[None, :] < lengths[:, None]",
        "positions[None, :] >= lengths[:, None]",
    ),
    (
        "ch00_start_here",
        "the loss counts pads",
        "losses.py",
        "return losses.view_as(mask).masked_fill(~mask, 0), count",
        "return losses.view_as(mask), count",
    ),
    (
        "ch00_start_here",
        "attention ignores its mask",
        "attention.py",
        "masked_softmax(scores, src_mask.unsqueeze(1))",
        "scores.softmax(-1)",
    ),
    (
        "ch07_search",
        "every end counts, however improbable",
        "decoding.py",
        "ended = candidates.at(ends & (candidates.rank < num_beams))",
        "ended = candidates.at(ends)",
    ),
    (
        "ch07_search",
        "the length penalty has the wrong sign",
        "hypotheses.py",
        "return base**exponent",
        "return base**-exponent",
    ),
    (
        "ch07_search",
        "top-p drops the token that crosses p",
        "filters.py",
        "mass_before = probs.cumsum(dim=-1) - probs",
        "mass_before = probs.cumsum(dim=-1)",
    ),
    (
        "ch09_real_translation",
        "attention ignores its mask",
        "attention.py",
        "masked_softmax(scores, src_mask.unsqueeze(1))",
        "scores.softmax(-1)",
    ),
    (
        "ch09_real_translation",
        "a step divides by the tokens of its first share",
        "training.py",
        "parameter.grad.div_(window.tokens)",
        "parameter.grad.div_(losses[0].tokens)",
    ),
    (
        "ch09_real_translation",
        "processes do not add up their gradients",
        "distributed.py",
        "distributed.all_reduce(vector)",
        "vector.clone()",
    ),
    (
        "ch04_padding_masks",
        "sequence_mask is inverted",
        "masks.py",
        "positions[None, :] < lengths[:, None]",
        "positions[None, :] >= lengths[:, None]",
    ),
    (
        "ch04_padding_masks",
        "the loss counts pads",
        "losses.py",
        "return losses.view_as(mask).masked_fill(~mask, 0), count",
        "return losses.view_as(mask), count",
    ),
    (
        "ch04_padding_masks",
        "a sum of losses forgets how many tokens it holds",
        "losses.py",
        "return self.total / torch.where(nothing, torch.ones_like(self.tokens), self.tokens)",
        "return self.total / torch.ones_like(self.tokens)",
    ),
]


@pytest.mark.parametrize(
    ("chapter", "what", "file", "right", "wrong"), BREAKS, ids=[f"{b[0]}: {b[1]}" for b in BREAKS]
)
def test_a_broken_library_turns_the_chapter_red(chapter, what, file, right, wrong, tmp_path):
    library = tmp_path / "broken" / "seq2seq_lib"
    shutil.copytree(ROOT / "seq2seq_lib", library, ignore=shutil.ignore_patterns("__pycache__"))
    code = (library / file).read_text(encoding="utf-8")
    assert code.count(right) == 1, f"{file} no longer holds the line that this test breaks"
    (library / file).write_text(code.replace(right, wrong), encoding="utf-8")
    notebook = shutil.copy(ROOT / "chapters" / f"{chapter}.ipynb", tmp_path)

    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist",
            "--rootdir", str(tmp_path), "-c", os.devnull, "--nbval", "--nbval-current-env",
            "--nbval-cell-timeout=300", f"--nbval-sanitize-with={ROOT / 'nbval_sanitize.cfg'}",
            notebook,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(library.parent)},
        capture_output=True,
        text=True,
    )  # fmt: skip

    assert run.returncode == 1, run.stdout[-3000:] + run.stderr[-1000:]
    assert "1 failed" in run.stdout, run.stdout[-3000:]
    # the kernel must have run the broken copy, and failed on what it computes, not on an import
    assert "ImportError" not in run.stdout, run.stdout[-3000:]
