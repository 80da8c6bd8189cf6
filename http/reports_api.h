// GET /api/v1/reports and POST /api/v1/reports/{name}/run: docs/reports.md.
//
// With tenants, each sees and runs its own reports only.
// Threads: thread-safe; a run blocks until it is done.
#pragma once

#include "http/message.h"
#include "http/router.h"

namespace varve {

class Reporter;

class ReportsApi {
 public:
  // `reporter` (may be null: there are no reports) must outlive this.
  ReportsApi(Reporter* reporter, bool auth_enabled) : reporter_(reporter), auth_enabled_(auth_enabled) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse List(const HttpRequest& request) const;
  HttpResponse Run(const HttpRequest& request) const;

  Reporter* const reporter_;
  const bool auth_enabled_;
};

}  // namespace varve
