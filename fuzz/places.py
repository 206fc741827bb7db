"""Where things lie."""

from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
