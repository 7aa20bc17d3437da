"""Times, dates, windows and lengths of time are read as people write them."""

import datetime as dt

import pytest

from nco.data.formats.tables.clock import Calendar, Slashed, duration_s, moment, windows
from nco.data.formats.tables.faults import CellFault

HALF_TEN = 9.5 * 3600
DAY = dt.date(2026, 11, 29)


@pytest.mark.parametrize(
    "text",
    [
        "9:30", "09:30", "9.30", "9,30", "9:30:00", "9h30", "9:30 AM", "9.30 a.m.", " 9:30am ",
        "34200 s",
    ],
)  # fmt: skip
def test_half_past_nine(text):
    """Colons, points, commas and halves of the day are one time."""
    assert moment(text).seconds == HALF_TEN


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29 9:30", "2026-11-29T09:30:00Z", "2026/11/29 9.30", "29.11.2026 9:30",
        "29.11.26 09:30", "Sun 29 Nov 2026 9:30 AM", "Nov 29, 2026 9:30", "29-Nov-2026 9:30",
        "9:30 29.11.2026", "2026-11-29T09:30:00+02:00",
    ],
)  # fmt: skip
def test_a_date_with_a_time(text):
    """Dates in the usual orders, with weekdays and time zones that are passed over."""
    assert moment(text)[:2] == (HALF_TEN, DAY)


def test_numbers_are_seconds_and_dates_are_days():
    """A number counts seconds; a date alone begins its day, or ends it where an end is asked."""
    assert moment("34230.5") == (34230.5, None, False, False)
    assert moment("9 pm").seconds == 21 * 3600 and moment("12:15 am").seconds == 900
    assert moment("2026-11-29").seconds == 0
    assert moment("2026-11-29", late=True).seconds == 86400
    assert moment("11/29/2026 8:00").day == Slashed(11, 29, 2026)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("08:75", "write HH:MM"),
        ("13:30 pm", "write HH:MM"),
        ("noon", "write HH:MM"),
        ("-5", "write HH:MM"),
        ("nan", "write HH:MM"),
        ("0930", "with a colon"),
        ("9.3", "with a colon"),
        ("1e400", "at most"),
        ("30.2.2026 8:00", "which is no date"),
        ("31/31/2026", "which is no date"),
    ],
)
def test_what_is_no_time(text, message):
    """Each is refused in words that say what to write."""
    with pytest.raises(CellFault, match=message):
        moment(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("09:30-11:00", [(9.5, 11)]),
        ("9.30 \u2013 11.00", [(9.5, 11)]),
        ("9-11", [(9, 11)]),
        ("9-11am", [(9, 11)]),
        ("11-1pm", [(11, 13)]),
        ("9:30 to 11:00", [(9.5, 11)]),
        ("from 9 to 11", [(9, 11)]),
        ("between 9 and 11", [(9, 11)]),
        ("after 14:00", [(14, None)]),
        ("before 10 am", [(None, 10)]),
        ("14:00-", [(14, None)]),
        ("-12:00", [(None, 12)]),
        ("0-3600", [(0, 1)]),
        ("9-11; 14:00-15:30", [(9, 11), (14, 15.5)]),
        ("09:00-10:00,14:00-15:00", [(9, 10), (14, 15)]),
        ("9-10\n14-15", [(9, 10), (14, 15)]),
        ("any time", []),
        ("-", []),
    ],
)
def test_windows(text, hours):
    """One window or several in a cell."""
    found = [tuple(None if end is None else end.seconds / 3600 for end in w) for w in windows(text)]
    assert found == hours


def test_a_window_of_a_date():
    """The date of a beginning is that of the end as well, unless it has its own."""
    (begin, end), (_, later) = windows("2026-11-29 9:30-11:00; 2026-11-29 20:00 - 2026-11-30 2:00")
    assert (begin.day, end.day, later.day) == (DAY, DAY, dt.date(2026, 11, 30))


@pytest.mark.parametrize("text", ["08:00", "1-2-3", "a-b", "9:00-25 pm"])
def test_what_is_no_window(text):
    """A single time, a third one and words are refused."""
    with pytest.raises(CellFault):
        windows(text)


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("15", 1.0, 15),
        ("15", 60.0, 900),
        ("15 min", None, 900),
        ("0:15", None, 900),
        ("0:15:30", 1.0, 930),
        ("1 h 30 min", 1.0, 5400),
        ("1,5 h", None, 5400),
        ("90 s", 60.0, 90),
        ("0", None, 0),
    ],
)
def test_lengths_of_time(text, unit, seconds):
    """A unit in the cell counts before that of the column."""
    assert duration_s(text, unit) == seconds


@pytest.mark.parametrize("text", ["8", "-5 min", "abc", "15 x", "nan"])
def test_what_is_no_length_of_time(text):
    """Without a unit anywhere a number is refused, as are words and negative lengths."""
    with pytest.raises(CellFault):
        duration_s(text, None)


def settled(*texts):
    """A calendar that knows some cells, and their moments."""
    calendar, found = Calendar(), [moment(text) for text in texts]
    for one in found:
        calendar.note(one)
    calendar.settle()
    return calendar, found


def test_days_count_on_from_the_first():
    """Times are seconds from the midnight of the earliest day."""
    calendar, found = settled("30.11.2026 8:00", "2026-11-29 9:00")
    assert [calendar.seconds(one) for one in found] == [32 * 3600, 9 * 3600]
    with pytest.raises(CellFault, match="add the date"):
        calendar.seconds(moment("9:00"))
    same, (one, other) = settled("29.11.2026 8:00", "9:00")
    assert (same.seconds(one), same.seconds(other)) == (8 * 3600, 9 * 3600)


@pytest.mark.parametrize(
    ("texts", "day"),
    [
        (("3/4/2026 8:00", "13/4/2026 8:00"), dt.date(2026, 4, 3)),
        (("3/4/2026 8:00", "4/13/2026 8:00"), dt.date(2026, 3, 4)),
        (("3/4/2026 8:00", "9:00"), dt.date(2026, 4, 3)),
    ],
)
def test_order_of_day_and_month(texts, day):
    """Some date of the table tells which is which; of a single one it does not matter."""
    calendar, found = settled(*texts)
    assert calendar.first == day and calendar.seconds(found[0]) == 8 * 3600


def test_a_date_that_may_be_two_days_is_refused():
    """Where nothing tells, nothing is guessed."""
    calendar, found = settled("3/4/2026 8:00", "5/4/2026 8:00")
    with pytest.raises(CellFault, match="may be two days"):
        calendar.seconds(found[0])


def test_small_numbers_beside_times_of_day_are_refused():
    """8 beside 9:30 is 8 o'clock to people and 8 s to nobody; alone, a hint is given."""
    calendar, (eight, _) = settled("8", "9:30")
    with pytest.raises(CellFault, match="write it as one, such as 9:30, or as 8 s"):
        calendar.seconds(eight)
    alone, (eight, _) = settled("8", "930")
    assert alone.seconds(eight) == 8 and "read as seconds: 8 is 8 s" in alone.hint()
    assert not settled("28800", "8")[0].hint()
