"""Damage on disk: the query names the block, `varve verify` lists it, the rest stays readable."""
import glob
import os
import random
import time
import unittest

from varve_process import NS, VarveTest

HOUR = 3600 * NS
BASE = (time.time_ns() // HOUR - 5) * HOUR


class Damage(VarveTest):
    def setUp(self):
        super().setUp()
        # Five hours, five buckets, so several packs; lines that do not compress, so that most of a file
        # is block data.
        dice = random.Random(7)
        server = self.started()
        for hour in range(5):
            server.push_streams(({"job": "d", "hour": str(hour)},
                                 [(BASE + hour * HOUR + i * NS, f"{hour}.{i} {dice.randbytes(60).hex()}") for i in range(2000)]))
        server.flush()
        self.assertEqual(0, server.stop())
        self.assertEqual(0, self.run_varve("verify", self.data_dir)[0])
        self.packs = sorted(glob.glob(os.path.join(self.data_dir, "packs", "*.sst")), key=os.path.getsize)
        self.assertGreaterEqual(len(self.packs), 5)

    def hours_that_answer(self, server):
        """Which of the five hours can be read in full, and the errors of the others."""
        good, errors = [], []
        for hour in range(5):
            begin = BASE + hour * HOUR
            answer = server.query_range('{job="d"}', begin, begin + HOUR, limit=5000, direction="forward")
            if answer.status == 200:
                lines = sum(len(s["values"]) for s in answer.json["data"]["result"])
                self.assertEqual(2000, lines, "a query that cannot read everything must say so")
                good.append(hour)
            else:
                errors.append(answer)
        return good, errors

    def test_flipped_bytes_in_a_block(self):
        path = self.packs[-1]
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 3)
            old = f.read(4)
            f.seek(-4, os.SEEK_CUR)
            f.write(bytes(b ^ 0xFF for b in old))
        status, out, err = self.run_varve("verify", self.data_dir)
        self.assertEqual(1, status, out + err)
        self.assertRegex(out + err, r"block \d+")
        self.assertRegex(out + err, r"pack \d+")
        server = self.started()
        good, errors = self.hours_that_answer(server)
        self.assertEqual((4, 1), (len(good), len(errors)))
        self.assertEqual(500, errors[0].status)
        self.assertRegex(errors[0].text, r"block \d+")
        self.assertRegex(errors[0].text, r"pack \d+")
        server.push_streams(({"job": "new"}, [(BASE, "still taking logs")]))
        self.assertEqual(1, server.count('{job="new"}', BASE + NS))
        self.assertEqual(0, server.stop())

    def test_a_missing_pack(self):
        path = self.packs[-1]
        os.rename(path, path + ".gone")
        status, out, err = self.run_varve("verify", self.data_dir)
        self.assertEqual(1, status, out + err)
        # By number: RocksDB looks for the name it once had, 000012.ldb, last.
        self.assertIn(os.path.basename(path)[:-len(".sst")], out)
        self.assertRegex(out, r"pack \d+")
        server = self.started()
        good, errors = self.hours_that_answer(server)
        self.assertEqual((4, 1), (len(good), len(errors)))
        self.assertRegex(errors[0].text, r"pack \d+")
        server.push_streams(({"job": "new"}, [(BASE, "still taking logs")]))
        self.assertEqual(0, server.stop())
        os.rename(path + ".gone", path)
        self.assertEqual(([0, 1, 2, 3, 4], []), self.hours_that_answer(self.started()))


if __name__ == "__main__":
    unittest.main()
