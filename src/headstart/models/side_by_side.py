"""Two bases side by side, which see the same pixels: one base, whose feature maps are those of both."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.errors import ModelError
from headstart.keras_backend import keras
from headstart.models.graph import nodes_of
from headstart.models.preprocessing import preprocess


def side_by_side(bases: Sequence[keras.Model], backbones: Sequence[str]) -> keras.Model:
    """Raw RGB, 0..255 (n, size, size, 3) -> the feature maps (n, height, width, channels) of each base, one after the
    other in the channels. backbones: names of their rows of BACKBONES.

    Raises:
        ModelError: the maps have different heights or widths.
    """
    pixels = keras.Input(bases[0].input.shape[1:], name="pixels")
    maps = [
        base(preprocess(name, pixels, name=f"{name}_preprocessing"), training=False)
        for base, name in zip(bases, backbones, strict=True)
    ]
    sides = [each.shape[1:3] for each in maps]
    if len(set(sides)) > 1:
        found = " and ".join(f"'{name}' {side[0]} x {side[1]}" for name, side in zip(backbones, sides, strict=True))
        raise ModelError(
            f"Of images of {pixels.shape[1]} pixels the bases give feature maps of different sizes: {found}. "
            f"Choose bases that halve an image alike, or another image size."
        )
    return keras.Model(pixels, joined(maps), name="_and_".join(backbones))


def joined(maps: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """Feature maps of bases, one after the other in the channels."""
    return keras.layers.Concatenate(name="joined")(maps)


def parts_of(base: keras.Model) -> list[tuple[keras.Model, keras.KerasTensor]]:
    """The bases that stand side by side in a base, each with the tensor that it is given; none in any other base."""
    calls = [node for node in nodes_of(base) if _is_base(node.operation)]
    order = {id(layer): number for number, layer in enumerate(base.layers)}
    return [
        (node.operation, node.input_tensors[0]) for node in sorted(calls, key=lambda each: order[id(each.operation)])
    ]


def _is_base(layer: keras.layers.Layer) -> bool:
    """Whether a layer is a functional model; some bases have parts that are sequential ones."""
    return isinstance(layer, keras.Model) and not isinstance(layer, keras.Sequential)
