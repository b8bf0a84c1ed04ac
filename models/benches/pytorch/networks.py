"""Both network families in plain PyTorch, built from named weights; shapes as PyTorch has them, [B, C, H, W]."""

import torch
import torch.nn.functional as F

GROUPS, SNR = 10, 10.0


def snr_features(snr):
    """What the networks are told of linear SNRs [B] -> [B, 3]."""
    db = (10 * snr.log10()).clamp(-15, 35)
    error = 1 / (1 + 10 ** (db / 10))
    return torch.stack([db / 10 - 1, error, error.sqrt()], 1)


class Linear(torch.nn.Linear):
    def __init__(self, rows):  # [in + 1, out], the last row the bias
        super().__init__(rows.shape[0] - 1, rows.shape[1])
        self.weight = torch.nn.Parameter(rows[:-1].T.contiguous())
        self.bias = torch.nn.Parameter(rows[-1].clone())


class Block(torch.nn.Module):
    """ConvNeXt block with ReLU and global response normalisation."""

    def __init__(self, flat, width, layout):
        super().__init__()
        self.layout = layout
        hidden = 4 * width
        parts = torch.split(flat, [50 * width, (width + 1) * hidden, 2 * hidden, (hidden + 1) * width])
        taps = parts[0].reshape(50, width)
        self.depthwise = torch.nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.depthwise.weight = torch.nn.Parameter(taps[:49].T.reshape(width, 1, 7, 7).contiguous())
        self.depthwise.bias = torch.nn.Parameter(taps[49].clone())
        self.expand = Linear(parts[1].reshape(width + 1, hidden))
        self.gamma = torch.nn.Parameter(parts[2][:hidden].clone())
        self.beta = torch.nn.Parameter(parts[2][hidden:].clone())
        self.project = Linear(parts[3].reshape(hidden + 1, width))

    def forward(self, x):
        y = self.depthwise(x)
        if self.layout == "linear":
            y = F.relu(self.expand(y.permute(0, 2, 3, 1)))
            norm = torch.linalg.vector_norm(y, dim=(1, 2), keepdim=True)
            y = torch.addcmul(self.beta, y, self.gamma * norm / (norm.mean(-1, keepdim=True) + 1e-6) + 1)
            return x + self.project(y).permute(0, 3, 1, 2)
        y = F.relu(F.conv2d(y, self.expand.weight[:, :, None, None], self.expand.bias))
        norm = torch.linalg.vector_norm(y, dim=(2, 3), keepdim=True)
        gain = self.gamma[:, None, None] * norm / (norm.mean(1, keepdim=True) + 1e-6) + 1
        y = torch.addcmul(self.beta[:, None, None], y, gain)
        return x + F.conv2d(y, self.project.weight[:, :, None, None], self.project.bias)


class Attention(torch.nn.Module):
    def __init__(self, take, heads):
        super().__init__()
        scale, shift = take("norm")
        self.scale, self.shift = torch.nn.Parameter(scale.clone()), torch.nn.Parameter(shift.clone())
        self.qkv, self.project, self.heads = Linear(take("qkv")), Linear(take("project")), heads

    def forward(self, x):
        batch, length, width = x.shape
        y = F.layer_norm(x, (width,), self.scale, self.shift, 1e-6)
        q, k, v = self.qkv(y).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        return x + self.project(y)


class TransformerLayer(torch.nn.Module):
    def __init__(self, take, heads):
        super().__init__()
        self.attention = Attention(lambda name: take("attention." + name), heads)
        scale, shift = take("norm")
        self.scale, self.shift = torch.nn.Parameter(scale.clone()), torch.nn.Parameter(shift.clone())
        self.expand, self.project = Linear(take("expand")), Linear(take("project"))

    def forward(self, x):
        x = self.attention(x)
        y = F.layer_norm(x, x.shape[-1:], self.scale, self.shift, 1e-6)
        return x + self.project(F.relu(self.expand(y)))


class Condition(torch.nn.Module):
    def __init__(self, take, widths):
        super().__init__()
        self.hidden, self.output = Linear(take("condition.hidden")), Linear(take("condition.output"))
        self.widths = [2 * width for width in widths]

    def forward(self, x):
        return self.output(F.relu(self.hidden(x))).split(self.widths, 1)


def film(x, modulation):
    scale, shift = modulation[:, :, None, None].chunk(2, 1)
    return torch.addcmul(shift, x, scale + 1)


def down(rows, inputs, side=4, stride=2, padding=1):
    outputs = rows.shape[1]
    layer = torch.nn.Conv2d(inputs, outputs, side, stride=stride, padding=padding)
    taps = rows[:-1].reshape(side, side, inputs, outputs).permute(3, 2, 0, 1)
    layer.weight = torch.nn.Parameter(taps.contiguous())
    layer.bias = torch.nn.Parameter(rows[-1].clone())
    return layer


