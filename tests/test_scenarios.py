"""Every shipped view runs, converges, and says what the README says it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulate import comparison, loading, obtaining, pipeline
from simulate.inference import Settings
from simulate.layers import REGISTER

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
FILES = sorted(path.stem for path in (REPOSITORY / "priors").glob("*.toml") if path.stem != REGISTER)
VIEWS = (
    "consensus", "deepseek-reported", "register", "reported-fleet-only", "semianalysis", "semianalysis-first-edition",
    "lambert", "reuters-billion", "caixin", "fifty-thousand-h100",
)  # fmt: skip
SYSTEMS = ("gpt-4", "llama-3.1-405b", "llama-4-maverick", "r1-zero")


def test_every_shipped_file_is_a_view_or_a_system():
    assert sorted((*VIEWS, *SYSTEMS)) == FILES


@pytest.mark.parametrize("name", FILES)
def test_every_number_of_a_shipped_file_has_a_source_or_a_note(name):
    priors = loading.load(REPOSITORY / "priors" / f"{name}.toml")
    assert all(entry.sources or entry.note for entry in priors.entries.values() if not entry.path.startswith("groups."))
    assert priors.note


def test_the_witnesses_of_one_origin_share_a_group_in_the_consensus():
    claims = loading.load(REPOSITORY / "priors" / "consensus.toml").evidence
    groups = {claim.name: claim.group for claim in claims}
    alike = [name for name in groups if name.startswith(("semianalysis", "wang", "house", "amodei"))]
    assert len(alike) >= 5
    assert len({groups[name] for name in alike}) == 1


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    sampling = Settings(cores=pipeline.cores())
    files = [str(REPOSITORY / "priors" / f"{name}.toml") for name in (*VIEWS, *SYSTEMS)]
    found = obtaining.obtain_all(files, sampling, out=out, probability=0.9, progress=None)
    return dict(zip((*VIEWS, *SYSTEMS), found, strict=True))


@pytest.mark.sampling
@pytest.mark.parametrize("name", [*VIEWS, *SYSTEMS])
def test_every_view_and_system_converges(runs, name):
    assert runs[name].converged, runs[name].manifest["verdict"]["in_words"]


@pytest.mark.sampling
def test_the_table_of_views_in_the_readme_is_what_one_gets(runs):
    block = re.search(r"<!-- output: simulate compare [^>]*-->\n```text\n(.*?)```", README, re.DOTALL)[1]
    header, _, *lines = block.splitlines()
    scopes = header.split()[1:]
    assert [line.split()[0] for line in lines] == list(VIEWS)
    for line in lines:
        name, *cells = re.split(r"  +", line.strip())
        for scope, cell in zip(scopes, cells, strict=True):
            found = runs[name].manifest["scopes"].get(scope)
            assert (cell == "–") == (found is None)
            for shown, key in zip(re.findall(r"\$([\d.]+)(bn|M)", cell), ("median", "lower", "upper"), strict=False):
                assert near(shown, found[key], found[f"mcse_{key}"]), (name, scope, key)


def near(shown, value, mcse):
    """Whether a printed number is the value, up to its last digit and the Monte Carlo errors of two runs."""
    digits, scale = shown
    place = 10.0 ** -len(digits.partition(".")[2]) if "." in digits else 10.0 ** (len(digits) - len(digits.rstrip("0")))
    unit = {"M": 1e6, "bn": 1e9}[scale]
    return abs(float(digits) * unit - value) <= 0.5 * place * unit + 6 * mcse


@pytest.mark.sampling
def test_a_tenth_of_meta_and_a_twentieth_of_openai_are_within_reach(runs):
    pair = comparison.compare([runs["consensus"], runs["llama-3.1-405b"]], ["final_gpu_hours"])
    (hours,) = pair.relations
    assert hours.row.lower < 2.788 / 30.84 < hours.row.upper
    pair = comparison.compare([runs["consensus"], runs["gpt-4"]], ["final_run"])
    (cost,) = pair.relations
    assert cost.row.lower < 0.05 < cost.row.upper


@pytest.mark.sampling
def test_the_error_of_the_first_edition_lowers_what_it_leaves_out(runs):
    pair = comparison.compare([runs["semianalysis-first-edition"], runs["semianalysis"]], ["ownership"])
    assert pair.relations[0].row.p50 < 0.9
