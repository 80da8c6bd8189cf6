// Which of the two languages a query is in, where nobody says.
//
// It is LogQL if it parses as LogQL: streams are selected in braces, without a metric name in front
// (`{job="a"} |= "x"`, `rate({job="a"}[5m])`). What says __name__ is PromQL if it parses as that. Anything else is
// PromQL if it parses as PromQL. What is neither is taken for LogQL if it begins with a brace or has a `|` outside of
// quotes, else for PromQL, so that the right server says what is wrong with it.
// Threads: pure functions.
#pragma once

#include <string_view>

namespace varve {

enum class QueryLanguage { kLogql, kPromql };

QueryLanguage GuessLanguage(std::string_view query);
// The same for a selector alone: a bare `{…}` selects streams, unless it says __name__; all else selects series.
QueryLanguage GuessSelectorLanguage(std::string_view selector);

}  // namespace varve
