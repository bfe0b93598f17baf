"""Witten-Bell against dictionaries, and against the law that probabilities sum to one."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.corpus.ngram import witten_bell
from lstmbench.corpus.rows import evaluation_rows

V = 4


def by_dictionaries(train, row, order):
    """The probability of each token of a row but the first, straight from the equation."""
    counts, successors = Counter(), defaultdict(set)
    for k in range(order):
        for t in range(k, len(train)):
            context = tuple(train[t - k : t])
            counts[context, train[t]] += 1
            counts[context] += 1
            successors[context].add(train[t])

    def p(word, context, k):
        if k < 0:
            return 1 / V
        below = p(word, context[1:], k - 1) if context else 1 / V
        n = len(successors[context])
        return below if not n else (counts[context, word] + n * below) / (counts[context] + n)

    result = []
    for t in range(1, len(row)):
        context = tuple(row[max(0, t - order + 1) : t])
        result.append([p(word, context, len(context)) for word in range(V)])
    return np.array(result)


tokens = st.lists(st.integers(0, V - 1), min_size=12, max_size=40)


@settings(max_examples=60, deadline=None)
@given(tokens, tokens, st.integers(1, 5))
def test_it_is_the_equation_and_sums_to_one(train, test, order):
    inputs, targets = evaluation_rows(np.array(test), 3)
    got = witten_bell(np.array(train), inputs, targets, vocabulary_size=V, max_order=order)[-1]
    nats = []
    for x, y in zip(inputs, targets, strict=True):
        row = [x[0], *y[y >= 0]]
        table = by_dictionaries(train, [int(w) for w in row], order)
        np.testing.assert_allclose(table.sum(1), 1, atol=1e-12)
        nats += [-math.log(table[t, word]) for t, word in enumerate(row[1:])]
    assert got == pytest.approx(np.mean(nats), rel=1e-12)


def test_a_text_that_repeats_is_predicted_better_by_longer_contexts():
    train = np.tile([0, 1, 2, 1, 3], 200)
    inputs, targets = evaluation_rows(train[:101], 2)
    nats = witten_bell(train, inputs, targets, vocabulary_size=V, max_order=3)
    assert nats[0] > nats[1] > nats[2] > 0
