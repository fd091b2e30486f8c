"""Property tests have no deadline: on a busy machine the first call of a torch function takes seconds."""

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
