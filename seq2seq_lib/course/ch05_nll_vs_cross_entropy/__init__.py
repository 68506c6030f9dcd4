"""Chapter 5, NLLLoss and CrossEntropyLoss."""

EXERCISES = ()
