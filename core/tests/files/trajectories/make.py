"""Small files as the trackers write them: python make.py, with numpy, h5py, netCDF4, pandas, tables.

Every file holds the same paths where the format can: animal a (from 1) at frame t is at
    x = 10 a + 2 t,  y = 100 a - t,  z = a / 2 + t / 4
over 6 frames and 3 animals, animal 2 not seen in frames 2 and 3. Frame rate 25 unless said.
No tracker was run: the layouts follow their source code (idtracker.ai 6.0.14, TRex, sleap-io 0.9.5,
DeepLabCut, dewi-kadita).
"""
import gzip
import io
import json
import os
import zipfile

import h5py
import pandas as pd
import netCDF4
import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))
T, N, FPS = 6, 3, 25.0
t = np.arange(T)[:, None]
a = np.arange(1, N + 1)[None, :]
x, y, z = 10.0 * a + 2 * t, 100.0 * a - 1.0 * t, a / 2 + t / 4
full = np.stack([x, y], -1)
space = np.stack([x, y, z], -1)
gappy = full.copy()
gappy[2:4, 1] = np.nan


def write(name, text):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w", newline="") as f:
        f.write(text)


def num(v, fmt="%.3f"):
    return "nan" if np.isnan(v) else fmt % v


# idtracker.ai 6
attributes = dict(version="6.0.14", height=480, width=640, video_paths=["a.mp4"], frames_per_second=FPS,
                  body_length=40.0, estimated_accuracy=0.99, setup_points={}, identities_labels=["red", "green", "blue"],
                  identities_groups={}, length_unit=20.0, silhouette_score=0.5, fragment_connectivity=3.0,
                  fraction_identified=1.0)
os.makedirs("idtracker", exist_ok=True)
with h5py.File("idtracker/trajectories.h5", "w") as f:
    f.create_dataset("trajectories", data=gappy, compression="gzip")
    f.create_dataset("id_probabilities", data=np.ones((T, N, 1)), compression="gzip")
    f.create_dataset("identities_labels", data=["red", "green", "blue"])
    for key in ("version", "height", "width", "frames_per_second", "body_length", "estimated_accuracy", "length_unit"):
        f.attrs[key] = attributes[key]
    g = f.create_group("areas")
    g["mean"], g["median"], g["std"] = np.full(N, 300.0), np.full(N, 299.0), np.full(N, 9.0)
    f.create_group("setup_points")
write("idtracker/trajectories.csv", "time," + ",".join(f"x{i},y{i}" for i in range(1, N + 1)) + "\n" + "".join(
    "%.3f," % (k / FPS) + ",".join(num(v) for v in gappy[k].ravel()) + "\n" for k in range(T)))
write("idtracker/id_probabilities.csv", "time," + ",".join(f"id_probabilities{i}" for i in range(1, N + 1)) + "\n"
      + "".join("%.3f,1.000,1.000,1.000\n" % (k / FPS) for k in range(T)))
write("idtracker/areas.csv", "mean, median, standard_deviation\n300.0, 299.0, 9.0\n")
write("idtracker/attributes.json", json.dumps(attributes | {"silhouette_score": float("nan")}, indent=1))
write("idtracker/attributes_tidy.json", json.dumps(attributes))
write("idtracker/trajectories_tidy.csv", "frame,time,individual,x,y,probability\n" + "".join(
    f"{k},{k / FPS:.3f},{i},{num(gappy[k, i, 0])},{num(gappy[k, i, 1])},1.000\n" for k in range(T) for i in range(N)))
np.save("idtracker/trajectories.npy", {"trajectories": gappy, "frames_per_second": FPS}, allow_pickle=True)

# TRex: animal 3 starts at frame 2; missing is inf (and `missing` is 1); cm
os.makedirs("trex", exist_ok=True)
for i in range(N):
    start = 2 if i == 2 else 0
    k = np.arange(start, T)
    gone = np.isnan(gappy[start:, i, 0])
    inf = lambda v: np.where(gone, np.inf, v).astype(np.float32)
    fields = {"X#wcentroid": inf(x[start:, i]), "Y#wcentroid": inf(y[start:, i]), "X": inf(x[start:, i] + 1),
              "Y": inf(y[start:, i] + 1), "VX#wcentroid": inf(np.full(len(k), 50.0)),
              "VY#wcentroid": inf(np.full(len(k), -25.0)), "ANGLE": inf(np.full(len(k), 0.25)),
              "frame": k.astype(np.float32), "time": (k / FPS).astype(np.float32),
              "missing": gone.astype(np.float32), "num_pixels": np.full(len(k), 300, np.float32)}
    np.savez_compressed(f"trex/shoal_id{i}.npz", **fields)
    names = ["frame", "X#wcentroid", "Y#wcentroid", "VX#wcentroid", "VY#wcentroid", "missing", "time"]
    write(f"trex/shoal_fish{i}.csv", ",".join(names) + "\n" + "".join(
        ",".join("%g" % fields[n][r] for n in names) + "\n" for r in range(len(k))))

