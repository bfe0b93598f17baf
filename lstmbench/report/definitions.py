"""What a report says to whoever reads it for the first time."""

from lstmbench.samples import CONFIDENCE, minimum_samples

_PARITY_FIRST = (
    "Parity comes first: a row has a speed only where every output of the same export, runtime, version and number of "
    "threads was compared with the float64 reference and found within its bound, at the very shape that is timed too. "
    "Other rows say why they have none."
)
_DIFFERENCES = (
    "Call one row faster than another only where their intervals do not meet: the bands in the charts, the column "
    "“95 % interval”; of the fastest of each workload, the column “To the fastest” says it by "
    "pairs of processes that took turns, which tells more. Rows are sorted by shape and name, not by rank."
)
_LOOK = "Colours are runtimes, dashes and shapes are cells. Axes that span a factor of eight are logarithmic."
HOW_TO_READ = (_PARITY_FIRST, _DIFFERENCES, _LOOK)

_QUANTILES = (
    "Times that were observed, never interpolated. The median is that of the processes' own medians, the others are "
    "order statistics of all samples."
)
_TOKENS = "Useful tokens of a sample over the median: B·T for scoring and generating, B for decoding, B·N for requests."
_REQUEST = (
    "A prompt (B, T) in one call from zero state, then one call a token, N tokens in all; end to end. Time to first "
    "token: from the start until the argmax of the prompt's last step is known. Inter-token latency: from one argmax "
    "to the next. Of every request, time to first token + (N - 1) x its mean inter-token latency = its time."
)
_MIXED = (
    "B rows of lengths evenly spread from the shortest to T, padded to T, in one call. Padding: the share of B·T that "
    "lies behind an end; only what lies before it counts as tokens."
)
_REGION = (
    "End to end: from NumPy arrays to NumPy arrays, as a user calls. Compute: the same call without its copies, from "
    "inputs that lie where the engine computes until its device has finished. Rows of the two are never held against "
    "each other."
)
_OWN = (
    "What two looks at the clock around an empty call take, measured in every process and kept beside its samples. It "
    "is in every sample, not subtracted. Where it would be over a hundredth of a call, a sample is the mean of so many "
    "calls that it is not; then no p90 and p99 are told, since a quantile of means is none of calls."
)
_INTERVAL = (
    "Of tokens/s at the median. Every case runs in several processes, one after the other, and runtimes take turns in "
    "them; the processes' own medians are ordered, and the pair of them that holds the median of all such processes "
    "with 95 % confidence is shown. Fewer than six processes carry none."
)
_TO_THE_FASTEST = (
    "Time over that of the fastest row of the same workload that took turns with it, round by round, which is not "
    "quite the ratio of the two medians; rows of another session have a fastest of their own. A tie: the "
    "99 % interval of that ratio holds 1, or the difference is no larger than the smallest that is told. That one "
    "comes from a row of each workload that was timed twice, under two names."
)
_COLD = (
    "Start: from the start of a process until it took requests; load: the engine imported, the file read, the session "
    "built; both are medians of all processes of the row. First call: at the shape of the row, in the processes that "
    "began with it; their number stands beside it."
)
_REMARKS = (
    "What is odd about the samples: calls that still got faster after the warm-up, processes each slower or each "
    "faster than the one before, two groups of times, a single thread that did not run for a tenth of its time or "
    "more, a processor's clock that fell by a tenth (throttled), a hypervisor that gave a twentieth of the time to "
    "others."
)
_NOT_TOLD = (
    "Not told, because the samples cannot carry it. A quantile needs so many independent samples that the largest lies "
    "at or above it with {confidence:.0%} confidence, whatever the distribution: {counts}. Calls that follow each "
    "other are alike, and so are those of one process: samples count for as many independent ones as that leaves. "
    "Six processes carry a median by themselves."
)


def definitions() -> list[tuple[str, str]]:
    """Terms and what they mean here; the counts come from the code that applies them."""
    counts = ", ".join(f"p{100 * q:.4g} {minimum_samples(q):,}" for q in (0.5, 0.9, 0.99, 0.999))
    return [
        (
            "Sample",
            "One timed call (scoring, generating) or one timed step (decoding); all are kept, in measurements.jsonl.",
        ),
        ("Scoring", "One call on B rows of T tokens from zero state."),
        ("Decoding", "Token by token at (B, 1): each step's argmax is fed back and the state carried, for T steps."),
        (
            "Generating",
            "One call of a graph that draws T tokens a row itself, each fed back, from one token and zeros.",
        ),
        ("Request", _REQUEST),
        ("Mixed lengths", _MIXED),
        ("Region", _REGION),
        ("The engine's own part", _OWN),
        ("Median, p90, p99", _QUANTILES),
        ("n/a", _NOT_TOLD.format(confidence=CONFIDENCE, counts=counts)),
        ("Tokens/s", _TOKENS),
        ("95 % interval", _INTERVAL),
        ("To the fastest", _TO_THE_FASTEST),
        ("Cold start", _COLD),
        ("Remarks", _REMARKS),
        (
            "Max error",
            "The largest difference of any element from the reference: NumPy, float64, with the weights of the file.",
        ),
        ("Bound", "The largest error that the check accepts, from NumPy's own on that input."),
        (
            "NumPy's own",
            "The error of the reference's equations in float32, rounded as the file's precision is, on the same input.",
        ),
        ("Cell", "Peepholes: full (matrix, all gates, old cell state), diagonal (Gers, Graves, ONNX input P) or none."),
        ("Runtime torch", "PyTorch eager runs lstmbench.PeepholeLSTM, a loop over time; not its fused torch.nn.LSTM."),
        ("Provider", "Which part of the engine ran how many nodes, as the engine reports it."),
        ("Ran in", "The precision in which the recurrent nodes computed, whatever the file stores."),
        ("MIXED", "Recurrent nodes ran on other providers too, and the row was asked for with --allow-mixed."),
        ("Refused", "Not timed, or timed and not shown, for the reason that stands there."),
    ]


_WRONG = (
    "The runtime answered without a word, and not with what the operator gives: the error, and the mistake whose "
    "answer it is within the same tolerances, if one is known."
)
_TOLERANCE = (
    "Of each output: ten times the larger of what the operator is off by in the type of the row, in several orders of "
    "summation, and u·√T; twice that in fp16 and of integers, where the operator rounds all that an engine can. The "
    "same for every runtime."
)


def probe_definitions() -> list[tuple[str, str]]:
    """What a cell of the matrix of features can say."""
    return [
        ("Right", "Y, Y_h and Y_c of every call are within their tolerances of the operator in float64."),
        ("Wrong", _WRONG),
        ("Refused", "The runtime said that it cannot, while it loaded the graph or while it ran it."),
        ("Crashed", "The process ended by a signal, left, or was silent for longer than its time limit."),
        ("Tolerance", _TOLERANCE),
        ("P", "Peepholes; P_i, P_o and P_f are rows in which the other two are zero."),
        ("Dynamic B, T", "One graph in one session, run at several sizes; other rows are run at one."),
        (
            "T = 0, B = 0, row of length 0",
            "Where no step is taken, of which the standard says nothing, the state stays as given.",
        ),
        ("clip", "Bounds what goes into the gates, and is never reached by C_t; in clip of C_t it is."),
    ]
