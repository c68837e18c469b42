"""Two profiles: one that `make test` repeats exactly, and `soak`, which looks further each time."""

import os

from hypothesis import settings

settings.register_profile("ci", max_examples=25, derandomize=True, database=None, deadline=None)
settings.register_profile("soak", max_examples=600, database=None, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("STRATA_HYPOTHESIS_PROFILE", "ci"))
