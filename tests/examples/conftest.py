"""Let the tests import the application, which lies beside them, as `vault`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# The application makes a client when it is imported: botocore is not to look for credentials on the network then.
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
