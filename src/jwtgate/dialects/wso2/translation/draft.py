"""The document while it is written: what became of the settings, and files of keys and certificates."""

from __future__ import annotations

from pathlib import Path

from jwtgate.dialects.dialect import Meaning, Note, Objects, Settings
from jwtgate.dialects.made_files import made_file
from jwtgate.dialects.wso2.reading.configuration import Configuration
from jwtgate.errors import ConfigError

FILES = "wso2-files"
_PEM = "-----BEGIN"


def quoted(text: str) -> str:
    """The text as an expression writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def is_pem(text: str) -> bool:
    """Whether this is a PEM text, and not the name of a file that holds one."""
    return _PEM in text


def pem_file(name: str, file: str, settings: Settings) -> Path:
    """The file of this name, found from where it is named."""
    return Path(settings.folder, file).parent / name


class Draft:
    """What all parts of the translation share."""

    def __init__(self, objects: Objects, settings: Settings, configuration: Configuration) -> None:
        self.objects = objects
        self.settings = settings
        self.configuration = configuration
        self._notes: dict[str, Note] = {}

    def exact(self, place: str) -> None:
        """It means the same here."""
        self._notes.setdefault(place, Note(place, Meaning.EXACT))

    def changed(self, place: str, sentence: str) -> None:
        """It means something else here."""
        self._notes.setdefault(place, Note(place, Meaning.CHANGED, sentence))

    def refused(self, place: str, sentence: str) -> None:
        """It cannot be had."""
        self._notes.setdefault(place, Note(place, Meaning.REFUSED, sentence))

    def dangerous(self, place: str, sentence: str) -> None:
        """It is taken over as it is, and is worth a second look."""
        self._notes.setdefault(place, Note(place, Meaning.EXACT, sentence, dangerous=True))

    def notes(self) -> tuple[Note, ...]:
        """All that was said."""
        return tuple(self._notes.values())

    def place(self, option: str) -> str:
        """Where an option stands."""
        where = self.objects["places"].get(option)
        return f"{where} {option}" if where else option

    def pem(self, value: str, file: str, place: str) -> str:
        """The PEM text that stands here, or in the file of this name, found from where it is named. `ConfigError`."""
        if is_pem(value):
            return value
        try:
            return pem_file(value, file, self.settings).read_text()
        except (OSError, ValueError) as error:
            raise ConfigError(f"{file}: {place}: cannot be read: {type(error).__name__}.") from None

    def file(self, text: str, ending: str) -> str:
        """A file with this text, which only we may read. Its name tells its content."""
        return made_file(self.settings.state_folder / FILES, text, ending)
