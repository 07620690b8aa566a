"""Writes the files of the folders beside this one that are named after a format. Versions: README.md.

    python -m venv venv
    venv/bin/pip install numpy scipy h5py netCDF4 pandas pyarrow safetensors ml_dtypes lz4 zstandard
    venv/bin/python formats.py

Element i of an array is ramp(i) = (i * 7) % 50 - 20 for integers, a quarter of it for floats, unless said otherwise;
`../data_formats.rs` repeats this.
"""

import json
import pathlib
import datetime

import h5py
import lz4.frame
import ml_dtypes
import netCDF4
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import safetensors.numpy
import scipy.io
import zstandard

HERE = pathlib.Path(__file__).parent


def folder(name):
    (HERE / name).mkdir(exist_ok=True)
    return HERE / name


def ramp(n, dtype="i8"):
    whole = (np.arange(n) * 7) % 50 - 20
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.arange(n) % 3 == 0
    if kind == "u":
        return (whole + 20).astype(dtype)
    return whole.astype(dtype) if kind == "i" else (whole / 4).astype(dtype)


def safetensors_files():
    out = folder("safetensors")
    tensors = {t: ramp(12, t) for t in ["f8", "f4", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]}
    tensors["bf16"] = ramp(12, "f4").astype(ml_dtypes.bfloat16)
    safetensors.numpy.save_file(tensors, out / "dtypes.safetensors")
    layers = {
        "embed.weight": ramp(6 * 70, "f4").reshape(6, 70),
        "layers.0.weight": ramp(12, "f4").reshape(4, 3),
        "layers.0.bias": ramp(4, "f4"),
        "conv": ramp(24, "f2").reshape(1, 2, 3, 4),
        "scale": np.array(0.5, "f4"),
        "none": np.zeros((0, 4), "f4"),
        "deep": np.zeros((1, 1, 1, 1, 2), "f4"),
    }
    safetensors.numpy.save_file(layers, out / "layers.safetensors", metadata={"format": "np"})


def json_files():
    out = folder("json")
    rows = pd.DataFrame({
        "when": pd.date_range("2024-02-28", periods=4).strftime("%Y-%m-%d"),
        "temp": [1.5, None, -2.25, 1e-3], "count": [3, 1, 4, 1], "label": ["a", "b, c", 'd "e"\n', None],
        "flag": [True, False, True, True],
    })
    rows.to_json(out / "records.json", orient="records")
    rows.to_json(out / "pretty.json", orient="records", indent=2)
    rows.to_json(out / "lines.jsonl", orient="records", lines=True)
    (out / "columns.json").write_text(rows.to_json(orient="columns"))
    (out / "lists.json").write_text(json.dumps(
        {"rate": 250.0, "unit": "Hz", "signal": ramp(12, "f8").tolist(), "grid": ramp(12).reshape(4, 3).tolist(),
         "meta": {"who": "x", "ids": [1, 2, 3]}, "events": [{"t": 0.5, "code": 1}, {"t": 1.5, "code": 2}]}))
    (out / "numbers.json").write_text(json.dumps(ramp(12, "f8").tolist()))
    (out / "matrix.json").write_text(json.dumps(ramp(12).reshape(4, 3).tolist(), indent=1))
    (out / "wide.json").write_text(json.dumps(ramp(140).reshape(2, 70).tolist()))
    (out / "nan.json").write_text(json.dumps([1.5, float("nan"), 2.5]))
    (out / "nested.jsonl").write_text("\n".join(json.dumps(r) for r in [
        {"id": 1, "pos": {"x": 0.5, "y": 1.5}, "tags": ["a"]},
        {"id": 2, "pos": {"x": 2.5}, "late": 7},
        {"id": 3, "pos": {"x": 4.5, "y": 5.5}, "tags": []}]) + "\n")


def fasta_files():
    out = folder("fasta")
    # Written by hand as NCBI and Ensembl write theirs: lines of 60, lower case where masked, IUPAC codes, a stop.
    (out / "two.fasta").write_text(">chr1 test one\nACGTACGTNN\nacgtRY\n\n>chr2\nTTTTGGGGCCCCAAAA\nT\n")
    (out / "protein.fa").write_text(">sp|P1|X protein\nMKVLAAGIVGLLLAQWE*\n>gap\nMK--VLAX\n")
    (out / "many.fna").write_text("".join(f">r{i}\nAC\nGT{'A' * (i % 3)}\n" for i in range(70)))
    (out / "crlf.fasta").write_bytes(b"; an old remark\r\n>one\r\nAC\r\nGT\r\n")
    (out / "reads.fastq").write_text("@r1 x\nACGTN\n+\nIIII!\n@r2\nAC\n+r2\n@J\n")


