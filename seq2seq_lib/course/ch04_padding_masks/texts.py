"""Chapter 4: padding masks and masked loss."""

LOSS = {
    "mask_without_effect": (
        "That is the mean over all B x T positions: the mask has no effect. The loss was reduced "
        "before it was masked, or a column was broadcast against a row, or no mask was used.",
        "What is the shape of the loss at the moment the mask meets it?",
    ),
    "broadcast": (
        "That is the chatbot's number: a step's losses of shape [B, 1] meet a mask of shape [B], "
        "so every loss, pads included, is counted once for each True.",
        "What shape do [B, 1] and [B] make together?",
    ),
    "padded_cells": (
        "The sum is right, but it is divided by all B x T cells: with more padding the loss "
        "shrinks, and nothing was learnt.",
        "How many numbers did you really add up?",
    ),
    "sentence_mean": (
        "That is the mean of the sentences' means: each sentence now weighs the same, and a token "
        "in a short sentence weighs more than one in a long sentence. Intended?",
        "Which token decides more here, one in a short or one in a long sentence?",
    ),
    "step_mean": (
        "That is a mean of the time steps' means: late steps have few real tokens, which now weigh "
        "more.",
        "How many real tokens stand in the last column?",
    ),
    "per_sentence": (
        "The sum is right, but it is divided by the number of sentences: long sentences make a "
        "large loss.",
        "Mean over what?",
    ),
    "sum": (
        "That is the sum over the real tokens, not their mean.",
        "What happens to this number when the batch is twice as large?",
    ),
    "sign": (
        "The size is right, the sign is not: a log-probability is never positive, its loss never "
        "negative.",
        "Should a better model have a larger or a smaller loss?",
    ),
    "leak": (
        "The divisor is right, but the sum holds the losses at the pads too.",
        "What would change if I wrote other numbers at the pads?",
    ),
    "pad_is_zero": (
        "You take id 0 for padding. In one of my batches two real tokens have id 0, in another the "
        "pads hold ids of words: an id says nothing about that here.",
        "Which argument says how many positions of a row are real?",
    ),
    "inverted": (
        "That is the mean over the pads. The mask is used the wrong way round.",
        "What does True mean in your mask?",
    ),
    "no_end": (
        "The last real token of each row is left out. It is EOS: a model that is never scored on "
        "it never learns to stop.",
        "Is the position of index length − 1 real?",
    ),
    "best_not_target": (
        "That is the loss of the most probable token, not of the target: a model would be "
        "praised for whatever it says.",
        "Where do the targets enter?",
    ),
    "probabilities": (
        "That is computed from probabilities, not from their logarithms.",
        "In which interval do your numbers lie before you average them?",
    ),
    "not_reduced": (
        "One number a token, or a sentence, came back. The loss is one number for the batch: a "
        "0-dim tensor.",
        "Which axes are left, and what is wanted of them?",
    ),
    "plain_number": (
        "That is a Python number. The value may be right, but no gradient flows through it.",
        "What does .item() do to the graph?",
    ),
    "no_gradient": (
        "The value is right, but the result is cut off from its graph: no gradient flows back.",
        "Which call in your function takes a tensor out of the graph?",
    ),
}

DETECTIVE = {
    "innocent_rejected": (
        "Your test rejects a loss that is right. Right losses are written in many ways and add up "
        "in another order, so their last digits differ.",
        "Is your expected number right, and do you compare with a tolerance?",
    ),
    "test_returns": (
        "Your test returns something, and nobody looks at that. A test speaks by raising "
        "AssertionError.",
        "Which statement raises when a claim is false?",
    ),
    "nothing_rejected": (
        "Every wrong loss passes your test: {killed} of {suspects} rejected.",
        "Does your batch have pads, do you claim a number that you worked out by hand, and does "
        "AssertionError leave your function when the claim is false?",
    ),
    "raised": (
        "Your test itself stops, with a loss that is right.",
        "Which shapes and dtypes does a masked loss take?",
    ),
    "broadcast": (
        "The patient itself passes your test. {killed} of {suspects} wrong losses are rejected.",
        "Which batch gives the patient a number other than the right one: what must differ "
        "between the real losses and those at the pads?",
    ),
    "mask_without_effect": (
        "{killed} of {suspects} wrong losses are rejected. One survivor takes the mean over every "
        "position, pads too.",
        "Would your number move if the pads held something else?",
    ),
    "leak": (
        "{killed} of {suspects} wrong losses are rejected. One survivor adds up the pads as well, "
        "and divides by the right count.",
        "What stands at the pads of your batch?",
    ),
    "padded_cells": (
        "{killed} of {suspects} wrong losses are rejected. One survivor divides by all cells.",
        "Is a column of pads enough to move your number?",
    ),
    "sentence_mean": (
        "{killed} of {suspects} wrong losses are rejected. One survivor averages the sentences' "
        "means.",
        "Do your sentences have different lengths and different losses?",
    ),
    "sum": (
        "{killed} of {suspects} wrong losses are rejected. One survivor does not divide at all.",
        "Do you compare with a number, or only with zero?",
    ),
    "no_end": (
        "{killed} of {suspects} wrong losses are rejected. One survivor never scores the last real "
        "token of a row.",
        "Is the loss of your last real tokens different from that of the others?",
    ),
    "sign": (
        "{killed} of {suspects} wrong losses are rejected. One survivor has the wrong sign.",
        "What does your claim say about the sign?",
    ),
}

