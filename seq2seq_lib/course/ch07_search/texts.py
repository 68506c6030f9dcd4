"""Chapter 7: search."""

OUTPUTS = {
    "not_a_list": (
        "Wanted is a list of outputs, best first.",
        "In which variable do you collect what you find, and is it what you return?",
    ),
    "same_list": (
        "Two outputs are one and the same list: what was appended to one stands in the other too. "
        "One output may have several continuations, so each needs a list of its own.",
        "Which operation of yours changes a list, and which would make a new one?",
    ),
    "no_end": (
        "No output holds an EOS, for instance {output}. EOS is the last token of every output that "
        "ended: it is written down, and it is scored.",
        "What should stand behind the last word?",
    ),
    "after_end": (
        "{output} goes on after its EOS. An output that has ended is over: it gets no more words, "
        "and its number is final.",
        "Where do the outputs go that have just got their EOS?",
    ),
    "unfinished": (
        "{output} has not ended, and only outputs that end are wanted. What is cut off is no "
        "sentence, and it did not pay for its end.",
        "When does an output move from the unfinished ones to the finished ones?",
    ),
    "special": (
        "{output} holds PAD (0) or BOS (1). No output does: the model gives them probability 0, "
        "and BOS is only what is read before the first word.",
        "Which tokens has the model ruled out, and what is their log-probability?",
    ),
    "impossible": (
        "{output} has the log-probability {yours}: some token in it has probability 0, so it "
        "cannot happen.",
        "What does a log-probability of −inf say about a token?",
    ),
    "no_such_token": (
        "{output} holds a token that the vocabulary does not have.",
        "Is that an id, or a place in a longer list?",
    ),
    "twice": (
        "{output} is in the list twice.",
        "How many different outputs are there before the first token is written?",
    ),
    "worst_first": (
        "The list begins with the worst output: {numbers}. A log-probability is negative, and the "
        "best one is the nearest to 0.",
        "Which way round does your sorting put -1 and -5?",
    ),
    "not_sorted": (
        "The list is not sorted, its numbers are {numbers}. Outputs end in some order, and the "
        "first to end need not be the best.",
        "When can the list be sorted, and by what?",
    ),
    "end_not_scored": (
        "For {output} you have {yours}; with its end it is {right}. Ending has a probability too, "
        "and whoever forgets it favours outputs that are unlikely to end there.",
        "How many factors does the probability of this output have?",
    ),
    "probabilities": (
        "For {output} you have {yours}, a probability. Wanted is its logarithm, {right}: with "
        "longer outputs, products of probabilities run out of digits.",
        "What do products become when you take logarithms?",
    ),
    "sign": (
        "For {output} you have {yours}, which has the size of {right} but not its sign. The "
        "logarithm of a probability is never positive.",
        "Should the best output have the largest number or the smallest?",
    ),
    "product_of_logs": (
        "For {output} you have {yours}: the log-probabilities were multiplied. They add up, here "
        "to {right}.",
        "What is the logarithm of a product?",
    ),
    "divided": (
        "For {output} you have {yours}, the mean of its tokens. The log-probability of an output "
        "is the sum, {right}.",
        "Is a longer output as probable as a shorter one with the same mean?",
    ),
    "last_only": (
        "For {output} you have {yours}, the log-probability of its last token alone. All of it "
        "has {right}.",
        "What did the output cost before its last step, and where is that kept?",
    ),
    "too_long": (
        "{output} is longer than max_len = {max_len} tokens. EOS counts.",
        "How many tokens has an output after the first round of your loop, and after the last?",
    ),
    "too_short": (
        "{output} is missing: it has exactly max_len = {max_len} tokens, EOS counted.",
        "How many tokens has an output after the first round of your loop, and after the last?",
    ),
    "best_only": (
        "Only the best output came back. Wanted are all that were found.",
        "What would a reader compare the best one with?",
    ),
}

PAIRS = {
    "not_outputs": (
        "Wanted is a list of pairs: the token ids of an output, and its summed log-probability, a "
        "number.",
        "What are the two parts of one entry of your list?",
    ),
}

EXHAUSTIVE = {
    "improbable": (
        "Outputs that hold an improbable token are missing, for instance {output}. A token that is "
        "improbable is not impossible: only −inf is.",
        "From which log-probability on does your loop leave a token out?",
    ),
    "not_its_own": (
        "For {output} you have {yours}, but its tokens add up to {right}.",
        "What is added when a token is appended, and to which number?",
    ),
    "missing": (
        "{output} is missing.",
        "Which token, or which prefix, does your loop leave out?",
    ),
    "last_as_prefix": (
        "The model was asked with the last token alone. It reads everything written so far, and "
        "says something else after another beginning.",
        "What does next_log_probs take, and what do you give it?",
    ),
}

