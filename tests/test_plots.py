import itertools
import math
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from conftest import FULL, MINIMAL, Load
from hypothesis import given
from hypothesis import strategies as st

from simulate import (
    breakdown,
    ladder_plot,
    ledger,
    naming,
    panel_plots,
    pipeline,
    plot_axes,
    plot_files,
    plot_gallery,
    plot_look,
    plot_style,
    plots,
    results,
    summary,
)
from simulate.errors import SimulateError
from simulate.inference import Settings
from simulate.jackknife import Estimate
from simulate.plot_order import Order, fill
from simulate.sensitivity import Influence, Sensitivity, Spread

ALL = dict(zip(ledger.SCOPES, (1e3, 2e4, 3e5, 5e6, 8e7, 9e8, 4e10, 1e12), strict=True))
LABELS = (
    "$5 and $6 of x_1^2",
    "深度求索 DeepSeek",
    "An extraordinarily long label that somebody wrote about a claim without ever thinking of figures",
    "x",
    "\\frac{a}{b} & <b> 'q' \"r\"",
    "Analyst: $350M of servers",
)


UNKNOWN = "runs.r1.mfu"


def claim(number: int, about: str, **more: Any) -> dict[str, Any]:
    kind = ("estimate", "floor", "ceiling")[number % 3]
    made = {"name": f"c{number}", "label": LABELS[number % 6], "about": about, "kind": kind, "unit": "USD"}
    value = 10 ** (3 + 9.5 * number / 20)
    return {**made, "value": value, "used": number % 4 > 0, "percentile": 50.0, "prior_percentile": 50.0, **more}


CLAIMS = [claim(number, ledger.SCOPES[number % 8]) for number in range(20)]


def made_up(
    medians: dict[str, float],
    claims: Sequence[dict[str, Any]] = (),
    *,
    group: str = "posterior",
    sigma: float = 0.4,
    chains: int = 4,
    draws: int = 100,
    probability: float = 0.9,
    zero: float = 0.0,
    **more: Any,
) -> tuple[dict[str, Any], xr.DataTree]:
    """Return manifest and draws of a run that never was; ``zero`` is the share of draws that are zero."""
    rng = np.random.default_rng(1)
    dims, shape = ("chain", "draw"), (chains, draws)
    names = ("prior", "posterior") if group == "posterior" else ("prior",)
    found = {
        name: {
            s: m * np.exp(sigma * rng.standard_normal(shape)) * (rng.random(shape) >= zero) for s, m in medians.items()
        }
        for name in names
    }
    used = [one["name"] for one in claims if one["used"]]
    said = np.log([one["value"] for one in claims if one["used"]])
    given = {"scope.horizon": 4.0, "scope.window": 1.0, "scope.attribution": 0.5, "staff": 1e3}
    groups: dict[str, xr.Dataset] = {"/constant_data": xr.Dataset({path: ((), value) for path, value in given.items()})}
    groups["/sample_stats"] = xr.Dataset({"energy": (dims, rng.standard_normal(shape))})
    for name in names:
        groups[f"/{name}"] = xr.Dataset({s: (dims, v, {"units": "USD"}) for s, v in found[name].items()}).assign(
            {
                UNKNOWN: (dims, rng.random(shape)),
                "run_cost": ((*dims, "run"), np.ones((*shape, 1)), {"units": "USD"}),
                "run": ["r1"],
            }
        )
        if used:
            expected = (*dims, "claim"), said + 0.4 * rng.standard_normal((*shape, len(used)))
            groups[f"/{name}_predictive"] = xr.Dataset({"log_claims": expected}, coords={"claim": used})
            groups["/observed_data"] = xr.Dataset({"log_claims": ("claim", said)}, coords={"claim": used})
    rows = [summary.row(name, "", group, "USD", values, probability) for name, values in found[group].items()]
    manifest = {
        "name": "made-up", "title": "A view", "subject": "the lab", "money": "USD 2025", "digest": "0123456789abcdef",
        "group": group, "claims": list(claims), "unknowns": {UNKNOWN: {}},
        "facts": {}, "labels": {"r1": "The run"},
        "scopes": {row.variable: pipeline.scope(row) for row in rows},
        "settings": [],
        "sampling": {"chains": chains, "draws": draws, "seed": 7, "sampler": "pymc NUTS", "evidence": len(used)},
        "verdict": {"converged": True, "method": "nuts", "in_words": "converged: R-hat at most 1.001"},
        "versions": {"simulate": "0.1.0", "arviz": "1.3.0", "matplotlib": "3.11.2"},
        **more,
    }  # fmt: skip
    return manifest, xr.DataTree.from_dict(groups)


