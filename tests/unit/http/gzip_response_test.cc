#include "http/gzip_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace varve {
namespace {

using ::testing::Contains;
using ::testing::Pair;

std::string Gunzip(const std::string& compressed) {
  std::string out(1 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(AcceptsGzip, FollowsTheHeader) {
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip;q=0.5, br", " gzip ", "gzip, deflate, br, zstd"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no :
       {"", "identity", "br", "zstd, deflate", "gzip;q=0", "gzip; q=0.000", "x-gzip2", "*"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(CompressResponse, ReplacesALargeBody) {
  const std::string plain(5000, 'x');
  HttpResponse response = JsonResponse(plain);
  CompressResponse("gzip", 1024, &response);
  EXPECT_THAT(response.headers, Contains(Pair("Content-Encoding", "gzip")));
  EXPECT_THAT(response.headers, Contains(Pair("Vary", "Accept-Encoding")));
  EXPECT_LT(response.body.size(), plain.size());
  EXPECT_EQ(Gunzip(response.body), plain);
}

TEST(CompressResponse, LeavesSmallAndUnaskedBodiesAlone) {
  HttpResponse small = JsonResponse("tiny");
  CompressResponse("gzip", 1024, &small);
  EXPECT_EQ(small.body, "tiny");
  EXPECT_TRUE(small.headers.empty());
  HttpResponse unasked = JsonResponse(std::string(5000, 'x'));
  CompressResponse("deflate, zstd", 1024, &unasked);
  EXPECT_EQ(unasked.body.size(), 5000U);
}

}  // namespace
}  // namespace varve
