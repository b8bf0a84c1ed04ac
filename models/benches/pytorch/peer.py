"""The networks of the speed comparison once more, in plain PyTorch.

Started by the benchmark `pytorch`, which sends one request per line and reads one line back:

    load PATH                  weights and images (safetensors), network from the file's metadata
    check PATH                 images through encoder, groups and decoder; writes the result as raw f32
    time CASE REPEATS          milliseconds of each run, CASE one of one, batch, train

`networks.py` and `singles.py` hold the networks. Every network exists in several memory layouts; the first request of a case
times them and keeps the fastest. Arguments: the number of threads; `--compile` makes torch.compile (weights frozen for
inference) one more candidate; `--layouts=linear,channels-last,planar` limits the layouts; `--device=cuda` runs on a GPU, with `--mixed` in
bf16 and TF32; `--processor-time` counts processor
time instead of time on the clock. Others are the benchmark's.
"""

import json
import struct
import sys
import time

import numpy as np
import torch
from networks import GROUPS, Paper, Spatial
from singles import SINGLES


def read_tensors(path):
    """Reads a safetensors file of f32: (metadata, tensors by name)."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    meta = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[begin:end], dtype=np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return meta, tensors


DEVICE = next((option[9:] for option in sys.argv if option.startswith("--device=")), "cpu")
MIXED = "--mixed" in sys.argv


def synchronize():
    if DEVICE != "cpu":
        torch.cuda.synchronize()


class Case:
    """One case in one layout, ready to run."""

    def __init__(self, name, network, images, compiled):
        self.name, self.network = name, network
        users = 1 if name == "one" else images.shape[0]
        groups = 1 if name == "one" else GROUPS
        images = images[:users].permute(0, 3, 1, 2)
        self.images = images.contiguous() if network.layout == "planar" else images
        self.groups = groups
        function = network.loss if name == "train" else network.infer
        self.function = torch.compile(function) if compiled else function
        self.label = ("compiled, " if compiled else "") + network.layout
        if name == "train":
            self.adam = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def run(self):
        with torch.autocast(DEVICE, torch.bfloat16, enabled=MIXED):
            if self.name != "train":
                with torch.inference_mode():
                    images = self.function(self.images, self.groups)
                    synchronize()
                    return images
            loss = self.function(self.images, self.groups)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        return loss.item()

    def milliseconds(self):
        clock = time.process_time if "--processor-time" in sys.argv else time.perf_counter
        start = clock()
        self.run()
        return (clock() - start) * 1e3


class Peer:
    def __init__(self, options):
        self.compile_too = "--compile" in options
        chosen = [option.split("=")[1].split(",") for option in options if option.startswith("--layouts=")]
        self.layouts = chosen[0] if chosen else ["linear", "channels-last", "planar"]

    def load(self, path):
        self.meta, self.tensors = read_tensors(path)
        self.tensors = {name: tensor.to(DEVICE) for name, tensor in self.tensors.items()}
        self.images, self.cases = self.tensors.pop("images"), {}
        self.network = self.build("linear")
        return sum(parameter.numel() for parameter in self.network.parameters())

    def build(self, layout):
        networks = {"paper": Paper, "spatial": Spatial} | SINGLES
        return networks[self.meta["network"]](self.tensors, self.meta, layout)

    def case(self, name):
        """The case in its fastest form, found at the first request."""
        if name not in self.cases:
            forms = [(layout, False) for layout in self.layouts]
            if self.compile_too:
                forms += [(layout, True) for layout in self.layouts if layout != "planar"]
            best = (float("inf"), None)
            found = []
            for layout, compiled in forms:
                case = Case(name, self.build(layout), self.images, compiled)
                if any(label == case.label for label, _ in found):
                    continue
                case.run()  # compiles and warms up
                taken = min(case.milliseconds() for _ in range(15 if name == "one" or DEVICE != "cpu" else 1))
                found.append((case.label, taken))
                best = min(best, (taken, case), key=lambda pair: pair[0])
            times = ", ".join(f"{label} {taken:.1f}" for label, taken in found)
            print(f"  PyTorch, {name}: {times} ms", file=sys.stderr)
            self.cases[name] = best[1]
        return self.cases[name]

    def check(self, path):
        with torch.inference_mode():
            found = self.network.infer(self.images.permute(0, 3, 1, 2), GROUPS)
        found.permute(0, 2, 3, 1).contiguous().cpu().numpy().tofile(path)


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_default_device(DEVICE)
    peer = Peer(sys.argv[2:])
    if peer.compile_too and DEVICE == "cpu":
        torch._inductor.config.freezing = True
    if MIXED:
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    else:
        torch.backends.cudnn.allow_tf32 = False
    where = "" if DEVICE == "cpu" else f", {torch.cuda.get_device_name()}"
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads{where}", flush=True)
    for line in sys.stdin:
        request, *rest = line.split()
        if request == "load":
            answer = str(peer.load(rest[0]))
        elif request == "check":
            peer.check(rest[0])
            answer = "done"
        else:
            answer = " ".join(str(peer.case(rest[0]).milliseconds()) for _ in range(int(rest[1])))
        print(answer, flush=True)


if __name__ == "__main__":
    main()
