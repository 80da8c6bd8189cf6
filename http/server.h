// The HTTP/1.1 transport: accepts connections, reads requests, runs handlers on worker pools, writes answers.
//
// Each connection belongs to one I/O thread for life, so its state needs no lock. It carries one request at
// a time; pipelined ones wait in its buffer. Everything is bounded: connections, header bytes, body bytes
// (by route, and charged to `body_budget`), waiting requests, and the time each step may take.
//
//   idle ──first byte──► header ──► body ──► handler on its pool ──► answer ──► idle (keep-alive) or closed
//         idle_timeout      header_    body_timeout,                  write_
//                           timeout    at least 8 KiB/s               timeout
//
// While a query runs, its connection is watched: when the client goes away the request's CancelToken trips.
// Threads: Start and Stop are the owner's; the counters are thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "http/message.h"
#include "http/router.h"

namespace varve {

// One finished request, for metrics and the access log.
struct RequestRecord {
  const HttpRequest* request = nullptr;
  const Route* route = nullptr;  // null when no route matched
  int status = 0;
  uint64_t response_bytes = 0;  // of the body, as sent
  double seconds = 0;           // from the end of the header to the finished answer
};

struct ServerOptions {
  std::string address;
  uint16_t port = 0;
  uint32_t io_threads = 1;
  uint32_t push_threads = 2;
  uint32_t query_threads = 4;
  size_t push_queue_max = 1024;
  size_t query_queue_max = 1024;
  size_t connections_max = 8192;
  size_t header_bytes_max = 64 << 10;
  size_t form_bytes_max = 1 << 20;
  size_t push_bytes_max = 100 << 20;
  int64_t header_timeout_ms = 10'000;
  int64_t body_timeout_ms = 30'000;
  int64_t idle_timeout_ms = 120'000;
  int64_t write_timeout_ms = 30'000;
  int64_t stop_timeout_ms = 30'000;
  int64_t web_socket_ping_ms = 1'000;
  int64_t web_socket_stall_ms = 10'000;  // a WebSocket whose client takes no byte for that long is cut
  bool compress_responses = true;
  size_t compress_min_bytes = 1024;
  MemoryBudget* body_budget = nullptr;                   // may be null: not charged
  std::function<void(const RequestRecord&)> on_request;  // called on workers and I/O threads
};

// Counters of what never became a request, and gauges. Relaxed: they publish nothing.
struct ServerCounters {
  std::atomic<uint64_t> connections_accepted{0};
  std::atomic<uint64_t> connections_refused{0};  // connections_max
  std::atomic<uint64_t> malformed_requests{0};
  std::atomic<uint64_t> oversized_headers{0};
  std::atomic<uint64_t> oversized_bodies{0};
  std::atomic<uint64_t> timeouts_header{0};
  std::atomic<uint64_t> timeouts_body{0};
  std::atomic<uint64_t> timeouts_write{0};
  std::atomic<uint64_t> shed_pushes{0};  // queue full, or no memory for the body
  std::atomic<uint64_t> shed_queries{0};
  std::atomic<uint64_t> client_disconnects{0};  // while a query ran
  std::atomic<uint64_t> handler_exceptions{0};
  std::atomic<uint64_t> web_sockets_stalled{0};
  std::atomic<int64_t> web_sockets_open{0};
  std::atomic<int64_t> connections_open{0};
  std::atomic<int64_t> requests_running{0};
};

class Server {
 public:
  // `router` must outlive this.
  Server(const Router* router, ServerOptions options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status Start();
  void Stop();
  uint16_t port() const;
  const ServerCounters& counters() const;
  size_t queued_pushes() const;
  size_t queued_queries() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace varve
