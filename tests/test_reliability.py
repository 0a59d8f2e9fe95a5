"""The page on reliability counts what the tests try, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import bad_inputs
import test_damage
import test_extremes
import test_faults
import test_grammar
import test_security

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"


def marked(test, name: str) -> int:
    """Return how many cases a test is given by a parameter."""
    return next(len(mark.args[1]) for mark in test.pytestmark if mark.name == "parametrize" and mark.args[0] == name)


def rows() -> dict[str, list[tuple[str, int]]]:
    """Return the tables of the page, by their headings: what is tried, and how often."""
    clocks, extreme = (
        test_faults.test_a_wrong_clock_costs_no_run,
        test_extremes.test_it_converges_or_says_that_it_did_not,
    )
    foreign = test_security.test_text_of_a_foreign_run_cannot_act_on_the_terminal
    kills, stops = test_faults.KILLS, test_faults.INTERRUPTIONS
    return {
        "bad inputs": sorted(bad_inputs.counted().items()),
        "written by a grammar": [
            ("well-formed prior files", test_grammar.EXAMPLES),
            ("prior files of right and wrong parts", test_grammar.EXAMPLES),
            ("good files with other lines", test_grammar.EXAMPLES),
            ("good files with other bytes", test_grammar.EXAMPLES),
        ],
        "faults of the machine": [
            *((f"killed (SIGKILL), a run {what}", kills[command]) for command, what in test_faults.KINDS.items()),
            *((f"Ctrl-C, a run {what}", stops[command]) for command, what in test_faults.KINDS.items()),
            ("Ctrl-C while it starts", test_faults.COLD_INTERRUPTIONS),
            ("files that cannot grow", len(test_faults.LIMITS)),
            ("disks that are full or fill up", len(test_faults.ROOM)),
            ("a disk that may not be written", 1),
            ("results that vanish during the run", test_faults.REMOVALS),
            ("two runs of one file at once", 1),
            ("clocks gone back, standing still, set forward", marked(clocks, "clock") + 1),
        ],
        "damaged runs": [
            ("damages", len(test_damage.DAMAGES)),
            ("verbs that read a run", len(test_damage.VERBS)),
            ("damages, each told by each verb", len(test_damage.DAMAGES) * len(test_damage.VERBS)),
        ],
        "untrusted text": [
            ("verbs that print a foreign run", marked(foreign, "verb")),
        ],
        "extreme posteriors": [("prior files", marked(extreme, "text"))],
    }  # fmt: skip


def table(heading: str, found: list[tuple[str, int]]) -> str:
    return "\n".join(
        [f"| {heading} | number |", "| --- | ---: |", *(f"| {what} | {number:,} |" for what, number in found)]
    )


def test_the_page_has_the_counts_of_the_tests():
    page = PAGE.read_text(encoding="utf-8")
    tables = {heading: table(heading, found) for heading, found in rows().items()}
    assert re.findall(r"^\| (.*) \| number \|$", page, re.MULTILINE) == list(tables)
    missing = [text for text in tables.values() if text not in page]
    assert not missing, "put these tables in the page:\n" + "\n\n".join(missing)


def test_the_page_says_how_many_bad_inputs_there_are():
    counted = bad_inputs.counted()
    assert f"{sum(counted.values())} bad inputs of {len(counted)} kinds" in PAGE.read_text(encoding="utf-8")


def test_a_hundred_runs_are_killed():
    assert sum(test_faults.KILLS.values()) == 100
