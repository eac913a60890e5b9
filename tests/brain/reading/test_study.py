"""Recordings of a study: people, conditions, runs; arrays; what does not belong together is refused."""

import numpy as np
import pytest
from brain_files import write_series, write_study
from brain_series import smooth_series
from shared_brain_data import shared_brain

from pcmodel import UserError
from pcmodel.brain.reading import load_recordings

NAMES = ("a", "b", "c")


def one(seed=0, times=20):
    return smooth_series(3, times, seed=seed)


def test_a_folder_of_derivatives(tmp_path):
    labels = write_study(tmp_path, people=2)
    found = load_recordings([tmp_path], networks=labels, condition_from="ses")
    rows = [(one.person, one.condition) for one in found.recordings]
    assert rows == [
        ("01", "drug"),
        ("01", "placebo"),
        ("02", "drug"),
        ("02", "placebo"),
    ]
    assert found.regions == tuple(f"R{i}" for i in range(6))
    assert found.labels.networks == ("neta", "netb") * 3
    assert found.recordings[0].series.shape == (6, 40)
    picked = load_recordings([tmp_path], only={"ses": "drug"})
    assert len(picked.recordings) == 2
    with pytest.raises(UserError, match="has ses-lsd; expected one of: drug, placebo"):
        load_recordings([tmp_path], only={"ses": "lsd"})
    with pytest.raises(UserError, match="expected names with atlas-"):
        load_recordings([tmp_path], only={"atlas": "aal"})


def test_conditions_from_folders_and_from_a_table(tmp_path):
    for place, drug in enumerate(("lsd", "placebo")):
        write_series(tmp_path / drug / "p1.csv", one(place), NAMES)
    files = sorted(tmp_path.rglob("*.csv"))
    found = load_recordings(files, condition_from="folder").recordings
    assert [(r.person, r.condition) for r in found] == [
        ("p1", "lsd"),
        ("p1", "placebo"),
    ]
    table = tmp_path / "who.csv"
    table.write_text("file,condition,person\nlsd/p1.csv,B,x\nplacebo/p1.csv,A,x\n")
    found = load_recordings(files, condition_from=str(table)).recordings
    assert [(r.person, r.condition) for r in found] == [("x", "A"), ("x", "B")]
    table.write_text("file,condition\nlsd/p1.csv,B\n")
    with pytest.raises(UserError, match=r"does not list p1.csv"):
        load_recordings(files, condition_from=str(table))
    with pytest.raises(UserError, match="its name has no ses-"):
        load_recordings(files, condition_from="ses")
    with pytest.raises(UserError, match="is a second recording of 'p1', beside"):
        load_recordings(files)


def test_runs_belong_together_and_other_twins_do_not(tmp_path):
    for run in (1, 2):
        path = tmp_path / f"sub-01_task-rest_run-{run}_timeseries.tsv"
        write_series(path, one(run), NAMES)
    assert len(load_recordings([tmp_path]).recordings) == 2
    write_series(tmp_path / "sub-01_task-film_run-1_timeseries.tsv", one(5), NAMES)
    with pytest.raises(UserError, match="is a second recording of '01'"):
        load_recordings([tmp_path])


def test_confounds_are_no_regions(tmp_path):
    """Prevents correlations between movement parameters: fMRIPrep names both kinds of table alike."""
    name = "sub-01_task-rest_desc-{}_timeseries.tsv"
    write_series(tmp_path / name.format("clean"), one(), NAMES)
    write_series(tmp_path / name.format("confounds"), one(1), ("csf", "trans_x", "x"))
    found = load_recordings([tmp_path])
    assert len(found.recordings) == 1 and found.regions == NAMES
    with pytest.raises(UserError, match=r"holds confounds, not regions \(its columns"):
        load_recordings([tmp_path / name.format("confounds")])
    plain = write_series(
        tmp_path / "a.csv", one(2), ("a", "Framewise_Displacement", "b")
    )
    with pytest.raises(UserError, match="its columns are Framewise_Displacement"):
        load_recordings([plain])
    kept = load_recordings([plain], without=["Framewise_Displacement"])
    assert kept.regions == ("a", "b")


def test_a_link_lies_in_its_own_folder(tmp_path):
    """As datalad keeps files: links to a store whose folders say nothing."""
    for place, drug in enumerate(("lsd", "placebo")):
        real = write_series(tmp_path / "store" / f"{place}.csv", one(place), NAMES)
        (tmp_path / drug).mkdir()
        (tmp_path / drug / "p1.csv").symlink_to(real)
    files = [tmp_path / drug / "p1.csv" for drug in ("placebo", "lsd")]
    found = load_recordings(files, condition_from="folder").recordings
    assert [(r.person, r.condition) for r in found] == [
        ("p1", "lsd"),
        ("p1", "placebo"),
    ]


