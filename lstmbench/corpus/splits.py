"""Held-out blocks spread over the text, so that the splits are of one kind from first page to last."""

from lstmbench.errors import CorpusError

SPANS = 20  # equal spans; of each, the last tenth is held out: half for validation, half for the test
LONGEST_WORD = 100  # characters: further back no space is looked for, there are scripts without any
LEAST = 2000  # characters: below it a block is shorter than a line


def split(text: str, *, at_spaces: bool) -> tuple[str, str, str]:
    """Cut a text into train (90 %), valid (5 %) and test (5 %), each the blocks of all spans, joined.

    `at_spaces` moves each cut back to the space before it, so that no word is torn. Nothing is random.
    """
    if len(text) < LEAST:
        raise CorpusError(f"the text has {len(text)} characters: at least {LEAST} are needed to hold some out")
    train, valid, test = [], [], []
    for k in range(SPANS):
        begin, end = len(text) * k // SPANS, len(text) * (k + 1) // SPANS
        cuts = [begin, begin + (end - begin) * 18 // 20, begin + (end - begin) * 19 // 20, end]
        a, b, c, d = (_back_to_space(text, cut) if at_spaces else cut for cut in cuts)
        train.append(text[a:b])
        valid.append(text[b:c])
        test.append(text[c:d])
    return "".join(train), "".join(valid), "".join(test)


def _back_to_space(text: str, cut: int) -> int:
    """The position after the last white space before `cut`; the ends of the text stay, as does what has none near."""
    if cut in (0, len(text)):
        return cut
    near = range(cut, max(0, cut - LONGEST_WORD), -1)
    return next((back for back in near if text[back - 1].isspace()), cut)
