"""Settings of the whole suite."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Workers share the cores: more threads a test only wait for each other."""
    torch.set_num_threads(1)
