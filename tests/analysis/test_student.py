"""Student's t against the printed tables."""

import pytest

from tuner.analysis import student

TABLE = [
    (0.95, 1, 6.314), (0.975, 1, 12.706), (0.99, 2, 6.965), (0.975, 3, 3.182), (0.995, 4, 4.604), (0.99, 5, 3.365),
    (0.9, 7, 1.415), (0.975, 10, 2.228), (0.999, 12, 3.930), (0.99, 21, 2.518), (0.975, 30, 2.042), (0.995, 60, 2.660),
    (0.975, 120, 1.980), (0.99, 1000, 2.330),
]  # fmt: skip


@pytest.mark.parametrize(("probability", "df", "value"), TABLE)
def test_quantiles_are_those_of_the_tables(probability: float, df: int, value: float) -> None:
    assert student.quantile(probability, df) == pytest.approx(value, abs=6e-4)


@pytest.mark.parametrize("df", [1, 2, 3, 8, 33, 200])
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.9, 0.996, 0.9999])
def test_the_quantile_undoes_the_distribution(df: int, probability: float) -> None:
    assert student.cdf(student.quantile(probability, df), df) == pytest.approx(probability, abs=1e-9)


def test_many_degrees_of_freedom_go_on_where_few_end() -> None:
    assert student.quantile(0.999, 201) == pytest.approx(student.quantile(0.999, 200), abs=4e-4)
