"""Signals that end a program wait until a training has written its state, and then do what they did before."""

import signal
import threading

import pytest

from ddgp_lib.training.interruption import SIGNALS, put_off

INTERRUPT, TERMINATE = SIGNALS


class EndedError(Exception):
    """What the handler of these tests raises."""


@pytest.fixture(autouse=True)
def _handlers():
    """Handle both signals by an exception, for the time of a test."""

    def end(number, frame):
        raise EndedError(number)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_waits_until_it_is_acted_on_and_then_meets_the_handler_of_before(number):
    waited = []

    def work():
        with put_off() as interruptions:
            interruptions.act()
            signal.raise_signal(number)
            waited.extend(interruptions.waiting)
            interruptions.act()
            waited.append("not reached")

    handlers = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(EndedError, match=str(int(number))):
        work()
    assert waited == [number]
    assert [signal.getsignal(number) for number in SIGNALS] == handlers


def test_a_signal_that_nobody_acts_on_meets_its_handler_at_the_end():
    done = []

    def work():
        with put_off():
            signal.raise_signal(TERMINATE)
            done.append(True)

    with pytest.raises(EndedError):
        work()
    assert done


def test_a_second_signal_acts_at_once():
    done = []

    def work():
        with put_off():
            signal.raise_signal(INTERRUPT)
            done.append(1)
            signal.raise_signal(INTERRUPT)
            done.append(2)

    with pytest.raises(EndedError):
        work()
    assert done == [1]


def test_an_ignored_signal_stays_ignored():
    signal.signal(TERMINATE, signal.SIG_IGN)
    with put_off() as interruptions:
        signal.raise_signal(TERMINATE)
        assert interruptions.waiting == []
    assert signal.getsignal(TERMINATE) is signal.SIG_IGN


def test_other_threads_put_nothing_off():
    seen = []

    def run():
        handlers = [signal.getsignal(number) for number in SIGNALS]
        with put_off() as interruptions:
            seen.append([signal.getsignal(number) for number in SIGNALS] == handlers)
            interruptions.act()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [True]