# SLEAP: head at +1, tail at -1 in x
nodes = ["head", "tail"]
body = np.stack([gappy + [1, 0], gappy - [1, 0]], 2)  # frame, track, node, xy
body[4, 0, 1] = np.nan  # one tail unseen
for preset, order in (("matlab", (1, 3, 2, 0)), ("standard", (0, 1, 2, 3))):
    names = ("frame", "track", "node", "xy")
    with h5py.File(f"sleap.{preset}.analysis.h5", "w") as f:
        f.create_dataset("tracks", data=body.transpose(order), compression="gzip", compression_opts=9)
        f.create_dataset("track_occupancy", data=(~np.isnan(gappy[:, :, 0])).astype("u1"), compression="gzip")
        f.create_dataset("track_names", data=np.array([b"one", b"two", b"three"]))
        f.create_dataset("node_names", data=np.array([n.encode() for n in nodes]))
        f.create_dataset("video_path", data="a.mp4")
        if preset == "standard":
            f["tracks"].attrs["dims"] = json.dumps([names[o] for o in order])
            f.attrs["preset"] = preset
            f.attrs["format"] = "analysis"
rows = ["track,frame_idx,instance.score," + ",".join(f"{n}.x,{n}.y,{n}.score" for n in nodes)]
for k in range(T):
    for i, name in enumerate(("one", "two", "three")):
        if not np.isnan(gappy[k, i, 0]):
            p = [("" if np.isnan(v) else "%g" % v) for v in body[k, i].ravel()]
            rows.append(f"{name},{k},0.9,{p[0]},{p[1]},0.8,{p[2]},{p[3]},0.8")
write("sleap.csv", "\n".join(rows) + "\n")

# DeepLabCut: animal 2's gap is a low likelihood
def dlc(animals):
    multi = animals > 1
    head = [["scorer"], ["individuals"], ["bodyparts"], ["coords"]]
    for i in range(animals):
        for n in nodes:
            for c in ("x", "y", "likelihood"):
                for r, v in zip(head, ("DLC_resnet50", f"ind{i + 1}", n, c)):
                    r.append(v)
    out = [",".join(r) for r in head if multi or r[0] != "individuals"]
    for k in range(T):
        row = [str(k)]
        for i in range(animals):
            for n, dx in zip(nodes, (1, -1)):
                sure = 0.1 if (i == 1 and k in (2, 3)) or (i == 0 and k == 4 and n == "tail") else 0.99
                row += ["%g" % (x[k, i] + dx), "%g" % y[k, i], str(sure)]
        out.append(",".join(row))
    return "\n".join(out) + "\n"


write("dlc.csv", dlc(1))
write("dlc.multi.csv", dlc(N))
# The same as DeepLabCut's df.to_hdf(..., key="df_with_missing", format="table"), and in the layout that pandas takes unasked
for name, animals, layout in (("dlc.h5", 1, "table"), ("dlc.multi.h5", N, "table"), ("dlc.fixed.h5", N, "fixed")):
    rows = [line.split(",") for line in dlc(animals).splitlines()]
    levels = 3 + (animals > 1)
    columns = pd.MultiIndex.from_arrays([r[1:] for r in rows[:levels]], names=[r[0] for r in rows[:levels]])
    values = np.array([r[1:] for r in rows[levels:]], float)
    pd.DataFrame(values, columns=columns).to_hdf(name, key="df_with_missing", format=layout, mode="w", **({"index": False} if name == "dlc.multi.h5" else {}))

# Plain tables
write("long.csv", "frame,id,x,y,vx,vy\n" + "".join(
    f"{k},{i + 1},{gappy[k, i, 0]:g},{gappy[k, i, 1]:g},50,-25\n" for k in range(T) for i in range(N)
    if not np.isnan(gappy[k, i, 0])))
