"""No place on the path of a span is left out of the kill matrix."""

from lib import crash


def test_every_fault_point_on_the_path_is_in_the_matrix():
    listed = {point.name for point in crash.POINTS + crash.OPERATOR_POINTS + crash.ASIDE_POINTS}
    found = crash.points_in_sources()
    assert found - listed - crash.OTHERS.keys() == set(), "in the sources and in no list of tests/lib/crash.py"
    assert listed - found == set(), "in a list of tests/lib/crash.py and not in the sources"
    assert crash.OTHERS.keys() - found == set(), "no longer in the sources"
    assert listed & crash.OTHERS.keys() == set()
