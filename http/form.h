// Request parameters: the form body and the URL's query, merged as Go's ParseForm merges them.
//
// Values of the body come before those of the URL, so that the body wins where one value is wanted.
// A body counts when the method is POST, PUT or PATCH and its type is application/x-www-form-urlencoded.
// Threads: immutable after Parse.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "http/message.h"

namespace varve {

// Decodes %XX, and + as a space where asked. kInvalidArgument: `invalid URL escape "%zz"`.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);

class FormParams {
 public:
  // kInvalidArgument with Go's wording for a broken escape or a semicolon between parameters.
  static Result<FormParams> Parse(const HttpRequest& request);
  // As Go's FormValue has it: pairs that are broken are left out, and `error` says what was wrong with the first.
  static FormParams ParseWhatCan(const HttpRequest& request, Status* error);

  // The first value, or "".
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  // All values, in order.
  std::vector<std::string_view> All(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace varve
