"""The comparison that every scenario trusts finds what it has to find."""

import pytest

from lib import otlp, verify


@pytest.fixture(scope="module")
def spans():
    return otlp.spans_of((otlp.CAPTURES / "java-0005.pb").read_bytes())


def test_equal_is_equal(spans):
    assert verify.compare(spans, list(reversed(spans))) == len(spans)


def test_a_missing_span_is_found(spans):
    with pytest.raises(verify.Mismatch, match="1 spans missing or changed, 0 not as sent, 0 stored twice"):
        verify.compare(spans, spans[1:])


def test_a_span_stored_twice_is_found(spans):
    with pytest.raises(verify.Mismatch, match=f"span {spans[3].span_id} .*is stored 2 times"):
        verify.compare(spans, spans + [spans[3]])


def test_a_span_that_nobody_sent_is_found(spans):
    stranger = spans[0]._replace(span_id="f" * 16)
    with pytest.raises(verify.Mismatch, match="was not sent like this"):
        verify.compare(spans, spans + [stranger])
    assert verify.compare(spans, spans + [stranger], may_be_there=[stranger]) == len(spans)


@pytest.mark.parametrize("field", [name for name in otlp.Span._fields if name not in ("trace_id", "span_id")])
def test_a_change_in_any_field_is_found(spans, field):
    changed = spans[0]._replace(**{field: "something else"})
    with pytest.raises(verify.Mismatch, match=f"differs in {field}: "):
        verify.compare(spans, [changed] + spans[1:])


@pytest.mark.parametrize("one, other", [(1, True), (1, 1.0), (1, "1"), (0.0, -0.0), ("", None), (b"1", "1")])
def test_values_that_python_calls_equal_differ_by_type(one, other):
    assert verify.documents.value_of(one) != verify.documents.value_of(other)
