"""``python -m rlsf_lightning.report``."""

from rlsf_lightning.report import main

main()
