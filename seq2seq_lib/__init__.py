"""seq2seq_lib: a small, tested library for sequence-to-sequence models in PyTorch.

Import what you need from the module that holds it, for example
``from seq2seq_lib.masks import sequence_mask``: the modules follow the chapters of the course.
"""

__version__ = "0.1.0"
