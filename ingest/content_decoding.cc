#include "ingest/content_decoding.h"

#include <algorithm>
#include <string>

#include <lz4.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "engine/base/bytes.h"

namespace varve {
namespace {

// The most one compressed byte can become: snappy copies up to 64 bytes with an element of 3, LZ4 up to
// 255 bytes a length byte. (DEFLATE reaches 1032, zstd has no useful bound; both are decoded in steps.)
constexpr uint64_t kSnappyExpansionMax = 22;
constexpr uint64_t kLz4ExpansionMax = 255;
constexpr size_t kFirstStep = 64 << 10;

Status TooLargeDecoded(uint64_t size, int64_t max_size) {
  return TooLarge("request body too large: decompressed message size too large than max (" +
                  std::to_string(size) + " vs " + std::to_string(max_size) + ")");
}

Status Corrupt(const char* stage, const char* what) {
  return InvalidArgument(std::string(stage) + ": " + what);
}

// Room for exactly `size` bytes, paid for.
Status PrepareExact(uint64_t size, int64_t max_size, ByteBuffer* out, DecodeMemory* memory) {
  if (size > static_cast<uint64_t>(max_size)) return TooLargeDecoded(size, max_size);
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(size)));
  out->Reserve(size);
  return Status::Ok();
}

// Output of unknown size: doubles from a first guess up to one byte above the limit, so that reaching
// the end of that byte means "too large".
class GrowingOutput {
 public:
  GrowingOutput(size_t input_size, int64_t max_size, ByteBuffer* out, DecodeMemory* memory)
      : max_size_(max_size),
        out_(out),
        memory_(memory),
        next_capacity_(std::max(kFirstStep, input_size * 4)) {}

  // Makes room for at least one more byte.
  Status MakeRoom() {
    if (out_->size() < limit_) return Status::Ok();
    if (out_->size() > static_cast<uint64_t>(max_size_)) return TooLargeDecoded(out_->size(), max_size_);
    const size_t capacity = std::min<uint64_t>(next_capacity_, static_cast<uint64_t>(max_size_) + 1);
    VARVE_RETURN_IF_ERROR(memory_->Add(static_cast<int64_t>(capacity - limit_)));
    out_->Reserve(capacity);
    limit_ = capacity;
    next_capacity_ = capacity * 2;
    return Status::Ok();
  }
  char* next() { return out_->data() + out_->size(); }
  size_t room() const { return limit_ - out_->size(); }
  void Produced(size_t bytes) { out_->SetSize(out_->size() + bytes); }
  Status Finish() {
    if (out_->size() > static_cast<uint64_t>(max_size_)) return TooLargeDecoded(out_->size(), max_size_);
    return Status::Ok();
  }

 private:
  const int64_t max_size_;
  ByteBuffer* const out_;
  DecodeMemory* const memory_;
  size_t next_capacity_;
  size_t limit_ = 0;  // paid for and allocated
};

Status DecodeSnappy(std::string_view input, int64_t max_size, ByteBuffer* out, DecodeMemory* memory) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(input.data(), input.size(), &size) ||
      size > input.size() * kSnappyExpansionMax) {
    return Corrupt("snappy", "corrupt input");
  }
  VARVE_RETURN_IF_ERROR(PrepareExact(size, max_size, out, memory));
  if (!snappy::RawUncompress(input.data(), input.size(), out->data()))
    return Corrupt("snappy", "corrupt input");
  out->SetSize(size);
  return Status::Ok();
}

