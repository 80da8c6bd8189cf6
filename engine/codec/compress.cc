// zstd level 1 with a hash table of 2^15 instead of 2^14 entries: on blocks of 1 MB of logs 1.8 % smaller
// for 5 % more time. Measured on the 6 million lines of bench/ (MB/s of one core, whole load): level -1
// 196 MB at 550; level 1 138 at 517; this 135.6 at 490; 2^16 134.4 at 455; level 2 137 at 448; level 3
// 135.6 at 349. bench/micro/log_block_bench.cc.
#include "engine/codec/compress.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include <cstring>
#include <memory>
#include <random>

#include "engine/base/check.h"
#include "engine/codec/checksum.h"

namespace varve {

namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

constexpr int kLevel = 1;
constexpr int kHashLog = 15;

ZSTD_CCtx* CreateCompressor() {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  VARVE_CHECK(context != nullptr);
  VARVE_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel)));
  VARVE_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, kHashLog)));
  return context;
}

ZSTD_CCtx* ThreadCompressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(CreateCompressor());
  return context.get();
}

// Reused so that each block finds it in the cache, and not zeroed as a string would be. One that a huge line
// made large is not kept.
struct Scratch {
  static constexpr size_t kKeptBytesMax = 4 << 20;
  std::unique_ptr<char[]> bytes;
  size_t size = 0;

  char* Room(size_t wanted) {
    if (wanted > size) {
      bytes = std::make_unique_for_overwrite<char[]>(wanted);
      size = wanted;
    }
    return bytes.get();
  }
  void Trim() {
    if (size <= kKeptBytesMax) return;
    bytes.reset();
    size = 0;
  }
};

// Calls use(frame) with one zstd frame of `raw`.
template <typename Use>
void WithZstdFrame(std::string_view raw, const Use& use) {
  thread_local Scratch scratch;
  const size_t bound = ZSTD_compressBound(raw.size());
  char* room = scratch.Room(bound);
  const size_t size = ZSTD_compress2(ThreadCompressor(), room, bound, raw.data(), raw.size());
  VARVE_CHECK(!ZSTD_isError(size));  // the bound rules out every reason but want of memory
  use(std::string_view(room, size));
  scratch.Trim();
}

ZSTD_DCtx* ThreadDecompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  VARVE_CHECK(context != nullptr);
  return context.get();
}

}  // namespace

uint64_t Checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

ContentKey ContentKeyOf(std::string_view bytes) {
  static const uint64_t seed = [] {
    std::random_device random;
    return (uint64_t{random()} << 32) | random();
  }();
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {.low = hash.low64, .high = hash.high64};
}

void AppendZstdFrame(std::string_view raw, std::string* out) {
  WithZstdFrame(raw, [out](std::string_view frame) { out->append(frame); });
}

Compression AppendCompressed(std::string_view raw, std::string* out) {
  Compression compression = Compression::kNone;
  WithZstdFrame(raw, [&](std::string_view frame) {
    const bool smaller = frame.size() < raw.size();
    if (smaller) compression = Compression::kZstd;
    out->append(smaller ? frame : raw);
  });
  return compression;
}

Status CheckDecodedSize(Compression compression, std::string_view encoded, size_t decoded_size) {
  unsigned long long claimed = 0;
  switch (compression) {
    case Compression::kNone: claimed = encoded.size(); break;
    // The two values for "unknown" and "not a frame" are larger than any size a caller allows.
    case Compression::kZstd: claimed = ZSTD_getFrameContentSize(encoded.data(), encoded.size()); break;
    default: return Corruption("unknown compression " + std::to_string(static_cast<int>(compression)));
  }
  if (claimed == decoded_size) return Status::Ok();
  return Corruption("does not hold the expected " + std::to_string(decoded_size) + " bytes");
}

Status Decompress(Compression compression, std::string_view encoded, char* dst, size_t decoded_size) {
  VARVE_RETURN_IF_ERROR(CheckDecodedSize(compression, encoded, decoded_size));
  if (decoded_size == 0) return Status::Ok();
  if (compression == Compression::kNone) {
    std::memcpy(dst, encoded.data(), decoded_size);
    return Status::Ok();
  }
  const size_t size =
      ZSTD_decompressDCtx(ThreadDecompressor(), dst, decoded_size, encoded.data(), encoded.size());
  if (ZSTD_isError(size)) return Corruption(std::string("zstd: ") + ZSTD_getErrorName(size));
  return size == decoded_size ? Status::Ok() : Corruption("zstd frame is short");
}

}  // namespace varve
