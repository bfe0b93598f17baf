"""Every runtime with a planted mistake has its place named by a search after a check, and kept on disk."""

import importlib

import pytest
from msgspec.structs import replace

from lstmbench import check as checking
from lstmbench import disk
from lstmbench.check.differences.search import Place
from lstmbench.records import Difference, ModelConfig

SHAPES = ((1, 1), (2, 16), (5, 33))


@pytest.fixture
def found(inline, tmp_path):
    """Check a runtime with a planted mistake, and search it."""

    def found(exported, *mistakes, shapes=SHAPES) -> list[Difference]:
        names = [f"planted:{name}" for name in mistakes]
        run, quiet = tmp_path / "run", lambda _line: None
        report = checking.check([exported], names, run=run, shapes=shapes, progress=quiet)
        findings = checking.bisect(report, run=run, progress=quiet)
        assert disk.read_journal(run / "bisect.jsonl", Difference) == list(findings)
        return list(findings)

    return found


def test_what_is_right_has_no_difference(found, tiny):
    (one,) = found(tiny, "Honest")
    assert one.right
    assert (one.part, one.words) == ("none", "no difference found")
    assert one.probes <= 6


@pytest.mark.parametrize(
    ("mistake", "place", "words"),
    [
        ("IgnoresState", ("layer", 0, 0), "h_0 and c_0 are ignored"),
        ("CarriesNoState", ("layer", 0, 0), "the state comes back as it went in"),
        ("StateOfTheFirstCall", ("joining", None, 5), "call 2 of 1 step, from the state that the one before gave: "),
        ("DropsTheLastStep", ("joining", None, 1), "the last step is dropped"),
        ("SwapsHAndC", ("layer", 0, 0), "h_n and c_n have changed places"),
        ("NotANumber", ("output", None, 0), "not a finite number"),
        ("NotANumberInC", ("layer", 1, 0), "not a finite number"),
        ("OffByAThousandth", ("output", None, 0), "row 0 of a call alone is wrong"),
        ("ForgetsThePeephole", ("layer", 0, 0), "peephole missing"),
        ("MixesUpTheRows", ("output", None, 0), "the rows of the batch are mixed up"),
        ("CrashesHere", ("unanswered", None, None), "RuntimeError: no kernel"),
    ],
)
def test_a_planted_mistake_has_its_place_named(found, tiny, mistake, place, words):
    (one,) = found(tiny, mistake)
    assert (one.part, one.layer, one.step) == place
    assert words in one.words
    assert not one.right


def test_a_kernel_that_is_wrong_from_nine_rows_on_is_found_by_their_number(found, tiny):
    (one,) = found(tiny, "WrongAtBatchNine", shapes=((9, 1),))
    assert (one.part, one.words) == ("batch", "right in a call of 8 rows, wrong in one of 9")


def test_a_runtime_that_does_not_load_says_so_and_the_others_are_searched(found, tiny):
    first, second = found(tiny, "DoesNotLoad", "ForgetsThePeephole")
    assert (first.part, first.probes) == ("unanswered", 0)
    assert "too old for this file" in first.words
    assert (second.layer, second.gates, second.terms) == (0, "ifgo", ("peephole",))


BOTH = ModelConfig(head="layer", peephole="diagonal", input_size=3, hidden_size=4, bidirectional=True)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("IgnoresLengths", "lengths are ignored"),
        ("KeepsNoState", "the state runs on where rows have ended"),
        ("CutsNoOutput", "the output is not cut where rows end"),
        ("EndsOneStepLate", "rows end one step late"),
        ("ReversesFromTheLastStep", "the reverse direction starts at the last step"),
    ],
)
def test_a_mistake_of_lengths_is_one_of_how_steps_are_joined(found, make, mistake, words):
    (one,) = found(make(BOTH, lengths=True), mistake)
    assert one.part == "joining"
    assert words in one.words


def test_what_one_token_alone_shows_is_found_where_the_check_asks_it(found, make, lm):
    config = replace(lm, vocabulary_size=400)
    (one,) = found(make(config), "MisreadsTheLastToken", shapes=((1, 1),))
    assert (one.part, one.layer, one.step, one.time) == ("layer", 0, 0, 1)


@pytest.mark.parametrize("mistake", ["TakesZerosForAPlaceholder", "KeepsTheLastState"])
def test_a_failure_that_no_step_shows_is_told_as_the_check_asked_it(found, tiny, mistake):
    (one,) = found(tiny, mistake)
    alone = "what the check failed is right when it is asked by itself, so that it hangs on what was asked before"
    again = "each part of a step is within its own bound, and the check fails whenever it asks: one call from no state "
    assert one.words.startswith(again if mistake == "KeepsTheLastState" else alone), one.words
    assert abs(one.got - one.want) > one.allowed
    assert one.value.startswith("logits[")
    assert not one.right


@pytest.mark.parametrize(("mistake", "right"), [("Honest", True), ("ForgetsAt200", True), ("SwapsHAndC", False)])
def test_what_passed_has_no_difference_that_the_check_itself_does_not_see(found, tiny, monkeypatch, mistake, right):
    """A layer by itself has a closer bound than all of them together."""
    place = Place("layer", "off by more than its own bound", 0, 0)
    monkeypatch.setattr("lstmbench.check.differences.subjects.search", lambda *_: place)
    (one,) = found(tiny, mistake)
    assert one.right == right


def test_a_second_search_replaces_the_first(found, tiny):
    assert found(tiny, "ForgetsThePeephole") == found(tiny, "ForgetsThePeephole")


def test_the_command_line_says_the_place_and_leaves_with_1(inline, make, lm, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from lstmbench import cli

    exported = make(lm)
    disk.write_record(exported.path.with_suffix(".json"), exported.record)
    exported.path.write_bytes(b"")
    monkeypatch.setattr(importlib.import_module("lstmbench.cli.check"), "all_exports", lambda *_: [exported])
    base = ["check", "tiny", "--bisect", "--out", str(tmp_path / "run"), "--runtime"]
    wrong = CliRunner().invoke(cli.app, [*base, "planted:ForgetsThePeephole"])
    assert wrong.exit_code == 1
    line = next(line for line in wrong.stdout.splitlines() if "layer" in line)
    start = "tiny/scan-fp32 on planted:ForgetsThePeephole: layer 0, gates i, f, g, o, from step 0: peephole missing: "
    assert line.startswith(start)
    assert line.endswith(" calls]")
    right = CliRunner().invoke(cli.app, [*base, "planted:Honest"])
    assert right.exit_code == 0
    assert "tiny/scan-fp32 on planted:Honest: no difference found [" in right.stdout