DETECTIVE_HINTS = (
    "How many sentences and positions does the smallest batch have in which padding matters? What "
    "should differ between its rows?",
    "Take the four losses 1, 2, 30, 40, of which two are real: log_probs can be built from them, "
    "since V may be 1 or 2. torch.testing.assert_close compares with a tolerance. Then a second "
    "batch with rows of different lengths.",
    "Fill in the blanks:\n\n"
    "def test_patient(loss_function):\n"
    "    losses = torch.tensor([[1.0, 30.0], [2.0, 4.0]])   # [B, T]; 30 stands at a pad\n"
    "    log_probs = ____                                   # [B, T, V]\n"
    "    targets = ____                                     # [B, T]\n"
    "    lengths = ____                                     # [B]\n"
    "    expected = ____                                    # by hand\n"
    "    torch.testing.assert_close(loss_function(log_probs, targets, lengths), expected)\n",
)

DETECTIVE_SOLUTION = (
    "One small batch is enough if nothing in it is symmetric: rows of different lengths, every "
    "loss different, large numbers at the pads, one column of pads alone, and an expected value "
    "from pencil and paper. Comparing with a tolerance lets every right loss pass."
)

EPILOGUE = (
    "This bug stood in PyTorch's own chatbot tutorial. In September 2018 a reader asked about the "
    "two shapes, and was told that they need only be broadcastable "
    "(https://github.com/pytorch/tutorials/pull/306). A repair of October was not merged "
    "(https://github.com/pytorch/tutorials/pull/338); another, of December, was: one squeeze "
    "(https://github.com/pytorch/tutorials/pull/382)."
)

