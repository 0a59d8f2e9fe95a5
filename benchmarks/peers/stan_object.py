"""Compile anew the one object of httpstan whose wheel for Python 3.13 holds it compiled for 3.10.

    python -m benchmarks.peers.stan_object

Every Stan model is linked with it, so that httpstan 4.17 cannot load any as it is installed: an undefined symbol
``_PyThreadState_UncheckedGet``, then "module was compiled for Python 3.10". Its source is in the wheel; the
pybind11 beside it is too old for 3.13, so that the one installed is put in front. Takes a minute, once for each
environment, which it changes.
"""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import httpstan
import pybind11

FLAGS = ("-O2", "-std=c++17", "-fPIC", "-Wno-sign-compare")
MACROS = ("BOOST_DISABLE_ASSERTS", "BOOST_PHOENIX_NO_VARIADIC_EXPRESSION", "STAN_THREADS", "_REENTRANT",
          "_GLIBCXX_USE_CXX11_ABI=0")  # fmt: skip
"""As `httpstan.models` compiles the models that are linked with it."""


def main() -> None:
    """Compile the object beside its source."""
    package = Path(httpstan.__file__).parent
    folders = (pybind11.get_include(), package / "include", package, sysconfig.get_path("include"))
    source, target = package / "stan_services.cpp", package / "stan_services.o"
    options = (*FLAGS, *(f"-D{macro}" for macro in MACROS), *(f"-I{folder}" for folder in folders))
    subprocess.run(["g++", *options, "-c", str(source), "-o", str(target)], check=True)


if __name__ == "__main__":
    main()