// zlib's state, ended on every way out.
class Inflater {
 public:
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  bool Start(int window_bits) { return ready_ = inflateInit2(&stream_, window_bits) == Z_OK; }
  z_stream* get() { return &stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

Status Inflate(std::string_view input, int window_bits, const char* stage, bool many_members,
               GrowingOutput* output) {
  Inflater inflater;
  if (!inflater.Start(window_bits)) return Unavailable(std::string(stage) + ": no memory for the decoder");
  z_stream* const stream = inflater.get();
  size_t offset = 0;
  stream->avail_in = 0;
  while (true) {
    if (stream->avail_in == 0 && offset < input.size()) {
      const size_t step = std::min<size_t>(input.size() - offset, 1u << 30);
      stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data() + offset));
      stream->avail_in = static_cast<uInt>(step);
      offset += step;
    }
    VARVE_RETURN_IF_ERROR(output->MakeRoom());
    const auto room = static_cast<uInt>(std::min<size_t>(output->room(), 1u << 30));
    stream->next_out = reinterpret_cast<Bytef*>(output->next());
    stream->avail_out = room;
    const int rc = inflate(stream, Z_NO_FLUSH);
    output->Produced(room - stream->avail_out);
    const bool input_left = stream->avail_in != 0 || offset < input.size();
    if (rc == Z_STREAM_END) {
      if (!many_members || !input_left) return output->Finish();
      if (inflateReset(stream) != Z_OK) return Corrupt(stage, "corrupt input");
      continue;
    }
    if (rc != Z_OK && rc != Z_BUF_ERROR)
      return Corrupt(stage, stream->msg != nullptr ? stream->msg : "corrupt input");
    if (!input_left && stream->avail_out != 0) return Corrupt(stage, "unexpected EOF");
  }
}

Status DecodeDeflate(std::string_view input, int64_t max_size, ByteBuffer* out, DecodeMemory* memory) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(input[i]); };
  // A zlib header: method 8, and the two bytes a multiple of 31. Raw DEFLATE can look like one by accident.
  if (input.size() >= 2 && (byte(0) & 0x0F) == 8 && ((byte(0) << 8) | byte(1)) % 31 == 0) {
    GrowingOutput output(input.size(), max_size, out, memory);
    Status status = Inflate(input, 15, "deflate", false, &output);
    if (status.code() != Code::kInvalidArgument) return status;
    out->Clear();
  }
  GrowingOutput output(input.size(), max_size, out, memory);
  return Inflate(input, -15, "deflate", false, &output);
}

class ZstdDecoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) {}
  ~ZstdDecoder() { ZSTD_freeDCtx(context_); }
  ZSTD_DCtx* get() { return context_; }

 private:
  ZSTD_DCtx* const context_;
};

Status DecodeZstd(std::string_view input, int64_t max_size, ByteBuffer* out, DecodeMemory* memory) {
  // The decoder's window: at most 8 MiB, the most that zstd's own format specification asks decoders to take.
  constexpr int kWindowLogMax = 23;
  const unsigned long long claimed = ZSTD_getFrameContentSize(input.data(), input.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) return Corrupt("zstd", "invalid input: magic number mismatch");
  if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed > static_cast<uint64_t>(max_size)) {
    return TooLargeDecoded(claimed, max_size);
  }
  VARVE_RETURN_IF_ERROR(memory->Add((1 << kWindowLogMax) + (1 << 18)));
  ZstdDecoder decoder;
  if (decoder.get() == nullptr) return Unavailable("zstd: no memory for the decoder");
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  GrowingOutput output(input.size(), max_size, out, memory);
  ZSTD_inBuffer in{input.data(), input.size(), 0};
  size_t rc = 1;
  while (in.pos < in.size || rc != 0) {
    VARVE_RETURN_IF_ERROR(output.MakeRoom());
    ZSTD_outBuffer to{output.next(), output.room(), 0};
    const size_t in_before = in.pos;
    rc = ZSTD_decompressStream(decoder.get(), &to, &in);
    if (ZSTD_isError(rc)) return Corrupt("zstd", ZSTD_getErrorName(rc));
    output.Produced(to.pos);
    if (rc != 0 && in.pos == in.size && in.pos == in_before && to.pos == 0)
      return Corrupt("zstd", "unexpected EOF");
  }
  return output.Finish();
}

