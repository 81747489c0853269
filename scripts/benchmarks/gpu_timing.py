"""Time and memory on a device: marks on its own time line, warm-up, precisions that are undone."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

Step = Callable[[], object]
Mark = torch.cuda.Event | float
PRECISIONS = ("fp32", "tf32", "bf16")
FLUSHED = 256 * 2**20  # bytes, several times the cache of any GPU
CHECKED = 8  # rounds that may wait in the device's queue


@dataclass(frozen=True)
class Bench:
    """The device that is measured, and how long a measurement may last.

    Args:
        device: `cuda` or `cpu`.
        tiny: the networks and batches of the rendered samples, and few rounds; their times mean
            nothing.
    """

    device: torch.device
    tiny: bool
    warm_up: int = field(init=False)
    least: int = field(init=False)
    seconds: float = field(init=False)

    def __post_init__(self) -> None:
        warm_up, least, seconds = (1, 1, 0.05) if self.tiny else (5, 3, 2.0)
        for name, value in (("warm_up", warm_up), ("least", least), ("seconds", seconds)):
            object.__setattr__(self, name, value)

    @property
    def cuda(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.type == "cuda"

    def mark(self) -> Mark:
        """Mark this place in what the device has to do; nothing waits."""
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def wait(self) -> None:
        """Wait until the device has done everything."""
        if self.cuda:
            torch.cuda.synchronize()

    def rounds(self, step: Step, *, most: int = 50, before: Step | None = None) -> list[float]:
        """Warm up, then call a step again and again.

        Args:
            step: what is timed.
            most: rounds. There are fewer where they would take long, yet `least` of them.
            before: called before each round, and not timed.

        Returns:
            The seconds of each round on the device, with the gaps in which it waits for the host.
        """
        self.heat(step)
        marks: list[tuple[Mark, Mark]] = []
        begin = time.perf_counter()
        while len(marks) < self.least or (
            len(marks) < most and time.perf_counter() - begin < self.seconds
        ):
            if before is not None:
                before()
            start = self.mark()
            step()
            marks.append((start, self.mark()))
            if len(marks) % CHECKED == 0:
                self.wait()  # else the host would run ahead, and never see that time is over
        self.wait()
        return [seconds_between(*pair) for pair in marks]

    def heat(self, step: Step) -> None:
        """Call a step until libraries have loaded and chosen, and memory has been fetched."""
        begin = time.perf_counter()
        for number in range(self.warm_up):
            step()
            self.wait()
            if number >= self.least - 1 and time.perf_counter() - begin > self.seconds:
                break

    def median(self, step: Step, *, most: int = 50, before: Step | None = None) -> float:
        """The median of `rounds`, in seconds."""
        return statistics.median(self.rounds(step, most=most, before=before))

    def flush(self) -> Step:
        """A call that pushes everything out of a GPU's cache; on the CPU it does nothing."""
        if not self.cuda:
            return lambda: None
        buffer = torch.empty(FLUSHED, dtype=torch.uint8, device=self.device)
        return buffer.zero_

    def forget_peak(self) -> None:
        """Begin to count the peak memory anew."""
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()

    def peak(self) -> dict[str, float]:
        """The most memory that tensors took since then, in GB; nothing on the CPU."""
        return {"peak_gb": torch.cuda.max_memory_allocated() / 1e9} if self.cuda else {}

    def free(self) -> None:
        """Give back what a measurement has left."""
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()

    def autocast(self, precision: str) -> AbstractContextManager[None]:
        """Mixed precision where it is `bf16`; around every forward pass, as it keeps weights."""
        enabled = precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def random(self, *shape: int) -> Tensor:
        """Normal numbers on the device."""
        return torch.randn(shape, device=self.device)

    def random_bytes(self, *shape: int) -> Tensor:
        """Bytes on the device."""
        return torch.randint(256, shape, dtype=torch.uint8, device=self.device)


def seconds_between(start: Mark, end: Mark) -> float:
    """The seconds from one mark to another, both of them passed."""
    if isinstance(start, float) or isinstance(end, float):
        assert isinstance(start, float) and isinstance(end, float)
        return end - start
    return start.elapsed_time(end) / 1000


@contextmanager
def float32_products(precision: str) -> Iterator[None]:
    """Let products of float32 be exact (`fp32`), or of TF32 (`tf32`, and the rest of `bf16`)."""
    exact = precision == "fp32"
    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest" if exact else "high")
    torch.backends.cudnn.allow_tf32 = not exact
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions


@contextmanager
def deterministic(setting: bool | str | None) -> Iterator[None]:
    """Choose algorithms as Lightning's trainer does for its `deterministic`: true, false, warn."""
    enabled, warns = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(bool(setting), warn_only=setting == "warn")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warns)