TEXTS = {
    "4.1": {
        "correct": "Every real token weighs the same, and the pads do not count.",
        "hints": (
            "How many of the 15 cells are real? Add up the lengths.",
            "Two numbers decide it: the sum of the losses that are real, and what it is divided "
            "by.",
            "Fill in the blanks:\n\n"
            "real losses     row 0: ____    row 1: ____    row 2: ____\n"
            "their sum       ____\n"
            "real tokens     ____\n"
            "token mean      ____ / ____\n",
        ),
        "solution": (
            "The real losses add up to 20, and there are 3 + 1 + 4 = 8 of them. The loss is a "
            "mean over tokens: 20 / 8."
        ),
        "findings": {
            "over_cells": (
                "The pads' losses are left out, but the pads are still counted: this divides by "
                "all 15 cells, so more padding makes a smaller loss.",
                "How many losses did you add up?",
            ),
            "sentence_means": (
                "This is the mean of the three sentences' means: the only token of the short "
                "sentence weighs as much as all four of the long one.",
                "Should a token weigh more because its sentence is short?",
            ),
            "row_means": (
                "Each row was divided by the padded length, 5, and the rows were added: the number "
                "depends on how wide the batch happens to be.",
                "What would one more column of pads do?",
            ),
            "total": (
                "This is the sum of the real losses. It grows with the batch.",
                "Which number can be compared between a batch of 8 and one of 80 tokens?",
            ),
            "with_pads": (
                "Whatever stands at the pads was averaged in. Nobody will ever ask the model for "
                "these positions.",
                "Which cells are real?",
            ),
        },
    },
    "4.2": {
        "correct": (
            "Right on square and wide batches, and nothing was broadcast by luck. The library "
            "calls it sequence_mask."
        ),
        "hints": (
            "One row a sentence, one column a position. What shape do the positions alone have, "
            "and what shape must the lengths get so that the two make [B, T] together?",
            "torch.arange gives the positions, and comparing two tensors broadcasts an axis of "
            "size 1. unsqueeze, or indexing with None, adds such an axis.",
            "Fill in the blanks:\n\n"
            "positions = torch.arange(____, device=lengths.device)   # [T]\n"
            "return positions[____] < lengths[____]                  # [1, T], [B, 1] -> [B, T]\n",
        ),
        "solution": (
            "Position t of sentence b is real if t is smaller than its length: positions count "
            "from 0, so a sentence of length 3 owns the positions 0, 1, 2. The positions lie along "
            "the last axis, the lengths along the first."
        ),
        "findings": {
            "transposed": (
                "Rows are positions here, and columns are sentences: the lengths were compared "
                "along the other axis. With B = T nothing would have shown it.",
                "One row per sentence: which of the two tensors should be the column?",
            ),
            "reshaped": (
                "The shape is right, but the numbers were dealt out anew: the rows have {row_sums} "
                "real tokens, the lengths are {lengths}. Reshaping is not transposing.",
                "Along which axis do the lengths lie before you reshape?",
            ),
            "one_too_many": (
                "Sentence 0 has length 3, but 4 positions are on.",
                "Is position 3 the third or the fourth?",
            ),
            "one_too_few": (
                "Sentence 0 has length 3, but 2 positions are on: EOS, the last one, is off.",
                "Does the first position have the number 0 or 1?",
            ),
            "inverted": (
                "True must mean real token; you have marked the padding.",
                "What will a loss do with the positions that are True?",
            ),
            "left": (
                "The right number of positions is on, but at the right end: that is the mask of a "
                "batch padded on the left.",
                "Where do our sentences begin?",
            ),
            "numbers": (
                "The ones stand in the right places, but as numbers ({dtype}): indexing would take "
                "them for row numbers, and ~ would not turn them round.",
                "What dtype does the comparison itself have?",
            ),
            "pad_id": (
                "This mask is [T, T]: positions were compared with the id of PAD, so one position "
                "is off, whatever the sentences are. It is a widely copied recipe.",
                "Which argument says how long each sentence is?",
            ),
            "own_width": (
                "The mask is as wide as the longest sentence, not max_len: it does not fit a "
                "batch that was padded further.",
                "What was the second argument for?",
            ),
            "sorted": (
                "The rows are those of sorted lengths: row b no longer belongs to sentence b.",
                "Who told the batch that its rows have moved?",
            ),
            "frozen": (
                "That is the mask of the hand batch, whatever I feed.",
                "Does your function read a variable of the notebook instead of its arguments?",
            ),
        },
    },
    "4.3": {
        "correct": (
            "It agrees with the slow loop, ignores huge numbers at the pads, does not move when "
            "columns of pads are added, and its gradient there is exactly 0: law 3 holds."
        ),
        "hints": (
            "You need one number a token first: which shape has that, and which shape has the mask "
            "that goes with it?",
            "gather picks the log-probability of the target along the vocabulary axis; it wants "
            "an index with as many axes as log_probs. Your length_mask says what counts.",
            "Fill in the blanks:\n\n"
            "mask = length_mask(____, ____)                            # [B, T]\n"
            "nll = -log_probs.gather(____, targets[____])[____]        # [B, T]\n"
            "return (nll * ____).sum() / ____\n",
        ),
        "solution": (
            "First one number a token, [B, T]; then the mask, of the same shape; then one "
            "division by the real tokens, at the very end. Everything that can go wrong is in the "
            "order of these three."
        ),
        "findings": LOSS,
    },
    "4.4": {
        "correct": (
            "The same number, and a NaN at a pad does not reach it. A product with 0 alone could "
            "not promise that: 0 x NaN is NaN, whereas what is not selected is never read."
        ),
        "hints": (
            "Indexing [B, T] with a bool mask [B, T] gives one axis: how long is it? And what "
            "shape does log_probs have after the same indexing?",
            "A mask in square brackets, or masked_select. If you select log_probs, select "
            "targets with the same mask; or select after gather.",
            "Fill in the blanks:\n\n"
            "mask = length_mask(____, ____)        # [B, T]\n"
            "log_probs = log_probs[____]           # [N, V], N real tokens\n"
            "targets = targets[____]               # [N]\n"
            "return F.nll_loss(____, ____)\n",
        ),
        "solution": (
            "A bool mask in brackets keeps the real positions: [B, T, V] becomes [N, V] and [B, T] "
            "becomes [N], in the same order, so they still belong together. What is not selected "
            "is never read, so even NaN at a pad does no harm."
        ),
        "findings": {
            **LOSS,
            "multiplied": (
                "Right, as long as the pads hold numbers. With NaN there, 0 x NaN is NaN, and the "
                "loss is gone.",
                "Is a position that is multiplied by 0 really left out?",
            ),
            "flat_mask": (
                "A flat mask of B x T entries meets log_probs of shape [B, T, V]. It runs only "
                "where V happens to be B x T, and then it keeps the wrong numbers.",
                "Which axes does one entry of the mask speak about?",
            ),
            "flat_selection": (
                "Selecting with a mask that has a last axis of size 1 gives one long row: N x V "
                "numbers, no longer N rows. The targets then index that row.",
                "What shape should be left after the selection?",
            ),
            "targets_not_selected": (
                "The log-probabilities were selected, the targets were only cut to the same "
                "number: from the first pad on, each is compared with another token's.",
                "Which target belongs to the second selected row?",
            ),
        },
    },
    "4.5": {
        "correct": (
            "The pads are ignored whatever their id is, id 0 counts where it is a real token, and "
            "law 3 holds."
        ),
        "hints": (
            "cross_entropy takes the classes on axis 1. Which shapes do logits and targets have, "
            "and which two ways are there to make them fit?",
            "F.cross_entropy has an argument ignore_index, and divides by what it did not "
            "ignore. No class has the id -100; which positions should carry it, and how do you "
            "write it there without changing the caller's targets?",
            "Fill in the blanks:\n\n"
            "mask = length_mask(____, ____)                       # [B, T]\n"
            "marked = targets.masked_fill(____, ____)             # a copy\n"
            "return F.cross_entropy(logits.transpose(____, ____), marked, ignore_index=____)\n",
        ),
        "solution": (
            "The pads are marked by an id that no class can have, in a copy of the targets. The "
            "classes move to axis 1 by a transposition; a reshape to the same shape would deal the "
            "numbers out anew. cross_entropy then divides by the tokens that it did not ignore."
        ),
        "findings": {
            **LOSS,
            "pad_is_zero": (
                "Every target with id 0 is ignored, but in one of my batches id 0 is a real token, "
                "and it was left out too.",
                "What tells you that a position is a pad: its id, or the length of its row?",
            ),
            "reshaped": (
                "The shape [B, V, T] is right, but the numbers were dealt out anew: each position "
                "got logits of other positions. A model trained so gets a small loss and writes "
                "rubbish.",
                "Is moving an axis the same as reading the numbers in another grouping?",
            ),
            "softmax_first": (
                "This is cross-entropy of probabilities: it takes the logarithm of a softmax "
                "itself, so softmax was taken twice, and even a perfect model keeps a large loss.",
                "What does cross_entropy expect to be given?",
            ),
            "raw_logits": (
                "That is minus the logit itself: no normalisation took place.",
                "What do the probabilities of a position add up to?",
            ),
            "class_axis": (
                "cross_entropy looks for the classes on axis 1, and found positions there.",
                "Which axis of logits holds the classes?",
            ),
        },
    },
    "4.6a": {
        "correct": (
            "P(PAD) at the pads rises to 0.996. A masked loss never looks at these positions, so "
            "nothing could have taught the model that. The pads are inside the loss."
        ),
        "hints": (
            "The log has four columns. Which are computed at real tokens, which at pads?",
            "For each column: what would a right loss have made of it? Only one of them could "
            "not have moved at all.",
            "Fill in the blanks:\n\n"
            "the gradient of a masked loss at a pad is         ____\n"
            "so what the model says at the pads stays at       1 / ____\n"
            "but column ____ says                              ____\n",
        ),
        "solution": (
            "Look for what should not have moved. A masked loss has no gradient at the pads, so "
            "what the model says there would stay what it was, 1/7 = 0.143. Column D climbs: the "
            "pads are being learnt, and the loss of column A is small because pads are easy."
        ),
        "findings": {
            "loss": (
                "It starts at log 7 = 1.946, where a model that knows nothing of 7 ids must start, "
                "and falls. Nearly every wrong loss falls too.",
                "Which number in the log would stand still if the loss were right?",
            ),
            "gradient": (
                "A gradient that shrinks while the loss flattens is what every descent shows.",
                "Which number in the log would stand still if the loss were right?",
            ),
            "accuracy": (
                "6 of 11 is the best that this model can do: it sees one id only, and the same id "
                "has several successors here.",
                "Which number in the log would stand still if the loss were right?",
            ),
        },
    },
    "4.6b1": {
        "correct": (
            "Every right loss passes, and the patient is rejected: {killed} of {suspects} wrong "
            "losses are."
        ),
        "hints": DETECTIVE_HINTS,
        "solution": DETECTIVE_SOLUTION,
        "findings": DETECTIVE,
    },
    "4.6b2": {
        "correct": "{killed} of {suspects} wrong losses rejected; {needed} are needed here.",
        "hints": DETECTIVE_HINTS,
        "solution": DETECTIVE_SOLUTION,
        "findings": DETECTIVE,
    },
    "4.6b3": {
        "correct": "All {suspects} wrong losses rejected, and no right one.",
        "hints": DETECTIVE_HINTS,
        "solution": DETECTIVE_SOLUTION,
        "findings": DETECTIVE,
    },
    "4.6c": {
        "correct": "Healed: law 3 holds. " + EPILOGUE,
        "hints": (
            "Write down the shape of nll and of mask in one step. What is the shape of what is "
            "selected from?",
            "squeeze takes an axis of size 1 away. Or leave the loop, and use what you wrote in "
            "4.3 and 4.4.",
            "Fill in the blanks:\n\n"
            "nll = -log_probs[:, t].gather(1, targets[:, t : t + 1])____   # [B]\n"
            "total = total + nll[____].sum()\n",
        ),
        "solution": (
            "One axis too many was the whole disease: [B, 1] against [B] gives [B, B]. With the "
            "axis squeezed away, the loss of a step and its mask have the same shape, and nothing "
            "is broadcast. " + EPILOGUE
        ),
        "findings": {
            **LOSS,
            "broadcast": (
                "These are still the patient's numbers: in each step, every loss, pads included, "
                "is counted once for each True.",
                "What shape do [B, 1] and [B] make together, and which axis is not needed?",
            ),
        },
    },
    "4.7": {
        "correct": (
            "The numbers can be right. What they mean for the long sentence, and which loss you "
            "would choose when, is read by a person."
        ),
        "hints": (
            "The gradient of a loss with respect to log_probs has the shape of log_probs. Which "
            "axes must be added up to get one number a sentence?",
            "torch.autograd.grad gives it for each of the three losses; abs before adding. "
            "argmax says which sentence is the longest.",
            "Fill in the blanks:\n\n"
            "def share(loss, log_probs, lengths):\n"
            "    (gradient,) = torch.autograd.grad(____, ____)      # [B, T, V]\n"
            "    by_sentence = gradient.____().sum(____)            # [B]\n"
            "    return (by_sentence[____] / by_sentence.____()).item()\n",
        ),
        "solution": (
            "The gradient of a token's loss with respect to its own log-probability is −1, times "
            "what the normaliser makes of it: 1/N for the token mean, 1/(B x length) for the "
            "sentence mean, 1 for the sum. So the token mean and the sum give the longest sentence "
            "length/N of the gradient, and differ only in its size; the sentence mean gives it 1/B."
        ),
        "findings": {
            "not_a_dict": (
                "Wanted is a dict of three numbers, with the keys 'token', 'sentence' and 'sum'.",
                "What did your function return?",
            ),
            "keys": (
                "The keys are {keys}; wanted are 'token', 'sentence' and 'sum'.",
                "Which of the three losses has which name?",
            ),
            "not_numbers": (
                "The value at {key} is not a number: a share is one float.",
                "What is it, and what turns it into a float?",
            ),
            "range": (
                "The value at {key} is {value}, but a share lies between 0 and 1.",
                "A share of what, and was the absolute value taken?",
            ),
            "token_is_sum": (
                "The token mean and the sum differ here. They differ by one factor for the whole "
                "batch, and a share does not see that.",
                "Is each divided by its own total?",
            ),
            "ordering": (
                "The sentence mean gives the longest sentence no less here than the token mean "
                "does.",
                "Which normaliser makes all sentences equal?",
            ),
            "shortest": (
                "That is another sentence's share: the one asked for is the longest.",
                "Which sentence did you pick?",
            ),
            "with_pads": (
                "The pads take part: the shares are those of sentences as long as the batch.",
                "Is the mask in all three losses?",
            ),
        },
    },
}
