from pathlib import Path

import pytest

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
