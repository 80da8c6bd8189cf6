// Errors as values: Status, and Result<T> for "a T or the reason there is none".
//
// A Status is one pointer, null when ok, so the success path costs a compare. Messages say where and
// what: the offending part, what was expected, what was found. Only http/error_map.cc turns a Code
// into an HTTP status. Ignoring a Status on purpose is spelled `IgnoreError("why")`.
// Threads: values; share them as you would share a std::string.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.h"

namespace varve {

enum class Code {
  kOk,
  kInvalidArgument,    // the request is wrong; repeating it will not help
  kNotFound,
  kOutOfRange,
  kTooLarge,           // the request or its decoded form exceeds a size limit
  kResourceExhausted,  // a rate or quota; the caller may retry later
  kDeadlineExceeded,
  kCancelled,          // the client went away
  kUnavailable,        // shedding or shutting down; retry later
  kStorageFull,        // the disk is too full to accept writes; queries go on
  kCorruption,         // bytes on disk or on the wire are not what they claim to be
  kIoError,
  kExecution,          // a query failed while running, by its own doing
  kUnimplemented,      // understood, not supported (yet); the message names the feature
  kInternal,           // a bug of ours
};

// "invalid argument", "corruption"… for logs.
std::string_view CodeName(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(Code code, std::string message);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  static Status Ok() { return Status(); }

  bool ok() const { return state_ == nullptr; }
  Code code() const { return ok() ? Code::kOk : state_->code; }
  const std::string& message() const;
  // "corruption: block 3 of pack 17: ..." or "ok".
  std::string ToString() const;
  Status Clone() const { return ok() ? Status() : Status(state_->code, state_->message); }
  // The same error with "context: " in front of its message.
  Status WithContext(std::string_view context) &&;
  void IgnoreError(const char* /*why*/) const {}

 private:
  struct State {
    Code code;
    std::string message;
  };
  std::unique_ptr<State> state_;
};

Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status OutOfRange(std::string message);
Status TooLarge(std::string message);
Status ResourceExhausted(std::string message);
Status DeadlineExceeded(std::string message);
Status Cancelled(std::string message);
Status Unavailable(std::string message);
Status StorageFull(std::string message);
Status Corruption(std::string message);
Status IoError(std::string message);
Status ExecutionError(std::string message);
Status Unimplemented(std::string message);
Status InternalError(std::string message);

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose, so that `return value;` and `return InvalidArgument(...)` both read well.
  Result(T value) : value_(std::move(value)) {}                                     // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) { VARVE_CHECK(!status_.ok()); }  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }

  T& value() & { VARVE_CHECK(ok()); return *value_; }
  const T& value() const& { VARVE_CHECK(ok()); return *value_; }
  T&& value() && { VARVE_CHECK(ok()); return std::move(*value_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  void IgnoreError(const char* /*why*/) const {}

 private:
  Status status_;
  std::optional<T> value_;
};

#define VARVE_RETURN_IF_ERROR(expr)                     \
  do {                                                  \
    ::varve::Status varve_status_ = (expr);             \
    if (!varve_status_.ok()) [[unlikely]]               \
      return varve_status_;                             \
  } while (false)

#define VARVE_CONCAT_INNER_(a, b) a##b
#define VARVE_CONCAT_(a, b) VARVE_CONCAT_INNER_(a, b)
#define VARVE_ASSIGN_OR_RETURN(lhs, expr) \
  VARVE_ASSIGN_OR_RETURN_(VARVE_CONCAT_(varve_result_, __LINE__), lhs, expr)
#define VARVE_ASSIGN_OR_RETURN_(result, lhs, expr) \
  auto result = (expr);                            \
  if (!result.ok()) [[unlikely]]                   \
    return std::move(result).status();             \
  lhs = std::move(result).value()

}  // namespace varve
