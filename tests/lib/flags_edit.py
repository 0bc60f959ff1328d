"""Checks of the options of hold, release, requeue, rm and replay."""

from .flags import flag, refused
from .places import HELD, SPANS, Place
from .terminal import Terminal


@flag("hold", "--dry-run")
def hold_dry_run(place: Place) -> None:
    scratch, held = place.scratch(), place.seqs("--held")
    scratch.eventually(lambda: scratch.object("hold", "ALL", "--dry-run")["batches"], "a batch")
    assert scratch.object("hold", "ALL", "--dry-run")["dry_run"] and scratch.seqs("--held") == held


@flag("hold", "--service")
def hold_service(place: Place) -> None:
    scratch, before = place.scratch(), set(place.seqs("--held"))
    service = "order" if place.live else "shipping"
    scratch.eventually(lambda: scratch.object("hold", "ALL", "--service", service)["batches"], "a batch")
    held = [batch for batch in scratch.objects("ls", "--held", "--limit", "0") if batch["seq"] not in before]
    assert held and all(service in batch["services"] for batch in held)
    assert place.live or [batch["seq"] for batch in held] == [7, 8]
    scratch.text("release", *(str(batch["seq"]) for batch in held))


@flag("release", "--dry-run")
def release_dry_run(place: Place) -> None:
    scratch = place.scratch()
    (seq,) = scratch.spare()
    told = scratch.object("release", str(seq), "--dry-run")
    assert (told["batches"], told["dry_run"]) == (1, True) and seq in scratch.seqs("--held")
    assert scratch.object("release", str(seq))["batches"] == 1 and seq not in scratch.seqs("--held")


@flag("release", "--service")
def release_service(place: Place) -> None:
    scratch = place.scratch()
    result = scratch.run("release", *map(str, HELD), "--service", "order")
    assert (result.returncode, result.stderr) == (1, "tracespool release: 6: has no spans of order\n")
    assert scratch.object("release", "ALL", "--service", "ledger")["batches"] == 0
    (seq,) = scratch.spare()
    (batch,) = [batch for batch in scratch.objects("ls", "--held", "--limit", "0") if batch["seq"] == seq]
    assert scratch.object("release", str(seq), "--service", batch["services"][0])["batches"] == 1


@flag("requeue", "--dry-run")
def requeue_dry_run(place: Place) -> None:
    told = place.object("requeue", "ALL", "--dry-run")
    assert (told["parked_entries"], told["spans"], told["first_new_seq"]) == (2, 2, None)
    assert [entry["span_index"] for entry in place.objects("ls", "--parked")] == [0, 1]
    scratch = place.scratch()
    if not place.live:  # beside the daemon it is done in the last test, as all others look at what is parked
        assert scratch.object("requeue", "4:0")["parked_entries"] == 1
        assert [entry["span_index"] for entry in scratch.objects("ls", "--parked")] == [1]


@flag("rm", "--dry-run", "--yes")
def rm_dry_run_yes(place: Place) -> None:
    scratch = place.scratch()
    (seq,) = scratch.spare()
    wanted = f"{seq}-{seq}"
    assert scratch.object("rm", wanted, "--dry-run")["batches"] == 1
    refused(scratch, "rm", wanted, says="cannot be undone and nobody can be asked: give --yes, or --dry-run")
    assert seq in scratch.seqs("--all")
    assert scratch.object("rm", wanted, "--yes")["batches"] == 1
    assert seq not in scratch.seqs("--all")


@flag("rm", "--history")
def rm_history(place: Place) -> None:
    scratch = place.scratch()
    (seq,) = scratch.history(1)
    wanted = f"{seq}-{seq}"
    told = scratch.object("rm", wanted, "--yes")
    assert (told["batches"], told["passed_batches"]) == (0, 1) and seq in scratch.seqs("--all")
    told = scratch.object("rm", wanted, "--yes", "--history")
    assert (told["batches"], told["passed_batches"]) == (1, 0) and seq not in scratch.seqs("--all")


def replayed(place: Place, *arguments: str) -> int:
    return place.object("replay", *arguments, "--dry-run")["batches"]


@flag("replay", "--since", "--until")
def replay_times(place: Place) -> None:
    assert replayed(place, "--since", "1h", "--until", place.until) == len(place.delivered)
    assert replayed(place, "--since", "1h", "--until", "30m") == 0
    assert bool(replayed(place, "--since", place.until)) == place.live


@flag("replay", "--service")
def replay_service(place: Place) -> None:
    told = place.object("replay", "ALL", "--service", "ledger", "--dry-run")
    assert (told["batches"], told["spans"]) == (1, SPANS[4])


@flag("replay", "--dry-run")
def replay_dry_run(place: Place) -> None:
    scratch = place.scratch()
    (seq,) = scratch.history(1)
    told = scratch.object("replay", str(seq), "--dry-run")
    assert (told["batches"], told["dry_run"]) == (1, True)
    assert place.live or scratch.seqs("--pending") == place.waiting
    assert scratch.object("replay", str(seq))["batches"] == 1
    assert place.live or scratch.seqs("--pending") == sorted([seq, *place.waiting])


@flag("replay", "--yes")
def replay_yes(place: Place) -> None:
    scratch = place.scratch()
    (seq,) = scratch.history(1)
    with Terminal(*scratch.extra, "replay", str(seq), "--yes", config=place.daemon.config) as terminal:
        assert terminal.wait_exit() == 0
        assert "Go on?" not in terminal.read() and "replayed 1 batch" in terminal.read()