def packed_files():
    out = folder("packed")
    table = "".join(f"{i},{(i * 7) % 50 - 20}\n" for i in range(500)).encode()
    table = b"i,x\n" + table
    (out / "table.csv.zst").write_bytes(zstandard.ZstdCompressor(level=10, write_checksum=True).compress(table))
    two = zstandard.ZstdCompressor(write_content_size=False)
    skippable = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"
    halves = two.compress(table[:3001]) + skippable + two.compress(table[3001:])
    (out / "frames.csv.zst").write_bytes(halves)
    (out / "table.csv.lz4").write_bytes(lz4.frame.compress(table, content_checksum=True, block_linked=True))
    context = lz4.frame.compress
    independent = dict(block_size=lz4.frame.BLOCKSIZE_MAX64KB, block_linked=False, block_checksum=True, store_size=False)
    (out / "frames.csv.lz4").write_bytes(context(table[:3001], **independent) + context(table[3001:]))


def hdf5_files():
    out = folder("hdf5")
    with h5py.File(out / "many.h5", "w", track_order=True) as f:
        f.attrs["title"] = "a test"
        for t in ["f8", "f4", ">f8", "i1", ">i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
            f.create_dataset(t.replace(">", "big_"), data=ramp(12, t.replace(">", "")).astype(t))
        f.create_dataset("flags", data=ramp(12, "b1"))
        signal = f.create_group("session").create_dataset(
            "signal", data=ramp(12, "f8").reshape(4, 3), chunks=(2, 3), compression="gzip", shuffle=True)
        signal.attrs["units"] = "mV"
        f["session"].create_dataset("volume", data=ramp(24, "f4").reshape(2, 3, 4))
        f["session"].create_dataset("rate", data=250.0)
        f.create_dataset("five", data=np.zeros((1, 1, 1, 1, 2)))
        f.create_dataset("words", data=["a", "b", "a", "c"])
        f.create_dataset("none", data=np.zeros((0, 3)))
        record = np.zeros(3, dtype=[("t", "f8"), ("n", "i4")])
        record["t"], record["n"] = [0.5, 1.5, 2.5], [1, 2, 3]
        f.create_dataset("record", data=record)
    with h5py.File(out / "old.h5", "w", libver="earliest") as f:
        f["x"] = ramp(12, "f8")


def netcdf_files():
    out = folder("netcdf")
    for name, kind in [("classic.nc", "NETCDF3_CLASSIC"), ("offset64.nc", "NETCDF3_64BIT_OFFSET"), ("four.nc", "NETCDF4")]:
        with netCDF4.Dataset(out / name, "w", format=kind) as f:
            f.title = "a test"
            f.createDimension("time", 4 if kind == "NETCDF4" else None)
            f.createDimension("site", 3)
            f.createDimension("character", 2)
            time = f.createVariable("time", "f8", ("time",))
            time.units = "days since 2024-02-28"
            packed = f.createVariable("temperature", "i2", ("time", "site"), fill_value=-999)
            packed.units, packed.scale_factor, packed.add_offset = "degC", 0.25, 10.0
            flux = f.createVariable("flux", "f4", ("time",), fill_value=-1.0)
            flux.units = "W m-2"
            count = f.createVariable("count", "i4", ("time",))
            f.createVariable("code", "S1", ("site", "character"))[:] = np.array([["a", "b"], ["c", "d"], ["e", "f"]], "S1")
            time[:] = [0, 1, 2.5, 3]
            packed.set_auto_maskandscale(False)
            stored = ramp(12, "i2").reshape(4, 3)
            stored[1, 2] = -999
            packed[:] = stored
            flux[:] = [0.5, 1.5, -1.0, 2.5]
            count[:] = [3, 1, 4, 1]


def mat_files():
    out = folder("mat")
    values = {
        "signal": ramp(12, "f8"), "table": ramp(12, "f8").reshape(4, 3), "small": ramp(12, "i2"), "bytes": ramp(12, "u1"),
        "cube": ramp(24, "f4").reshape(2, 3, 4), "flags": ramp(12, "b1"), "big": np.array([2**53 + 1, -5, 7], "i8"),
        "rate": 250.0, "name": "a word", "z": np.array([1 + 2j, 3 - 4j]),
        "session": {"gain": 2.0, "trace": ramp(5, "f8")}, "none": np.zeros((0, 0)),
    }
    cells = np.empty(2, dtype=object)
    cells[:] = [ramp(3, "f8"), ramp(4, "f8")]
    values["cells"] = cells
    scipy.io.savemat(out / "plain.mat", values, do_compression=False, oned_as="row")
    scipy.io.savemat(out / "packed.mat", values, do_compression=True, oned_as="row")
    scipy.io.savemat(out / "four.mat", {"x": ramp(12, "f8")}, format="4")
    # MATLAB's own v7.3 files are HDF5 behind a user block of 512 bytes with this text.
    with h5py.File(out / "hdf5.mat", "w", userblock_size=512) as f:
        f.create_dataset("x", data=ramp(12, "f8").reshape(3, 4)).attrs["MATLAB_class"] = np.bytes_("double")
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Wed Nov 25 2026 HDF5 schema 1.00 ."
    with open(out / "hdf5.mat", "r+b") as f:
        f.write(text.ljust(116) + bytes(8) + b"\x00\x02IM")


def columnar_files():
    out = folder("columnar")
    table = pa.table({
        "when": pa.array([datetime.datetime(2024, 2, 28) + datetime.timedelta(days=d) for d in range(4)], pa.timestamp("us")),
        "day": pa.array([datetime.date(2024, 2, 28 + d) for d in [0, 1, 0, 1]], pa.date32()),
        "temp": pa.array([1.5, None, -2.25, 1e-3], pa.float64()), "single": pa.array(ramp(4, "f4")),
        "half": pa.array(ramp(4, "f2")),
        "count": pa.array([3, 1, 4, 1], pa.int32()), "gaps": pa.array([3, None, 4, 1], pa.int64()),
        "byte": pa.array([3, 1, 4, 255], pa.uint8()), "large": pa.array([1, 2, 3, 2**63], pa.uint64()),
        "label": pa.array(["a", "b, c", 'd "e"', None]), "kind": pa.array(["x", "y", "x", None]).dictionary_encode(),
        "flag": pa.array([True, False, None, True]), "wait": pa.array([1, 2, 3, 4], pa.duration("ms")),
        "price": pa.array([1, 2, None, 4], pa.decimal128(10, 2)),
        "vector": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], pa.list_(pa.float64(), 2)),
        "list": pa.array([[1], [], [2, 3], None], pa.list_(pa.int32())),
        "place": pa.array([{"x": 1.0, "y": 2.0}] * 4),
    })
    for codec in ["none", "snappy", "gzip", "lz4", "brotli", "zstd"]:
        pq.write_table(table if codec == "snappy" else table.select(["temp", "count", "label"]),
                       out / f"{codec}.parquet", compression=codec, row_group_size=3)
    plain = table.drop_columns(["half"])
    feather.write_feather(plain, out / "lz4.feather", compression="lz4")
    feather.write_feather(plain, out / "plain.feather", compression="uncompressed")
    feather.write_feather(plain.select(["temp"]), out / "zstd.feather", compression="zstd")
    with pa.ipc.new_stream(out / "stream.arrows", plain.schema) as writer:
        writer.write_table(plain, max_chunksize=3)


