// Walks over the fields of a JSON object that may be no good JSON, as far as it makes sense.
//
// For looking into log lines: scalars are judged by their first character, what follows the object does not
// matter, a trailing comma is fine, and the walk ends without an error at the first thing it cannot read.
// Bounded work: each call looks at a value once; nested values are only skipped.
// Threads: thread-compatible. Ownership: views into the text, except keys with escapes (valid until Next).
#pragma once

#include <string>
#include <string_view>

namespace varve {

class JsonObjectScan {
 public:
  enum class Kind { kString, kObject, kArray, kScalar };
  struct Field {
    std::string_view key;    // escapes decoded
    std::string_view value;  // as written; of a string without its quotes, escapes not decoded
    Kind kind = Kind::kScalar;
  };

  // `text` begins, after white space, with '{'; otherwise there is nothing to see.
  explicit JsonObjectScan(std::string_view text);

  // False at the end of the object or of what can be read of it.
  bool Next(Field* field);

 private:
  bool Key(std::string_view* key);
  bool Value(Field* field);
  bool SkipString();
  bool SkipNested(char open, char close);
  char SkipSpace();  // the character there, 0 at the end
  bool Stop() {
    done_ = true;
    return false;
  }

  std::string_view text_;
  size_t pos_ = 0;
  bool done_ = false;
  std::string decoded_key_;
};

}  // namespace varve
