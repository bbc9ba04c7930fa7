"""A float network of OpenVINO and photos -> the same with 8-bit weights and activations, by NNCF."""

import logging
from collections.abc import Sequence
from typing import Any


def quantized(network: Any, inputs: Sequence[Any], **settings: Any) -> Any:
    """
    inputs: what the network is asked with, one photo each: the ranges of its activations are found on them.
    settings: more for NNCF's AdvancedQuantizationParameters.
    """
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters

    nncf.set_log_level(logging.ERROR)
    return nncf.quantize(
        network,
        nncf.Dataset(inputs),
        subset_size=len(inputs),
        preset=nncf.QuantizationPreset.MIXED,  # activations need not be symmetric: most of these networks' are not
        advanced_parameters=AdvancedQuantizationParameters(**settings),
    )
