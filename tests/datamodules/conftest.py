from pathlib import Path

import pytest

from tests.ntu_data import tiny_ntu
from tests.sample_data import session_folder, tiny_ravdess


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_ravdess(session_folder(tmp_path_factory))


@pytest.fixture(scope="session")
def raw(tiny: tuple[Path, Path]) -> Path:
    return tiny[0]


@pytest.fixture(scope="session")
def packed(tiny: tuple[Path, Path]) -> Path:
    return tiny[1]


@pytest.fixture(scope="session")
def ntu_raw(ntu: tuple[Path, Path]) -> Path:
    return ntu[0]


@pytest.fixture(scope="session")
def ntu_packed(ntu: tuple[Path, Path]) -> Path:
    return ntu[1]


@pytest.fixture(scope="session")
def ntu(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_ntu(session_folder(tmp_path_factory))
