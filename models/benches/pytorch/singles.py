"""The networks for single images of `tests/torch/oracle.py`, at the sizes of the comparison."""

import json
import sys
from pathlib import Path

import torch
from networks import SNR, channel, unit_power

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/torch"))
import oracle  # noqa: E402

oracle.SNR = SNR


class Single(torch.nn.Module):
    """A network with its link, in two layouts: `linear` is `channels-last` here."""

    def __init__(self, make, tensors, meta, layout):
        super().__init__()
        self.network = make(json.loads(meta["sizes"]))
        self.network.load_state_dict({name: fitted(value, name, self.network) for name, value in tensors.items()})
        self.layout = "planar" if layout == "planar" else "channels-last"
        if self.layout != "planar":
            self.to(memory_format=torch.channels_last)

    def infer(self, images, _groups):
        return self.network.decode(self.network.encode(images)[1], None)

    def loss(self, images, _groups):
        sent = unit_power(self.network.encode(images)[1])
        decoded = self.network.decode(channel(sent), None)
        return ((images - decoded).square() + 1e-6).sqrt().mean()


def fitted(value, name, network):
    """A linear layer and a 1 x 1 convolution hold the same weights."""
    return value.reshape(network.state_dict()[name].shape)


def deep_jscc(sizes):
    assert sizes["gdn"] == sizes["snr_attention"], "the oracle has both or neither"
    channels = [3, *sizes["widths"], sizes["features"]]
    return oracle.DeepJscc(sizes["kernels"], sizes["gdn"], channels)


def vit_jscc(sizes):
    return oracle.VitJscc(sizes["width"], sizes["head_width"], sizes["features"], sizes["blocks"])


MAKERS = {"deep-jscc": deep_jscc, "adjscc-compact": deep_jscc, "vit-jscc-compact": vit_jscc}
SINGLES = {name: lambda *about, make=make: Single(make, *about) for name, make in MAKERS.items()}
