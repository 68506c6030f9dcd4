"""The notebook of this chapter goes red when the library is broken as breaks.toml says."""

from tests.support.breaks import turns_red

test_a_broken_library_turns_the_notebook_red = turns_red(__file__)
