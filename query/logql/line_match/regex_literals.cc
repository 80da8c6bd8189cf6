// A small reader of RE2's syntax that keeps, for each part of the pattern, either the exact set of strings
// the part can match (as long as that set is small), or a set of strings of which every match contains one.
// Concatenation multiplies exact sets; when that grows too big, or a part is not exact, the best set seen so
// far is kept as the requirement. `(?i)error|timed? out` gives {error, timed out, time out}.
//
// Ignoring case: RE2 folds by Unicode, where k also stands for U+212A and s for U+017F. Literals are
// therefore cut at k, s and non-ASCII characters before they are searched ignoring ASCII case.

#include "query/logql/line_match/regex_literals.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace varve::logql {
namespace {

constexpr size_t kSetMax = 32;       // strings in a set
constexpr size_t kLiteralMax = 256;  // bytes of a literal
constexpr int kNestingMax = 100;

struct Part {
  // All strings the part can match, when known.
  std::optional<std::vector<std::string>> exact;
  // Every match contains one of these; empty: unknown.
  std::vector<std::string> required;
  bool has_assertion = false;  // ^ $ \b: the strings alone do not decide
};

// How much a set of alternatives narrows a search: by its shortest member, then by how few they are.
size_t Worth(const std::vector<std::string>& set) {
  if (set.empty()) return 0;
  size_t shortest = SIZE_MAX;
  for (const std::string& text : set) shortest = std::min(shortest, text.size());
  return shortest * 64 + (kSetMax > set.size() ? kSetMax - set.size() : 0) * (shortest > 0 ? 1 : 0);
}

bool Usable(const std::vector<std::string>& set) {
  return !set.empty() && std::none_of(set.begin(), set.end(), [](const std::string& s) { return s.empty(); });
}

const std::vector<std::string>& Better(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return Worth(b) > Worth(a) ? b : a;
}

Part Exactly(std::string text) {
  Part part;
  part.exact.emplace();
  part.exact->push_back(std::move(text));
  return part;
}

Part Anything() { return {}; }

// What every match of `part` contains.
std::vector<std::string> Requirement(const Part& part) {
  if (part.exact && Usable(*part.exact)) return Better(part.required, *part.exact);
  return part.required;
}

class Analyser {
 public:
  explicit Analyser(std::string_view pattern) : rest_(pattern) {}