def up(taps, bias):
    inputs, outputs = taps.shape[0], bias.shape[0]
    layer = torch.nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    layer.weight = torch.nn.Parameter(taps.reshape(inputs, 4, 4, outputs).permute(0, 3, 1, 2).contiguous())
    layer.bias = torch.nn.Parameter(bias.clone())
    return layer


class Base(torch.nn.Module):
    """What both networks share: construction from named weights, the encoder, the link."""

    def __init__(self, weights, meta, layout):
        super().__init__()
        self.weights, self.layout = weights, layout
        self.heads = int(meta["heads"])
        self.punctured = int(meta["punctured"])
        self.enc1 = down(weights["encoder.stage1.down.weight"], 3)
        self.enc2 = down(weights["encoder.stage2.down.weight"], self.enc1.out_channels)
        self.enc1_blocks = self.blocks("encoder.stage1", self.enc1.out_channels)
        self.enc2_blocks = self.blocks("encoder.stage2", self.enc2.out_channels)

    def take(self, prefix):
        return lambda name: self.weights[f"{prefix}.{name}"]

    def blocks(self, scope, width):
        count = sum(name.startswith(f"{scope}.block.") for name in self.weights)
        weights = [self.weights[f"{scope}.block.{index}.weights"] for index in range(count)]
        return torch.nn.Sequential(*[Block(flat, width, self.layout) for flat in weights])

    def finish(self):
        del self.weights
        if self.layout != "planar":
            self.to(memory_format=torch.channels_last)
        return self

    def pointwise(self, layer, x):
        """A 1 x 1 convolution in the layout's faster form."""
        if self.layout == "linear":
            return layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return F.conv2d(x, layer.weight[:, :, None, None], layer.bias)

    def infer(self, images, groups):
        """Everything but the channel."""
        snr = torch.full((images.shape[0],), SNR, device=images.device)
        maps, private = self.encode(images, snr)
        common = self.common(maps, groups, snr)
        copies = common.repeat_interleave(images.shape[0] // groups, 0)
        return self.decode(private, copies, snr)

    def loss(self, images, groups):
        snr = torch.full((images.shape[0],), SNR, device=images.device)
        maps, private = self.encode(images, snr)
        common = self.common(maps, groups, snr)
        sent = private[:, : private.shape[1] - self.punctured]
        received = F.pad(channel(unit_power(sent)), (0, self.punctured))
        copies = unit_power(common).repeat_interleave(images.shape[0] // groups, 0)
        decoded = self.decode(received, channel(copies), snr)
        return ((images - decoded).square() + 1e-6).sqrt().mean()


def unit_power(vectors):
    uses = vectors.shape[1] // 2
    return vectors * (uses / (vectors.square().sum(1, keepdim=True) + 1e-20)).sqrt()


def channel(x):
    """AWGN and the MMSE equaliser: two reals per use, noise variance 1 / SNR per use."""
    weight = 1 / (1 + 1 / SNR)
    return (x + torch.randn_like(x) * (0.5 / SNR) ** 0.5) * weight


class Spatial(Base):
    def __init__(self, weights, meta, layout):
        super().__init__(weights, meta, layout)
        encode, common, decode = self.take("encoder"), self.take("common"), self.take("decoder")
        self.private_head = Linear(encode("private"))
        private = self.private_head.out_features
        self.bypass_encode = down(encode("bypass"), 3, 4, 4, 0)
        self.common_bypass = down(encode("common_bypass"), 3, 4, 4, 0)
        z = self.enc2.out_channels
        self.enc_condition = Condition(encode, [self.enc1.out_channels, z, private])
        self.common_blocks = self.blocks("common", z)
        self.attention = Attention(lambda name: common("attention." + name), self.heads)
        self.common_head = Linear(common("output"))
        self.common_condition = Condition(common, [self.common_head.out_features])
        self.input = Linear(decode("input"))
        wide, received = self.input.out_features, self.input.in_features
        self.up1 = up(decode("up1.weight"), decode("up1.bias"))
        self.up2 = up(decode("up2.weight"), decode("up2.bias"))
        narrow = self.up1.out_channels
        lean = self.take("decoder.reliance")
        self.gate_input, self.gate_output = Linear(lean("input")), Linear(lean("output"))
        self.compared, width = self.gate_input.in_features, self.gate_input.out_features
        self.gate_condition = Condition(lean, [width])
        self.gate_block = Block(lean("block.weights"), width, self.layout)
        self.dec_condition = Condition(decode, [received, wide, narrow])
        self.dec1, self.dec2 = self.blocks("decoder.stage1", wide), self.blocks("decoder.stage2", narrow)
        rows = decode("bypass")  # [received + 1, 4 * 4 * 3]; one bias per place in the patch
        self.bypass_decode = torch.nn.ConvTranspose2d(received, 3, 4, stride=4, bias=False)
        taps = rows[:-1].reshape(received, 4, 4, 3).permute(0, 3, 1, 2)
        self.bypass_decode.weight = torch.nn.Parameter(taps.contiguous())
        self.bypass_bias = torch.nn.Parameter(rows[-1].reshape(4, 4, 3).permute(2, 0, 1).contiguous())
        self.finish()

    def encode(self, images, snr):
        first, second, third = self.enc_condition(snr_features(snr))
        half = self.enc1_blocks(film(self.enc1(images), first))
        z = self.enc2_blocks(film(self.enc2(half), second))
        private = self.pointwise(self.private_head, z) + self.bypass_encode(images)
        return (z, self.common_bypass(images)), film(private, third).flatten(1)

    def common(self, maps, groups, snr):
        z, linear = maps
        x = self.common_blocks(z)
        users, width, height, columns = x.shape
        tokens = x.permute(0, 2, 3, 1).reshape(groups, users // groups, height * columns, width)
        tokens = tokens.transpose(1, 2).reshape(groups * height * columns, users // groups, width)
        pooled = self.attention(tokens).mean(1)
        common = self.common_head(pooled).reshape(groups, height, columns, -1).permute(0, 3, 1, 2)
        common = common + linear.reshape(groups, users // groups, -1, height, columns).mean(1)
        return film(common, self.common_condition(snr_features(snr[:groups]))[0]).flatten(1)

    def lean(self, private, common, known):
        difference = common[:, : self.compared] - private[:, : self.compared]
        distance = difference.abs()
        apart = distance.mean((2, 3))
        if self.layout != "planar":
            distance = distance.contiguous(memory_format=torch.channels_last)
        (modulation,) = self.gate_condition(torch.cat([known, apart], 1))
        x = self.gate_block(film(self.pointwise(self.gate_input, distance), modulation))
        gate = torch.sigmoid(self.pointwise(self.gate_output, x) - 1)
        return torch.cat([difference, common[:, self.compared :]], 1) * gate, apart

    def decode(self, private, common, snr):
        private, common = (x.reshape(x.shape[0], -1, 8, 8) for x in (private, common))
        told = snr_features(snr)
        scale = torch.zeros_like(told[:, :1])
        known = torch.cat([told, told, scale, scale], 1)
        leaning, apart = self.lean(private, common, known)
        received = torch.cat([private, leaning], 1)
        modulations = self.dec_condition(torch.cat([known, received.mean((2, 3)), apart], 1))
        if self.layout != "planar":
            received = received.contiguous(memory_format=torch.channels_last)
        x = self.dec1(film(self.pointwise(self.input, received), modulations[1]))
        x = self.dec2(film(self.up1(x), modulations[2]))
        linear = self.bypass_decode(film(received, modulations[0]))
        return self.up2(x) + linear + self.bypass_bias.repeat(1, 8, 8)


class Paper(Base):
    def __init__(self, weights, meta, layout):
        super().__init__(weights, meta, layout)
        self.private_head = Linear(weights["encoder.private"])
        stage = weights["common.stage.down.weight"]
        self.common_down = down(stage, self.enc2.out_channels)
        self.common_blocks = self.blocks("common.stage", self.common_down.out_channels)
        layers = [TransformerLayer(self.take(f"common.transformer.{at}"), self.heads) for at in range(2)]
        self.transformer = torch.nn.Sequential(*layers)
        self.common_head = Linear(weights["common.output"])
        self.stem = Linear(weights["decoder.dense"])
        stages = []
        for index in (1, 2, 3):
            take = self.take(f"decoder.stage{index}")
            grow = up(take("up.weight"), take("up.bias"))
            stages += [grow, self.blocks(f"decoder.stage{index}", grow.out_channels)]
        self.stages = torch.nn.Sequential(*stages)
        self.finish()

    def encode(self, images, _snr):
        z = self.enc2_blocks(self.enc2(self.enc1_blocks(self.enc1(images))))
        return z, self.private_head(F.max_pool2d(z, 4).permute(0, 2, 3, 1).flatten(1))

    def common(self, z, groups, _snr):
        tokens = F.max_pool2d(self.common_blocks(self.common_down(z)), 4).flatten(1)
        return self.common_head(self.transformer(tokens.reshape(groups, -1, tokens.shape[1])).mean(1))

    def decode(self, private, common, _snr):
        x = self.stem(torch.cat([private, common], 1)).reshape(private.shape[0], 4, 4, -1)
        x = x.permute(0, 3, 1, 2)
        return self.stages(x.contiguous() if self.layout == "planar" else x)
