"""How many kills, and from which seed."""

from typing import Callable

import pytest

from lib.crash import Killed


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=200, help="kills in all, at least")
    parser.addoption("--seed", type=int, default=1, help="what passes and times are drawn from")


def pytest_report_header(config: pytest.Config) -> str:
    return f"kills: {config.getoption('--kills')} seed: {config.getoption('--seed')}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"{Killed.count} kills, seed {config.getoption('--seed')}")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--seed")


@pytest.fixture
def share(request: pytest.FixtureRequest) -> Callable[[float], int]:
    """share(fraction): how many of the kills are this test's."""

    def of(fraction: float) -> int:
        return max(2, -int(-request.config.getoption("--kills") * fraction // 1))

    return of
