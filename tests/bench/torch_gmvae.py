"""The peer of bench_train.c: the same GMVAE, network and optimiser in PyTorch, by autograd.

usage: torch_gmvae.py BATCH
Images: the IDX.gz file named by EV_BENCH_IMAGES.  Two threads.  Prints the seconds of
an epoch of steps as fast as the fastest of a few turns, those at the mean speed of all of them, and
what ran.
"""
import gzip
import os
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F

LATENT, CLUSTERS, WIDTHS = 10, 10, (784, 500, 500, 2000)


def perceptron(widths):
    layers = []
    for fan_in, fan_out in zip(widths, widths[1:]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = perceptron(WIDTHS + (2 * LATENT,))
        self.decoder = perceptron((LATENT,) + WIDTHS[::-1])
        self.logits = nn.Parameter(torch.zeros(CLUSTERS))
        self.mean = nn.Parameter(torch.randn(CLUSTERS, LATENT))
        self.log_var = nn.Parameter(torch.zeros(CLUSTERS, LATENT))

    def loss(self, x):
        """Minus the ELBO without the constants in 2 pi, which cancel."""
        mu, log_var = self.encoder(x).chunk(2, dim=1)
        z = torch.addcmul(mu, (0.5 * log_var).exp(), torch.randn_like(mu))
        lost = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum") / len(x)
        squares = log_var.exp().unsqueeze(1) + (mu.unsqueeze(1) - self.mean).square()
        expected = -0.5 * (self.log_var + squares * (-self.log_var).exp()).sum(-1)
        joint = self.logits.log_softmax(0) + expected
        # With the best gamma, latent + categorical is the log of the normaliser.
        return lost - joint.logsumexp(1).mean() - 0.5 * (1 + log_var).sum(1).mean()


def turn(model, adam, images, batch, steps):
    """Seconds a step, on images of a fresh order."""
    order, start = torch.randperm(len(images)), time.perf_counter()
    for first in range(0, steps * batch, batch):
        adam.zero_grad(set_to_none=True)
        model.loss(images[order[first : first + batch]]).backward()
        adam.step()
    return (time.perf_counter() - start) / steps


def main():
    torch.manual_seed(1)
    torch.set_num_threads(2)
    with gzip.open(os.environ["EV_BENCH_IMAGES"]) as file:
        pixels = numpy.frombuffer(file.read(), numpy.uint8, offset=16)
    images = torch.from_numpy(pixels.reshape(-1, 784).astype(numpy.float32) / 255)
    model = Mixture()
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    batch = int(sys.argv[1])
    turn(model, adam, images, batch, 5)
    start, turns = time.perf_counter(), []
    while len(turns) < 2 or (len(turns) < 12 and time.perf_counter() - start < 12):
        turns.append(turn(model, adam, images, batch, 6))
    steps = len(images) // batch
    print(f"{min(turns) * steps:.3f} {sum(turns) / len(turns) * steps:.3f} PyTorch {torch.__version__}, {torch.get_num_threads()} threads")


main()
