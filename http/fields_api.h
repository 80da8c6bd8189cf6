// Loki's endpoints about fields of lines: detected_fields and detected_field/{name}/values.
//
// They run a log query, so its limits hold; what is a field: detected_fields.h.
// Threads: thread-safe. Ownership: the context's engine and clock must outlive this.
#pragma once

#include "http/detected_fields.h"
#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class FieldsApi {
 public:
  explicit FieldsApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Fields(const ReadCall& call) const;
  Result<HttpResponse> FieldValues(const ReadCall& call) const;

  const ReadContext context_;
};

}  // namespace varve
