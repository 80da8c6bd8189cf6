// The members of a JSON object, one after another.
//
// Threads: thread-compatible.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/json_writer.h"

namespace varve {

class JsonObject {
 public:
  // Opens it in *out, which outlives this; Close() ends it.
  explicit JsonObject(std::string* out) : out_(out) { *out_ += '{'; }
  void Close() { *out_ += '}'; }

  void Name(std::string_view name) {
    if (!first_) *out_ += ',';
    first_ = false;
    AppendJsonString(out_, name);
    *out_ += ':';
  }
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(out_, value);
  }
  void TextUnlessEmpty(std::string_view name, std::string_view value) {
    if (!value.empty()) Text(name, value);
  }
  void Flag(std::string_view name, bool value) {
    Name(name);
    *out_ += value ? "true" : "false";
  }

 private:
  std::string* out_;
  bool first_ = true;
};

}  // namespace varve