def dates():
    out = folder("dates")
    days = np.datetime64("2024-02-28") + np.arange(4)
    days = np.concatenate([days, [np.datetime64("NaT")]])
    for unit in ["Y", "M", "D", "h", "s", "ms", "us", "ns"]:
        np.save(out / f"datetime_{unit}.npy", days.astype(f"datetime64[{unit}]"))
    np.save(out / "datetime_25s.npy", days.astype("datetime64[25s]"))
    np.save(out / "datetime_big.npy", days.astype(">M8[ms]"))
    np.save(out / "timedelta_ms.npy", np.array([1500, -250, 0], "m8[ms]"))
    np.save(out / "timedelta_Y.npy", np.array([1, 2], "m8[Y]"))
    table = pd.DataFrame({"temp (°C)": [1.5, -2.25], "label": ["ä", "b"]})
    text = table.to_csv(index=False)
    for name, codec, mark in [("le", "utf-16-le", b"\xff\xfe"), ("be", "utf-16-be", b"\xfe\xff")]:
        (out / f"{name}.csv").write_bytes(mark + text.encode(codec))
    (out / "le.txt").write_bytes(b"\xff\xfe" + "It was the 𝄞 best of times.\n".encode("utf-16-le"))


for write in [safetensors_files, json_files, fasta_files, packed_files, hdf5_files, netcdf_files, mat_files,
              columnar_files, dates]:
    write()
