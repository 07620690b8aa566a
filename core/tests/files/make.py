"""Writes the files of this folder with the programs that users write theirs with.

python3 -m venv venv && venv/bin/pip install numpy scipy pillow pandas tifffile && venv/bin/python make.py
The values are small formulas that data_readers.rs repeats, so nothing is stored twice.
"""
import gzip, io, struct, wave, zipfile
from pathlib import Path
import numpy as np, pandas as pd, tifffile
from PIL import Image
from scipy.io import wavfile

here = Path(__file__).parent
np.random.seed(1)

# NumPy: element i of every array is (i * 7) % 50 - 20 (unsigned: (i * 7) % 50; bool: i % 3 == 0)
for dtype in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
    for endian in "<>":
        n = np.arange(12)
        v = n % 3 == 0 if dtype == "b1" else (n * 7) % 50 - (0 if dtype[0] == "u" else 20)
        if dtype[0] == "f":
            v = v / 4
        dt = np.dtype(endian + dtype)
        if dt.itemsize == 1 and endian == ">":
            continue
        name = dtype + {"<": "le", ">": "be"}[endian]
        np.save(here / f"{name}.npy", v.astype(dt))
        if dtype in ("f8", "i2"):
            np.save(here / f"{name}_c.npy", np.ascontiguousarray(v.astype(dt).reshape(4, 3)))
            np.save(here / f"{name}_f.npy", np.asfortranarray(v.astype(dt).reshape(4, 3)))
np.save(here / "half_special.npy", np.array([0.0, -0.0, 1.0, 65504, 6e-8, 6.1e-5, np.inf, -np.inf, np.nan, 0.333], "f2"))
np.save(here / "scalar.npy", np.array(2.5))
for order in "CF":
    np.save(here / f"three_{order}.npy", np.asarray(np.arange(24.0).reshape(2, 3, 4), order=order))
    np.save(here / f"four_{order}.npy", np.asarray(np.arange(16, dtype="i4").reshape(2, 2, 2, 2), order=order))
    np.save(here / f"wide_{order}.npy", np.asarray(np.arange(140.0).reshape(2, 70), order=order))
    np.save(here / f"pixels_{order}.npy", np.asarray(np.arange(80, dtype="u1").reshape(8, 10), order=order))
np.save(here / "big_u8.npy", np.array([2**64 - 1, 1], "u8"))
np.save(here / "big_i8.npy", np.array([[2**62 + 1, 1], [-3, 4]], "i8"))
for version in [(2, 0), (3, 0)]:
    with open(here / f"version{version[0]}.npy", "wb") as f:
        np.lib.format.write_array(f, np.arange(5.0), version=version)
np.save(here / "refused_complex.npy", np.array([1 + 2j]))
np.save(here / "refused_object.npy", np.array([{}], dtype=object), allow_pickle=True)
np.save(here / "refused_record.npy", np.zeros(2, [("a", "f8"), ("b", "i4")]))
np.save(here / "refused_string.npy", np.array(["ab", "c"]))
np.save(here / "refused_date.npy", np.array(["2020-01-01"], "M8[D]"))
np.save(here / "refused_five.npy", np.zeros((1, 1, 1, 1, 2)))
np.save(here / "empty.npy", np.zeros((0, 3)))
np.savez(here / "stored.npz", x=np.arange(6.0), table=np.arange(6, dtype="i4").reshape(3, 2))
np.savez_compressed(here / "packed.npz", x=np.arange(600.0), bytes=np.arange(20, dtype="u1"))

# WAV: sample i of channel c is round(amplitude * ((i * 5 + c * 3) % 17 - 8) / 10)
def shape(channels, n=20):
    i, c = np.arange(n)[:, None], np.arange(channels)[None, :]
    return ((i * 5 + c * 3) % 17 - 8) / 10
wavfile.write(here / "u8.wav", 8000, (np.round(shape(1) * 128) + 128).astype("u1"))
wavfile.write(here / "i16_stereo.wav", 44100, np.round(shape(2) * 32768).astype("i2"))
wavfile.write(here / "i32.wav", 48000, np.round(shape(1) * 2**31).astype("i4"))
wavfile.write(here / "f32_three.wav", 96000, shape(3).astype("f4"))
with wave.open(str(here / "i24.wav"), "wb") as w:
    w.setnchannels(2); w.setsampwidth(3); w.setframerate(22050)
    w.writeframes(b"".join(struct.pack("<i", int(x))[:3] for x in np.round(shape(2) * 2**23).ravel()))

# Images: 5 wide, 4 high; pixel (y, x), channel c: (40 * y + 9 * x + 60 * c) % 256
y, x, c = np.mgrid[0:4, 0:5, 0:4]
rgba = ((40 * y + 9 * x + 60 * c) % 256).astype("u1")
Image.fromarray(rgba[..., 0]).save(here / "grey8.png")
Image.fromarray(rgba[..., 0].astype("u2") * 257).save(here / "grey16.png")
Image.fromarray(rgba[..., :3]).save(here / "rgb.png")
Image.fromarray(rgba).save(here / "rgba.png")
Image.fromarray(rgba[..., :3]).quantize(32).save(here / "palette.png")
Image.fromarray(rgba[..., 0] > 100).save(here / "one_bit.png")
Image.fromarray(np.full((16, 16, 3), (200, 100, 50), "u1")).save(here / "flat.jpg", quality=95)
tifffile.imwrite(here / "grey8.tif", rgba[..., 0])
tifffile.imwrite(here / "grey16_be.tif", rgba[..., 0].astype("u2") * 257, byteorder=">")
tifffile.imwrite(here / "rgb.tif", rgba[..., :3], photometric="rgb")

# Tables
table = pd.DataFrame({"when": pd.date_range("2024-02-28", periods=4), "temp (°C)": [1.5, None, -2.25, 1e-3],
                      "count": [3, 1, 4, 1], "label": ["a", "b, c", 'd "e"', None]})
table.to_csv(here / "plain.csv", index=False)
table.to_csv(here / "semicolon.csv", index=False, sep=";", decimal=",")
table.to_csv(here / "tabs.tsv", index=False, sep="\t")
table.to_csv(here / "bom.csv", index=False, encoding="utf-8-sig")
table.to_csv(here / "latin1.csv", index=False, encoding="latin-1")
table.to_csv(here / "utf16.csv", index=False, encoding="utf-16")
table.to_csv(here / "crlf.csv", index=False, lineterminator="\r\n")
table.to_csv(here / "plain.csv.gz", index=False, compression={"method": "gzip", "mtime": 1})
np.savetxt(here / "savetxt.dat", np.arange(12).reshape(4, 3) / 8, header="time flux error")
two = gzip.compress(b"a,b\n1,2\n", mtime=1) + gzip.compress(b"3,4\n", mtime=1)
(here / "members.csv.gz").write_bytes(two)

def archive(name, files, method):
    with zipfile.ZipFile(here / name, "w", method) as z:
        for member, content in files.items():
            z.writestr(zipfile.ZipInfo(member, (2024, 1, 1, 0, 0, 0)), content, method)
plain = (here / "plain.csv").read_bytes()
archive("plain.csv.zip", {"data/plain.csv": plain}, zipfile.ZIP_DEFLATED)
archive("several.zip", {"one.csv": b"a,b\n1,2\n3,4\n", "two.npy": (here / "f8le.npy").read_bytes(),
                        "readme.txt": b"hello", "__MACOSX/one.csv": b"x"}, zipfile.ZIP_STORED)
archive("texts.zip", {"a.txt": b"hello", "b.txt": b"world"}, zipfile.ZIP_STORED)
