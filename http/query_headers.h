// Request headers that say how a query is to be answered.
//
// Threads: pure functions.
#pragma once

#include "http/message.h"

namespace varve {

// `Cache-Control: no-cache` (Loki's way) or `no-store`: the result cache is neither read nor filled.
bool BypassesResultCache(const HttpRequest& request);

// `X-Query-Tags: …,Source=grafana-lokiexplore-app`: Grafana's Logs Drilldown, which prefers part of an
// answer to an error.
bool IsLogsDrilldown(const HttpRequest& request);

}  // namespace varve