class Lz4FrameDecoder {
 public:
  Lz4FrameDecoder() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION))) context_ = nullptr;
  }
  ~Lz4FrameDecoder() { LZ4F_freeDecompressionContext(context_); }
  LZ4F_dctx* get() { return context_; }

 private:
  LZ4F_dctx* context_ = nullptr;
};

Status DecodeLz4Frame(std::string_view input, int64_t max_size, ByteBuffer* out, DecodeMemory* memory) {
  // A frame's blocks are at most 4 MiB; the decoder holds two of them.
  VARVE_RETURN_IF_ERROR(memory->Add(9 << 20));
  Lz4FrameDecoder decoder;
  if (decoder.get() == nullptr) return Unavailable("lz4: no memory for the decoder");
  GrowingOutput output(input.size(), max_size, out, memory);
  size_t offset = 0;
  size_t hint = 1;
  while (offset < input.size() || hint != 0) {
    VARVE_RETURN_IF_ERROR(output.MakeRoom());
    size_t produced = output.room();
    size_t consumed = input.size() - offset;
    hint =
        LZ4F_decompress(decoder.get(), output.next(), &produced, input.data() + offset, &consumed, nullptr);
    if (LZ4F_isError(hint)) return Corrupt("lz4", LZ4F_getErrorName(hint));
    offset += consumed;
    output.Produced(produced);
    if (hint != 0 && offset == input.size() && produced == 0 && consumed == 0)
      return Corrupt("lz4", "unexpected EOF");
  }
  return output.Finish();
}

Status DecodeLz4Block(std::string_view input, int64_t max_size, ByteBuffer* out, DecodeMemory* memory) {
  ByteReader reader(input);
  const uint64_t size = reader.Varint();
  const std::string_view block = reader.Bytes(reader.remaining());
  if (!reader.ok() || size > block.size() * kLz4ExpansionMax || size > LZ4_MAX_INPUT_SIZE) {
    return Corrupt("lz4", "corrupt input");
  }
  VARVE_RETURN_IF_ERROR(PrepareExact(size, max_size, out, memory));
  const int decoded =
      LZ4_decompress_safe(block.data(), out->data(), static_cast<int>(block.size()), static_cast<int>(size));
  if (decoded < 0 || static_cast<uint64_t>(decoded) != size) return Corrupt("lz4", "corrupt input");
  out->SetSize(size);
  return Status::Ok();
}

}  // namespace

Status DecodeContent(ContentEncoding encoding, std::string_view input, int64_t max_size, ByteBuffer* out,
                     DecodeMemory* memory) {
  out->Clear();
  switch (encoding) {
    case ContentEncoding::kSnappy: return DecodeSnappy(input, max_size, out, memory);
    case ContentEncoding::kGzip: {
      GrowingOutput output(input.size(), max_size, out, memory);
      return Inflate(input, 15 + 16, "gzip", true, &output);
    }
    case ContentEncoding::kDeflate: return DecodeDeflate(input, max_size, out, memory);
    case ContentEncoding::kZstd: return DecodeZstd(input, max_size, out, memory);
    case ContentEncoding::kLz4Frame: return DecodeLz4Frame(input, max_size, out, memory);
    case ContentEncoding::kLz4Block: return DecodeLz4Block(input, max_size, out, memory);
    case ContentEncoding::kIdentity: break;
  }
  return InternalError("DecodeContent: no decoder for encoding " +
                       std::to_string(static_cast<int>(encoding)));
}

void AppendLz4Block(std::string_view input, ByteBuffer* out) {
  std::string size;
  PutVarint(&size, input.size());
  out->Append(size);
  const int bound = LZ4_compressBound(static_cast<int>(input.size()));
  out->Reserve(out->size() + static_cast<size_t>(bound));
  const int written =
      LZ4_compress_default(input.data(), out->data() + out->size(), static_cast<int>(input.size()), bound);
  VARVE_CHECK(written > 0 || input.empty());
  out->SetSize(out->size() + static_cast<size_t>(written));
}

}  // namespace varve
