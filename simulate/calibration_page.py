"""The part of the validation page that says whether the sampler is right.

``python -m simulate.calibration_page FOLDER FITS NAME…`` calibrates prior files, taking the fits that there are, and
writes their results below `MARK` in the folder's ``validation.md`` and their figures beside it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simulate import calibration_report, calibration_run, loading, pipeline, results
from simulate.calibration import Calibration, Plan
from simulate.report import escape, markdown_table
from simulate.workforce import Local

PAGE = "validation.md"
MARK = "<!-- Below this line by python -m simulate.calibration_page. -->"

HEAD = """\
## Calibration: is the sampler right?

A truth is drawn from the prior, the evidence it would have given rise to is simulated and fitted by what makes a run,
one chain at a time, and the truth is ranked among the draws; where everything is right, ranks are uniform
([model.md](model.md), section 5). The tests are of every unknown that varies, every disputed fact, every cost scope and
the log-likelihood; here the scopes, and the one variable that is nearest to the edge of its band. `simulate calibrate
--priors FILE` does the same with any prior file, and writes all of it."""


def section(calibration: Calibration, figure: str) -> str:
    """Return what is said of one calibration; ``figure`` is the file of its figure."""
    nearest = min(calibration.findings, key=lambda finding: finding.p_value).name
    names = [*calibration.scopes, nearest, "log_likelihood"]
    facts = calibration_report.fact_cells(calibration)
    words = (
        calibration_report.sensitivity(calibration),
        calibration_report.diagnostics(calibration),
        calibration_report.poor_words(calibration, 3),
        *calibration_report.provenance(calibration),
    )
    parts = [
        f"### {escape(calibration.name)}",
        f"{escape(calibration_report.heading(calibration))}: **{escape(calibration.in_words())}**.",
        markdown_table(calibration_report.cells(calibration, names)),
        *([markdown_table(facts)] if facts else []),
        calibration_report.bullets(words),
        f"![Ranks of {len(calibration.fits)} truths of {escape(calibration.name)}, less the uniform]({figure})",
    ]
    return "\n\n".join(parts)


def written(page: str, sections: Sequence[str]) -> str:
    """Return a page with these sections below the mark, in the place of older ones."""
    above = page.partition(MARK)[0].rstrip("\n")
    return "\n\n".join([above, MARK, HEAD, *sections]) + "\n"


def write(folder: Path, fits: int, names: Sequence[str], out: Path) -> None:
    """Calibrate prior files and write the part of the page, and the figures."""
    sections = []
    for name in names:
        found, _ = calibration_run.calibrate(loading.load(name), Plan(), fits, out=out, by=Local(pipeline.cores()))
        picture = f"calibration-{found.name}.png"
        with tempfile.TemporaryDirectory() as place:
            calibration_report.draw(found, Path(place))
            results.write_bytes(folder / picture, (Path(place) / calibration_report.FIGURE[0]).read_bytes())
        sections.append(section(found, picture))
    page = (folder / PAGE).read_text(encoding="utf-8")
    results.write_text(folder / PAGE, written(page, sections))


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:], Path("results"))
