"""Settings of the whole suite."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Workers share the cores: more threads a test only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _one_seed() -> None:
    """A test draws the same weights and data alone, in the suite, and on either worker."""
    torch.manual_seed(0)
