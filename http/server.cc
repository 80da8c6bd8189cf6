#include "http/server.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "engine/base/mutex.h"
#include "http/connection.h"

namespace varve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// An I/O thread and the connections that live on it. `connections` is touched by that thread only.
struct IoThread {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections;
  std::thread thread;

  // Returns when everything posted so far has run.
  void WaitUntilRun() {
    std::promise<void> done;
    asio::post(context, [&done] { done.set_value(); });
    done.get_future().wait();
  }

  template <typename Fn>
  void ForEachConnection(Fn fn) {
    asio::post(context, [this, fn] {
      for (auto it = connections.begin(); it != connections.end();) {
        const std::shared_ptr<Connection> connection = it->second.lock();
        if (connection == nullptr) {
          it = connections.erase(it);
        } else {
          fn(*connection);
          ++it;
        }
      }
    });
  }
};

// How long after running requests were cancelled their connections are cut.
constexpr std::chrono::milliseconds kCancelGrace{2000};
constexpr std::chrono::milliseconds kAcceptRetry{100};
// Dead entries of `connections` are swept when this many connections have come since the last sweep.
constexpr size_t kSweepEvery = 1024;

}  // namespace

struct Server::Impl {
  Impl(const Router* router, ServerOptions options) : context(router, std::move(options)) {}

  Status Listen();
  void Accept();
  void Adopt(IoThread* io, tcp::socket socket);
  bool WaitForConnections(std::chrono::milliseconds timeout);

  ServerContext context;
  std::vector<std::unique_ptr<IoThread>> io_threads;
  std::unique_ptr<tcp::acceptor> acceptor;  // on io_threads[0]
  std::unique_ptr<asio::steady_timer> accept_retry;
  size_t next_io = 0;
  uint16_t port = 0;
  bool started = false;
  bool stopped = false;
};

Status Server::Impl::Listen() {
  const std::string where =
      "listen on " + context.options.address + ":" + std::to_string(context.options.port) + ": ";
  IoThread& first = *io_threads.front();
  ErrorCode error;
  tcp::resolver resolver(first.context);
  const auto found = resolver.resolve(context.options.address, std::to_string(context.options.port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) return InvalidArgument(where + "not an address: " + error.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor = std::make_unique<tcp::acceptor>(first.context);
  const auto failed = [&] { return Unavailable(where + error.message()); };
  acceptor->open(endpoint.protocol(), error);
  if (error) return failed();
  acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (error) return failed();
  acceptor->bind(endpoint, error);
  if (error) return failed();
  acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed();
  port = acceptor->local_endpoint(error).port();
  accept_retry = std::make_unique<asio::steady_timer>(first.context);
  return Status::Ok();
}

void Server::Impl::Accept() {
  IoThread* const io = io_threads[next_io++ % io_threads.size()].get();
  acceptor->async_accept(io->context, [this, io](ErrorCode error, tcp::socket socket) {
    if (!acceptor->is_open()) return;
    if (error) {
      // Out of descriptors, most likely. Try again when some may have been closed.
      accept_retry->expires_after(kAcceptRetry);
      accept_retry->async_wait([this](ErrorCode cancelled) {
        if (!cancelled && acceptor->is_open()) Accept();
      });
      return;
    }
    ServerCounters& counters = context.counters;
    counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    if (counters.connections_open.load(std::memory_order_relaxed) >=
        static_cast<int64_t>(context.options.connections_max)) {
      counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
      socket.close(error);
    } else {
      counters.connections_open.fetch_add(1, std::memory_order_relaxed);
      Adopt(io, std::move(socket));
    }
    Accept();
  });
}

void Server::Impl::Adopt(IoThread* io, tcp::socket socket) {
  auto connection = std::make_shared<Connection>(&context, std::move(socket));
  asio::post(io->context, [io, connection] {
    if (io->connections.size() % kSweepEvery == kSweepEvery - 1) {
      std::erase_if(io->connections, [](const auto& entry) { return entry.second.expired(); });
    }
    io->connections[connection.get()] = connection;
    connection->Start();
  });
}

bool Server::Impl::WaitForConnections(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (context.counters.connections_open.load(std::memory_order_relaxed) > 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    // Connections that came in just before the acceptor closed are told here too.
    for (auto& io : io_threads)
      io->ForEachConnection([](Connection& connection) { connection.StopWhenIdle(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

Server::Server(const Router* router, ServerOptions options)
    : impl_(std::make_shared<Impl>(router, std::move(options))) {}

Server::~Server() { Stop(); }

Status Server::Start() {
  VARVE_CHECK(!impl_->started);
  const ServerOptions& options = impl_->context.options;
  for (uint32_t i = 0; i < std::max(options.io_threads, 1U); ++i) {
    impl_->io_threads.push_back(std::make_unique<IoThread>());
  }
  VARVE_RETURN_IF_ERROR(impl_->Listen());
  impl_->started = true;
  impl_->context.admin_pool = std::make_unique<ThreadPool>("http-admin", 1, 64);
  impl_->context.push_pool =
      std::make_unique<ThreadPool>("http-push", options.push_threads, options.push_queue_max);
  impl_->context.query_pool =
      std::make_unique<ThreadPool>("http-query", options.query_threads, options.query_queue_max);
  impl_->Accept();
  for (auto& io : impl_->io_threads) {
    io->thread = std::thread([io = io.get()] {
      pthread_setname_np(pthread_self(), "http-io");
      io->context.run();
    });
  }
  return Status::Ok();
}

void Server::Stop() {
  Impl& impl = *impl_;
  if (!impl.started || impl.stopped) return;
  impl.stopped = true;
  impl.context.stopping.store(true, std::memory_order_relaxed);
  asio::post(impl.io_threads.front()->context, [&impl] {
    ErrorCode ignored;
    impl.acceptor->close(ignored);
    impl.accept_retry->cancel();
  });
  if (!impl.WaitForConnections(std::chrono::milliseconds(impl.context.options.stop_timeout_ms))) {
    for (auto& io : impl.io_threads) io->ForEachConnection([](Connection& c) { c.CancelRequest(); });
    if (!impl.WaitForConnections(kCancelGrace)) {
      for (auto& io : impl.io_threads) io->ForEachConnection([](Connection& c) { c.Abort(); });
      // Only when that has run may the pools go: until then a request could still be handed to them.
      for (auto& io : impl.io_threads) io->WaitUntilRun();
    }
  }
  // Their destructors run what is queued and join; a handler may still post its answer meanwhile.
  impl.context.push_pool.reset();
  impl.context.query_pool.reset();
  impl.context.admin_pool.reset();
  for (auto& io : impl.io_threads) io->work.reset();
  for (auto& io : impl.io_threads) io->thread.join();
}

uint16_t Server::port() const { return impl_->port; }
const ServerCounters& Server::counters() const { return impl_->context.counters; }
size_t Server::queued_pushes() const {
  return impl_->context.push_pool == nullptr ? 0 : impl_->context.push_pool->queued();
}
size_t Server::queued_queries() const {
  return impl_->context.query_pool == nullptr ? 0 : impl_->context.query_pool->queued();
}

}  // namespace varve
