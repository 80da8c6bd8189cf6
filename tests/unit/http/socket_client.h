// A client for tests of the server: raw bytes over a loopback socket, answers read by their Content-Length.
//
// Every wait is bounded by kPatience, so that a server that does not answer fails the test instead of hanging
// it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace varve::testing {

class SocketClient {
 public:
  static constexpr int kPatienceMs = 20'000;

  struct Answer {
    int status = 0;
    std::string header;  // as it came, status line included
    std::string body;

    // A header's value, or "".
    std::string Header(std::string_view name) const {
      std::string lower = header;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const size_t at = lower.find("\r\n" + std::string(name) + ": ");
      if (at == std::string::npos) return "";
      const size_t begin = at + name.size() + 4;
      return header.substr(begin, header.find("\r\n", begin) - begin);
    }
  };

  explicit SocketClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~SocketClient() { Close(); }
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  bool connected() const { return connected_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // False when the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // The next answer; nothing when the connection ends before it is complete.
  std::optional<Answer> Receive() {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return std::nullopt;
    }
    Answer answer;
    answer.header = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.header.substr(9, 3));
    const std::string length = answer.Header("content-length");
    const size_t size = length.empty() ? 0 : std::stoul(length);
    while (buffer_.size() < size) {
      if (!ReadMore()) return std::nullopt;
    }
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }
  // Exactly so many bytes, or fewer when the connection ends.
  std::string ReadBytes(size_t count) {
    while (buffer_.size() < count && ReadMore()) {
    }
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, bytes.size());
    return bytes;
  }
  // Everything until the connection ends.
  std::string ReadToEnd() {
    while (ReadMore()) {
    }
    return std::exchange(buffer_, {});
  }
  // Whether the server closes (or resets) the connection.
  bool WaitForClose() {
    while (ReadMore()) {
    }
    return closed_;
  }
  std::optional<Answer> Ask(std::string_view request) { return Send(request) ? Receive() : std::nullopt; }
  std::optional<Answer> Get(std::string_view target, std::string_view headers = {}) {
    return Ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n" + std::string(headers) + "\r\n");
  }
  std::optional<Answer> Post(std::string_view target, std::string_view body, std::string_view headers = {}) {
    return Ask("POST " + std::string(target) + " HTTP/1.1\r\nHost: t\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body));
  }

 private:
  bool ReadMore() {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) return false;
    char bytes[16384];
    const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (got <= 0) {
      closed_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool closed_ = false;
  std::string buffer_;
};

}  // namespace varve::testing
