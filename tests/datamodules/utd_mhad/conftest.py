from pathlib import Path

import pytest

from tests.sample_data import session_folder
from tests.utd_mhad_data import tiny_utd_mhad


@pytest.fixture(scope="session")
def utd_mhad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_utd_mhad(session_folder(tmp_path_factory))


@pytest.fixture(scope="session")
def utd_raw(utd_mhad: tuple[Path, Path]) -> Path:
    return utd_mhad[0]


@pytest.fixture(scope="session")
def utd_packed(utd_mhad: tuple[Path, Path]) -> Path:
    return utd_mhad[1]
