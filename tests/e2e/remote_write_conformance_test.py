"""How remote write is received: the shared kit's run_remote_write.py, whose folder is the first argument. Registered
with ctest only where the kit is there."""
import json
import os
import subprocess
import sys
import unittest

from varve_process import VarveTest

KIT = sys.argv.pop(1)


class RemoteWriteConformance(VarveTest):
    def test_every_check_passes(self):
        server = self.started()
        done = subprocess.run(
            [sys.executable, os.path.join(KIT, "run_remote_write.py"), "--url", f"http://127.0.0.1:{server.port}",
             "--json"],
            capture_output=True, text=True, env={**os.environ, "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}, timeout=600)
        found = json.loads(done.stdout)
        self.assertEqual([], found["failures"], done.stderr)
        self.assertEqual([], found["skipped"])
        self.assertGreaterEqual(found["passed"], 88)
        self.assertEqual(0, server.stop())


if __name__ == "__main__":
    unittest.main()