write("long3.tsv", "t\ttrack\tx\ty\tz\n" + "".join(
    f"{k / FPS:g}\tf{i}\t{x[k, i]:g}\t{y[k, i]:g}\t{z[k, i]:g}\n" for k in range(T) for i in range(N)))
write("wide.csv", "frame;x_1;y_1;x_2;y_2\n" + "".join(
    f"{k};{x[k, 0] + 0.5:g};{y[k, 0]:g};{x[k, 1]:g};{y[k, 1]:g}\n".replace(".", ",") for k in range(T)))
write("Fish_final_state.csv", "Fish_ID,x,y,z,vx,vy,vz\n" + "".join(
    f"{i}," + ",".join("%.8e" % v for v in (*space[0, i], 1, 2, 3)) + "\n" for i in range(N)))

# NumPy
np.save("flock.npy", space)
np.save("flock_vel.npy", np.broadcast_to([50.0, -25.0, 6.25], (T, N, 3)))
np.savez("flock.npz", positions=gappy.astype("f4"), velocities=np.broadcast_to([50.0, -25.0], (T, N, 2)), fps=FPS)

# The simulator's NetCDF
for name, fmt in (("school.nc", "NETCDF4"), ("school3.nc", "NETCDF3_64BIT_OFFSET")):
    with netCDF4.Dataset(name, "w", format=fmt) as d:
        d.createDimension("time", T), d.createDimension("fish", N), d.createDimension("spatial", 3)
        z4 = {"zlib": True} if fmt == "NETCDF4" else {}
        v = d.createVariable("time", "f8", ("time",), **z4)
        v.units, v.axis = "simulation_time_units", "T"
        v[:] = np.arange(T) * 0.1
        d.createVariable("fish", "i4", ("fish",), **z4)[:] = np.arange(N)
        d.createVariable("spatial", "i4", ("spatial",), **z4)[:] = np.arange(3)
        d.createVariable("polarization", "f8", ("time",), **z4)[:] = np.linspace(0, 1, T)
        p = d.createVariable("positions", "f8", ("time", "fish", "spatial"), **z4)
        p.units = "simulation_length_units"
        p[:] = space
        w = d.createVariable("velocities", "f8", ("time", "fish", "spatial"), **z4)
        w.units = "simulation_velocity_units"
        w[:] = np.broadcast_to([20.0, -10.0, 2.5], (T, N, 3))
        d.title, d.box_size, d.n_fish = "a school", 25.0, N

# Golden shiners: fish 7 is lost after frame 2 and comes back as 9
ids = [[7, 8], [7, 8], [7, 8], [8], [8, 9], [9, 8]]
spot = {7: 0, 9: 0, 8: 1}
take = lambda v: [[float(v[k, spot[i]]) for i in ids[k]] for k in range(T)]
shiners = dict(px=take(x), py=take(y), vx=[[2.0] * len(r) for r in ids], vy=[[-1.0] * len(r) for r in ids], onfish=ids)
write("shiners.json", json.dumps(shiners))
write("shiners.frames.json", json.dumps([{k: v[f] for k, v in shiners.items()} for f in range(T)]))

# A claim of 160 GB in 2 kB
with h5py.File("huge.h5", "w") as f:
    f.create_dataset("trajectories", shape=(10**9, 10, 2), dtype="f8", chunks=(1000, 10, 2))

# Packed
with gzip.GzipFile("long.csv.gz", "wb", mtime=0) as f:
    f.write(open("long.csv", "rb").read())
with zipfile.ZipFile("trex.zip", "w", zipfile.ZIP_DEFLATED) as f:
    for i in range(N):
        f.write(f"trex/shoal_id{i}.npz")

# Tables that are no trajectories
os.makedirs("tables", exist_ok=True)
write("tables/iris.csv", "sepal,petal,species\n5.1,1.4,setosa\n4.9,1.4,setosa\n")
write("tables/xy.csv", "x,y\n1,2\n3,4\n")
write("tables/time.csv", "time,temperature,x\n0,20.5,1\n1,20.6,2\n")
write("tables/id.csv", "id,name,x,y\n1,a,2,3\n2,b,4,5\n")
write("tables/dates.csv", "time,id,x,y\n2026-01-01T00:00:00Z,1,2,3\n2026-01-02T00:00:00Z,1,2,3\n")
write("tables/words.csv", "frame,id,x,y\nred,1,oak,ash\nblue,2,elm,fir\n")
np.save("tables/image.npy", np.zeros((4, 5, 3), np.uint8))
np.save("tables/matrix.npy", np.zeros((4, 3)))
