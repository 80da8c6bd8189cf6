#include "tools/line_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace varve {
namespace {
constexpr size_t kBufferBytes = 64 << 10;
}

struct LineReader::Impl {
  std::string name;
  int fd = -1;
  bool close_fd = false;
  uint64_t bytes_total = 0;
  uint64_t bytes_read = 0;

  std::array<char, kBufferBytes> raw;  // as read
  bool at_end = false;                 // read() has said so
  bool started = false;                // the first bytes have been looked at
  bool gzip = false;
  bool between_members = false;  // the last gzip member is complete
  z_stream inflater{};
  std::array<char, kBufferBytes> text;  // decompressed
  std::string pending;                  // text not yet handed out
  size_t line_begin = 0;                // in pending
  size_t scanned = 0;                   // pending holds no line end before this

  ~Impl() {
    if (gzip) inflateEnd(&inflater);
    if (close_fd) close(fd);
  }

  Status Fill(int wait_ms, bool* idle);
  Status Inflate(size_t size);
  Status Start(size_t size);
};

LineReader::LineReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineReader::~LineReader() = default;

Result<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->name = path == "-" ? "standard input" : path;
  impl->close_fd = path != "-";
  impl->fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (impl->fd < 0 || fstat(impl->fd, &info) != 0) {
    return IoError(fmt::format("{}: {}", impl->name, std::strerror(errno)));
  }
  if (S_ISDIR(info.st_mode)) return IoError(fmt::format("{}: is a directory", impl->name));
  if (S_ISREG(info.st_mode)) impl->bytes_total = static_cast<uint64_t>(info.st_size);
  return std::make_unique<LineReader>(std::move(impl));
}

// Looks at the first bytes of the input.
Status LineReader::Impl::Start(size_t size) {
  started = true;
  gzip = size >= 2 && raw[0] == '\x1f' && raw[1] == '\x8b';
  if (!gzip) return Status::Ok();
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&inflater, kGzipOnly) != Z_OK) {
    gzip = false;
    return InternalError("zlib did not start");
  }
  return Status::Ok();
}

// Reads once more and appends to `pending`, or sets at_end or *idle.
Status LineReader::Impl::Fill(int wait_ms, bool* idle) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  const int ready = poll(&waiting, 1, wait_ms);
  if (ready == 0 || (ready < 0 && errno == EINTR)) {
    *idle = true;
    return Status::Ok();
  }
  // A pipe may give one byte first; two decide whether it is gzip.
  size_t have = 0;
  do {
    const ssize_t got = read(fd, raw.data() + have, raw.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IoError(fmt::format("{}: {}", name, std::strerror(errno)));
    at_end = got == 0;
    have += static_cast<size_t>(got);
  } while (!at_end && !started && have < 2);
  bytes_read += have;
  if (!started && have > 0) VARVE_RETURN_IF_ERROR(Start(have));
  if (!gzip) {
    pending.append(raw.data(), have);
    return Status::Ok();
  }
  return Inflate(have);
}

// Decompresses raw[0, size); gzip files may be several members one after the other.
Status LineReader::Impl::Inflate(size_t size) {
  inflater.next_in = reinterpret_cast<Bytef*>(raw.data());
  inflater.avail_in = static_cast<uInt>(size);
  bool output_full = true;
  while (inflater.avail_in > 0 || output_full) {
    if (between_members) {
      if (inflater.avail_in == 0) break;
      inflateReset(&inflater);
      between_members = false;
    }
    inflater.next_out = reinterpret_cast<Bytef*>(text.data());
    inflater.avail_out = static_cast<uInt>(text.size());
    const int code = inflate(&inflater, Z_NO_FLUSH);
    pending.append(text.data(), text.size() - inflater.avail_out);
    output_full = inflater.avail_out == 0;
    if (code == Z_STREAM_END) {
      between_members = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return Corruption(fmt::format("{}: damaged gzip data before byte {}: {}", name, bytes_read,
                                    inflater.msg != nullptr ? inflater.msg : "zlib error"));
    }
  }
  if (at_end && !between_members) {
    return Corruption(fmt::format("{}: ends in the middle of its gzip data", name));
  }
  return Status::Ok();
}

Result<LineReader::Next> LineReader::Read(std::string_view* line, int wait_ms) {
  Impl& in = *impl_;
  while (true) {
    const size_t end = in.pending.find('\n', in.scanned);
    if (end != std::string::npos) {
      *line = std::string_view(in.pending).substr(in.line_begin, end - in.line_begin);
      in.line_begin = in.scanned = end + 1;
      return Next::kLine;
    }
    if (in.at_end) {
      if (in.line_begin == in.pending.size()) return Next::kEnd;
      *line = std::string_view(in.pending).substr(in.line_begin);
      in.line_begin = in.scanned = in.pending.size();
      return Next::kLine;
    }
    in.pending.erase(0, in.line_begin);
    in.line_begin = 0;
    in.scanned = in.pending.size();
    if (in.pending.size() > kLineBytesMax) {
      return TooLarge(fmt::format("{}: a line is longer than {} bytes", in.name, kLineBytesMax));
    }
    bool idle = false;
    VARVE_RETURN_IF_ERROR(in.Fill(wait_ms, &idle));
    if (idle) return Next::kIdle;
  }
}

uint64_t LineReader::bytes_read() const { return impl_->bytes_read; }
uint64_t LineReader::bytes_total() const { return impl_->bytes_total; }

}  // namespace varve