SEARCH = {
    "state": (
        "{output} came back with {yours}, but when the model reads these tokens from the start "
        "they have {right}. So at some step another token was read than the last one, another "
        "row of the state, or another total was added to.",
        "After pruning, row 0 may be a child of old row 1. Which token, which row of the state and "
        "which total does it go on from? And what is read before the first word?",
    ),
    "missing": (
        "{output} is missing, although it ends among the first num_beams candidates of its step.",
        "At which step does your search lose it, and what took its place?",
    ),
    "extra": (
        "{output} came back, but this beam does not find it: some word of it was not among the "
        "candidates to be kept.",
        "Which candidates may end, and which may stay open?",
    ),
    "late_end": (
        "An output ended that was not among the first num_beams candidates. A beam of one would no "
        "longer be greedy search then: EOS would end it wherever it comes second.",
        "Among how many candidates does an EOS count?",
    ),
    "shrinks": (
        "The beam gets narrower: each output that ends takes a place with it. What would have been "
        "found later, on that place, is lost.",
        "How many open outputs should there be after a step in which two ended?",
    ),
    "stops_with_the_best": (
        "The search stops as soon as the best candidate of a step ends. Others still on their way "
        "would have ended too.",
        "Which outputs may still come, and did the exercise ask for the best alone?",
    ),
}

NONE_ENDS = {
    "none_ends": (
        "{output} has not ended. Here no output ends within max_len, so the right list is empty.",
        "What does your function return when nothing has ended?",
    ),
}

BEAM = {
    **OUTPUTS,
    **NONE_ENDS,
    **PAIRS,
    **SEARCH,
    "never_selected": (
        "The rows of the state stay where they are. As soon as an output has two children, or the "
        "beam changes its width, rows and outputs no longer belong together.",
        "What does state.select do, and which rows should it be given?",
    ),
    "words": (
        "The numbers are right, but they stand beside other words: tokens and totals were not "
        "moved by the same parents.",
        "When parent says [1, 0], which list of words gets the new token of row 0?",
    ),
    "stops_early": (
        "The search is over as soon as something has ended. A better output may need one step "
        "more.",
        "When is it certain that nothing better can come?",
    ),
    "per_beam": (
        "Each output keeps its own best continuation: these are searches side by side, and not a "
        "beam. In a beam all continuations compete, and one output may have two children while "
        "another has none.",
        "Between whom is the ranking held?",
    ),
    "without_totals": (
        "Candidates are ranked by their last token alone. An output with a bad beginning then "
        "beats one with a good beginning.",
        "What has an output cost before this step?",
    ),
    "reads_the_start": (
        "The model is fed BOS at every step, so it never hears what was written.",
        "What must the model read before it says the third token?",
    ),
    "runs_away": (
        "Outputs that have ended are extended and cut afterwards: the words look right, the number "
        "is that of a longer output.",
        "Where do the outputs go that have just got their EOS?",
    ),
    "as_many_as_beams": (
        "Only num_beams outputs came back. Several may end at one step, and others at the next: "
        "wanted are all that this beam finds.",
        "How many outputs can a beam of 3 end within four steps?",
    ),
    "one_beam": (
        "That is the beam of one output, however many were asked for.",
        "Where does num_beams enter your loop?",
    ),
}

