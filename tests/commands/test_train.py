"""`headstart.commands.train` and `make_run`, its old name: settings that make a recipe, and work that is cancelled.

Whole runs are in tests/runs.
"""

import pytest

import headstart as hs
from headstart import commands
from headstart.errors import ModelError, RunInterruptedError
from headstart.training.recipes import adjusted
from support.recording import Recorder


def test_settings_change_the_recipe():
    fast = hs.RECIPES["fast"]
    assert adjusted("fast") == fast
    assert adjusted("fast", fine_tune="never") == fast.without_fine_tuning()
    assert adjusted("fast", fine_tune="always") == fast.always_fine_tuned()
    assert adjusted("tutorial", epochs=2) == hs.RECIPES["tutorial"].with_epochs(2)
    assert adjusted("fast", balanced=True).balanced
    assert adjusted(adjusted("fast", balanced=True)).balanced, "None leaves it as it is"
    assert adjusted(adjusted("fast", balanced=True), balanced=False) == fast
    with pytest.raises(ModelError, match=r"no fine_tune 'perhaps'\. Choose one of: auto, always, never"):
        adjusted("fast", fine_tune="perhaps")


def test_make_run_is_train():
    assert hs.make_run is commands.train


def test_a_listener_that_cancels_leaves_nothing_of_a_run_without_an_epoch(photos, tmp_path):
    """As Ctrl-C does: one message, which says that nothing was kept."""
    listener = Recorder(cancel_after=3)
    with pytest.raises(RunInterruptedError, match=r"Stopped\. No epoch was finished, so nothing was kept\."):
        commands.train(photos, tmp_path / "run", image_size=32, fine_tune="never", listener=listener)
    assert list(tmp_path.iterdir()) == []
    assert not any(isinstance(event, hs.PictureReady) for event in listener.events)


def test_the_old_name_of_the_listener_is_a_warning(tmp_path):
    with pytest.warns(DeprecationWarning, match="'progress' is now called 'listener'"), pytest.raises(hs.DatasetError):
        hs.make_run(tmp_path / "nowhere", tmp_path / "run", progress=hs.Quiet())  # pyright: ignore[reportCallIssue]
