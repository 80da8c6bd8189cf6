#include "query/logql/templates/template_names.h"

#include <algorithm>

namespace varve::logql {
namespace {

constexpr std::string_view kFunctions[] = {
    // Go's own
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print",
    "printf", "println", "slice", "urlquery",
    // Loki's
    "Replace", "ToLower", "ToUpper", "Trim", "TrimLeft", "TrimPrefix", "TrimRight", "TrimSpace", "TrimSuffix",
    "__line__", "__timestamp__", "add", "addf", "alignLeft", "alignRight", "b64dec", "b64enc", "bytes",
    "ceil", "contains", "count", "date", "default", "div", "divf", "duration", "duration_seconds", "float64",
    "floor", "fromJson", "hasPrefix", "hasSuffix", "indent", "int", "lower", "max", "maxf", "min", "minf",
    "mod", "mul", "mulf", "nindent", "now", "regexReplaceAll", "regexReplaceAllLiteral", "repeat", "replace",
    "round", "sub", "subf", "substr", "title", "toDate", "toDateInZone", "trim", "trimAll", "trimPrefix",
    "trimSuffix", "trunc", "unixEpoch", "unixEpochMillis", "unixEpochNanos", "unixToTime", "upper",
    "urldecode", "urlencode"};

constexpr std::string_view kKeywords[] = {"if",       "range", "with", "define", "block",
                                          "template", "end",   "else", "break",  "continue"};

}  // namespace

bool IsTemplateFunction(std::string_view name) {
  return std::find(std::begin(kFunctions), std::end(kFunctions), name) != std::end(kFunctions);
}

bool IsTemplateKeyword(std::string_view name) {
  return std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords);
}

}  // namespace varve::logql
