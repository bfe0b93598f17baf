"""Numbers as tables write them; what cannot be told is `n/a`, never a blank."""

from lstmbench import units
from lstmbench.report.subjects import NOT_MIXED, SubjectColumns

NOT_AVAILABLE = "n/a"


def number(value: float | None) -> str:
    """Three significant digits."""
    return NOT_AVAILABLE if value is None else units.three_digits(value)


def workload(kind: str, region: str) -> str:
    """A kind, and where its time ends if that is not where a user's does: 'score', 'score, compute'."""
    return kind if region == "end-to-end" else f"{kind}, {region}"


def steps(time: int, new: int | None = None, shortest: int | None = None) -> str:
    """T; of a request with its new tokens, '16+64'; of rows of mixed lengths, '4–16'."""
    more = "" if new is None else f"+{new}"
    return f"{'' if shortest is None else f'{shortest}–'}{time}{more}"


def rate(value: float | None) -> str:
    """Tokens a second, short: '12.3 k'."""
    return NOT_AVAILABLE if value is None else units.count(value)


def between(low: float | None, high: float | None) -> str:
    """Two rates as a span: '11.9 k – 12.4 k'."""
    return NOT_AVAILABLE if low is None or high is None else f"{rate(low)} – {rate(high)}"


def percent(value: float) -> str:
    """A share as '5.2 %'."""
    return f"{100 * value:.1f} %"


def beside_the_fastest(ratio: float | None, *, tied: bool | None) -> str:
    """Of times: '1.45 ×', 'fastest', or 'tie' where it is not told apart."""
    if ratio is None:
        return NOT_AVAILABLE
    if tied:
        return "tie"
    return "fastest" if ratio == 1 else f"{units.three_digits(ratio)} ×"


def error(value: float | None) -> str:
    """Two digits and a power of ten: '4.2e-7'; exact agreement is '0'."""
    if value is None:
        return NOT_AVAILABLE
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits}e{int(power)}" if value else "0"


def share(value: float | None) -> str:
    """A part of a bound in percent, or how many times the bound: '41 %', '62,500 ×'."""
    if value is None:
        return NOT_AVAILABLE
    if value >= 10:
        return f"{units.three_digits(value)} ×"
    return "< 1 %" if 0 < value < 0.01 else f"{100 * value:.0f} %"


def export(subject: SubjectColumns) -> str:
    """Model and form; the name of an export already ends with its form."""
    form = f"{subject.form}-{subject.precision}"
    told = subject.model.removesuffix("-lengths").endswith((f"/{form}", f"-{form}"))
    return subject.model if told else f"{subject.model} ({form})"


def engine(subject: SubjectColumns) -> str:
    """Runtime and version, and whether it is not what its name promises alone."""
    return versioned(subject.runtime, subject.version) + mixed(subject)


def versioned(runtime: str, version: str) -> str:
    """A runtime with its version, unless it was asked for by that version."""
    return runtime if f"=={version}" in runtime else f"{runtime} {version}".strip()


def mixed(subject: SubjectColumns) -> str:
    """What stands behind the name of a runtime some of whose computing nodes ran elsewhere too."""
    return "" if subject.mixed == NOT_MIXED else also(subject.mixed)


def also(strays: str) -> str:
    """The label of what ran on other providers than the one promised."""
    return f" (MIXED: also {providers(strays)})"


def provider(subject: SubjectColumns) -> str:
    """Which provider ran how many nodes, short."""
    return providers(subject.provider)


def providers(names: str) -> str:
    """ONNX Runtime's providers without the suffix that they all have."""
    return names.replace("ExecutionProvider", "")


def several(n: int, noun: str) -> str:
    """A count with its noun: '1 export', '2 exports'."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
