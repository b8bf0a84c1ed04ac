"""Makes the oracle files beside it: small networks of every architecture in plain PyTorch, with random weights, and
what they make of random images. The test `torch_import` loads the weights and must get the same.

    python oracle.py        # PyTorch on the CPU; writes the .safetensors files

Weights are rounded to f16 first, so that the files are small and exact. Shapes are PyTorch's, [B, C, H, W].
"""

import json
import struct
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

SNR, GROUPS = 5.0, 2  # linear


def write(path, tensors):
    """A safetensors file of f16 and f32 tensors."""
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        raw = tensor.detach().contiguous().numpy().tobytes()
        kind = {torch.float16: "F16", torch.float32: "F32"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def snr_features(count):
    error = 1 / (1 + SNR)
    db = 10 * torch.log10(torch.tensor(SNR))
    return torch.stack([db / 10 - 1, torch.tensor(error), torch.tensor(error**0.5)]).repeat(count, 1)


class Grn(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x):  # channels last
        norm = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        return self.gamma * x * norm / (norm.mean(-1, keepdim=True) + 1e-6) + self.beta + x


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.expand, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.grn = Grn(4 * width)

    def forward(self, x):
        y = F.relu(self.expand(self.depthwise(x).permute(0, 2, 3, 1)))
        return x + self.project(self.grn(y)).permute(0, 3, 1, 2)


class Blocks(nn.Module):
    """Blocks under the name `block`, and what stands beside them."""

    def __init__(self, width, count, **beside):
        super().__init__()
        self.block = nn.ModuleList(Block(width) for _ in range(count))
        for name, module in beside.items():
            setattr(self, name, module)

    def through(self, x):
        for block in self.block:
            x = block(x)
        return x


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.project, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        return x + self.project(y)


class TransformerLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention, self.norm = Attention(width, heads), nn.LayerNorm(width, eps=1e-6)
        self.expand, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = self.attention(x)
        return x + self.project(F.relu(self.expand(self.norm(x))))


class Condition(nn.Module):
    def __init__(self, inputs, widths):
        super().__init__()
        self.hidden, self.output = nn.Linear(inputs, 48), nn.Linear(48, 2 * sum(widths))
        self.widths = [2 * width for width in widths]

    def forward(self, x):
        return self.output(F.relu(self.hidden(x))).split(self.widths, 1)


def film(x, modulation):
    scale, shift = modulation[:, :, None, None].chunk(2, 1)
    return x * (1 + scale) + shift


def point(layer, x):
    return layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def down(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)


def up(inputs, outputs):
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)


class PatchBias(nn.ConvTranspose2d):
    """A transposed convolution of 4 x 4 patches with a bias of its own for each place in a patch."""

    def __init__(self, inputs):
        super().__init__(inputs, 3, 4, stride=4, bias=False)
        self.bias = nn.Parameter(torch.zeros(3, 4, 4))

    def forward(self, x):
        return F.conv_transpose2d(x, self.weight, stride=4) + self.bias.repeat(1, *x.shape[2:])


