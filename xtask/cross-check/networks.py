"""The networks of `fashion networks` in PyTorch, with the same names of tensors."""

import torch
import torch.nn.functional as F
from torch import nn


class ReportCnn(nn.Module):
    """Two 3x3 convolutions, each with ReLU and 2x2 max-pooling, then two dense layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc1 = nn.Linear(64 * 5 * 5, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Vgg(nn.Module):
    """Five 3x3 convolutions, each with batch normalisation and ReLU."""

    WIDTHS = [1, 32, 48, 48, 96, 96]

    def __init__(self):
        super().__init__()
        for layer, (inputs, outputs) in enumerate(zip(self.WIDTHS, self.WIDTHS[1:]), 1):
            self.add_module(f"conv{layer}", nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
            self.add_module(f"norm{layer}", nn.BatchNorm2d(outputs))
        self.fc = nn.Linear(self.WIDTHS[-1], 10)

    def forward(self, x):
        for layer in range(1, 6):
            conv, norm = getattr(self, f"conv{layer}"), getattr(self, f"norm{layer}")
            x = F.relu(norm(conv(x)))
            if layer in (1, 3):
                x = F.max_pool2d(x, 2)
        return self.fc(x.amax((2, 3)))


class VggSmall(Vgg):
    """The same with fewer channels."""

    WIDTHS = [1, 16, 32, 32, 64, 64]


class VggLarge(Vgg):
    """The same with more channels."""

    WIDTHS = [1, 32, 64, 64, 128, 128]


class Block(nn.Module):
    """A residual block, whose shortcut is a 1x1 convolution where the side is halved."""

    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.body = nn.ModuleList([
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        ])
        self.shortcut = nn.Sequential()
        if stride == 2:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        conv1, norm1, conv2, norm2 = self.body
        y = norm2(conv2(F.relu(norm1(conv1(x)))))
        return F.relu(y + self.shortcut(x))


class Resnet(nn.Module):
    """A stem and two residual blocks of each width."""

    CHANNELS, STRIDE, WIDTHS = 1, 1, [16, 32, 64]

    def __init__(self):
        super().__init__()
        stem = self.WIDTHS[0]
        self.stem = nn.Conv2d(self.CHANNELS, stem, 3, self.STRIDE, 1, bias=False)
        self.norm = nn.BatchNorm2d(stem)
        widths = [stem] + [width for width in self.WIDTHS for _ in range(2)]
        self.blocks = [f"block{block}" for block in range(1, len(widths))]
        for name, inputs, outputs in zip(self.blocks, widths, widths[1:]):
            self.add_module(name, Block(inputs, outputs))
        self.fc = nn.Linear(widths[-1], 10)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)))
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.fc(x.mean((2, 3)))


class ResnetLarge(Resnet):
    """The same with twice the channels."""

    WIDTHS = [32, 64, 128]


class Resnet64(Resnet):
    """The same for images in colour, twice as large and more."""

    CHANNELS, STRIDE, WIDTHS = 3, 2, [16, 32, 64, 128]


class WideResnet(nn.Module):
    """Three convolutions, the latter two with a residual block each, of 64, 128 and 256 channels."""

    def __init__(self):
        super().__init__()
        for layer, (inputs, outputs) in enumerate([(1, 64), (64, 128), (128, 256)], 1):
            self.add_module(f"conv{layer}", nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
            self.add_module(f"norm{layer}", nn.BatchNorm2d(outputs))
        self.block2, self.block3 = Block(128, 128), Block(256, 256)
        self.fc = nn.Linear(256, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(self.block2(F.relu(self.norm2(self.conv2(x)))), 2)
        x = self.block3(F.relu(self.norm3(self.conv3(x))))
        return self.fc(x.amax((2, 3)))


NETWORKS = {
    "report-cnn": ReportCnn, "vgg-small": VggSmall, "vgg": Vgg, "vgg-large": VggLarge, "resnet": Resnet,
    "resnet-large": ResnetLarge, "wide-resnet": WideResnet, "resnet-64": Resnet64,
}


def pixels(images):
    """Images (N, side, side) or (N, side, side, 3) of 0-255 as PyTorch has them, 0-1."""
    n, side = images.shape[:2]
    return torch.from_numpy(images).reshape(n, side, side, -1).permute(0, 3, 1, 2).float() / 255


def initialise(network):
    """Keras's initial weights: Glorot uniform, zero biases."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
