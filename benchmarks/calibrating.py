"""Time and memory of a calibration, by two numbers of fits.

    python -m benchmarks.calibrating

Whole processes; what the larger takes more, over the fits that it makes more, is a fit.
"""

from __future__ import annotations

import tempfile

from benchmarks.processes import SIMULATE, Measure, measure

FEW, MANY, STUDY = 50, 250, 1000


def calibration(fits: int) -> Measure:
    """Return what a calibration of ``semianalysis`` takes, without its figure."""
    with tempfile.TemporaryDirectory() as out:
        command = ("calibrate", "--priors", "semianalysis", "--fits", str(fits), "--no-figure", "--out", out)
        return measure((*SIMULATE, *command))


def main() -> None:
    """Print both, and what follows for a study."""
    few, many = calibration(FEW), calibration(MANY)
    each = (many.wall - few.wall) / (MANY - FEW)
    start = few.wall - FEW * each
    print("| fits | wall | processor | memory, all processes |\n|---:|---:|---:|---:|")
    for fits, one in ((FEW, few), (MANY, many)):
        print(f"| {fits:,} | {one.wall:.0f} s | {one.processor:.0f} s | {one.memory:.0f} MB |")
    print(
        f"\nA fit takes {each:.2f} s, and starting {start:.0f} s: {STUDY:,} fits {(start + STUDY * each) / 60:.1f} min."
    )


if __name__ == "__main__":
    main()
