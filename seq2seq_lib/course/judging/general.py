"""What every exercise has in common."""

TEXTS = {
    "correct": "correct",
    "wrong": "not yet",
    "error": "it stops with an error",
    "not_attempted": "not attempted yet",
    "heading": "{id} {title}: {state}",
    "fed": "I fed",
    "came_back": "Came back",
    "raised": "It raised",
    "printed": "Your code printed",
    "meaning": "That means",
    "question": "Ask yourself",
    "raise_left": (
        "The line raise NotImplementedError() still stands in {where}, and the function ends "
        "there. Remove it once your own lines are written, and check again."
    ),
    "blank_left": "A blank, ____, is still open in {where}. Fill it, and check again.",
    "library_left": (
        "This is the library's own {where}, so it does not count as your answer. (A cell further "
        "down may have put it in place of yours.) Run the cell of your own function, then this one."
    ),
    "what_now": 'Spend up to {minutes} minutes on it; hint("{id}") helps without giving it away.',
    "hint": "{id} {title}: hint {level} of {levels}",
    "more_hints": 'The next one: hint("{id}", {level}).',
    "solution": "{id} {title}: a solution",
    "solved": "solved",
    "open": "open",
    "tries": "checked {tries} times",
    "minutes": "{minutes} minutes after the first check",
    "assisted": "with the solution's help",
    "letter": "The letter is {letter}.",
}

FINDINGS = {
    "no_return": (
        "The function ends without giving anything back.",
        "Which line hands the result to the caller?",
    ),
    "not_a_function": (
        "This exercise wants the function itself.",
        "Did you pass a result, or a name with parentheses behind it?",
    ),
    "not_a_tensor": (
        "That is not a tensor.",
        "Which line makes it what it is, and what would make it a tensor?",
    ),
    "shape": (
        "The shape is {shape}, wanted is exactly {expected}. Nothing is broadcast here.",
        "What does each axis stand for, and which one is too many, missing or in another place?",
    ),
    "not_bool": (
        "A mask answers yes or no, but this is {dtype}. Indexing and ~ need bool.",
        "What dtype does a comparison give?",
    ),
    "not_float": ("A loss is a float, but this is {dtype}.", "Where was it rounded?"),
    "not_finite": (
        "The result is NaN or infinite. What stands at the pads may be anything; it must not "
        "matter.",
        "Which step makes it: a division by 0, the mean of nothing, the logarithm of what is not "
        "positive, or a number from a pad?",
    ),
    "argument_changed": (
        "The call changed its argument {names}: whoever uses the batch next gets something else.",
        "Which of your operations writes in place?",
    ),
    "value": (
        "The form is right, the numbers are not. The first that differs{where} is {yours}; "
        "right is {right}.",
        "What would pencil and paper give here?",
    ),
    "no_gradient": (
        "The number is right, but no gradient flows back from it: nothing can be trained.",
        "Where does the result leave the graph?",
    ),
    "gradient": (
        "The number is right, but its gradient{where} is {yours} instead of {right}.",
        "Is some part of the result cut off from the graph?",
    ),
    "law": (
        "The numbers are right on my probes, but {law} finds a case: {broken}.",
        "What is different about that case?",
    ),
    "raised": (
        "Your code stopped before it gave a result.",
        "What does each name in that line hold at that moment?",
    ),
    "other_error": (
        "At {stopped} of {suspects} wrong ones your test stops with {error}. That says that the "
        "test is broken, not what it tests. A test speaks by AssertionError: the word assert "
        "raises it, and so does torch.testing.assert_close.",
        "Which line of your test raises when a claim is false, and what does it raise?",
    ),
    "not_a_choice": ("The choices are {choices}.", "Which letter is it?"),
}

# What to ask after an error, by its kind (``checks.errors``); any other asks what "raised" asks.
ERRORS = {
    "name": "Is that name spelt as where it was made, and did that line run before this one?",
    "attribute": "What kind of thing stands before the dot, and is the name after it spelt right?",
    "single": "How many numbers does the tensor hold, where a single one is wanted?",
    "call": "Which arguments does that call want, in which order, and which does it get?",
    "gradient": "Which tensors in that line belong to the graph, and which should?",
    "dtype": "Which dtype has each tensor in that line, and which is wanted?",
    "type": "What kind of thing is each name in that line?",
    "axis": "How many axes does that tensor have, and from which number are they counted?",
    "index": "How many entries are there to choose from, and which one was asked for?",
    "size": "Which shapes meet in that line?",
}