  // Null when something was not understood.
  std::optional<Part> Run() {
    Part part = Alternation(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    return part;
  }
  bool folds() const { return saw_fold_; }
  bool mixes_folding() const { return saw_fold_ && saw_plain_; }

 private:
  struct Flags {
    bool fold = false;
    bool ungreedy = false;
  };

  Part Alternation(int depth) {
    if (depth > kNestingMax) {
      failed_ = true;
      return {};
    }
    const Flags outer = flags_;
    Part all = Concatenation(depth);
    while (!failed_ && !rest_.empty() && rest_[0] == '|') {
      rest_.remove_prefix(1);
      const Part next = Concatenation(depth);
      all = Union(std::move(all), next);
    }
    flags_ = outer;
    return all;
  }

  static Part Union(Part a, const Part& b) {
    Part out;
    out.has_assertion = a.has_assertion || b.has_assertion;
    if (a.exact && b.exact && a.exact->size() + b.exact->size() <= kSetMax) {
      out.exact = a.exact;
      out.exact->insert(out.exact->end(), b.exact->begin(), b.exact->end());
    }
    std::vector<std::string> left = Requirement(a);
    const std::vector<std::string> right = Requirement(b);
    if (!left.empty() && !right.empty() && left.size() + right.size() <= kSetMax) {
      left.insert(left.end(), right.begin(), right.end());
      out.required = std::move(left);
    }
    return out;
  }

  Part Concatenation(int depth) {
    Part all = Exactly("");
    std::vector<std::string> run{""};  // exact strings of the latest exact stretch
    bool run_is_all = true;
    while (!failed_ && !rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      Part item = Repeated(depth);
      if (failed_) return {};
      all.has_assertion = all.has_assertion || item.has_assertion;
      if (item.exact && run.size() * item.exact->size() <= kSetMax &&
          LongestOf(run, *item.exact) <= kLiteralMax) {
        std::vector<std::string> product;
        for (const std::string& a : run) {
          for (const std::string& b : *item.exact) product.push_back(a + b);
        }
        run = std::move(product);
        continue;
      }
      run_is_all = false;
      if (Usable(run)) all.required = Better(all.required, run);
      all.required = Better(all.required, Requirement(item));
      run.assign(1, "");
    }
    if (run_is_all) {
      all.exact = run;
      all.required.clear();
    } else {
      all.exact.reset();
      if (Usable(run)) all.required = Better(all.required, run);
    }
    return all;
  }

  static size_t LongestOf(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    size_t longest_a = 0;
    size_t longest_b = 0;
    for (const std::string& text : a) longest_a = std::max(longest_a, text.size());
    for (const std::string& text : b) longest_b = std::max(longest_b, text.size());
    return longest_a + longest_b;
  }

  // An atom and the repetitions behind it.
  Part Repeated(int depth) {
    Part part = Atom(depth);
    while (!failed_ && !rest_.empty()) {
      size_t minimum = 0;
      const char c = rest_[0];
      if (c == '*' || c == '?') {
        rest_.remove_prefix(1);
      } else if (c == '+') {
        minimum = 1;
        rest_.remove_prefix(1);
      } else if (c != '{' || !ReadBounds(&minimum)) {
        break;
      }
      if (!rest_.empty() && rest_[0] == '?') rest_.remove_prefix(1);  // not greedy: matches the same lines
      Part repeated;
      repeated.has_assertion = part.has_assertion;
      if (c == '?' && part.exact && part.exact->size() < kSetMax) {
        repeated.exact = part.exact;
        repeated.exact->push_back("");
      } else if (minimum > 0) {
        repeated.required = Requirement(part);
      }
      part = std::move(repeated);
    }
    return part;
  }

  // {n}, {n,}, {n,m}; anything else is literal text, left alone.
  bool ReadBounds(size_t* minimum) {
    size_t i = 1;
    size_t value = 0;
    while (i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9') {
      value = std::min<size_t>(value * 10 + static_cast<size_t>(rest_[i] - '0'), 1000);
      ++i;
    }
    if (i == 1 || i >= rest_.size()) return false;
    if (rest_[i] == ',') {
      ++i;
      while (i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9') ++i;
    }
    if (i >= rest_.size() || rest_[i] != '}') return false;
    rest_.remove_prefix(i + 1);
    *minimum = value;
    return true;
  }

  Part Atom(int depth) {
    const char c = rest_[0];
    switch (c) {
      case '(': return Group(depth);
      case '[': return SkipClass();
      case '.': rest_.remove_prefix(1); return Anything();
      case '^':
      case '$': {
        rest_.remove_prefix(1);
        Part part = Exactly("");
        part.has_assertion = true;
        return part;
      }
      case '\\': return Escape();
      default: break;
    }
    // One character, all its bytes.
    size_t length = 1;
    while (length < rest_.size() && (static_cast<uint8_t>(rest_[length]) & 0xC0) == 0x80) ++length;
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return Literal(std::move(text));
  }

  // A literal character under the current flags.
  Part Literal(std::string text) {
    (flags_.fold ? saw_fold_ : saw_plain_) = true;
    return Exactly(std::move(text));
  }

  Part Group(int depth) {
    rest_.remove_prefix(1);
    if (!rest_.empty() && rest_[0] == '?') {
      rest_.remove_prefix(1);
      if (rest_.starts_with("P<") || rest_.starts_with("<")) {
        const size_t end = rest_.find('>');
        if (end == std::string_view::npos) return Fail();
        rest_.remove_prefix(end + 1);
      } else {
        Flags flags = flags_;
        bool on = true;
        while (!rest_.empty() && rest_[0] != ')' && rest_[0] != ':') {
          switch (rest_[0]) {
            case '-': on = false; break;
            case 'i': flags.fold = on; break;
            case 'm':
            case 's': break;
            case 'U': flags.ungreedy = on; break;
            default: return Fail();
          }
          rest_.remove_prefix(1);
        }
        if (rest_.empty()) return Fail();
        const bool inline_flags = rest_[0] == ')';
        rest_.remove_prefix(1);
        if (inline_flags) {  // holds until the enclosing group ends
          flags_ = flags;
          return Exactly("");
        }
        const Flags outer = flags_;
        flags_ = flags;
        Part part = Close(Alternation(depth + 1));
        flags_ = outer;
        return part;
      }
    }
    return Close(Alternation(depth + 1));
  }

  Part Close(Part part) {
    if (failed_ || rest_.empty() || rest_[0] != ')') return Fail();
    rest_.remove_prefix(1);
    return part;
  }

  // Steps over [...]; what it matches is not looked at.
  Part SkipClass() {
    rest_.remove_prefix(1);
    if (!rest_.empty() && rest_[0] == '^') rest_.remove_prefix(1);
    if (!rest_.empty() && rest_[0] == ']') rest_.remove_prefix(1);
    while (!rest_.empty() && rest_[0] != ']') {
      if (rest_[0] == '\\') {
        rest_.remove_prefix(std::min<size_t>(2, rest_.size()));
      } else if (rest_.starts_with("[:") && rest_.find(":]") != std::string_view::npos) {
        rest_.remove_prefix(rest_.find(":]") + 2);
      } else {
        rest_.remove_prefix(1);
      }
    }
    if (rest_.empty()) return Fail();
    rest_.remove_prefix(1);
    return Anything();
  }

  Part Escape() {
    if (rest_.size() < 2) return Fail();
    const char c = rest_[1];
    rest_.remove_prefix(2);
    const auto is_word = [](char x) {
      return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z');
    };
    if (!is_word(c)) {
      if (static_cast<uint8_t>(c) >= 0x80) return Fail();
      return Literal(std::string(1, c));
    }
    switch (c) {
      case 'b':
      case 'B':
      case 'A':
      case 'z': {
        Part part = Exactly("");
        part.has_assertion = true;
        return part;
      }
      case 'd':
      case 'D':
      case 's':
      case 'S':
      case 'w':
      case 'W': return Anything();
      case 'p':
      case 'P': {
        if (rest_.empty()) return Fail();
        const size_t end = rest_[0] == '{' ? rest_.find('}') : 0;
        if (end == std::string_view::npos) return Fail();
        rest_.remove_prefix(end + 1);
        return Anything();
      }
      case 't': return Literal("\t");
      case 'n': return Literal("\n");
      case 'r': return Literal("\r");
      case 'f': return Literal("\f");
      case 'v': return Literal("\v");
      case 'a': return Literal("\a");
      default: return Fail();  // \Q…\E, \x…, octal: rare enough to do without
    }
  }

  Part Fail() {
    failed_ = true;
    return {};
  }

  std::string_view rest_;
  Flags flags_;
  bool failed_ = false;
  bool saw_fold_ = false;
  bool saw_plain_ = false;
};

// `.*` at the ends adds nothing to an unanchored search for a line.
std::string_view StripDotStar(std::string_view pattern) {
  while (pattern.starts_with(".*") && !pattern.starts_with(".*?") && !pattern.starts_with(".**")) {
    pattern.remove_prefix(2);
  }
  while (pattern.ends_with(".*") && !pattern.ends_with("\\.*")) pattern.remove_suffix(2);
  return pattern;
}

// The longest stretch that means the same when only ASCII case is ignored.
std::string LongestFoldSafe(const std::string& text) {
  std::string_view best;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const bool safe = i < text.size() && static_cast<uint8_t>(text[i]) < 0x80 &&
                      std::string_view("kKsS").find(text[i]) == std::string_view::npos;
    if (safe) continue;
    if (i - begin > best.size()) best = std::string_view(text).substr(begin, i - begin);
    begin = i + 1;
  }
  return std::string(best);
}

}  // namespace

RegexLiterals FindRegexLiterals(std::string_view pattern) {
  RegexLiterals literals;
  if (pattern.find("\\Q") != std::string_view::npos) return literals;
  const bool has_bar = pattern.find('|') != std::string_view::npos;
  const std::string_view core = has_bar ? pattern : StripDotStar(pattern);
  if (core.empty()) {
    literals.matches_everything = true;
    return literals;
  }
  Analyser analyser(core);
  const std::optional<Part> part = analyser.Run();
  if (!part) return literals;
  literals.ignore_case = analyser.folds();
  literals.any_of = Requirement(*part);
  literals.exact = part->exact && !part->has_assertion && literals.any_of == *part->exact;
  if (analyser.mixes_folding()) literals.exact = false;
  if (literals.ignore_case) {
    for (std::string& text : literals.any_of) {
      std::string safe = LongestFoldSafe(text);
      if (safe != text) literals.exact = false;
      text = std::move(safe);
    }
  }
  // A single byte is found too often to be worth a search of its own.
  const bool too_short =
      !literals.exact && std::any_of(literals.any_of.begin(), literals.any_of.end(),
                                     [](const std::string& text) { return text.size() < 2; });
  if (too_short || !Usable(literals.any_of)) {
    literals.any_of.clear();
    literals.exact = false;
  }
  std::sort(literals.any_of.begin(), literals.any_of.end());
  literals.any_of.erase(std::unique(literals.any_of.begin(), literals.any_of.end()), literals.any_of.end());
  return literals;
}

}  // namespace varve::logql