def analysis(manifest: dict[str, Any], tree: xr.DataTree) -> Sensitivity:
    """Return an analysis that never was, of one unknown."""

    class Made(results.Run):
        def tree(self, *groups: str) -> xr.DataTree:
            return tree

    scope, found = next(iter(manifest["scopes"].items()))
    middle, low, high = (Estimate(found[end], found["median"] / 100) for end in ("median", "lower", "upper"))
    share = Estimate(0.5, 0.01)
    one = Influence(UNKNOWN, False, share, share, share, low, high, share)
    return Sensitivity(
        Made(Path(), manifest), scope, "USD", manifest["group"], 0.9, 1, Spread(middle, low, high), {}, True, (one,),
        None, (), (), {}, None, (), None, (), (), (),
    )  # fmt: skip


def drawn(kind: str, manifest: dict[str, Any], tree: xr.DataTree, **more: Any) -> Any:
    """Return any kind of figure, with an analysis where it shows one."""
    found = analysis(manifest, tree) if kind in plots.ANALYSED else None
    return plots.draw(kind, manifest, tree, analysis=found, **more)


def make(folder: Path, kind: str, run: tuple[dict[str, Any], xr.DataTree], **more: Any) -> None:
    found = analysis(*run) if kind in plots.ANALYSED else None
    plots.make(folder, kind, *run, analysis=found, **more)


NOT_CONVERGED = {"converged": False, "method": "nuts", "in_words": "NOT CONVERGED, do not cite: R-hat is 1.3"}
TROUBLE = {
    "one scope": made_up({"final_run": 5.5e6}),
    "eight scopes and twenty claims": made_up(ALL, CLAIMS, verdict=NOT_CONVERGED, title="Words and $more$ " * 30),
    "a long subject": made_up(ALL, subject="the Very Long Named Laboratory of the Northern Hemisphere, Inc. ($)"),
    "claims at one place": made_up({"hardware": 1e9}, [claim(n, "hardware", value=1e9) for n in range(20)]),
    "a prior alone": made_up({"final_run": 5.5e6, "hardware": 1e9}, CLAIMS, group="prior"),
    "draws of zero": made_up({"final_run": 5.5e6, "hardware": 1e9}, zero=0.3),
    "nothing but zero": made_up({"final_run": 5.5e6, "hardware": 1e9}, zero=1.0),
    "no spread": made_up({"final_run": 5.5e6, "hardware": 1e9}, CLAIMS[:2], sigma=0.0),
    "few draws": made_up({"final_run": 5.5e6, "hardware": 1e9}, CLAIMS[:5], chains=1, draws=10, probability=0.5),
}
trouble = pytest.mark.parametrize(("manifest", "tree"), TROUBLE.values(), ids=TROUBLE)


def texts(figure: Any) -> dict[Any, Any]:
    """Return the text artists that show something, and where."""
    from matplotlib.text import Text

    renderer = figure.canvas.get_renderer()
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    return {text: text.get_window_extent(renderer) for text in shown}


def said(figure: Any) -> str:
    return "\n".join(text.get_text() for text in texts(figure))


# ---------------------------------------------------------------------------------------------
# Files


def test_importing_plots_imports_neither_matplotlib_nor_arviz() -> None:
    code = "import sys, simulate.plots; sys.exit(any(m in sys.modules for m in ('matplotlib', 'arviz', 'arviz_base')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.sampling
def test_every_kind_of_a_run_is_a_png_an_svg_and_a_caption(tmp_path: Path) -> None:
    plots.save(tmp_path / "figures", plots.DEFAULT, *made_up(ALL, CLAIMS), named=True)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        f"{kind}.{form}" for kind in plots.DEFAULT for form in ("png", "svg", "txt")
    }


@pytest.mark.sampling
def test_the_same_run_gives_the_same_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    import arviz_base
    import matplotlib as mpl

    run = made_up({"final_run": 5e6, "hardware": 1e9}, CLAIMS[:5])
    plots.save(tmp_path / "a", plots.DEFAULT, *run)
    theirs = {"font.size": 30, "figure.facecolor": "red", "axes.grid": True, "svg.fonttype": "none", "savefig.dpi": 9}
    with mpl.rc_context(theirs), arviz_base.rc_context({"stats.ci_prob": 0.5, "plot.backend": "none"}):
        plots.save(tmp_path / "b", plots.DEFAULT, *run)
        assert mpl.rcParams["font.size"] == 30
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_figure_carries_neither_date_nor_version_of_matplotlib(tmp_path: Path) -> None:
    plots.save(tmp_path, ["ladder"], *made_up({"final_run": 5e6}))
    assert b"Software" not in (tmp_path / "ladder.png").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "ladder.svg").read_bytes()
    assert b"Matplotlib v" not in (tmp_path / "ladder.svg").read_bytes()