DETECTIVE = {
    "innocent_rejected": (
        "Your test rejects a search that is right. Right searches may differ in the last digits "
        "of a number, and in the order of two outputs that are equally probable (a • and c • of "
        "the four letters are). And a search here returns what has ended, not what was cut off.",
        "Is your expected list right for this k and max_len, and do you compare with a tolerance?",
    ),
    "test_returns": (
        "Your test returns something, and nobody looks at that. A test speaks by raising "
        "AssertionError.",
        "Which statement raises when a claim is false?",
    ),
    "nothing_rejected": (
        "Every wrong search passes your test: {killed} of {suspects} rejected.",
        "Do you claim anything about the numbers, the order, and how many outputs there are?",
    ),
    "raised": (
        "Your test itself stops, with a search that is right.",
        "What does a search take, and what do its outputs hold?",
    ),
    "runaway": (
        "The patient itself passes your test. {killed} of {suspects} wrong searches are rejected.",
        "The patient's words look right. What must be compared beside the words?",
    ),
    "stops_with_the_best": (
        "{killed} of {suspects} wrong searches are rejected. One survivor stops as soon as the "
        "best candidate of a step ends.",
        "Do you look at the first output only, or also at those that end later?",
    ),
    "shrinks": (
        "{killed} of {suspects} wrong searches are rejected. One survivor gives a place away for "
        "ever whenever an output ends.",
        "For a beam of 3 on the four letters, how many outputs end within 4 tokens?",
    ),
    "twice": (
        "{killed} of {suspects} wrong searches are rejected. One survivor begins with k equal "
        "outputs, and finds each several times.",
        "Would your claims notice a list that holds an output twice?",
    ),
    "state": (
        "{killed} of {suspects} wrong searches are rejected. One survivor moves the words and "
        "leaves the memory where it was.",
        "Does your model have a memory? In the table of the four letters, only the last token "
        "matters, so would it notice?",
    ),
    "end_not_scored": (
        "{killed} of {suspects} wrong searches are rejected. One survivor reports log_prob without "
        "the end.",
        "Do you compare log_prob with a number of your own?",
    ),
    "wrong_sign": (
        "{killed} of {suspects} wrong searches are rejected. One survivor multiplies by length ** "
        "alpha where it should divide.",
        "Do you call the search with an alpha other than 0?",
    ),
    "wrong_length": (
        "{killed} of {suspects} wrong searches are rejected. One survivor counts BOS as a token of "
        "the output.",
        "Do you compare score with a number of your own, for an alpha other than 0?",
    ),
}

DETECTIVE_HINTS = (
    "On the four letters, work out the beam of 3 by hand for 4 tokens: which outputs end, and what "
    "is the probability of each? Then: which mistake cannot be seen on a table without memory?",
    "math.log of your probabilities, compared with a tolerance, for log_prob; the same divided by "
    "the length for score with alpha = 1. For the memory: HashModel, and rescore, which reads "
    "outputs again from the start.",
    "Fill in the blanks:\n\n"
    "def test_patient(search):\n"
    "    source = (torch.tensor([[5, 3, 2]]), torch.tensor([3]))\n"
    "    by_hand = {(5, 2): 0.25 * 0.45, ____: ____, ____: ____, ____: ____}\n"
    "    for alpha in (0.0, 1.0):\n"
    "        found = search(four_letters(), *source, 3, 4, alpha)\n"
    "        assert ____            # exactly these outputs, each once, best score first\n"
    "        for hyp in found:\n"
    "            assert ____        # its log_prob\n"
    "            assert ____        # its score\n"
    "    # and the same for HashModel(7, seed=1), where rescore says what is right\n",
)

DETECTIVE_SOLUTION = (
    "Two models. The four letters can be searched by hand, so every output and every number of a "
    "beam of 3 is known: that catches a lost output, a doubled one, an end that is not scored, "
    "and, with an alpha other than 0, every wrong penalty. They have no memory, though. For the "
    "memory a model is needed that remembers all that it has read; there the right numbers come "
    "from reading what came back again."
)

EPILOGUE = (
    "This was Sockeye in December 2017: whoever wanted to draw its beam saw it run on for steps "
    "after every output had ended, often to the maximal length, because it looked for the end in "
    "the last words only (https://github.com/awslabs/sockeye/pull/233). ParlAI had a relative of "
    "it in 2019, outputs that ended in 2 2 2 2, the id of its EOS "
    "(https://github.com/facebookresearch/ParlAI/issues/2058)."
)

