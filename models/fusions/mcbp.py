"""Multimodal compact bilinear pooling: the outer product of the features, sketched.

Legend: B samples, M modalities, n_m features of modality m, d sketch size, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from models.backbones import BranchOutput
from models.contracts import Prediction
from models.fusions.readout import Readout, check_features

EPSILON = 1e-6  # bounds the slope of the square root and of the norm at zero by 1000 each


class CompactBilinear(nn.Module):
    """Count sketch of the outer product of several vectors (Fukui et al. 2016).

    Modality m draws once, for each of its features i, a place `h(i)` in 0..d-1 and a sign `s(i)`.
    Its count sketch is `psi_j = sum of s(i) x_i over the i with h(i) = j`. The sketch of the outer
    product is the circular convolution of the sketches, `irfft(prod_m rfft(psi_m))`, and keeps
    inner products in expectation: `E<phi(x, y), phi(x', y')> = <x, x'> <y, y'>`.

    Args:
        in_features: n_m of each modality; any number of them.
        sketch_size: d.
        seed: of the draw, which has a generator of its own and leaves the global one as it is.
            Places and signs are buffers: not trained, not counted, and kept in checkpoints.

    Raises:
        ValueError: for no modality, or a sketch without a place; in use, for other sizes.
    """

    places: Tensor  # (n_1 + ... + n_M,)
    signs: Tensor  # (n_1 + ... + n_M,)

    def __init__(self, in_features: Sequence[int], *, sketch_size: int, seed: int = 0) -> None:
        super().__init__()
        if not in_features or sketch_size < 1:
            raise ValueError(
                "expected one modality or more and sketch_size of 1 or more, "
                f"got in_features={list(in_features)}, sketch_size={sketch_size}"
            )
        self.in_features = tuple(in_features)
        self.sketch_size = sketch_size
        generator, device = torch.Generator().manual_seed(seed), torch.get_default_device()
        size = (sum(in_features),)
        places = torch.randint(sketch_size, size, generator=generator, device="cpu")
        bits = torch.randint(2, size, generator=generator, device="cpu")
        self.register_buffer("places", places.to(device))
        self.register_buffer("signs", (2.0 * bits - 1).to(device))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Pool `(B, n_m)` of every modality to `(B, d)`, in float32 at least."""
        check_features(features, self.in_features)
        product: Tensor | None = None
        for sketch in self.sketches(features):
            spectrum = torch.fft.rfft(sketch)  # (B, d // 2 + 1)
            product = spectrum if product is None else product * spectrum
        return torch.fft.irfft(product, n=self.sketch_size)  # (B, d)

    def sketches(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return the count sketch `(B, d)` of every modality's features `(B, n_m)`."""
        places = self.places.split(self.in_features)
        signs = self.signs.split(self.in_features)
        found = []
        for x, place, sign in zip(features, places, signs, strict=True):
            # An FFT needs full precision, also inside autocast.
            signed = x.to(torch.promote_types(x.dtype, torch.float32)) * sign
            empty = signed.new_zeros(x.shape[0], self.sketch_size)
            found.append(empty.index_add(1, place, signed))
        return found

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, sketch_size={self.sketch_size}"


def signed_root(x: Tensor) -> Tensor:
    """Return `sign(x) sqrt(|x|)`, but for a slope at zero that is finite: `x / sqrt(|x| + eps)`."""
    return x / (x.abs() + EPSILON).sqrt()


def unit_length(x: Tensor) -> Tensor:
    """Divide each row `(B, d)` by its length; a row of zeros stays zero, with a finite slope."""
    return x / (x.square().sum(1, keepdim=True) + EPSILON).sqrt()


class MCBP(Readout):
    """Compact bilinear pooling, signed root, unit length, one hidden layer (Table 1, "MCBP").

    On RAVDESS with d = 16000, as in Fukui et al., and 512 hidden units the network has 34,112,696
    parameters (34.11M) counted with the unimodal heads. The paper's 51.03M is not reproduced: it
    leaves 25.11M for the fusion, that is d * hidden = 25.09M with one hidden layer, and no
    standard pair gives it (16000 x 1569 or 8000 x 3136 would). The paper gives
    neither size.

    Args:
        feature_sizes: n_m of each branch, in the order of the branches.
        outputs: K, the classes.
        sketch_size: d; about as large as the data allows, 16000 at the paper's size.
        hidden: size of the hidden layer.
        seed: of the places and signs; a part of the model, not of the run.

    Raises:
        ValueError: for sizes below one; in use, for features of other sizes.
    """

    uses: ClassVar[Literal["logits", "features"]] = "features"

    def __init__(
        self,
        feature_sizes: Sequence[int],
        *,
        outputs: int,
        sketch_size: int = 16000,
        hidden: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        if hidden < 1:
            raise ValueError(f"expected one hidden unit or more, got hidden={hidden}")
        self.pool = CompactBilinear(feature_sizes, sketch_size=sketch_size, seed=seed)
        self.layers = nn.Sequential(
            nn.Linear(sketch_size, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
        )

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        pooled = self.pool([out.features for out in branches.values()])  # (B, d)
        return Prediction(self.layers(unit_length(signed_root(pooled))), {})  # (B, K)
