"""Which runs there are, and the stated rules for batch and learning rate.

One family of shapes: two layers and two heads at every size, only the width grows. So the loss can
depend on N smoothly: no size gains a layer that its neighbour has not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .model import Shape

CONTEXT = 128
LAYERS = 2
HEADS = 2
WARM_UP_SHARE = 0.1
SCHEDULE = "linear warm-up over 10% of steps then cosine to 0"
BATCH_RULE = "windows per step = round(8 sqrt(D / 3e5))"
LEARNING_RATE_RULE = "peak = 0.02 (N / 32768)^-0.55 with the total N, whatever D is"


@dataclass(frozen=True)
class RunSpec:
    """One training run before the rules are applied; the pilot sets what a rule would give."""

    split: str
    width: int
    target_bytes: int
    seed: int = 0
    peak_lr: float | None = None
    batch: int | None = None

    @property
    def name(self) -> str:
        """A unique name that is also a file name."""
        name = f"w{self.width:03d}-d{self.target_bytes // 1000:05d}k"
        if self.batch is not None:
            name += f"-b{self.batch}"
        if self.peak_lr is not None:
            name += f"-lr{self.peak_lr:g}"
        return f"{name}-s{self.seed}"


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run's result, apart from the corpus."""

    run: str
    split: str
    width: int
    layers: int
    heads: int
    context: int
    batch: int
    steps: int
    peak_lr: float
    schedule: str
    seed: int

    @property
    def shape(self) -> Shape:
        """The architecture."""
        return Shape(self.width, self.layers, self.heads)

    @property
    def trained_bytes(self) -> int:
        """D: target bytes seen, each once."""
        return self.steps * self.batch * self.context

    @property
    def flops(self) -> int:
        """C = 6 N D with the total N."""
        return 6 * self.shape.n_total * self.trained_bytes

    def as_dict(self) -> dict[str, int | float | str]:
        """Plain values, as the run's record keeps them."""
        return asdict(self)


def batch_windows(target_bytes: int) -> int:
    """Windows per step: grows as the square root of D, so do the steps."""
    return max(1, round(8 * (target_bytes / 300_000) ** 0.5))


def peak_learning_rate(n_total: int) -> float:
    """Peak learning rate of Adam by the pilot's rule, a power law in the total N."""
    return float(f"{0.02 * (n_total / 32_768) ** -0.55:.4g}")


def settle(spec: RunSpec) -> Settings:
    """Apply the rules to a run."""
    shape = Shape(spec.width, LAYERS, HEADS)
    batch = spec.batch or batch_windows(spec.target_bytes)
    return Settings(
        run=spec.name,
        split=spec.split,
        width=spec.width,
        layers=LAYERS,
        heads=HEADS,
        context=CONTEXT,
        batch=batch,
        steps=round(spec.target_bytes / (batch * CONTEXT)),
        peak_lr=spec.peak_lr or peak_learning_rate(shape.n_total),
        schedule=SCHEDULE,
        seed=spec.seed,
    )
