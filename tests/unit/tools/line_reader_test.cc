#include "tools/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <vector>

namespace varve {
namespace {

std::string Gzip(const std::string& text) {
  z_stream deflater{};
  EXPECT_EQ(Z_OK, deflateInit2(&deflater, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY));
  std::string out(deflateBound(&deflater, text.size()) + 64, '\0');
  std::string in = text;
  deflater.next_in = reinterpret_cast<Bytef*>(in.data());
  deflater.avail_in = static_cast<uInt>(in.size());
  deflater.next_out = reinterpret_cast<Bytef*>(out.data());
  deflater.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(Z_STREAM_END, deflate(&deflater, Z_FINISH));
  out.resize(deflater.total_out);
  deflateEnd(&deflater);
  return out;
}

class LineReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/varve-line-reader-XXXXXX";
    const int fd = mkstemp(path);
    ASSERT_GE(fd, 0);
    close(fd);
    path_ = path;
  }
  void TearDown() override { unlink(path_.c_str()); }

  // The lines of a file with that content; the last element is the error, if there is one.
  std::vector<std::string> Lines(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    auto reader = LineReader::Open(path_);
    EXPECT_TRUE(reader.ok());
    std::vector<std::string> lines;
    while (true) {
      std::string_view line;
      auto next = (*reader)->Read(&line, 1000);
      if (!next.ok()) {
        lines.push_back("error: " + next.status().message());
        return lines;
      }
      if (*next == LineReader::Next::kEnd) return lines;
      if (*next == LineReader::Next::kLine) lines.emplace_back(line);
    }
  }

  std::string path_;
};

using Expected = std::vector<std::string>;

TEST_F(LineReaderTest, SplitsAtLineEnds) {
  EXPECT_EQ(Expected{}, Lines(""));
  EXPECT_EQ((Expected{"a", "b"}), Lines("a\nb\n"));
  EXPECT_EQ((Expected{"a", "b"}), Lines("a\nb"));
  EXPECT_EQ((Expected{"", "", "x"}), Lines("\n\nx"));
  EXPECT_EQ((Expected{"a\r"}), Lines("a\r\n"));
  EXPECT_EQ((Expected{"\x1f"}), Lines("\x1f"));
}

TEST_F(LineReaderTest, TakesLinesLongerThanItsBuffers) {
  const std::string big(300'000, 'x');
  EXPECT_EQ((Expected{big, "tail"}), Lines(big + "\ntail\n"));
  EXPECT_EQ((Expected{big, "tail"}), Lines(Gzip(big + "\ntail\n")));
}

TEST_F(LineReaderTest, ReadsGzipOfSeveralMembers) {
  EXPECT_EQ((Expected{"a", "bc", "d"}), Lines(Gzip("a\nb") + Gzip("c\nd")));
  EXPECT_EQ((Expected{"a"}), Lines(Gzip("a") + Gzip("")));
}

TEST_F(LineReaderTest, NamesDamagedGzip) {
  const std::string whole = Gzip("a line that is long enough to be cut somewhere in the middle\n");
  const Expected cut = Lines(whole.substr(0, whole.size() - 9));
  EXPECT_EQ("error: " + path_ + ": ends in the middle of its gzip data", cut.back());
  std::string flipped = whole;
  flipped[20] = static_cast<char>(flipped[20] ^ 0x55);
  const std::string error = Lines(flipped).back();
  EXPECT_TRUE(error.starts_with("error: " + path_ + ": damaged gzip data")) << error;
}

TEST_F(LineReaderTest, NamesWhatItCannotOpen) {
  auto missing = LineReader::Open("/no/such/file");
  EXPECT_EQ("/no/such/file: No such file or directory", missing.status().message());
  auto directory = LineReader::Open("/tmp");
  EXPECT_EQ("/tmp: is a directory", directory.status().message());
}

TEST_F(LineReaderTest, KnowsHowFarItIs) {
  std::ofstream(path_, std::ios::binary) << "abc\n";
  auto reader = LineReader::Open(path_);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(4u, (*reader)->bytes_total());
  std::string_view line;
  ASSERT_TRUE((*reader)->Read(&line, 0).ok());
  EXPECT_EQ(4u, (*reader)->bytes_read());
}

}  // namespace
}  // namespace varve
