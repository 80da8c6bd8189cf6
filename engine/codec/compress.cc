#include "engine/codec/compress.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include <cstring>
#include <memory>

#include "engine/base/check.h"
#include "engine/codec/checksum.h"

namespace varve {

namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* ThreadCompressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  VARVE_CHECK(context != nullptr);
  return context.get();
}

ZSTD_DCtx* ThreadDecompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  VARVE_CHECK(context != nullptr);
  return context.get();
}

}  // namespace

uint64_t Checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void AppendZstdFrame(std::string_view raw, std::string* out, int level) {
  const size_t start = out->size();
  out->resize(start + ZSTD_compressBound(raw.size()));
  const size_t size = ZSTD_compressCCtx(ThreadCompressor(), out->data() + start, out->size() - start,
                                        raw.data(), raw.size(), level);
  VARVE_CHECK(!ZSTD_isError(size));  // the output bound rules out every reason but want of memory
  out->resize(start + size);
}

Compression AppendCompressed(std::string_view raw, std::string* out, int level) {
  const size_t start = out->size();
  AppendZstdFrame(raw, out, level);
  if (out->size() - start < raw.size()) return Compression::kZstd;
  out->resize(start);
  out->append(raw);
  return Compression::kNone;
}

Status Decompress(Compression compression, std::string_view encoded, char* dst, size_t decoded_size) {
  switch (compression) {
    case Compression::kNone:
      if (encoded.size() != decoded_size) {
        return Corruption("stored bytes are " + std::to_string(encoded.size()) + ", expected " +
                          std::to_string(decoded_size));
      }
      if (decoded_size != 0) std::memcpy(dst, encoded.data(), decoded_size);
      return Status::Ok();
    case Compression::kZstd: {
      const unsigned long long claimed = ZSTD_getFrameContentSize(encoded.data(), encoded.size());
      if (claimed != decoded_size) {
        return Corruption("zstd frame does not hold the expected " + std::to_string(decoded_size) + " bytes");
      }
      const size_t size =
          ZSTD_decompressDCtx(ThreadDecompressor(), dst, decoded_size, encoded.data(), encoded.size());
      if (ZSTD_isError(size)) return Corruption(std::string("zstd: ") + ZSTD_getErrorName(size));
      if (size != decoded_size) return Corruption("zstd frame is short");
      return Status::Ok();
    }
  }
  return Corruption("unknown compression " + std::to_string(static_cast<int>(compression)));
}

}  // namespace varve
