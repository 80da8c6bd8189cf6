#include "engine/base/status.h"

#include <cstdio>
#include <cstdlib>

namespace varve {

void CheckFailed(const char* file, int line, const char* expression) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  std::abort();
}

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid argument";
    case Code::kNotFound: return "not found";
    case Code::kOutOfRange: return "out of range";
    case Code::kTooLarge: return "too large";
    case Code::kResourceExhausted: return "resource exhausted";
    case Code::kDeadlineExceeded: return "deadline exceeded";
    case Code::kCancelled: return "cancelled";
    case Code::kUnavailable: return "unavailable";
    case Code::kStorageFull: return "storage full";
    case Code::kCorruption: return "corruption";
    case Code::kIoError: return "i/o error";
    case Code::kExecution: return "execution error";
    case Code::kUnimplemented: return "unimplemented";
    case Code::kInternal: return "internal error";
  }
  return "unknown";
}

Status::Status(Code code, std::string message) {
  VARVE_CHECK(code != Code::kOk);
  state_ = std::make_unique<State>(State{code, std::move(message)});
}

const std::string& Status::message() const {
  static const std::string kEmpty;
  return ok() ? kEmpty : state_->message;
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  return std::string(CodeName(state_->code)) + ": " + state_->message;
}

Status Status::WithContext(std::string_view context) && {
  if (!ok()) state_->message = std::string(context) + ": " + state_->message;
  return std::move(*this);
}

Status InvalidArgument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
Status NotFound(std::string message) { return {Code::kNotFound, std::move(message)}; }
Status OutOfRange(std::string message) { return {Code::kOutOfRange, std::move(message)}; }
Status TooLarge(std::string message) { return {Code::kTooLarge, std::move(message)}; }
Status ResourceExhausted(std::string message) { return {Code::kResourceExhausted, std::move(message)}; }
Status DeadlineExceeded(std::string message) { return {Code::kDeadlineExceeded, std::move(message)}; }
Status Cancelled(std::string message) { return {Code::kCancelled, std::move(message)}; }
Status Unavailable(std::string message) { return {Code::kUnavailable, std::move(message)}; }
Status StorageFull(std::string message) { return {Code::kStorageFull, std::move(message)}; }
Status Corruption(std::string message) { return {Code::kCorruption, std::move(message)}; }
Status IoError(std::string message) { return {Code::kIoError, std::move(message)}; }
Status ExecutionError(std::string message) { return {Code::kExecution, std::move(message)}; }
Status Unimplemented(std::string message) { return {Code::kUnimplemented, std::move(message)}; }
Status InternalError(std::string message) { return {Code::kInternal, std::move(message)}; }

}  // namespace varve
