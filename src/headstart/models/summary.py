"""What there is to say of a network: numbers and tables, found with Keras once, read without it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """Of a network made by `compose`.

    base: name of the pretrained base; base_layers, base_parameters: how many it has.
    shapes: of one image at the input, behind the base's last layer, before the head and at the logits.
    parameters: numbers in all variables; trainable_parameters, trainable_variables: of those that are trained.
    table: Keras' summary; nested_table: the same with the layers inside of the base.
    """

    base: str
    base_layers: int
    base_parameters: int
    shapes: tuple[tuple[int, ...], ...]
    parameters: int
    trainable_parameters: int
    trainable_variables: int
    table: str
    nested_table: str
