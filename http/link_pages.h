// Where the links of notifications lead: Prometheus's and Alertmanager's pages, of which there are none here. What is asked
// for is answered as JSON by the API; these two addresses lead there.
//
//   GET /graph?g0.expr=EXPR   the expression's answer now: of PromQL, or of LogQL where it is not PromQL
//   GET /                     the alerts (links to Alertmanager's page are `/#/alerts?…`)
//
// Locations are relative, so that they hold behind a proxy that puts a path in front.
// Threads: thread-safe, without state.
#pragma once

#include "http/router.h"

namespace varve {

void AddLinkPages(Router* router);

}  // namespace varve
