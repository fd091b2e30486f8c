"""What is dropped, and that nothing else is."""

import logging
import warnings

from rlsf_lightning.config.environment import silence_libraries


def test_products_are_not_advertised_and_the_rest_is_told(caplog):
    silence_libraries()
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.info("\N{ELECTRIC LIGHT BULB} Tip: buy this")
    logger.warning("GPU available but not used")
    assert [record.message for record in caplog.records] == ["GPU available but not used"]


def test_warnings():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        silence_libraries()
        warnings.warn("Found 510 module(s) in eval mode at the start of training. This may", stacklevel=1)
        warnings.warn("`isinstance(treespec, LeafSpec)` is deprecated, use", stacklevel=1)
        warnings.warn("the disk is nearly full", stacklevel=1)
    assert [str(w.message) for w in caught] == ["the disk is nearly full"]
