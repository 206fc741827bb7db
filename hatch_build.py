"""What the build adds to the package: the compiled reader of heads, where a C compiler is at hand."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "jwtgate.gateway.heads._compiled"
SOURCE = Path("src", *MODULE.split(".")).with_suffix(".pyx")


class CustomBuildHook(BuildHookInterface):
    """Compiles beside the source; without a compiler the package is the same but for that, and runs all the same."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the wheel hold what comes of it."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        built = (root / SOURCE).with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
        built.unlink(missing_ok=True)
        try:
            _compile(root, built)
        except Exception as error:  # whatever a compiler or its absence may bring, installing goes on
            self.app.display_warning(
                f"jwtgate: the compiled reader of HTTP heads could not be built ({type(error).__name__}: {error}). "
                "The one in Python is used: the same in all but speed. A C compiler and Python's headers are needed "
                "(Debian: apt install gcc python3-dev)."
            )
            return
        build_data["infer_tag"] = True
        build_data["pure_python"] = False
        build_data["force_include"][str(built)] = str(built.relative_to(root / "src"))


def _compile(root: Path, target: Path) -> None:
    """Make the extension module `target`."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    with tempfile.TemporaryDirectory(prefix="jwtgate-build-") as folder:
        options = [] if sys.platform == "win32" else ["-O2", "-g0"]
        extension = Extension(MODULE, [str(root / SOURCE)], extra_compile_args=options)
        modules = cythonize([extension], build_dir=folder, quiet=True)
        build = build_ext(Distribution({"ext_modules": modules}))
        build.build_lib = build.build_temp = folder
        build.ensure_finalized()
        build.run()
        shutil.copyfile(build.get_ext_fullpath(MODULE), target)
