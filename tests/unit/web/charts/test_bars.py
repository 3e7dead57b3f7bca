"""Where the bars of a chart stand."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.runs.shifts import WeightShift
from lotus_web.web.charts.bars import Count, columns, paired_bars
from lotus_web.web.format.filters import percent

WEIGHTS = st.decimals(min_value=-2, max_value=3, places=4)


def _row(before: str, after: str, highest: str | None = None, lowest: str | None = None) -> WeightShift:
    limits = [None if limit is None else Decimal(limit) for limit in (lowest, highest)]
    return WeightShift("Equity", Decimal(before), Decimal(after), *limits)


def _number(percent: str) -> Decimal:
    assert percent.endswith("%")
    return Decimal(percent[:-1])


def test_bars_share_one_scale_that_ends_on_a_round_step():
    chart = paired_bars([_row("0.60", "0.30"), _row("0.10", "0.40")])
    assert [str(tick.weight) for tick in chart.ticks] == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]
    assert (chart.rows[0].before.x, chart.rows[0].before.width) == ("0%", "100%")
    assert (chart.rows[1].after.x, chart.rows[1].after.width) == ("0%", "66.67%")


def test_a_negative_weight_grows_to_the_left_of_zero():
    chart = paired_bars([_row("-0.10", "0.30")])
    row = chart.rows[0]
    assert chart.zero_x == "25%"
    assert (row.before.x, row.before.width) == ("0%", "25%")
    assert (row.after.x, row.after.width) == ("25%", "75%")


def test_the_limit_belongs_to_the_scale_and_marks_what_is_beyond_it():
    chart = paired_bars(
        [_row("0.08", "0.12", "0.10"), _row("0.12", "0.10", "0.10"), _row("0.02", "0.02", "0.14"), _row("0.02", "0.02")]
    )
    assert [(row.breach, row.broken) for row in chart.rows] == [("above", Decimal("0.10")), *[(None, None)] * 3]
    assert chart.rows[2].limits_x == ("100%",)
    assert chart.rows[3].limits_x == ()


def test_a_band_has_a_line_at_either_end_and_says_which_is_broken():
    chart = paired_bars(
        [_row("0.05", after, "0.08", "0.02") for after in ("0.005", "0.09", "0.02", "0.08", "0.0199999")]
    )
    assert [(row.breach, row.broken) for row in chart.rows] == [
        ("below", Decimal("0.02")),
        ("above", Decimal("0.08")),
        *[(None, None)] * 3,
    ]
    assert {row.limits_x for row in chart.rows} == {("20%", "80%")}


def test_a_row_is_over_its_limit_only_where_the_figures_beside_it_say_so():
    rows = paired_bars([_row("0.20", "0.1400014855", "0.14"), _row("0.20", "0.14006", "0.14")]).rows
    assert [row.breach for row in rows] == [None, "above"]
    assert [percent(row.after_weight) for row in rows] == ["14.00%", "14.01%"]


def test_a_weight_without_bound_is_drawn_and_breaks_its_limit():
    (row,) = paired_bars([_row("0.20", "1e30", "0.14")]).rows
    assert (row.breach, row.after.width) == ("above", "100%")


def test_rows_stand_beneath_each_other_and_make_room_for_the_scale():
    chart = paired_bars([_row("0.1", "0.2")] * 3)
    tops = [row.before.y for row in chart.rows]
    assert tops == sorted(set(tops))
    assert max(row.after.y + row.after.height for row in chart.rows) < chart.axis_y < chart.height


def test_an_empty_portfolio_still_has_a_scale():
    assert [str(tick.weight) for tick in paired_bars([_row("0", "0")]).ticks] == ["0.00", "0.25"]
    assert paired_bars([]).rows == ()


def test_zero_keeps_its_label_where_room_is_short():
    chart = paired_bars([_row("-0.012", "0.13")])
    assert [tick.minor for tick in chart.ticks if tick.weight == 0] == [False]
    assert any(tick.minor for tick in chart.ticks)


@given(st.lists(st.tuples(WEIGHTS, WEIGHTS, st.none() | WEIGHTS), min_size=1, max_size=12))
def test_no_bar_leaves_the_drawing_and_the_longer_weight_has_the_longer_bar(weights):
    chart = paired_bars(WeightShift(str(place), row[0], row[1], highest=row[2]) for place, row in enumerate(weights))
    assert 2 <= len(chart.ticks) <= 9
    assert (chart.ticks[0].x, chart.ticks[-1].x) == ("0%", "100%")
    for row in chart.rows:
        for bar in (row.before, row.after):
            assert 0 <= _number(bar.x) <= _number(bar.x) + _number(bar.width) <= Decimal("100.02")
        if abs(row.before_weight) > abs(row.after_weight):
            assert _number(row.before.width) >= _number(row.after.width)


def test_the_highest_column_fills_the_height_and_the_others_keep_proportion():
    chart = columns([Count("< 1 h", 10), Count("1–2 h", 20, "/inbox?age=1"), Count("2–4 h", 0)])
    heights = [column.height for column in chart.columns]
    assert heights[1] == 2 * heights[0]
    assert heights[2] == 0
    assert {column.y + column.height for column in chart.columns} == {chart.base_y}
    assert [column.href for column in chart.columns] == [None, "/inbox?age=1", None]


def test_columns_stand_side_by_side_within_the_drawing():
    chart = columns(Count(str(day), day) for day in range(31))
    edges = [(_number(column.x), _number(column.x) + _number(column.width)) for column in chart.columns]
    assert all(left[1] <= right[0] for left, right in pairwise(edges))
    assert edges[0][0] >= 0
    assert edges[-1][1] <= 100


def test_labels_thin_out_when_there_are_too_many_columns():
    assert columns(Count(str(hour), 1) for hour in range(6)).every == 1
    assert columns(Count(str(day), 1) for day in range(31)).every == 4


def test_a_histogram_of_nothing_is_flat():
    chart = columns([Count("today", 0), Count("yesterday", 0)])
    assert [column.height for column in chart.columns] == [0, 0]
    assert columns([]).columns == ()