class Spatial(nn.Module):
    """spatial-tiny with 6 private and 4 common channels, told the SNR, linear paths, no scales in vectors."""

    def __init__(self):
        super().__init__()
        a, b, private, common, heads = 8, 16, 6, 4, 2
        encoder = nn.Module()
        encoder.stage1, encoder.stage2 = Blocks(a, 2, down=down(3, a)), Blocks(b, 3, down=down(a, b))
        encoder.private, encoder.condition = nn.Linear(b, private), Condition(3, [a, b, private])
        encoder.bypass = nn.Conv2d(3, private, 4, stride=4)
        encoder.common_bypass = nn.Conv2d(3, common, 4, stride=4)
        both, compared = private + common, 2
        reliance = nn.Module()
        reliance.input, reliance.output = nn.Linear(compared, a), nn.Linear(a, common)
        reliance.condition, reliance.block = Condition(8 + compared, [a]), Block(a)
        decoder = nn.Module()
        decoder.reliance, decoder.input = reliance, nn.Linear(both, b)
        decoder.condition = Condition(8 + both + compared, [both, b, a])
        decoder.stage1, decoder.stage2 = Blocks(b, 3), Blocks(a, 3)
        decoder.up1, decoder.up2, decoder.bypass = up(b, a), up(a, 3), PatchBias(both)
        self.encoder, self.decoder = encoder, decoder
        self.common = Blocks(b, 1, attention=Attention(b, heads), condition=Condition(3, [common]))
        self.common.output = nn.Linear(b, common)

    def encode(self, images):
        e = self.encoder
        first, second, third = e.condition(snr_features(len(images)))
        half = e.stage1.through(film(e.stage1.down(images), first))
        z = e.stage2.through(film(e.stage2.down(half), second))
        self.linear = e.common_bypass(images)
        return z, film(point(e.private, z) + e.bypass(images), third).flatten(1)

    def share(self, z):
        c = self.common
        x = c.through(z)
        users, width, rows, columns = x.shape
        members = users // GROUPS
        tokens = x.permute(0, 2, 3, 1).reshape(GROUPS, members, rows * columns, width).transpose(1, 2)
        pooled = c.attention(tokens.reshape(-1, members, width)).mean(1)
        common = c.output(pooled).reshape(GROUPS, rows, columns, -1).permute(0, 3, 1, 2)
        common = common + self.linear.reshape(GROUPS, members, -1, rows, columns).mean(1)
        return film(common, c.condition(snr_features(GROUPS))[0]).flatten(1)

    def decode(self, private, common):
        d, lean = self.decoder, self.decoder.reliance
        private, common = (x.reshape(len(x), -1, 8, 8) for x in (private, common))
        told = snr_features(len(private))
        known = torch.cat([told, told, torch.zeros(len(private), 2)], 1)
        compared = lean.input.in_features
        difference = common[:, :compared] - private[:, :compared]
        apart = difference.abs().mean((2, 3))
        (modulation,) = lean.condition(torch.cat([known, apart], 1))
        x = lean.block(film(point(lean.input, difference.abs()), modulation))
        gate = torch.sigmoid(point(lean.output, x) - 1)
        received = torch.cat([private, torch.cat([difference, common[:, compared:]], 1) * gate], 1)
        modulations = d.condition(torch.cat([known, received.mean((2, 3)), apart], 1))
        x = d.stage1.through(film(point(d.input, received), modulations[1]))
        x = d.stage2.through(film(d.up1(x), modulations[2]))
        return d.up2(x) + d.bypass(film(received, modulations[0]))


class Paper(nn.Module):
    """paper-tiny with 96 private and 64 common features, and one of the three stems."""

    def __init__(self, stem="reshape"):
        super().__init__()
        self.stem = stem
        a, b, wide, heads = 8, 16, 32, 2
        encoder, common, decoder = nn.Module(), nn.Module(), nn.Module()
        encoder.stage1, encoder.stage2 = Blocks(a, 2, down=down(3, a)), Blocks(b, 3, down=down(a, b))
        encoder.private = nn.Linear(4 * b, 96)
        common.stage = Blocks(wide, 3, down=down(b, wide))
        common.transformer = nn.ModuleList(TransformerLayer(wide, heads) for _ in range(2))
        common.output = nn.Linear(wide, 64)
        if stem == "bottleneck-reshape":
            decoder.bottleneck = nn.Linear(160, wide)
        inputs = wide if stem == "bottleneck-reshape" else 160
        decoder.dense = nn.Linear(inputs, wide if stem == "upsample" else 16 * wide)
        decoder.stage1, decoder.stage2 = Blocks(b, 3, up=up(wide, b)), Blocks(a, 3, up=up(b, a))
        decoder.stage3 = Blocks(3, 2, up=up(a, 3))
        self.encoder, self.common, self.decoder = encoder, common, decoder

    def encode(self, images):
        e = self.encoder
        z = e.stage2.through(e.stage2.down(e.stage1.through(e.stage1.down(images))))
        # Features are flattened channels last.
        return z, e.private(F.max_pool2d(z, 4).permute(0, 2, 3, 1).flatten(1))

    def share(self, z):
        c = self.common
        tokens = F.max_pool2d(c.stage.through(c.stage.down(z)), 4).flatten(1).reshape(GROUPS, -1, 32)
        for layer in c.transformer:
            tokens = layer(tokens)
        return c.output(tokens.mean(1))

    def decode(self, private, common):
        d = self.decoder
        x = torch.cat([private, common], 1)
        x = d.dense(d.bottleneck(x) if self.stem == "bottleneck-reshape" else x)
        if self.stem == "upsample":  # Table I read literally: a 1 x 1 map, made larger
            x = F.interpolate(x[:, :, None, None], size=4, mode="bilinear")
        else:
            x = x.reshape(len(x), 4, 4, -1).permute(0, 3, 1, 2)
        for stage in (d.stage1, d.stage2, d.stage3):
            x = stage.through(stage.up(x))
        return x



