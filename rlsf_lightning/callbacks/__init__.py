"""Drop-in callbacks under one import name: ``rlsf_lightning.callbacks.NAME``.

It is ``./callbacks/NAME.py`` of the working directory, else the file of that name that the package ships. A proper
module name lets other processes unpickle what such a file defines. Nothing is imported from here.
"""

from rlsf_lightning.config.extension_points import search_folders

__path__ = [str(folder) for folder in search_folders("callbacks")]
