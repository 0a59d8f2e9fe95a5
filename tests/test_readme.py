"""What the README says is so."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from test_cli import simulate

from simulate import cli

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_a_newcomer_needs_two_commands_the_job_first():
    job, tests = blocks("sh")
    assert job.endswith("simulate run --priors priors/semianalysis.toml\n")
    assert tests.endswith("-m pytest\n")


def test_every_command_is_in_its_table_and_no_other():
    listed = set(re.findall(r"^\| `simulate (\w+)", README, flags=re.MULTILINE))
    assert isinstance(cli.main, click.Group)
    assert listed == set(cli.main.commands)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_to_a_file(link):
    assert (REPOSITORY / link).is_file()


@pytest.mark.parametrize("name", re.findall(r"`(semianalysis|deepseek-reported)`", README))
def test_the_shipped_prior_files_check(name):
    assert simulate("check", name).returncode == 0


def test_the_excerpt_of_a_prior_file_is_valid_in_the_place_it_is_cut_from(tmp_path):
    excerpt = next(block for block in blocks("toml") if "[fleet.h800]" in block)
    starter = (REPOSITORY / "simulate" / "starter.toml").read_text(encoding="utf-8")
    chip = starter[starter.index("[chips.h100]") : starter.index("# How many of them")].replace("h100", "h800")
    fleet = starter[starter.index("[fleet.h100]") : starter.index("# What it takes")]
    names = ("ft-2025", "semianalysis-2025")
    sources = "".join(f'[sources.{name}]\ntitle = "x"\nknown = "secondary"\n' for name in names)
    text = starter.replace(fleet, "") + chip + excerpt + sources
    assert tomllib.loads(text)
    (tmp_path / "lab.toml").write_text(text)
    done = simulate("check", str(tmp_path / "lab.toml"))
    assert done.returncode == 0, done.stderr


def test_the_faults_it_shows_are_the_faults_one_gets(tmp_path):
    starter = (REPOSITORY / "simulate" / "starter.toml").read_text(encoding="utf-8")
    spoiled = starter.replace('"8k to 12k GPU"', '"12k to 8k GPU"').replace(
        'q95 = 3.9, unit = "USD/GPU-hour"', 'q95 = 3.9, unit = "k USD"'
    )
    (tmp_path / "my-lab.toml").write_text(spoiled)
    shown = next(block for block in blocks("console") if "simulate check my-lab.toml" in block)
    assert simulate("check", "my-lab.toml", cwd=tmp_path).stderr == shown.split("\n", 1)[1]


def test_the_changes_it_suggests_check():
    [line] = [line for block in blocks("console") for line in block.splitlines() if "--set" in line]
    changes = [part for change in re.findall(r"--set '([^']+)'", line) for part in ("--set", change)]
    assert simulate("check", "semianalysis", *changes).returncode == 0


def test_the_ci_finds_the_commands_of_the_readme():
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    program = re.search(r"awk '([^']+)' README.md", script)
    assert program
    found = subprocess.run(["awk", program[1], str(REPOSITORY / "README.md")], capture_output=True, check=True).stdout
    assert found.decode().split("\0")[:2] == blocks("sh")