def test_the_same_series_under_two_names_is_refused(tmp_path):
    """Prevents a person who counts twice."""
    files = [write_series(tmp_path / f"p{i}.csv", one(), NAMES) for i in range(2)]
    with pytest.raises(UserError, match=r"holds the same series as .*p0.csv"):
        load_recordings(files)
    with pytest.raises(UserError, match="is given twice"):
        load_recordings([files[0], files[0]])


def test_different_regions_are_refused(tmp_path):
    first = write_series(tmp_path / "p0.csv", one(0), NAMES)
    other = write_series(tmp_path / "p1.csv", one(1), ("a", "c", "b"))
    with pytest.raises(UserError, match=r"p1.csv: has 'c' where .*p0.csv has 'b'"):
        load_recordings([first, other])
    fewer = write_series(tmp_path / "p2.csv", one(2)[:2], NAMES[:2])
    with pytest.raises(UserError, match=r"p2.csv: has 2 regions, .*p0.csv 3"):
        load_recordings([first, fewer])


def test_columns_that_are_no_regions(tmp_path):
    clock = np.vstack([np.arange(20) * 0.72, one()])
    path = write_series(tmp_path / "p.csv", clock, ("time", *NAMES))
    with pytest.raises(UserError, match=r"time changes by 0.72 at every time: a clock"):
        load_recordings([path])
    found = load_recordings([path], without=["time"])
    assert found.regions == NAMES
    np.testing.assert_array_equal(found.recordings[0].series, one())
    with pytest.raises(
        UserError, match="no region is called 'tine', did you mean 'time'"
    ):
        load_recordings([path], without=["tine"])
    labels = tmp_path / "labels.csv"
    labels.write_text("time,none-of-them\na,x\nb,y\nc,y\n")
    kept = load_recordings([path], without=["time"], networks=labels)
    assert kept.labels.networks == ("x", "y", "y")


def test_bad_series_name_file_region_and_time(tmp_path):
    broken = one()
    broken[1, 7] = np.nan
    path = write_series(tmp_path / "p.csv", broken, NAMES)
    with pytest.raises(UserError, match=r"p.csv: b is nan at time 7"):
        load_recordings([path])
    path = write_series(tmp_path / "q.csv", one(times=5), NAMES)
    with pytest.raises(UserError, match=r"q.csv: has 5 samples; expected 8"):
        load_recordings([path])
    path = write_series(tmp_path / "r.csv", one(), ("a", "b", "a"))
    with pytest.raises(UserError, match=r"r.csv: the region 'a' stands twice"):
        load_recordings([path])
    with pytest.raises(UserError, match=r"has the ending '[.]mat'"):
        load_recordings([path.rename(path.with_suffix(".mat"))])
    with pytest.raises(UserError, match="no such file"):
        load_recordings([tmp_path / "nobody.csv"])
    with pytest.raises(UserError, match=r"holds no \*_timeseries.tsv"):
        load_recordings([tmp_path])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_with_named_axes(tmp_path, dtype):
    whole = np.stack([np.stack([one(10 * p + c).T for c in (0, 1)]) for p in (0, 1)])
    np.savez(tmp_path / "all.npz", bold=whole.astype(dtype), other=np.zeros(3))
    axes = ("person", "condition", "time", "region")
    found = load_recordings([tmp_path / "all.npz"], axes=axes).recordings
    assert [(r.person, r.condition) for r in found] == [
        *(("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")),
    ]
    np.testing.assert_array_equal(found[2].series, one(10).astype(dtype))
    np.save(tmp_path / "p.npy", one())
    turned = load_recordings([tmp_path / "p.npy"], axes=("region", "time")).recordings
    np.testing.assert_array_equal(turned[0].series, one())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"axes": ("time",)}, "axes: cannot be time"),
        ({"axes": ("time", "regoin")}, "did you mean 'region'"),
        ({"axes": ("time", "region", "time")}, "each once"),
        ({"axes": ("person", "time", "region")}, "holds 2 arrays of 3 axes"),
        ({"array": "c"}, "no array is called 'c'"),
        ({"array": "a"}, r"has the shape \(2, 20, 3\); expected 2 axes, time,region"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, options, said):
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 20, 3)), b=np.zeros((2, 20, 3)))
    with pytest.raises(UserError, match=said):
        load_recordings([tmp_path / "x.npz"], **options)


def test_damaged_and_pickled_arrays(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01")
    np.save(tmp_path / "y.npy", np.asarray([{}], object), allow_pickle=True)
    (tmp_path / "z.npz").write_bytes(b"PK\x03\x04")
    for name in ("x.npy", "y.npy", "z.npz"):
        with pytest.raises(UserError, match=f"{name}: cannot be read"):
            load_recordings([tmp_path / name])


def test_the_public_recordings():
    path = shared_brain("psilocybin_aal90", "bold.npz")
    axes = ("person", "condition", "time", "region")
    found = load_recordings([path], axes=axes, array="bold")
    assert len(found.recordings) == 36 and found.recordings[0].series.shape == (90, 100)
    assert found.regions is None
