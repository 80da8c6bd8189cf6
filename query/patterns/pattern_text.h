// A cluster of shapes as the text of LogQL's pattern filter: |> "Failed password for <_> from <_> port <_>
// ssh2"
//
// Variables that only spaces or one of ".,:-/+_%#@" separate are one <_>. Literal text that the filter would
// take for a capture ("<init>"), or that JSON cannot carry, is a variable too. Threads: pure functions.
#pragma once

#include <string>

#include "query/patterns/shape_clusters.h"

namespace varve {

// With `constants`, variables that never changed in enough lines are shown as text.
std::string PatternText(const ShapeCluster& cluster, bool constants);

}  // namespace varve