def test_what_does_not_apply_is_left_out_by_default(tmp_path: Path) -> None:
    plots.save(tmp_path, plots.DEFAULT, *made_up({"final_run": 5e6}, chains=1, draws=20))
    assert {path.stem for path in tmp_path.iterdir()} == {"ladder", "forest", "posterior"}


def test_no_kinds_make_no_folder(tmp_path: Path) -> None:
    plots.save(tmp_path / "figures", (), *made_up({"final_run": 5e6}))
    assert not (tmp_path / "figures").exists()


def test_no_figure_of_pyplots_is_left_open(tmp_path: Path) -> None:
    from matplotlib import pyplot

    plots.save(tmp_path, ["forest", "posterior"], *made_up({"final_run": 5e6}, draws=20))
    assert pyplot.get_fignums() == []


def test_a_full_disk_is_an_error_a_user_understands(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SimulateError, match="cannot write"):
        plots.save(tmp_path / "file", ["ladder"], *made_up({"final_run": 5e6}))


@pytest.mark.sampling
@pytest.mark.parametrize(("text", "prior_only"), [(MINIMAL, False), (FULL, True)], ids=["posterior", "prior"])
def test_a_run_draws_its_figures(text: str, prior_only: bool, load: Load, tmp_path: Path) -> None:
    settings = Settings(draws=50, tune=100, chains=2, prior_only=prior_only)
    run = pipeline.run(load(text), settings, out=tmp_path)
    assert (run.folder / "figures" / "ladder.png").exists()
    assert (run.folder / "figures" / "evidence.png").exists() == (text is FULL)
    plots.save(tmp_path / "again", plots.DEFAULT, run.manifest, run.tree())
    assert (tmp_path / "again" / "ladder.svg").read_bytes() == (run.folder / "figures" / "ladder.svg").read_bytes()


# ---------------------------------------------------------------------------------------------
# What cannot be drawn


@pytest.mark.parametrize(
    ("kind", "run", "message"),
    [
        ("spider", {}, "spider: no such figure; there are ladder, forest"),
        ("tornado", {}, "tornado: shows an analysis"),
        ("breakdown", {}, "no cost scope of the run is a sum"),
        ("energy", {"group": "prior"}, "without --prior-only"),
        ("exceedance", {"sigma": 0.0}, "no cost scope varies enough"),
        ("ranks", {"chains": 1}, "run with --chains 4"),
        ("ranks", {"verdict": {"converged": True, "method": "exact", "in_words": ""}}, "the draws are independent"),
        ("ranks", {"group": "prior"}, "without --prior-only"),
        ("prior-posterior", {"group": "prior"}, "without --prior-only"),
        ("prior-posterior", {}, "no evidence; give it a claim"),
        ("evidence", {}, "no evidence; give it a claim"),
        ("posterior", {"sigma": 0.0}, "no cost scope varies enough"),
        ("ladder", {"scopes": {}}, "no cost scope; `simulate check FILE`"),
    ],
)
def test_a_figure_that_cannot_be_drawn_says_why(kind: str, run: dict[str, Any], message: str, tmp_path: Path) -> None:
    manifest, tree = made_up({"final_run": 5e6}, draws=20, **run)
    with pytest.raises(SimulateError, match=message):
        plots.draw(kind, manifest, tree)
    with pytest.raises(SimulateError, match=message):
        plots.save(tmp_path, ["forest", kind], manifest, tree, named=True)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------
# The ladder


@trouble
def test_no_two_texts_of_the_ladder_overlap(manifest: dict[str, Any], tree: Any) -> None:
    boxes = texts(plots.draw("ladder", manifest, tree))
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), f"{a.get_text()!r} overlaps {b.get_text()!r}"


@trouble
@pytest.mark.parametrize("kind", ["ladder", "forest"])
def test_all_text_lies_on_the_sheet(kind: str, manifest: dict[str, Any], tree: Any) -> None:
    figure = plots.draw(kind, manifest, tree)
    for text, box in texts(figure).items():
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text


@trouble
def test_no_text_of_the_ladder_lies_on_a_mark(manifest: dict[str, Any], tree: Any) -> None:
    figure = plots.draw("ladder", manifest, tree)
    boxes = texts(figure)
    for line in (line for axes in figure.axes for line in axes.lines if line.get_marker() in ("D", "<", ">")):
        (x, y), *_ = line.get_transform().transform(line.get_xydata())
        half = line.get_markersize() / 2 * figure.dpi / 72
        for text, box in boxes.items():
            apart = x + half < box.x0 or x - half > box.x1 or y + half < box.y0 or y - half > box.y1
            assert apart, text.get_text()


