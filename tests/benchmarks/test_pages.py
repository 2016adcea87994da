"""That the pages of the measurements are of what is stored, and that nothing was lost for them."""

from typing import Any

import pytest

from benchmarks.command import Measurement
from benchmarks.memory.__main__ import MEASUREMENT as MEMORY
from benchmarks.scale.__main__ import MEASUREMENT as SCALE
from benchmarks.volume.__main__ import MEASUREMENT as VOLUME

every_measurement = pytest.mark.parametrize(
    "measurement", [MEMORY, SCALE, VOLUME], ids=lambda found: found.name
)


@pytest.mark.object
@every_measurement
def test_a_page_is_of_the_stored_results(measurement: Measurement[Any]) -> None:
    """It is written with them, so what it says can be looked up."""
    assert measurement.page_path.read_text() == measurement.stored_page()


@every_measurement
def test_nothing_was_lost_for_a_page(measurement: Measurement[Any]) -> None:
    """A number counts only then."""
    assert measurement.loads(measurement.results_path.read_text()).lost == ()


@every_measurement
def test_results_are_stored_as_they_are_read(measurement: Measurement[Any]) -> None:
    """They survive being written again."""
    text = measurement.results_path.read_text()

    assert measurement.dumps(measurement.loads(text)) == text
