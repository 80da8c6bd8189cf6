// Bytes that live as long as one row.
#pragma once

#include "query/templates/byte_arena.h"

namespace varve::logql {

using RowArena = templates::ByteArena;

}  // namespace varve::logql