def test_rungs_stand_in_the_order_of_the_ledger_with_their_numbers_in_words() -> None:
    manifest, tree = made_up(dict(reversed(ALL.items())))
    boxes = texts(plots.draw("ladder", manifest, tree))
    height = {text.get_text(): box.y0 for text, box in boxes.items()}
    labels = [naming.SCOPE_LABELS[name] for name in ledger.SCOPES]
    assert sorted(labels, key=lambda label: -height[label]) == labels
    for found in manifest["scopes"].values():
        assert set(plot_axes.amounts(found)) <= set(height)


def test_bars_are_the_intervals_of_the_manifest_and_of_the_draws() -> None:
    manifest, tree = made_up({"hardware": 1e9})
    outer, inner = (patch.get_path().get_extents() for patch in plots.draw("ladder", manifest, tree).axes[0].patches)
    found = manifest["scopes"]["hardware"]
    assert (outer.x0, outer.x1) == pytest.approx((found["lower"], found["upper"]))
    assert (inner.x0, inner.x1) == pytest.approx(tuple(np.quantile(tree["posterior"]["hardware"], [0.25, 0.75])))


@pytest.mark.parametrize("size", plot_look.SIZES)
def test_years_that_are_uncertain_are_said_to_be_so(size: str) -> None:
    manifest, tree = made_up(ALL)
    certain = said(drawn("ladder", manifest, tree, look=plot_look.made(size=size)))
    tree["constant_data"] = tree["constant_data"].dataset.drop_vars("scope.horizon")
    uncertain = said(drawn("ladder", manifest, tree, look=plot_look.made(size=size)))
    for shown, years in ((certain, "4 years"), (uncertain, "uncertain years")):
        bases = [line for line in shown.splitlines() if line.endswith("years")]
        assert bases == [f"owned, {years}"] * 2 + [f"owned + spending, {years}"]
    assert "are counted over is uncertain too" in plots.caption("ladder", manifest, tree)


def test_marks_stand_at_the_figures_of_the_claims_about_a_scope() -> None:
    claims = [claim(0, "hardware"), claim(1, "hardware"), claim(2, "hardware"), claim(3, "fleet.h800.count")]
    axes = plots.draw("ladder", *made_up({"hardware": 1e9}, claims)).axes[0]
    marks = {line.get_marker(): line for line in axes.lines if line.get_marker() != "o"}
    assert {form: mark.get_xdata()[0] for form, mark in marks.items()} == {
        "D": claims[0]["value"],
        ">": claims[1]["value"],
        "<": claims[2]["value"],
    }
    hollow = [form for form, mark in marks.items() if mark.get_markerfacecolor() == plot_look.look().paper]
    assert hollow == ["D"]


def test_a_claim_keeps_its_figure_when_its_label_is_too_long() -> None:
    long = claim(1, "hardware", label=LABELS[2])
    shown = said(plots.draw("ladder", *made_up({"hardware": 1e9}, [long])))
    assert "An extraordinarily long" in shown
    assert "…: at least $" in shown


def test_a_prior_alone_is_called_a_prior_and_no_claim_is_its_evidence() -> None:
    figure = plots.draw("ladder", *made_up({"hardware": 1e9}, [claim(1, "hardware")], group="prior"))
    assert "by the prior alone" in said(figure).replace("\n", " ")
    assert "interval of the prior" in said(figure)
    assert all(line.get_markerfacecolor() == plot_look.look().paper for line in figure.axes[0].lines)


def test_a_cost_that_may_be_zero_says_so() -> None:
    assert "from $0" in said(plots.draw("ladder", *made_up({"hardware": 1e9}, zero=0.3)))
    assert "at $0" in said(plots.draw("ladder", *made_up({"hardware": 1e9}, zero=1.0)))


# ---------------------------------------------------------------------------------------------
# Every figure


EVERY = {"final_run": 5e6, "official_runs": 6e6, "hardware": 1e9}


@pytest.mark.parametrize("kind", plots.KINDS)
def test_a_run_that_has_not_converged_says_so_on_every_figure(kind: str, tmp_path: Path) -> None:
    make(tmp_path, kind, made_up(EVERY, CLAIMS[1:3], verdict=NOT_CONVERGED), formats=["svg"])
    assert "NOT CONVERGED — do not cite" in (tmp_path / f"{kind}.svg").read_text(encoding="utf-8")
    assert (tmp_path / f"{kind}.txt").read_text(encoding="utf-8").startswith("NOT CONVERGED")


