"""How a converted run is told from one that was trained here."""

from omegaconf import DictConfig

from experiments.runs.identity import digest, settings

RULE = "released"  # the one reporting rule of a converted run: the weights as they were released
UNMEASURED = "converted"  # the provenance of a run whose figures nobody has measured yet


def run_hash(cfg: DictConfig, network: str, data: str | None = None) -> str:
    """Return the hash of a converted run, which no trained run has.

    Args:
        cfg: its configuration.
        network: the title of the released network.
        data: the identity of the data set that it was measured on.
    """
    return digest({"settings": settings(cfg), "converted": network, "data": data})
