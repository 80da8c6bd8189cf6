#include "ingest/content_decoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Gzip(std::string_view text) { return Deflated(text, 31); }
std::string RawDeflate(std::string_view text) { return Deflated(text, -15); }
std::string Zlib(std::string_view text) { return Deflated(text, 15); }

std::string Zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

std::string Lz4Frame(std::string_view text) {
  std::string out(LZ4F_compressFrameBound(text.size(), nullptr), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), nullptr));
  return out;
}

std::string Snappy(std::string_view text) {
  std::string out;
  snappy::Compress(text.data(), text.size(), &out);
  return out;
}

std::string Lz4Block(std::string_view text) {
  ByteBuffer out;
  AppendLz4Block(text, &out);
  return std::string(out.view());
}

struct Codec {
  const char* name;
  ContentEncoding encoding;
  std::string (*encode)(std::string_view);
  const char* stage;
};

class ContentDecoding : public ::testing::TestWithParam<Codec> {
 protected:
  Status Decode(std::string_view input, int64_t max_size) {
    DecodeMemory memory(&budget_, DecodeMemory::Mode::kMayRefuse);
    return DecodeContent(GetParam().encoding, input, max_size, &out_, &memory);
  }

  MemoryBudget budget_{"test", 64 << 20};
  ByteBuffer out_;
};

std::string Text(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  text.resize(size);
  return text;
}

TEST_P(ContentDecoding, GivesBackWhatWasEncoded) {
  for (const size_t size : {0, 1, 100, 65'536, 65'537, 1'000'000}) {
    const std::string text = Text(size);
    const Status status = Decode(GetParam().encode(text), 1'000'000);
    ASSERT_TRUE(status.ok()) << size << ": " << status.ToString();
    EXPECT_EQ(out_.view(), text);
  }
}

TEST_P(ContentDecoding, AllowsTheLimitAndNotAByteMore) {
  const std::string text(300'000, 'a');
  EXPECT_TRUE(Decode(GetParam().encode(text), 300'000).ok());
  const Status status = Decode(GetParam().encode(text), 299'999);
  EXPECT_EQ(status.code(), Code::kTooLarge) << status.ToString();
  EXPECT_THAT(status.message(),
              StartsWith("request body too large: decompressed message size too large than max ("));
}

TEST_P(ContentDecoding, NamesItsStageWhenTheInputIsCutShort) {
  const std::string encoded = GetParam().encode(Text(5'000));
  for (size_t size = 0; size < encoded.size(); size += 1 + size / 16) {
    const Status status = Decode(encoded.substr(0, size), 1 << 20);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << size;
    EXPECT_THAT(status.message(), StartsWith(GetParam().stage));
  }
}

TEST_P(ContentDecoding, StaysInItsLimitsWithDamagedInput) {
  const std::string good = GetParam().encode(Text(20'000));
  for (size_t i = 0; i < good.size(); i += 1 + good.size() / 500) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      Decode(bad, 100'000).IgnoreError("whether damage is noticed depends on the format's checksum");
      EXPECT_LE(out_.size(), 100'001u);
    }
  }
  EXPECT_EQ(budget_.used_bytes(), 0);
}

TEST_P(ContentDecoding, ReservesBeforeItAllocates) {
  const std::string encoded = GetParam().encode(std::string(25'000'000, 'a'));
  MemoryBudget small("small", 20 << 20);
  DecodeMemory memory(&small, DecodeMemory::Mode::kMayRefuse);
  const Status status = DecodeContent(GetParam().encoding, encoded, 1 << 30, &out_, &memory);
  EXPECT_EQ(status.code(), Code::kTooLarge) << status.ToString();
  EXPECT_LE(out_.capacity(), size_t{20} << 20);
  EXPECT_LE(small.peak_bytes(), 20 << 20);
}

INSTANTIATE_TEST_SUITE_P(All, ContentDecoding,
                         ::testing::Values(Codec{"snappy", ContentEncoding::kSnappy, Snappy, "snappy: "},
                                           Codec{"gzip", ContentEncoding::kGzip, Gzip, "gzip: "},
                                           Codec{"raw_deflate", ContentEncoding::kDeflate, RawDeflate,
                                                 "deflate: "},
                                           Codec{"zlib", ContentEncoding::kDeflate, Zlib, "deflate: "},
                                           Codec{"zstd", ContentEncoding::kZstd, Zstd, "zstd: "},
                                           Codec{"lz4_frame", ContentEncoding::kLz4Frame, Lz4Frame, "lz4: "},
                                           Codec{"lz4_block", ContentEncoding::kLz4Block, Lz4Block, "lz4: "}),
                         [](const auto& test) { return test.param.name; });

class ContentDecodingOf : public ::testing::Test {
 protected:
  Status Decode(ContentEncoding encoding, std::string_view input, int64_t max_size = 1 << 20) {
    DecodeMemory memory(&budget_, DecodeMemory::Mode::kMayRefuse);
    return DecodeContent(encoding, input, max_size, &out_, &memory);
  }
  MemoryBudget budget_{"test", 64 << 20};
  ByteBuffer out_;
};

TEST_F(ContentDecodingOf, ImpossibleClaimsAreCorruptNotTooLarge) {
  // Ten bytes that claim four gigabytes.
  const std::string claim("\xff\xff\xff\xff\x0f\x00\x00\x00\x00\x00", 10);
  EXPECT_EQ(Decode(ContentEncoding::kSnappy, claim).message(), "snappy: corrupt input");
  EXPECT_EQ(Decode(ContentEncoding::kLz4Block, claim).message(), "lz4: corrupt input");
  EXPECT_EQ(budget_.peak_bytes(), 0);
}

TEST_F(ContentDecodingOf, GzipMayHaveSeveralMembersAndNothingElse) {
  const std::string member = Deflated("abc", 31);
  ASSERT_TRUE(Decode(ContentEncoding::kGzip, member + member).ok());
  EXPECT_EQ(out_.view(), "abcabc");
  EXPECT_THAT(Decode(ContentEncoding::kGzip, member + "junk").message(), HasSubstr("gzip: "));
}

TEST_F(ContentDecodingOf, ZstdMayHaveSeveralFramesAndNoContentSize) {
  const std::string frame = Zstd("abc");
  ASSERT_TRUE(Decode(ContentEncoding::kZstd, frame + frame).ok());
  EXPECT_EQ(out_.view(), "abcabc");
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  const std::string text = Text(200'000);
  std::string unsized(ZSTD_compressBound(text.size()), '\0');
  unsized.resize(ZSTD_compress2(context, unsized.data(), unsized.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  ASSERT_TRUE(Decode(ContentEncoding::kZstd, unsized).ok());
  EXPECT_EQ(out_.view(), text);
}

TEST_F(ContentDecodingOf, ZstdWindowsAreBounded) {
  // A frame header that asks for a window of 1 GiB.
  const std::string header("\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", 9);
  EXPECT_EQ(Decode(ContentEncoding::kZstd, header).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace varve