@pytest.mark.parametrize("kind", plots.KINDS)
def test_a_caption_says_what_is_shown_and_how_it_was_made(kind: str) -> None:
    run = made_up(EVERY, CLAIMS[:2])
    caption = plots.caption(kind, *run, analysis=analysis(*run))
    for part in (
        "90 % equal-tailed credible intervals of the posterior",
        "seed 7",
        "4 × 100 draws",
        "converged: R-hat",
    ):
        assert part in caption


@pytest.mark.parametrize("kind", ["ladder", "forest", "evidence"])
def test_a_caption_gives_the_level_of_both_intervals(kind: str) -> None:
    assert re.search(r"50 % (interval|and 90 %)", plots.caption(kind, *made_up(EVERY, CLAIMS[1:3])))


@pytest.mark.parametrize("kind", ["tornado", "sensitivity", "pairs", "trace", "ranks", "evidence"])
@pytest.mark.parametrize("size", plot_look.SIZES)
def test_a_figure_calls_an_unknown_by_its_name_and_its_caption_by_its_path_too(kind: str, size: str) -> None:
    run = made_up({"hardware": 1e9}, [claim(1, UNKNOWN)])
    shown = " ".join(said(drawn(kind, *run, look=plot_look.made(size=size))).split())
    assert "The run: MFU" in shown
    assert UNKNOWN not in shown
    assert f"The run: MFU ({UNKNOWN})" in plots.caption(kind, *run, analysis=analysis(*run))


@pytest.mark.parametrize("kind", sorted({*plots.KINDS} - plots.OF_CHAINS - {"pairs"}))
def test_a_figure_of_costs_says_its_level_and_kind(kind: str) -> None:
    shown = said(drawn(kind, *made_up(EVERY, CLAIMS[1:3]))).replace("\n", " ")
    assert re.search(r"90 % equal-tailed (credible|predictive) interval", shown)


@pytest.mark.parametrize("kind", plots.KINDS)
def test_text_of_a_file_is_shown_as_it_is(kind: str) -> None:
    run = made_up(EVERY, [claim(1, "hardware", label="$x^2$ \\alpha_1 <b>")], title="$y_1$", name="$n$")
    figure = drawn(kind, *run)
    assert not any(text.get_parse_math() for text in texts(figure))
    assert "$n$" in said(figure)
    assert ("$x^2$ \\alpha_1 <b>" in said(figure)) == (kind in ("ladder", "evidence"))


# ---------------------------------------------------------------------------------------------
# Themes, sizes and formats


@pytest.mark.parametrize("kind", plots.KINDS)
def test_no_text_of_a_dark_column_lies_off_the_sheet(kind: str) -> None:
    figure = drawn(kind, *made_up(EVERY, CLAIMS[1:3]), look=plot_look.made("dark", "column"))
    for text, box in texts(figure).items():
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text


@pytest.mark.parametrize("size", plot_look.SIZES)
def test_every_setting_by_hand_stands_at_the_foot(size: str) -> None:
    settings = ["scope.horizon=3 to 6 year", "fleet.h800.count=8k to 12k GPU", "hosting.pue=1.2 to 1.3"]
    figure = drawn("forest", *made_up({"hardware": 1e9}, settings=settings), look=plot_look.made(size=size))
    assert all(setting in said(figure).replace("\n", " ") for setting in settings)
    assert all(box.y0 >= 0 for box in texts(figure).values())


def test_a_column_is_85_mm_wide_in_every_format(tmp_path: Path) -> None:
    from PIL import Image

    make(tmp_path, "ladder", made_up(EVERY), formats=plot_files.FORMATS, look=plot_look.made(size="column"))
    with Image.open(tmp_path / "ladder.png") as picture:
        assert picture.width / picture.info["dpi"][0] * 25.4 == pytest.approx(85, abs=0.1)
    svg = re.search(r'<svg[^>]*? width="([\d.]+)pt"', (tmp_path / "ladder.svg").read_text(encoding="utf-8"))
    pdf = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", (tmp_path / "ladder.pdf").read_bytes())
    assert svg
    assert pdf
    assert [float(found[1]) / 72 * 25.4 for found in (svg, pdf)] == pytest.approx([85, 85], abs=0.1)


@pytest.mark.parametrize("kind", ["ladder", "pairs"])
def test_a_figure_has_the_same_bytes_in_every_format_each_time(kind: str, tmp_path: Path) -> None:
    run = made_up(EVERY, CLAIMS[:3])
    for folder in ("a", "b"):
        make(tmp_path / folder, kind, run, formats=plot_files.FORMATS, look=plot_look.made("dark"))
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == [f"{kind}.{end}" for end in ("pdf", "png", "svg", "txt")]
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_the_dark_theme_writes_light_on_dark() -> None:
    figure = drawn("ladder", *made_up(EVERY), look=plot_look.made("dark"))
    assert figure.get_facecolor()[:3] == pytest.approx((0x16 / 255, 0x18 / 255, 0x1C / 255))
    assert all(luminance(text.get_color()) > 0.3 for text in texts(figure))


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    return float(np.dot(linear(to_rgb(colour)), (0.2126, 0.7152, 0.0722)))


