"""What one run is, and the stated rules for batch and learning rate.

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
COOL_DOWN_SHARE = 0.2
FIT_COMPUTE_LIMIT = 1e12
SCHEDULES = {
    "cosine": "linear warm-up over 10 % of the steps, then cosine to 0",
    "constant": "linear warm-up over 10 % of the steps, then constant",
    "wsd": "linear warm-up over 10 % of the steps, constant, linear to 0 over the last 20 %",
}
BATCH_RULE = "windows per step = round(8 sqrt(D / 3e5))"
LEARNING_RATE_RULE = "peak = 0.02 (N / 32768)^-0.55 with the total N, whatever D is"


@dataclass(frozen=True)
class RunSpec:
    """One training run before the rules are applied.

    `peak_lr` and `batch` set what a rule would give (the pilot); `unique_bytes` limits the training
    bytes, which are then repeated; `curve` records the loss along the run.
    """

    part: str
    width: int
    target_bytes: int
    seed: int = 0
    peak_lr: float | None = None
    batch: int | None = None
    schedule: str = "cosine"
    unique_bytes: int | None = None
    curve: bool = False

    @property
    def name(self) -> str:
        """A unique name that is also a file name."""
        name = f"w{self.width:03d}-d{round(self.target_bytes / 1000):05d}k"
        if self.unique_bytes is not None:
            name += f"-u{round(self.unique_bytes / 1000):05d}k"
        if self.batch is not None:
            name += f"-b{self.batch}"
        if self.peak_lr is not None:
            name += f"-lr{self.peak_lr:g}"
        if self.curve:
            name += f"-{self.schedule}"
        return f"{name}-s{self.seed}"


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run's result, apart from the corpus."""

    run: str
    part: str
    width: int
    layers: int
    heads: int
    context: int
    batch: int
    steps: int
    peak_lr: float
    schedule: str
    seed: int
    unique_windows: int | None
    curve: bool

    @property
    def shape(self) -> Shape:
        """The architecture."""
        return Shape(self.width, self.layers, self.heads)

    @property
    def trained_bytes(self) -> int:
        """D: target bytes seen, each time that they are seen."""
        return self.steps * self.batch * self.context

    @property
    def flops(self) -> int:
        """C = 6 N D with the total N."""
        return 6 * self.shape.n_total * self.trained_bytes

    @property
    def split(self) -> str:
        """'fit' or 'holdout', by compute."""
        return "fit" if self.flops <= FIT_COMPUTE_LIMIT else "holdout"

    def as_dict(self) -> dict[str, int | float | str | None]:
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
    limited = spec.unique_bytes is not None
    return Settings(
        run=spec.name,
        part=spec.part,
        width=spec.width,
        layers=LAYERS,
        heads=HEADS,
        context=CONTEXT,
        batch=batch,
        steps=round(spec.target_bytes / (batch * CONTEXT)),
        peak_lr=spec.peak_lr or peak_learning_rate(shape.n_total),
        schedule=spec.schedule,
        seed=spec.seed,
        unique_windows=round(spec.unique_bytes / CONTEXT) if limited else None,
        curve=spec.curve,
    )
