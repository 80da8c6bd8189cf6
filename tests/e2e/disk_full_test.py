"""A full disk: pushes are refused, queries go on, nothing acknowledged is lost, room brings it back.

The real thing is a small tmpfs, which takes root; where mounting is not allowed that test is skipped by
name, and the two others (a threshold below the disk's present use, a limit on file sizes that makes writes
fail half way) still run.
"""
import os
import resource
import signal
import subprocess
import time
import unittest

from varve_process import NS, VarveTest, json_push

NOW = time.time_ns() - 600 * NS
REFUSED = (500, 503, 507)


def body(index, lines=100):
    # Not to be compressed, so that the disk really fills.
    return json_push(({"job": "full"}, [(NOW + (index * lines + i) * 1000, f"body={index} line={i} {os.urandom(150).hex()}")
                                        for i in range(lines)]))


class DiskFull(VarveTest):
    def push_until_refused(self, server, bodies_max=5000):
        acknowledged = 0
        for index in range(bodies_max):
            answer = server.push(body(index))
            if answer.status != 204:
                self.assertIn(answer.status, REFUSED, answer.text)
                return acknowledged, answer
            acknowledged += 1
        self.fail(f"{bodies_max} bodies were taken")

    def assert_stored(self, server, acknowledged):
        """Every acknowledged body in full; the refused one not at all."""
        self.assertEqual(acknowledged * 100, server.count('{job="full"}', NOW + 600 * NS))

    def resize(self, mount, size):
        resized = subprocess.run(["mount", "-o", f"remount,size={size}", mount], capture_output=True)
        self.assertEqual(0, resized.returncode, resized.stderr)

    def test_above_the_threshold_pushes_get_507_and_queries_go_on(self):
        server = self.started()
        self.assertEqual(204, server.push(body(0)).status)
        self.assertEqual(0, server.stop())
        server = self.started("--set", "storage.disk_full_fraction=0.000000001")
        answer = server.push(body(1))
        self.assertEqual(507, answer.status, answer.text)
        self.assertIn("disk", answer.text)
        self.assert_stored(server, 1)
        self.assertEqual(0, server.stop())

    def test_writes_that_fail_half_way_lose_nothing_acknowledged(self):
        limit = 2 << 20  # bytes of any one file: the journal reaches it, then write() fails

        def limit_file_size():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        server = self.server()
        server.start(preexec_fn=limit_file_size)
        acknowledged, answer = self.push_until_refused(server)
        self.assertGreater(acknowledged, 5)
        self.assertNotEqual("", answer.text.strip())
        self.assertEqual(200, server.query_range('{job="full"}', NOW, NOW + 600 * NS).status)
        server.kill()
        server = self.started()
        self.assert_stored(server, acknowledged)
        self.assertEqual(204, server.push(body(acknowledged + 1)).status)
        self.assertEqual(0, server.stop())

    def test_a_small_tmpfs(self):
        mount = os.path.join(self.folder, "small")
        os.mkdir(mount)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", mount], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", mount], check=False)
        data_dir = os.path.join(mount, "data")
        server = self.started(data_dir=data_dir)
        acknowledged, answer = self.push_until_refused(server)
        self.assertEqual(507, answer.status, answer.text)
        self.assert_stored(server, acknowledged)
        # Now to the last byte: even without its reserve the server must not lose anything.
        ballast_path = os.path.join(mount, "ballast")
        try:
            with open(ballast_path, "wb") as ballast:
                while True:
                    ballast.write(b"\x00" * 65536)
                    ballast.flush()
        except OSError:
            pass
        self.assertIn(server.push(body(acknowledged)).status, REFUSED)
        self.assert_stored(server, acknowledged)
        server.kill()
        if os.path.exists(ballast_path):  # a cut under way may have taken the last byte before it
            os.unlink(ballast_path)
        self.resize(mount, "64m")
        server = self.started(data_dir=data_dir)
        self.assert_stored(server, acknowledged)
        self.assertEqual(0, server.stop())
        self.resize(mount, "200m")
        server = self.started(data_dir=data_dir)
        self.assertEqual(204, server.push(body(acknowledged)).status)
        self.assert_stored(server, acknowledged + 1)


if __name__ == "__main__":
    unittest.main()
