// Loki's read endpoints about volumes and labels: index/stats, index/shards, index/volume, index/volume_range,
// detected_labels.
//
// They count from the directories in a snapshot; only sources that a time bound cuts through, and heads, have
// their timestamp and length columns loaded. Unlike Loki's, the figures are not rounded to chunks.
// Threads: thread-safe. Ownership: the context's engine and clock must outlive this.
#pragma once

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class IndexApi {
 public:
  explicit IndexApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Stats(const ReadCall& call) const;
  Result<HttpResponse> Shards(const ReadCall& call) const;
  Result<HttpResponse> Volume(const ReadCall& call) const;
  Result<HttpResponse> VolumeRange(const ReadCall& call) const;
  Result<HttpResponse> DetectedLabels(const ReadCall& call) const;

  const ReadContext context_;
};

}  // namespace varve