class Gdn(nn.Module):
    def __init__(self, width, inverse):
        super().__init__()
        self.gamma_root, self.beta_root = nn.Parameter(torch.eye(width)), nn.Parameter(torch.ones(width))
        self.inverse = inverse

    def forward(self, x):
        root = F.conv2d(x**2, self.gamma_root[:, :, None, None] ** 2, self.beta_root**2 + 1e-6).sqrt()
        return x * root if self.inverse else x / root


class SnrAttention(nn.Module):
    def __init__(self, width):
        super().__init__()
        hidden = max(1, width // 16)
        self.hidden, self.output = nn.Linear(width + 1, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        told = torch.cat([x.mean((2, 3)), snr_features(len(x))[:, :1]], 1)
        return x * torch.sigmoid(self.output(F.relu(self.hidden(told))))[:, :, None, None]


def respond(layer, x):
    """GDN, rectifier and attention of a layer, as far as it has them."""
    x = layer.gdn(x) if hasattr(layer, "gdn") else x
    x = F.prelu(x, layer.slope) if hasattr(layer, "slope") else x
    return layer.attention(x) if hasattr(layer, "attention") else x


class DeepJscc(nn.Module):
    """Without GDN and SNR attention DeepJSCC; adaptive, with both: ADJSCC. Channels before and after each layer."""

    def __init__(self, kernels, adaptive, channels):
        super().__init__()
        strides = [2, 2, 1, 1, 1]

        def layer(convolution, width, at, inverse):
            if at < 4 or not (adaptive or inverse):
                convolution.slope = nn.Parameter(torch.full([width if adaptive else 1], 0.25))
            if adaptive:
                convolution.gdn = Gdn(width, inverse)
            if adaptive and at < 4:
                convolution.attention = SnrAttention(width)
            return convolution

        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for at in range(5):
            side, outputs = kernels[at], channels[at + 1]
            convolution = nn.Conv2d(channels[at], outputs, side, strides[at], side // 2)
            self.encoder.append(layer(convolution, outputs, at, False))
        for at in range(5):
            side, stride, outputs = kernels[4 - at], strides[4 - at], channels[4 - at]
            convolution = nn.ConvTranspose2d(channels[5 - at], outputs, side, stride, side // 2, stride - 1)
            self.decoder.append(layer(convolution, outputs, at, True))

    def encode(self, images):
        x = images
        for layer in self.encoder:
            x = respond(layer, layer(x))
        return None, x.flatten(1)

    def decode(self, private, _common):
        x = private.reshape(len(private), -1, 8, 8)
        for layer in self.decoder:
            x = respond(layer, layer(x))
        return torch.sigmoid(x)


class VitBlock(nn.Module):
    def __init__(self, inputs, width, head):
        super().__init__()
        self.input, self.qkv = nn.Linear(inputs, width), nn.Linear(head, 3 * head)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.positions, self.project = nn.Parameter(torch.zeros(225)), nn.Linear(width, width)
        self.expand, self.contract, self.head = nn.Linear(width, 4 * width), nn.Linear(4 * width, width), head

    def forward(self, x):  # channels last
        x = self.norm1(self.input(x))
        batch, _, _, width = x.shape
        q, k, v = self.qkv(x.reshape(batch, 64, -1, self.head)).transpose(1, 2).chunk(3, -1)
        at = torch.arange(64)
        rows, columns = (at[None] // 8 - at[:, None] // 8) + 7, (at[None] % 8 - at[:, None] % 8) + 7
        bias = self.positions[rows * 15 + columns]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(x.shape)
        x = x + self.project(y)
        return x + self.contract(F.gelu(self.expand(self.norm2(x))))


class VitJscc(nn.Module):
    """Convolutions, blocks of a transformer, and the same backwards; `features` channels of the code."""

    def __init__(self, width, head, features, blocks):
        super().__init__()

        def rectified(inputs, outputs, side, stride):
            layer = nn.Conv2d(inputs, outputs, side, stride, side // 2)
            layer.slope = nn.Parameter(torch.tensor([0.25]))
            return layer

        encoder, decoder = nn.Module(), nn.Module()
        encoder.shrink1, encoder.shrink2 = rectified(3, width, 9, 2), rectified(width, width, 5, 2)
        encoder.block = nn.ModuleList(VitBlock(width, width, head) for _ in range(blocks))
        encoder.code = nn.Conv2d(width, features, 1)
        inputs = [features] + [width] * (blocks - 1)
        decoder.block = nn.ModuleList(VitBlock(channels, width, head) for channels in inputs)
        decoder.grow1, decoder.grow2 = rectified(width, width, 5, 1), rectified(width, width, 9, 1)
        decoder.image = nn.Conv2d(width, 3, 1)
        self.encoder, self.decoder = encoder, decoder

    def encode(self, images):
        e = self.encoder
        x = F.prelu(e.shrink1(images), e.shrink1.slope)
        x = F.prelu(e.shrink2(x), e.shrink2.slope).permute(0, 2, 3, 1)
        for block in e.block:
            x = block(x)
        return None, e.code(x.permute(0, 3, 1, 2)).flatten(1)

    def decode(self, private, _common):
        d = self.decoder
        x = private.reshape(len(private), -1, 8, 8).permute(0, 2, 3, 1)
        for block in d.block:
            x = block(x)
        x = x.permute(0, 3, 1, 2)
        for layer in (d.grow1, d.grow2):
            x = F.prelu(layer(F.interpolate(x, scale_factor=2, mode="bilinear")), layer.slope)
        return torch.sigmoid(d.image(x))


def main():
    tiny = [3, 4, 8, 8, 8, 6]
    networks = {
        "spatial": Spatial, "paper": Paper,
        "deep-jscc": lambda: DeepJscc([5] * 5, False, tiny),
        "adjscc": lambda: DeepJscc([9, 5, 5, 5, 5], True, tiny),
        "vit-jscc": lambda: VitJscc(width=8, head=4, features=4, blocks=1),
    } | {f"paper-{stem}": lambda stem=stem: Paper(stem) for stem in ("upsample", "bottleneck-reshape")}
    for seed, (name, make) in enumerate(networks.items()):
        torch.manual_seed(seed)
        network = make()
        for parameter in network.parameters():
            # Fresh networks hold many zeros, which would hide mistakes.
            parameter.data = (parameter.data + 0.05 * torch.randn(parameter.shape)).half().float()
        images = torch.rand(4, 3, 32, 32).half().float()
        with torch.inference_mode():
            maps, private = network.encode(images)
            common = network.share(maps) if hasattr(network, "share") else torch.zeros(GROUPS, 0)
            decoded = network.decode(private, common.repeat_interleave(len(images) // GROUPS, 0))
        tensors = {f"state.{key}": value.half() for key, value in network.state_dict().items()}
        tensors |= {"images": images.half(), "private": private, "common": common, "decoded": decoded}
        write(Path(__file__).parent / f"{name}.safetensors", tensors)


if __name__ == "__main__":
    main()