def linear(rgb: Any) -> Any:
    values = np.asarray(rgb)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("theme", plot_look.THEMES.values(), ids=plot_look.THEMES)
def test_text_stands_out_from_the_paper(theme: plot_look.Theme) -> None:
    for colour in (theme.ink, theme.soft, theme.alarm):
        light, dark = sorted((luminance(colour), luminance(theme.paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
"""What the eye makes of linear RGB: Machado, Oliveira and Fernandes (2009), IEEE TVCG 15(6), severity 1."""


@pytest.mark.parametrize("theme", plot_look.THEMES.values(), ids=plot_look.THEMES)
@pytest.mark.parametrize("matrix", DEFICIENCIES.values(), ids=DEFICIENCIES)
def test_the_colours_of_the_bases_stay_apart_for_the_colour_blind(theme: plot_look.Theme, matrix: Any) -> None:
    from matplotlib.colors import to_rgb

    seen = [np.clip(np.array(matrix) @ linear(to_rgb(colour)), 0, 1) for colour in theme.bases]
    for a, b in itertools.combinations(seen, 2):
        assert np.linalg.norm(np.cbrt(a) - np.cbrt(b)) > 0.1


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (
            Order(formats=("gif",), theme="x"),
            "gif: no such format; there are png, svg, pdf\nx: no such theme; there are light, dark",
        ),
        (Order(size="poster"), "poster: no such size; there are page, column"),
        (Order(kinds=("spider",)), "spider: no such figure; there are ladder"),
        (Order(kinds=("ladder",), scope="hardware"), "--scope hardware: only"),
        (Order(kinds=("pairs",), scope="castle"), "castle is no cost scope of the run"),
    ],
)
def test_an_order_for_what_there_is_not_writes_nothing(order: Order, message: str, tmp_path: Path) -> None:
    with pytest.raises(SimulateError, match=message):
        fill(order, on_disk(*made_up(EVERY)), tmp_path / "figures")
    assert not (tmp_path / "figures").exists()


def on_disk(manifest: dict[str, Any], tree: xr.DataTree) -> Any:
    return analysis({**manifest, "files": {"figures/ladder.png": "", "figures/ladder.txt": ""}}, tree).run


def test_a_figure_that_a_run_was_written_with_stays_as_it_is(tmp_path: Path) -> None:
    run = on_disk(*made_up(EVERY))
    object.__setattr__(run, "folder", tmp_path)
    (tmp_path / "figures").mkdir()
    for name in ("ladder.png", "ladder.txt"):
        (tmp_path / "figures" / name).write_text("as it was")
    fill(Order(("ladder",)), run)
    fill(Order(("ladder",), theme="dark"), run)
    found = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert sorted(found) == [
        *(f"ladder-dark.{end}" for end in ("png", "svg", "txt")),
        "ladder.png",
        "ladder.svg",
        "ladder.txt",
    ]
    assert found["ladder.png"] == found["ladder.txt"] == b"as it was"


# ---------------------------------------------------------------------------------------------
# One kind


@pytest.mark.parametrize("kind", ["ladder", "forest", "posterior", "exceedance", "breakdown", "tornado"])
def test_an_axis_of_money_reads_as_money(kind: str) -> None:
    axes = next(axes for axes in drawn(kind, *made_up(EVERY)).axes if axes.get_xticklabels())
    assert all(re.fullmatch(r"\$[\d.]+(k|M|bn|tn)?", label.get_text()) for label in axes.get_xticklabels())


def test_the_parts_of_a_cost_add_up_to_it_in_every_draw() -> None:
    manifest, tree = made_up(dict.fromkeys(ledger.SCOPES, 1e9))
    for scope in breakdown.shown(manifest):
        parts = breakdown.parts(manifest, tree, scope)
        assert sum(part.values for part in parts) == pytest.approx(tree["posterior"][scope].to_numpy())


def test_a_breakdown_of_the_company_says_that_it_counts_its_share_of_the_fleet_alone() -> None:
    run = made_up(dict.fromkeys(ledger.SCOPES, 1e9))
    for scope in ("company", "ownership"):
        shown = " ".join(said(drawn("breakdown", *run, scope=scope)).split())
        for text in (shown, plots.caption("breakdown", *run, scope=scope)):
            assert ("by the company's share alone" in text) == (scope == "company")


def test_a_curve_of_exceedance_passes_through_median_and_interval() -> None:
    manifest, tree = made_up({"hardware": 1e9}, draws=2000)
    line = max(drawn("exceedance", manifest, tree).axes[0].lines, key=lambda line: len(line.get_xdata()))
    found = manifest["scopes"]["hardware"]
    ends = [found["lower"], found["median"], found["upper"]]
    assert np.interp(ends, line.get_xdata(), line.get_ydata()) == pytest.approx([0.95, 0.5, 0.05], abs=1 / 400)


def test_a_tornado_leads_from_the_median_to_the_medians_at_both_ends() -> None:
    manifest, tree = made_up({"hardware": 1e9})
    low, high = drawn("tornado", manifest, tree).axes[0].patches
    found = manifest["scopes"]["hardware"]
    assert (low.get_x() + low.get_width(), high.get_x() + high.get_width()) == pytest.approx(
        (found["lower"], found["upper"])
    )


@pytest.mark.parametrize("theme", plot_look.THEMES)
def test_a_tornado_explains_the_colours_of_its_bars(theme: str) -> None:
    from matplotlib.colors import to_hex

    bars, legend = drawn("tornado", *made_up({"hardware": 1e9}), look=plot_look.made(theme)).axes
    swatches = {
        to_hex(line.get_color()): text.get_text() for text, line in zip(legend.texts, legend.lines, strict=True)
    }
    low, high = (swatches[to_hex(bar.get_facecolor())] for bar in bars.patches)
    assert low.startswith("lowest tenth")
    assert high.startswith("highest tenth")


def test_a_trace_marks_the_stretch_in_which_a_draw_diverged() -> None:
    from simulate import chain_plots

    _, tree = made_up({"hardware": 1e9}, draws=1000)
    diverging = np.zeros((4, 1000), bool)
    diverging[2, 501] = True
    tree["sample_stats"] = xr.Dataset({"diverging": (("chain", "draw"), diverging)})
    shown = chain_plots.traced(tree, tree["posterior"].dataset.isel(draw=slice(None, None, 2)))
    assert np.argwhere(shown["sample_stats"]["diverging"].to_numpy()).tolist() == [[2, 250]]


def test_the_gallery_shows_every_kind_there_is() -> None:
    page = (Path(__file__).parent.parent / "docs" / plot_gallery.PAGE).read_text(encoding="utf-8")
    assert page == plot_gallery.page("consensus", list(plots.KINDS))
    pictures = [Path(__file__).parent.parent / "docs" / found for found in re.findall(r"\((figures/.*?)\)", page)]
    assert {path.stem for path in pictures} == set(plots.KINDS)
    assert sum(path.stat().st_size for path in pictures) < 1.5e6


@pytest.mark.sampling
@trouble
def test_whatever_a_run_is_like_its_figures_come_without_a_warning(
    manifest: dict[str, Any], tree: Any, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.save(tmp_path, plots.DEFAULT, manifest, tree)
    assert (tmp_path / "ladder.png").exists()


def test_characters_that_the_font_lacks_become_boxes() -> None:
    assert plot_style.legible("深度\tSeek é\n$5") == "□□ Seek é $5"


def test_the_density_marks_the_median_and_interval_of_the_manifest() -> None:
    manifest, tree = made_up({"hardware": 1e9})
    reported = panel_plots.reported(manifest, panel_plots.logarithms(tree, "posterior", manifest))
    found = manifest["scopes"]["hardware"]
    assert 10 ** float(reported["point_estimate"]["hardware"]) == pytest.approx(found["median"])
    assert 10 ** reported["credible_interval"]["hardware"].to_numpy() == pytest.approx([found["lower"], found["upper"]])


def test_a_density_says_how_many_draws_are_zero() -> None:
    assert "zero in 2" in said(plots.draw("posterior", *made_up({"hardware": 1e9}, zero=0.25)))


def test_the_figure_of_ranks_begins_with_what_mixes_worst() -> None:
    manifest, tree = made_up({"final_run": 5e6, "hardware": 1e9})
    tree["posterior"][UNKNOWN][0] += 1.0
    figure = plots.draw("ranks", manifest, tree)
    assert said(figure).index("The run: MFU") < said(figure).index("Final training run")
    strayed = [max(abs(line.get_ydata()).max() for line in axes.lines) for axes in figure.axes]
    assert strayed[0] > max(strayed[1:])


@pytest.mark.parametrize("size", plot_look.SIZES)
def test_evidence_cuts_no_name_that_there_is_room_for(size: str) -> None:
    run = made_up({"hardware": 1e9}, [claim(3, "gpu_hours[r1]", value=2.6644e6, unit="GPU-hour", label="Hours")])
    run[0]["labels"]["r1"] = "V3 pre-training"
    figure = drawn("evidence", *run, look=plot_look.made(size=size))
    assert "V3 pre-training: GPU-hours, 2.6644M GPU-hour" in said(figure)


def test_evidence_counts_what_is_below_a_claim_or_above_a_floor() -> None:
    manifest, tree = made_up({"hardware": 1e9}, [claim(n, "hardware", used=True) for n in range(3)])
    tree["posterior_predictive"]["log_claims"][:] = tree["observed_data"]["log_claims"] + 1.0
    shown = said(plots.draw("evidence", manifest, tree))
    assert (shown.count(">99 %"), shown.count("<1 %")) == (1, 2)


# ---------------------------------------------------------------------------------------------
# Axes and text


@pytest.mark.parametrize(
    ("low", "high", "width", "labels"),
    [
        (0.9e6, 2e10, 250, ["$1M", "$10M", "$100M", "$1bn", "$10bn"]),
        (2.5e6, 1.2e7, 200, ["$3M", "$5M", "$7M", "$10M"]),
        (0.99e9, 1.59e9, 250, ["$1bn", "$1.1bn", "$1.2bn", "$1.3bn", "$1.4bn", "$1.5bn"]),
        (0.9e3, 1.2e12, 250, ["$1k", "$1M", "$1bn", "$1tn"]),
    ],
)
def test_ticks_are_round_amounts(low: float, high: float, width: float, labels: list[str]) -> None:
    shown = plot_axes.ticks(plot_axes.round_amounts(low, high), plot_axes.published, low, high, width)
    assert [plot_axes.published(value) for value in shown] == labels


@given(st.floats(3, 12), st.floats(0.01, 9), st.floats(150, 400))
def test_labels_of_ticks_never_touch(exponent: float, decades: float, width: float) -> None:
    low, high = 10**exponent, 10 ** (exponent + decades)
    shown = plot_axes.ticks(plot_axes.round_amounts(low, high), plot_axes.published, low, high, width)
    assert shown
    ends = [plot_axes.extent(value, plot_axes.published, low, high, width) for value in shown]
    assert all(a[1] < b[0] for a, b in itertools.pairwise(ends))


@given(st.text(max_size=200), st.floats(40, 400))
def test_text_is_wrapped_and_shortened_to_what_fits(text: str, width: float) -> None:
    ways = (plot_style.wrap, plot_style.balanced, plot_style.name_lines)
    for lines in (way(text, width, 8.0, most=3) for way in ways):
        assert len(lines) <= 3
        assert all(plot_style.text_width(line, 8.0) <= width for line in lines)


def test_no_word_is_left_alone_on_the_last_line_of_a_heading() -> None:
    title = "What carries the estimate: The company, in all"
    assert plot_style.wrap(title, 300, 12.0, "bold")[-1] == "all"
    assert plot_style.balanced(title, 300, 12.0, "bold") == ["What carries the estimate:", "The company, in all"]


def test_a_name_is_broken_after_its_colon_or_else_between_words_and_after_hyphens() -> None:
    for width, lines in ((60, ["H800:", "number owned"]), (48, ["H800:", "number", "owned"])):
        assert plot_style.name_lines("H800: number owned", width, 8.0, most=3) == lines
    assert plot_style.name_lines("semianalysis-report: MFU", 60, 8.0, most=3) == ["semianalysis-", "report: MFU"]


def test_a_label_that_is_cut_keeps_its_figure_or_what_it_says_of_its_subject() -> None:
    assert plot_style.shorten("V3 pre-training: GPU-hours, 2.7M GPU-hour", 150, 8.0).endswith("…, 2.7M GPU-hour")
    assert plot_style.shorten("R1 fine-tuning data: GPU-hours", 120, 8.0).endswith("…: GPU-hours")
    assert plot_style.shorten("The lab has bought servers for at least $450M", 90, 8.0).endswith("…")


def test_a_bar_is_round_inside_its_interval_and_square_at_zero() -> None:
    frame = ladder_plot.Frame(0.0, 300.0, 1e6, 1e9)
    whole = ladder_plot.bar((1e7, 1e8), 0.0, 8.0, frame, "black").get_path()
    assert (whole.get_extents().x0, whole.get_extents().x1) == pytest.approx((1e7, 1e8))
    from_zero = ladder_plot.bar((0.0, 1e8), 0.0, 8.0, frame, "black").get_path().vertices
    assert math.isclose(from_zero[:, 0].min(), 1e6)
    assert np.isclose(from_zero[np.isclose(from_zero[:, 0], 1e6), 1], [[-4], [4]]).any(axis=1).all()
