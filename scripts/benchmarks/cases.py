"""The places where the paper fuses, as shapes and settings; light, because `--help` names them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One place where the paper fuses: the maps without their batch, and the module's settings."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    block_channels: int
    reduction: int = 4
    segments: int = 1
    batch: int = 4

    @property
    def in_channels(self) -> list[int]:
        """The channels of each modality."""
        return [shape[0] for shape in self.shapes]


CASES = (
    Case("RAVDESS 1", ((1024, 4, 14, 14), (32, 208)), 16),
    Case("RAVDESS 2", ((2048, 2, 7, 7), (64, 26)), 32),
    Case("NTU 1", ((832, 4, 7, 7), (128, 4, 4), (128, 4, 4)), 64),
    Case("NTU 2", ((1024, 4, 7, 7), (512,)), 256),
    Case("MOSEI", ((32, 50), (64, 50), (128, 50)), 16, reduction=2, segments=5, batch=16),
)
