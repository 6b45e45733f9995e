"""The peer of bench_conv.c: the same VQ-VAE in PyTorch, by autograd, codes by moving average.

usage: torch_vqvae.py BATCH
Two threads.  Prints images a second with the axes in the order batch, channels, height, width; then
with channels last; then what ran.  Of each the best of a few steps counts.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

HIDDEN, INNER, DIMENSIONS, CODES = 64, 32, 64, 512
BETA, DECAY, EPSILON = 0.25, 0.99, 1e-5
STEPS = 12


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.spatial = nn.Conv2d(HIDDEN, INNER, 3, padding=1)
        self.pointwise = nn.Conv2d(INNER, HIDDEN, 1)

    def forward(self, x):
        return x + self.pointwise(F.relu(self.spatial(F.relu(x))))


def encoder():
    return nn.Sequential(
        nn.Conv2d(1, HIDDEN // 2, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(HIDDEN // 2, HIDDEN, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1), Block(), Block(), nn.ReLU(),
        nn.Conv2d(HIDDEN, DIMENSIONS, 1))


def decoder():
    return nn.Sequential(
        nn.Conv2d(DIMENSIONS, HIDDEN, 3, padding=1), Block(), Block(), nn.ReLU(),
        nn.ConvTranspose2d(HIDDEN, HIDDEN // 2, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(HIDDEN // 2, 1, 4, 2, 1))


class Codebook:
    def __init__(self):
        self.codes = torch.randn(CODES, DIMENSIONS)
        self.counts, self.sums = torch.zeros(CODES), torch.zeros(CODES, DIMENSIONS)
        self.steps = 0

    def nearest(self, z):
        distances = torch.addmm(self.codes.square().sum(1), z, self.codes.t(), alpha=-2)
        return distances.argmin(1)

    @torch.no_grad()
    def move(self, z, index):
        self.steps += 1
        batch = torch.zeros_like(self.sums).index_add_(0, index, z)
        counts = torch.bincount(index, minlength=CODES).to(z.dtype)
        self.counts.lerp_(counts, 1 - DECAY)
        self.sums.lerp_(batch, 1 - DECAY)
        weight = 1 - DECAY**self.steps
        nu = self.counts / weight
        total = nu.sum()
        smoothed = (nu + EPSILON) / (total + CODES * EPSILON) * total
        self.codes = (self.sums / weight) / smoothed.unsqueeze(1)


def train(batch, memory_format):
    enc, dec, codebook = encoder(), decoder(), Codebook()
    enc, dec = enc.to(memory_format=memory_format), dec.to(memory_format=memory_format)
    adam = torch.optim.Adam(list(enc.parameters()) + list(dec.parameters()), 2e-4)
    x = torch.rand(batch, 1, 28, 28).contiguous(memory_format=memory_format)
    best = float("inf")
    for _ in range(STEPS):
        start = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        z = enc(x)
        flat = z.permute(0, 2, 3, 1).reshape(-1, DIMENSIONS)
        index = codebook.nearest(flat.detach())
        chosen = codebook.codes[index].view(batch, 7, 7, DIMENSIONS).permute(0, 3, 1, 2)
        chosen = chosen.contiguous(memory_format=memory_format)
        logits = dec(z + (chosen - z).detach())
        lost = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        ((lost + BETA * (z - chosen).square().sum()) / batch).backward()
        adam.step()
        codebook.move(flat.detach(), index)
        best = min(best, time.perf_counter() - start)
    return batch / best


def main():
    torch.manual_seed(1)
    torch.set_num_threads(2)
    batch = int(sys.argv[1])
    plain, last = (train(batch, f) for f in (torch.contiguous_format, torch.channels_last))
    order = "channels last" if last > plain else "channels first"
    print(f"{plain:.1f} {last:.1f} PyTorch {torch.__version__}, "
          f"{torch.get_num_threads()} threads, best with {order}")


main()