TEXTS = {
    "7.1a": {
        "correct": "In each row the largest number, until the end itself is the largest.",
        "hints": (
            "Which row of the table is read first, and which one after a letter was written?",
            "In each row take the largest of the four numbers. • is one of the four.",
            "Fill in the blanks:\n\n"
            "row ^: the largest is ____, so write ____\n"
            "row ____: the largest is ____, so write ____\n"
            "and so on, until • is the largest\n",
        ),
        "solution": (
            "Row ^ says a (0.40), row a says c (0.36), row c says b (0.35), and row b says • "
            "(0.45). Each step is the best one, and the whole is not the best: b • is five times "
            "as probable."
        ),
        "findings": {
            "first_row": (
                "The first row was read again and again. It speaks about the first letter only.",
                "After a was written, which row says what comes next?",
            ),
            "two_beams": (
                "That is more probable than greedy's output, and greedy does not find it: in row a "
                "it takes the largest number.",
                "Which letter has the largest number in row a?",
            ),
            "no_end": (
                "The letters are right, but nothing ended here. The end is a token, it is chosen "
                "like the others, and it is written.",
                "What is the largest number in row b?",
            ),
            "never_ends": (
                "Row b was read without its last column. • is a choice like the others, and there "
                "it is the largest.",
                "Which of the four numbers in row b is the largest?",
            ),
            "mode": (
                "That is the most probable output of all. Greedy search does not find it: it never "
                "looks further than one step.",
                "Which number is the largest in row ^?",
            ),
        },
    },
    "7.1b": {
        "correct": (
            "Four steps, four factors, the end among them: 0.40 x 0.36 x 0.35 x 0.45. Greedy's "
            "output is one in forty-four; b • is one in nine."
        ),
        "hints": (
            "How many tokens were written, • among them, and in which row does each number stand?",
            "The probability of all steps is the product of the steps' probabilities.",
            "Fill in the blanks:\n\n"
            "p(a after ^) x p(c after ____) x p(____ after ____) x p(____ after ____)\n"
            "  0.40       x      ____       x      ____         x      ____\n",
        ),
        "solution": (
            "0.40 x 0.36 x 0.35 x 0.45 = 0.0227. Each factor stands in the row of the token before "
            "it. Its logarithm, −3.7863, is what a program adds up."
        ),
        "findings": {
            "no_end": (
                "That is the probability that the output begins with a c b. To be this output it "
                "must also end there.",
                "How probable is • after b?",
            ),
            "first_row": (
                "All four numbers were taken from the first row. The second one must say how "
                "probable c is after a.",
                "In which row does each of your four numbers stand?",
            ),
            "log": (
                "That is the logarithm of the right number. A probability lies between 0 and 1.",
                "What undoes a logarithm?",
            ),
            "sum": (
                "The four numbers were added. This is larger than 1, which no probability is.",
                "One thing and then another: are their probabilities added?",
            ),
            "mean": (
                "That is the mean of the four numbers. It says how sure greedy was at a step, and "
                "not how probable the output is.",
                "One thing and then another: how do their probabilities combine?",
            ),
        },
    },
    "7.2": {
        "correct": (
            "All outputs, each with its end and its sum, best first. This is the oracle: whatever "
            "another search finds, it can be looked up here."
        ),
        "hints": (
            "What are the prefixes of length 0, 1, 2, and what becomes of each of them when one "
            "more token is written?",
            "Keep a list of unfinished pairs (tokens, total), and begin with one empty output of "
            "total 0. In each round extend all of them by all tokens; enumerate gives ids and "
            "log-probabilities. Then sorted, with key and reverse.",
            "Fill in the blanks:\n\n"
            "finished, unfinished = [], [((), 0.0)]\n"
            "for _ in range(____):\n"
            "    longer = []\n"
            "    for tokens, total in unfinished:\n"
            "        for token, log_prob in enumerate(____):\n"
            "            if ____:                      # possible at all?\n"
            "                output = (____, ____)\n"
            "                ____                      # to which of the two lists?\n"
            "    unfinished = longer\n"
            "return sorted(finished, key=____, reverse=____)\n",
        ),
        "solution": (
            "Each round makes all outputs one token longer. Those that end go to the finished "
            "ones, the others wait for the next round; what is still unfinished at the end is "
            "dropped. Sums of logarithms, and −inf never enters."
        ),
        "findings": {**OUTPUTS, **PAIRS, **EXHAUSTIVE},
    },
    "7.3a": {
        "correct": (
            "All continuations of all outputs compete in one ranking, each with the total that it "
            "has then."
        ),
        "hints": (
            "totals is [k] and log_probs is [k, V]. Which shape has the total of every "
            "continuation, and how does [k] meet [k, V]?",
            "flatten makes one row of k x V numbers, topk gives values and places. A place in the "
            "flat row holds two things: // and % take them apart, by V. −inf is no continuation, "
            "so count how many are possible before you ask topk.",
            "Fill in the blanks:\n\n"
            "V = log_probs.size(1)\n"
            "every = (totals[____] + log_probs).flatten()       # [k * V]\n"
            "possible = int((every > ____).sum())\n"
            "total, place = every.topk(min(____, possible))\n"
            "return place ____ V, place ____ V, total\n",
        ),
        "solution": (
            "[k, 1] + [k, V] gives the total of every continuation. Flat, they are ranked against "
            "each other, and not row by row. Place p of the flat row is token p % V of beam p // V."
            " Twice num_beams are enough: at most num_beams of them can be an EOS, one for each "
            "open output, so as many others are left."
        ),
        "findings": {
            "not_three": (
                "Wanted are three tensors: parent, token, total.",
                "What does each of them say about a candidate?",
            ),
            "not_whole": (
                "One of the three is {dtype} where another kind is wanted. parent and token are "
                "used as indices, so they are int64; total is a float.",
                "Which division gives whole numbers?",
            ),
            "masks": (
                "One of the three is a mask. Wanted are a row number, a token id and a total for "
                "each candidate.",
                "How do you get from True at a place to the place?",
            ),
            "how_many": (
                "{yours} candidates came back, wanted are {right}: twice num_beams, or all that "
                "are possible if there are fewer.",
                "How many continuations are possible here, those of −inf not counted?",
            ),
            "per_beam": (
                "Each output kept its own best continuations. In a beam all continuations of all "
                "outputs compete: one output may have many children and another none.",
                "Along which axis, and over how many numbers, do you take the best?",
            ),
            "without_totals": (
                "The candidates are ranked by the last token alone, and what the output cost "
                "before is forgotten.",
                "What is totals for?",
            ),
            "token_number": (
                "The right candidates, but total holds the log-probability of the new token "
                "alone. The next step would begin again from there.",
                "What does the output have to carry into the next step?",
            ),
            "another_order": (
                "The three stand in another order: wanted are parent, token, total.",
                "Which of the three is the float, and at which place does it stand?",
            ),
            "swapped": (
                "parent and token have changed places.",
                "There are k outputs and V words. Which of the two may be as large as V − 1?",
            ),
            "divided_by_beams": (
                "The places were taken apart by the wrong number. In the flat row, output 1 begins "
                "after all words of output 0.",
                "How many numbers does each output have in the flat row?",
            ),
            "only_as_many": (
                "num_beams candidates came back, wanted are twice as many. If some of them end, "
                "the beam could not be filled up again.",
                "Of the first num_beams, how many might be EOS in the worst case?",
            ),
            "all_of_them": (
                "All possible continuations came back. The best 2 x num_beams are enough, and a "
                "vocabulary has thirty thousand words.",
                "At most how many of the candidates can be an EOS?",
            ),
            "impossible": (
                "Some totals are −inf: these continuations cannot happen.",
                "How many of the k x V continuations are possible, and what does topk give you if "
                "you ask for more?",
            ),
            "multiplied": (
                "Totals and log-probabilities were multiplied. Probabilities are multiplied, their "
                "logarithms are added.",
                "What is the logarithm of a product?",
            ),
            "worst_first": (
                "The candidates come worst first. A log-probability is negative, and the best one "
                "is the nearest to 0.",
                "Which of −1 and −5 belongs to the more probable output?",
            ),
            "not_sorted": (
                "The right candidates, but not best first.",
                "Does your last operation keep the order?",
            ),
            "first_row": (
                "Only the first output was extended.",
                "How many outputs are open, and how many rows does log_probs have?",
            ),
            "flat_places": (
                "token holds places in the flat row of k x V numbers, not token ids.",
                "Which id has the word at place V + 3 of the flat row?",
            ),
            "one_of_three": (
                "{name} at place {place} is {yours}; right is {right}.",
                "Which candidate is that, and where does it stand in the table of all "
                "continuations?",
            ),
        },
    },
    "7.3b": {
        "correct": (
            "An end counts only where it is among the best num_beams, and the beam keeps its width "
            "whatever ends."
        ),
        "hints": (
            "token is [n], best first. What is the rank of the candidate at place 3, and which two "
            "questions decide what becomes of it?",
            "A comparison with EOS_ID gives a mask, torch.arange the places. Two masks are joined "
            "by &, turned round by ~, and a slice takes the first few.",
            "Fill in the blanks:\n\n"
            "ends = token == ____                     # [n]\n"
            "place = torch.arange(____)               # [n]\n"
            "return place[ends & ____], place[____][:____]\n",
        ),
        "solution": (
            "Two rules. An EOS ends an output only among the first num_beams; with one beam that "
            "is greedy search. And the first num_beams that do not end stay open, wherever they "
            "stand, so the beam does not become narrower when something ends."
        ),
        "findings": {
            "not_two": (
                "Wanted are two tensors: the places of what has ended, and of what stays open.",
                "What are the two things that a step hands on?",
            ),
            "not_whole": (
                "The places are {dtype}; an index is int64. A tensor made of an empty list is a "
                "float too.",
                "Which dtype does torch.tensor([]) have, and which one is needed?",
            ),
            "masks": (
                "Masks came back. Wanted are places, int64, in the order of the candidates.",
                "How do you get from True at place 3 to the number 3?",
            ),
            "late_end": (
                "An EOS behind the first num_beams has ended an output. A beam of one would then "
                "stop wherever EOS comes second, and would no longer be greedy search.",
                "Among how many candidates does an EOS count?",
            ),
            "one_place_more": (
                "An EOS at place num_beams has ended an output. Places are counted from 0, so the "
                "first num_beams are the places 0 to num_beams - 1.",
                "Which number has the last place that counts?",
            ),
            "ended_stay_open": (
                "What has ended is still among the open ones: it will get more words, and pay for "
                "them.",
                "Which tokens may stand at the open places?",
            ),
            "shrinks": (
                "The beam gets narrower when something ends. The next candidate should take the "
                "free place: this is why expand gives twice as many.",
                "How many open places should there be if two of the first three end?",
            ),
            "exchanged": (
                "The two have changed places: first what has ended, then what stays open.",
                "Which of the two lists holds the places with an EOS?",
            ),
            "too_wide": (
                "Everything that does not end stays open. A beam keeps num_beams of them.",
                "What makes a beam cheaper than exhaustive search?",
            ),
            "only_the_best_ends": (
                "An output ended only if it was the very best candidate. Any EOS among the first "
                "num_beams counts.",
                "What happens to a second best output that has ended?",
            ),
            "tokens_not_places": (
                "These are the tokens at the places, not the places.",
                "What will the caller have to look up: words, or rows?",
            ),
            "pad_ends": (
                "No candidate ended, although one of the first is an EOS. The end is EOS_ID, 2.",
                "Which id has EOS?",
            ),
            "no_such_place": (
                "One of the places is outside of token.",
                "How many candidates are there?",
            ),
        },
    },
    "7.3c": {
        "correct": (
            "Words, totals and memories move together, what ends is out of the race, and laws 5 "
            "and 6 hold: a full beam finds all that exists, and every number belongs to its words."
        ),
        "hints": (
            "What belongs to each open output, and so must move with it? Name three things, and "
            "the shape or type of each.",
            "model.start once, then in each round: model.step with the last token of each open "
            "output (BOS at first), expand, prune. What has ended is written down; of the others, "
            "words, totals and state.select(...) follow their parents.",
            "Fill in the blanks:\n\n"
            "state = model.start(src, src_lengths)\n"
            "outputs, totals, finished = [[]], torch.zeros(1), []\n"
            "for _ in range(max_len):\n"
            "    last = torch.tensor([____ for tokens in outputs])\n"
            "    log_probs, state = model.step(last, state)\n"
            "    parent, token, total = expand(____)\n"
            "    longer = [____ for p, t in zip(parent.tolist(), token.tolist())]\n"
            "    ended, still_open = prune(____)\n"
            "    finished += [____ for i in ended.tolist()]\n"
            "    if len(still_open) == 0:\n"
            "        break\n"
            "    outputs, totals = ____, ____\n"
            "    state = state.select(____)\n"
            "return sorted(____)\n",
        ),
        "solution": (
            "Three things belong to an open output: its words, its total, its row of the state. "
            "All three follow the same parents. What ends is written down with the number that it "
            "has, and never touched again. The first step needs no special case: one row, k "
            "children."
        ),
        "findings": BEAM,
    },
    "7.4": {
        "correct": (
            "The smallest set that reaches p, the token that crosses it among them, each row on "
            "its own, and the rest is a distribution again."
        ),
        "hints": (
            "log_probs is [B, V]. Sorted along which axis, and how do you get from the order of "
            "ranks back to the order of ids?",
            "sort gives values and order; cumsum adds up probabilities, so exp first. Compare what "
            "the better tokens have together, this one not counted, with p. scatter puts values "
            "back in their places, log_softmax makes rows sum to one.",
            "Fill in the blanks:\n\n"
            "ranked, order = log_probs.sort(descending=True)      # [B, V] twice\n"
            "before = ranked.exp().cumsum(____) - ____            # what the better ones have\n"
            "ranked = ranked.masked_fill(____, ____)\n"
            "filtered = torch.empty_like(log_probs).scatter(-1, ____, ____)\n"
            "return filtered.____\n",
        ),
        "solution": (
            "A token stays if the better tokens together have not reached p yet. So the token that "
            "crosses p stays too, and the best one always does, since nothing stands before it. "
            "Then everything goes back to its own id, and log_softmax makes a distribution of it."
        ),
        "findings": {
            "not_float": (
                "Log-probabilities are floats, but this is {dtype}.",
                "Where were the numbers lost?",
            ),
            "nan": (
                "There is a NaN in the result. −inf minus −inf is one, and 0 times −inf another.",
                "Which operation meets a −inf?",
            ),
            "drops_the_crossing": (
                "The token that crosses p was dropped (but for the best one), so the set has less "
                "than p. It belongs to the set.",
                "With probabilities .5, .3, .15, .05 and p = .6: is .5 at least .6?",
            ),
            "empty": (
                "Row {row} has no token left. However small p is, something must be said: the "
                "token that crosses p belongs to the set.",
                "Which token is the first whose sum reaches p, and is it kept?",
            ),
            "one_more": (
                "One token too many stays: the set had reached p before it.",
                "Do you compare with the sum of the better tokens, or of those before them?",
            ),
            "not_renormalised": (
                "The probabilities of row {row} sum to {total}. After the others were dropped, the "
                "rest must share the whole probability.",
                "What do you divide by, or subtract, when a distribution has lost a part?",
            ),
            "threshold": (
                "Tokens were kept by their own probability. p speaks of what the kept ones have "
                "together.",
                "With a hundred equally probable tokens and p = .5, how many should stay?",
            ),
            "order": (
                "The order was lost: tokens stand in the order of their ranks, or the mask does. "
                "Column 3 must speak of token 3.",
                "After the sorting, what brings each number back to its own column?",
            ),
            "probabilities": (
                "These are probabilities. Log-probabilities go in, and log-probabilities come out.",
                "What is the largest value that a log-probability can have?",
            ),
            "one_row_for_all": (
                "The rows do not decide for themselves: one of them, or the whole batch, sets the "
                "number for all. A sentence must not depend on its neighbours.",
                "Along which axis do you add up, and does each row have its own count?",
            ),
            "worst_first": (
                "The least probable tokens were kept.",
                "In which direction do you sort?",
            ),
            "all_kept": (
                "Every token was kept. Sums of logarithms, for instance, never reach p: they are "
                "negative.",
                "What do you compare with p, and what has to happen before it can be added up?",
            ),
            "zeros": (
                "What was dropped has the log-probability 0, which is the probability 1.",
                "What is the logarithm of 0?",
            ),
            "nearly_impossible": (
                "A token that was dropped has the log-probability {yours}. Its probability rounds "
                "to 0, but a search that asks for −inf does not see that it cannot happen.",
                "Which float is below all others, and what is exp of it?",
            ),
            "too_few": (
                "Row {row} keeps {yours} tokens, wanted are {right}: what is kept does not reach "
                "p together.",
                "Is the token that crosses p in the set?",
            ),
            "too_many": (
                "Row {row} keeps {yours} tokens, wanted are {right}: fewer reach p together.",
                "At which token has the sum reached p?",
            ),
            "others": (
                "Row {row} keeps the right number of tokens, but not the most probable ones.",
                "To which id does the best rank belong?",
            ),
        },
    },
    "7.5a": {
        "correct": (
            "Column D falls. An output that has ended is over, and its number is final; a better "
            "one may come, so the best can only rise. Here ended outputs still pay, step by step."
        ),
        "hints": (
            "Each column tells how something changes from step to step. Which of them may rise, "
            "which may fall, which must stay?",
            "Take an output that ended at step 2. Which of its numbers can change at step 3?",
            "Fill in the blanks:\n\n"
            "an output that has ended costs at the next step    ____\n"
            "so the best of those that ended can only           ____\n"
            "but column ____ goes from ____ to ____\n",
        ),
        "solution": (
            "Ask of each column what may happen to it. The rows are as many as there are beams, "
            "more and more outputs end, and later ones are longer. But the best of the ended ones "
            "stays the best until a better one comes: column D can only rise, and it falls."
        ),
        "findings": {
            "rows": (
                "One output before the first word, three beams afterwards: a right search reads "
                "just as many rows.",
                "Which number in the log can never fall in a right search?",
            ),
            "count": (
                "More and more outputs have ended: that is what a search is for. Here it is "
                "one for each beam in the end, and nothing is wrong with that by itself.",
                "Which number in the log can never fall in a right search?",
            ),
            "longest": (
                "Outputs that end later are longer, so the longest one can only grow.",
                "Which number in the log can never fall in a right search?",
            ),
        },
    },
    "7.5b1": {
        "correct": (
            "Every right search passes, and the patient is rejected: {killed} of {suspects} wrong "
            "searches are."
        ),
        "hints": DETECTIVE_HINTS,
        "solution": DETECTIVE_SOLUTION,
        "findings": DETECTIVE,
    },
    "7.5b2": {
        "correct": "{killed} of {suspects} wrong searches rejected; {needed} are needed here.",
        "hints": DETECTIVE_HINTS,
        "solution": DETECTIVE_SOLUTION,
        "findings": DETECTIVE,
    },
    "7.5b3": {
        "correct": "All {suspects} wrong searches rejected, and no right one.",
        "hints": DETECTIVE_HINTS,
        "solution": DETECTIVE_SOLUTION,
        "findings": DETECTIVE,
    },
    "7.5c": {
        "correct": "Healed: laws 5 and 6 hold. " + EPILOGUE,
        "hints": (
            "After expand there are n candidates. Which of them are over, and which are rows of "
            "the next step?",
            "prune says both. What has ended becomes a Hyp at once, with the number that it has "
            "now; only the others go on. Or build the whole from beam.",
            "Fill in the blanks:\n\n"
            "ended, still_open = prune(____, ____)\n"
            "for i in ended.tolist():\n"
            "    found.append(Hyp(longer[i], ____, ____))\n"
            "outputs, totals = ____, ____\n"
            "state = state.select(____)\n",
        ),
        "solution": (
            "The patient kept what had ended in the beam, and looked for the end only when all was "
            "over. Written down at once, an ended output has its number, and its place goes to "
            "another. " + EPILOGUE
        ),
        "findings": {
            **OUTPUTS,
            **NONE_ENDS,
            **SEARCH,
            "not_outputs": (
                "Wanted is a list of Hyp(tokens, log_prob, score): ids, a number, a number.",
                "What are the three parts of one entry of your list?",
            ),
            "runaway": (
                "These are still the patient's numbers: what has ended is extended, and pays for "
                "every word that is cut off afterwards.",
                "At which moment is the number of an ended output final?",
            ),
            "wrong_sign": (
                "The score is log_prob x length ** alpha: dividing and multiplying do the "
                "reverse of each other.",
                "Should an alpha above 0 help long outputs or short ones?",
            ),
            "wrong_length": (
                "The length counts one token too many. BOS is not in the output.",
                "How many tokens does the output hold, its EOS counted?",
            ),
            "length_without_end": (
                "The length counts one token too few. EOS is a token of the output.",
                "How many tokens does the output hold?",
            ),
            "no_penalty": (
                "The score is the log-probability itself, whatever alpha is.",
                "Where does alpha enter?",
            ),
            "score": (
                "{output} has the score {yours}. With {length} tokens and alpha {alpha} it is "
                "{right}.",
                "What is divided by what?",
            ),
            "by_log_prob": (
                "The list is sorted by log_prob, not by score.",
                "What does an alpha other than 0 change, if not the order?",
            ),
        },
    },
    "7.6": {
        "correct": (
            "The numbers can be right. What they mean for the choice of a beam's width is read by "
            "a person."
        ),
        "hints": (
            "For one source and one width, which entry of the list is the answer of the search? "
            "Which three numbers does it give?",
            "search_letters gives pairs, best first. letters_mode gives a tuple of letters; "
            "tuple(output) or a join makes them comparable. Then three means over the sources.",
            "Fill in the blanks:\n\n"
            "for k in widths:\n"
            "    best = [search_letters(source, ____)[____] for source in sources]\n"
            "    right = [tuple(output) == ____ for (output, _), source in zip(best, sources)]\n"
            '    report[k] = {"log_prob": ____, "length": ____, "mode": ____}\n',
        ),
        "solution": (
            "For each width, the best output of each source, and three means over the sources. "
            "Wider beams find more probable outputs, and the most probable ones are short: here "
            "the model is perfect, so the shortness is not its fault."
        ),
        "findings": {
            "not_a_dict": (
                "Wanted is a dict of dicts: for each width, the keys 'log_prob', 'length' and "
                "'mode'.",
                "What did your function return?",
            ),
            "widths": (
                "The keys are {keys}; wanted is one for each width.",
                "Which widths were asked for?",
            ),
            "keys": (
                "For width {k} the keys are {keys}; wanted are 'log_prob', 'length' and 'mode'.",
                "Which of the three numbers has which name?",
            ),
            "not_numbers": (
                "{name} of width {k} is not a number: a mean is one float.",
                "What is it, and what turns it into a float?",
            ),
            "range": (
                "{name} of width {k} is {value}, which it cannot be.",
                "A mean of what, and between which numbers must it lie?",
            ),
            "whole_list": (
                "All outputs that the search found take part. What a search answers is the best.",
                "Which entry of the list would a reader be shown?",
            ),
            "last_of_list": (
                "That is the last output of each list, and the lists are best first.",
                "At which end does the best one stand?",
            ),
            "probabilities": (
                "log_prob holds the mean of probabilities, not of their logarithms.",
                "What does search_letters give beside the letters?",
            ),
            "never_equal": (
                "mode is 0 for every width. search_letters writes strings and letters_mode gives a "
                "tuple of letters: the two are never equal.",
                "What is 'uv' == ('u', 'v') in Python, and how do you make one like the other?",
            ),
            "length_with_end": (
                "length counts the end. Here the letters alone are counted, as in "
                "letters_expected_length.",
                "How long is the empty output?",
            ),
            "sums": (
                "These are sums over the sources, not means.",
                "What would happen to your numbers with twice as many sources?",
            ),
        },
    },
}
