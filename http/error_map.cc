#include "http/error_map.h"

#include "engine/base/bytes.h"

namespace varve {

int LokiQueryStatus(Code code) {
  switch (code) {
    case Code::kOk: return 200;
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
    case Code::kExecution:  // a pipeline error is the query's own doing
    case Code::kUnimplemented: return 400;
    case Code::kNotFound: return 404;
    case Code::kTooLarge: return 413;
    case Code::kResourceExhausted: return 429;
    case Code::kCancelled: return 499;
    case Code::kUnavailable: return 503;
    case Code::kDeadlineExceeded: return 504;
    case Code::kStorageFull: return 507;
    case Code::kCorruption:
    case Code::kIoError:
    case Code::kInternal: return 500;
  }
  return 500;
}

int LokiPushStatus(Code code) {
  switch (code) {
    case Code::kOk: return 204;
    case Code::kInvalidArgument:
    case Code::kCorruption:  // of the body; the journal's own failures are kIoError
    case Code::kExecution:
    case Code::kUnimplemented: return 400;
    case Code::kNotFound: return 404;
    case Code::kTooLarge: return 413;
    case Code::kOutOfRange: return 422;  // nothing to store
    case Code::kResourceExhausted: return 429;
    case Code::kCancelled: return 499;
    case Code::kUnavailable: return 503;
    case Code::kDeadlineExceeded: return 504;
    case Code::kStorageFull: return 507;
    case Code::kIoError:
    case Code::kInternal: return 500;
  }
  return 500;
}

HttpResponse LokiQueryError(const Status& status) {
  HttpResponse response = ErrorText(LokiQueryStatus(status.code()), status.message());
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

namespace {

void AddRetryAfter(HttpResponse* response) {
  if (response->status == 429 || response->status == 503 || response->status == 507) {
    response->headers.emplace_back("Retry-After", response->status == 507 ? "30" : "1");
  }
}

}  // namespace

HttpResponse LokiPushError(const Status& status) {
  HttpResponse response = ErrorText(LokiPushStatus(status.code()), status.message() + "\n");
  AddRetryAfter(&response);
  return response;
}

HttpResponse OtlpPushError(const Status& status) {
  HttpResponse response;
  response.status = LokiPushStatus(status.code());
  if (response.status == 500) response.status = 503;
  response.content_type = "application/octet-stream";
  response.body.push_back(0x12);  // field 2, a string
  PutLengthPrefixed(&response.body, status.message());
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  AddRetryAfter(&response);
  return response;
}

}  // namespace varve
