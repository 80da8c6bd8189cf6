#include "query/patterns/line_shape.h"

#include <algorithm>
#include <array>
#include <optional>

namespace varve {
namespace {

// ---- Bytes ------------------------------------------------------------------------------------------

// What a byte is, and what the bytes of a chunk have been.
enum ByteClass : uint8_t {
  kDelimiter = 1,
  kDigit = 2,
  kOdd = 4,  // control characters and bytes beyond ASCII
  kColon = 8,
  kSlash = 16,
  kMayEnd = 32,  // ends a chunk sometimes: escapes
};

constexpr std::array<uint8_t, 256> MakeByteClasses() {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < 256; ++c) table[c] = c < 0x20 || c >= 0x7f ? kOdd : 0;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = kDigit;
  for (const char c :
       {' ', '\t', '\r', '\n', '"', '\'', '`', '(', ')', '[', ']', '{', '}', '<', '>', ',', ';', '|', '='}) {
    table[static_cast<unsigned char>(c)] = kDelimiter;
  }
  table[':'] = kColon;
  table['/'] = kSlash;
  table['\\'] = kMayEnd;
  table[0x1b] = kMayEnd | kOdd;
  return table;
}
constexpr std::array<uint8_t, 256> kByteClasses = MakeByteClasses();

uint8_t ClassOf(char c) { return kByteClasses[static_cast<unsigned char>(c)]; }
bool IsDelimiter(char c) { return (ClassOf(c) & kDelimiter) != 0; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool HasDigit(std::string_view text) { return std::any_of(text.begin(), text.end(), IsDigit); }
bool IsAllDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), IsDigit); }

// Whether the bytes are UTF-8; anything else would not survive the way through JSON.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t length = c < 0x80                ? 1
                          : c >= 0xc2 && c < 0xe0 ? 2
                          : c >= 0xe0 && c < 0xf0 ? 3
                          : c >= 0xf0 && c < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || text.size() - i < length) return false;
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
        (c == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

// The length of the terminal escape sequence (ESC [ … letter) that `text` starts with, or 0.
size_t EscapeLength(std::string_view text) {
  if (text.size() < 3 || text[0] != '\x1b' || text[1] != '[') return 0;
  size_t i = 2;
  while (i < text.size() && (IsDigit(text[i]) || text[i] == ';')) ++i;
  return i < text.size() && IsLetter(text[i]) ? i + 1 : 0;
}

// ---- Single tokens ----------------------------------------------------------------------------------

bool IsMonthOrDay(std::string_view text) {
  static constexpr std::string_view kNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                                "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue",
                                                "Wed", "Thu", "Fri", "Sat", "Sun"};
  return text.size() == 3 && std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

// 12:30:00,123 or 2026-11-01T12:30:00Z or 17/06/09, with anything behind.
bool LooksLikeTime(std::string_view text) {
  size_t groups = 0;  // of digits, with a separator before all but the first
  size_t i = 0;
  while (i < text.size() && groups < 3) {
    size_t digits = i;
    while (digits < text.size() && IsDigit(text[digits])) ++digits;
    if (digits == i) return false;
    ++groups;
    i = digits;
    if (i < text.size() && (text[i] == ':' || text[i] == '-' || text[i] == '/')) {
      ++i;
    } else {
      break;
    }
  }
  return groups == 3;
}

// `classes` holds at least those of the text's bytes.
TokenKind KindOf(std::string_view text, uint8_t classes) {
  if ((classes & kDigit) != 0 && HasDigit(text)) {
    if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && IsAllDigits(text)) return TokenKind::kCode;
    return LooksLikeTime(text) ? TokenKind::kTime : TokenKind::kVariable;
  }
  const bool maybe_url = (classes & kColon) != 0 && (classes & kSlash) != 0;
  if (text.size() > kWordBytesMax || text == "-" ||
      (maybe_url && text.find("://") != std::string_view::npos)) {
    return TokenKind::kVariable;
  }
  if ((classes & kOdd) != 0 && (std::any_of(text.begin(), text.end(), IsControl) || !IsUtf8(text))) {
    return TokenKind::kVariable;
  }
  return TokenKind::kWord;
}

TokenKind KindOf(std::string_view text) {
  uint8_t classes = 0;
  for (const char c : text) classes |= ClassOf(c);
  return KindOf(text, classes);
}

// ---- Splitting --------------------------------------------------------------------------------------

// Appends tokens to a list, up to kTokensMax; remembers where it had to stop.
class Splitter {
 public:
  Splitter(std::string_view line, std::vector<ShapeToken>* tokens) : line_(line), tokens_(*tokens) {}

  void Add(size_t begin, size_t end, TokenKind kind) {
    if (begin >= end) return;
    if (tokens_.size() + 1 >= kTokensMax) {
      full_ = true;
      return;
    }
    // "sshd[445]": a number of something, never a status.
    const bool in_brackets = begin != 0 && (line_[begin - 1] == '[' || line_[begin - 1] == '(');
    if (kind == TokenKind::kCode && in_brackets) kind = TokenKind::kVariable;
    tokens_.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), kind});
  }
  bool full() const { return full_; }

  // Words of [begin, end).
  void SplitWords(size_t begin, size_t end);
  // One value of a pair, without its quotes.
  void AddValue(size_t begin, size_t end);
  // All that is behind the last token becomes a variable, from `begin` on.
  void AddRest(size_t begin) {
    if (begin < line_.size()) {
      tokens_.push_back(
          {static_cast<uint32_t>(begin), static_cast<uint32_t>(line_.size()), TokenKind::kTime});
    }
  }
  // The same where the text was cut at `end`; never within a token, which would be cut at another place in
  // every line.
  void AddRestBehindCut(size_t end) {
    if (last_end() == end && end != 0) {
      tokens_.pop_back();
      end = last_end();
    }
    AddRest(end);
  }
  size_t last_end() const { return tokens_.empty() ? 0 : tokens_.back().end; }

 private:
  void AddChunk(size_t begin, size_t end, uint8_t classes);
  bool IsEscapedQuote(size_t i, size_t end) const {
    return line_[i] == '\\' && i + 1 < end && line_[i + 1] == '"';
  }
  // Whether the byte at `i` stands between chunks. Paths and URLs keep their query strings, words their
  // apostrophes.
  bool EndsChunk(size_t i, size_t end, bool path) const {
    const char c = line_[i];
    if (c == '\x1b' || IsEscapedQuote(i, end)) return true;
    if (!IsDelimiter(c) || (path && c == '=')) return false;
    return c != '\'' || i + 1 >= end || !IsLetter(line_[i - 1]) || !IsLetter(line_[i + 1]);
  }
  // The end of the quoted text whose quote is at `quote`, when it is to be one token; else 0.
  size_t ProductEnd(size_t quote, size_t end) const;

  std::string_view line_;
  std::vector<ShapeToken>& tokens_;
  bool full_ = false;
};

// "curl/8.5.0", "Mozilla/5.0 (X11; …) …": a quoted text that starts as a product and its version do is a user
// agent, and its words say nothing.
size_t Splitter::ProductEnd(size_t quote, size_t end) const {
  size_t i = quote + 1;
  while (i < end && (IsLetter(line_[i]) || line_[i] == '-' || line_[i] == '.' || line_[i] == '_')) ++i;
  if (i == quote + 1 || i + 1 >= end || line_[i] != '/' || !IsDigit(line_[i + 1])) return 0;
  const size_t close = line_.find('"', i);
  return close == std::string_view::npos || close >= end ? 0 : close;
}

void Splitter::SplitWords(size_t begin, size_t end) {
  for (size_t i = begin; i < end && !full_;) {
    const char c = line_[i];
    if (c == '"') {
      if (const size_t close = ProductEnd(i, end); close != 0) {
        Add(i + 1, close, TokenKind::kVariable);
        i = close + 1;
        continue;
      }
    }
    if (IsDelimiter(c) || IsEscapedQuote(i, end)) {
      ++i;
      continue;
    }
    if (const size_t escape = EscapeLength(line_.substr(i, end - i)); escape != 0) {
      i += escape;
      continue;
    }
    uint8_t classes = ClassOf(c);
    size_t chunk_end = i + 1;
    for (; chunk_end < end; ++chunk_end) {
      const uint8_t next = ClassOf(line_[chunk_end]);
      if ((next & (kDelimiter | kMayEnd)) != 0 && EndsChunk(chunk_end, end, (classes & kSlash) != 0)) break;
      classes |= next;
    }
    AddChunk(i, chunk_end, classes);
    i = chunk_end;
  }
}

void Splitter::AddChunk(size_t begin, size_t end, uint8_t classes) {
  // Punctuation around a word is literal.
  const auto trailing = [](char c) { return c == ':' || c == '.' || c == '!' || c == '?'; };
  while (end > begin && trailing(line_[end - 1])) --end;
  while (begin < end && line_[begin] == ':') ++begin;
  // "handler.go:12", "user:42", "sshd:auth": parts, as long as there are no digits before the colon.
  while (begin < end && (classes & kColon) != 0) {
    const size_t colon = line_.substr(0, end).find(':', begin);
    if (colon == std::string_view::npos || line_.substr(colon, 3) == "://" ||
        HasDigit(line_.substr(begin, colon - begin))) {
      break;
    }
    Add(begin, colon, KindOf(line_.substr(begin, colon - begin)));
    begin = colon;
    while (begin < end && line_[begin] == ':') ++begin;
  }
  if (begin >= end) return;
  const std::string_view text = line_.substr(begin, end - begin);
  TokenKind kind = KindOf(text, classes);
  // "Sun Dec 04 04:51:14 2005": names and day numbers of dates, near the front; and leading digits "081109".
  if (tokens_.size() < 6) {
    const bool behind_time = !tokens_.empty() && tokens_.back().kind == TokenKind::kTime;
    if (IsMonthOrDay(text) ||
        (IsAllDigits(text) && (behind_time || (tokens_.size() < 2 && text.size() >= 6)))) {
      kind = TokenKind::kTime;
    }
  }
  Add(begin, end, kind);
}

void Splitter::AddValue(size_t begin, size_t end) {
  const std::string_view text = line_.substr(begin, end - begin);
  if (text.find_first_of(" \\") != std::string_view::npos) {
    Add(begin, end, TokenKind::kVariable);
    return;
  }
  // file.go:12
  if (const size_t colon = text.rfind(':'); colon != std::string_view::npos && colon != 0 &&
                                            colon + 1 < text.size() && IsAllDigits(text.substr(colon + 1)) &&
                                            !HasDigit(text.substr(0, colon))) {
    Add(begin, begin + colon, KindOf(text.substr(0, colon)));
    Add(begin + colon + 1, end, TokenKind::kVariable);
    return;
  }
  Add(begin, end, KindOf(text));
}

// Of a message, the first wins.
constexpr std::string_view kMessageKeys[] = {"log", "message", "msg", "msg_", "_msg", "content"};

int MessageRank(std::string_view key) {
  for (int i = 0; i < static_cast<int>(std::size(kMessageKeys)); ++i) {
    if (key == kMessageKeys[i]) return i;
  }
  return -1;
}

// ---- JSON -------------------------------------------------------------------------------------------

// Walks one JSON object without recursion. It only has to tell objects from other text and to find values; it
// does not check what a strict parser would.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}

  // A scalar or an array, [begin, end) without a string's quotes.
  struct Value {
    size_t begin = 0, end = 0;
    bool is_string = false;
    bool at_top = false;  // a member of the outermost object
    std::string_view key;
  };

  // Calls fn for each value. False when the text is no object; the calls until then are void.
  template <typename Fn>
  bool Run(Fn&& fn) {
    if (!Take('{')) return false;
    size_t depth = 1;
    bool after_open = true;
    while (depth != 0) {
      if (Take('}')) {
        --depth;
        after_open = false;
        continue;
      }
      if (!after_open && !Take(',')) return false;
      after_open = false;
      Value value;
      size_t key_begin = 0, key_end = 0;
      if (!String(&key_begin, &key_end) || !Take(':')) return false;
      value.key = text_.substr(key_begin, key_end - key_begin);
      value.at_top = depth == 1;
      SkipSpace();
      if (at_ >= text_.size()) return false;
      if (text_[at_] == '{') {
        ++at_;
        ++depth;
        after_open = true;
        continue;
      }
      if (!Scalar(&value)) return false;
      fn(value);
    }
    SkipSpace();
    return at_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool String(size_t* begin, size_t* end) {
    if (!Take('"')) return false;
    *begin = at_;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) return false;
    *end = at_++;
    return true;
  }
  bool Scalar(Value* value) {
    const char c = text_[at_];
    if (c == '"') {
      value->is_string = true;
      return String(&value->begin, &value->end);
    }
    value->begin = at_;
    if (c == '[') {
      size_t depth = 0;
      do {
        if (at_ >= text_.size()) return false;
        if (text_[at_] == '"') {
          size_t begin = 0, end = 0;
          if (!String(&begin, &end)) return false;
          continue;
        }
        depth += text_[at_] == '[' || text_[at_] == '{' ? 1 : 0;
        depth -= text_[at_] == ']' || text_[at_] == '}' ? 1 : 0;
        ++at_;
      } while (depth != 0);
    } else {
      while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]) || text_[at_] == '-' ||
                                    text_[at_] == '+' || text_[at_] == '.')) {
        ++at_;
      }
    }
    value->end = at_;
    return value->end > value->begin;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Splits `line` if it is a JSON object.
bool SplitJson(std::string_view line, std::vector<ShapeToken>* tokens) {
  if (line.empty() || line.front() != '{' || line.back() != '}') return false;
  std::optional<JsonWalk::Value> message;
  const bool is_json = JsonWalk(line).Run([&](const JsonWalk::Value& value) {
    const int rank =
        value.at_top && value.is_string && value.begin != value.end ? MessageRank(value.key) : -1;
    if (rank >= 0 && (!message.has_value() || rank < MessageRank(message->key))) message = value;
  });
  if (!is_json) return false;
  Splitter splitter(line, tokens);
  if (message.has_value()) {
    const size_t key = static_cast<size_t>(message->key.data() - line.data()) - 1;  // its quote
    splitter.Add(0, key, TokenKind::kTime);  // the other fields are never shown
    const size_t end = std::min(message->end, message->begin + kShapedBytesMax);
    splitter.SplitWords(message->begin, end);
    if (splitter.full()) {
      splitter.AddRest(splitter.last_end());
    } else if (end == message->end) {
      splitter.AddRest(end + 1);
    } else {
      splitter.AddRestBehindCut(end);
    }
    return true;
  }
  JsonWalk(line).Run([&](const JsonWalk::Value& value) {
    const bool is_word = value.is_string || line[value.begin] != '[';
    if (is_word) {
      splitter.AddValue(value.begin, value.end);
    } else {
      splitter.Add(value.begin, value.end, TokenKind::kVariable);
    }
  });
  if (splitter.full()) splitter.AddRest(splitter.last_end());
  return true;
}

// ---- logfmt -----------------------------------------------------------------------------------------

// Splits `line` if it is logfmt: it starts with a pair, has at least two, and more pairs than other words.
bool SplitLogfmt(std::string_view line, size_t end, std::vector<ShapeToken>* tokens) {
  Splitter splitter(line, tokens);
  size_t pairs = 0, others = 0;
  size_t i = 0;
  while (i < end && !splitter.full()) {
    if (line[i] == ' ') {
      ++i;
      continue;
    }
    const size_t key = i;
    while (i < end && line[i] != ' ' && line[i] != '=' && !IsDelimiter(line[i])) ++i;
    if (i == end || line[i] != '=') {
      if (pairs == 0 || (i < end && line[i] != ' ')) return false;
      ++others;
      splitter.AddValue(key, i);
      continue;
    }
    if (i == key) return false;
    const bool is_message = MessageRank(line.substr(key, i - key)) >= 0;
    ++pairs;
    ++i;
    if (i < end && line[i] == '"') {
      const size_t begin = ++i;
      while (i < end && line[i] != '"') i += line[i] == '\\' ? 2 : 1;
      if (i >= end) return false;
      if (is_message) {
        splitter.SplitWords(begin, i);
      } else {
        splitter.AddValue(begin, i);
      }
      ++i;
      if (i < end && line[i] != ' ') return false;
    } else {
      const size_t begin = i;
      while (i < end && line[i] != ' ') ++i;
      splitter.AddValue(begin, i);
    }
  }
  return pairs >= 2 && pairs > others;
}

}  // namespace

void SplitLine(std::string_view line, std::vector<ShapeToken>* tokens) {
  tokens->clear();
  if (SplitJson(line, tokens)) return;
  tokens->clear();
  const size_t row = std::min(line.find('\n'), line.size());
  const size_t end = std::min(row, kShapedBytesMax);
  const bool begins_with_pair =
      line.substr(0, std::min(line.find(' '), end)).find('=') != std::string_view::npos;
  const bool is_logfmt = begins_with_pair && SplitLogfmt(line, end, tokens);
  Splitter splitter(line, tokens);
  if (!is_logfmt) {
    tokens->clear();
    splitter.SplitWords(0, end);
  }
  if (tokens->size() + 1 >= kTokensMax) {
    splitter.AddRest(splitter.last_end());
  } else if (end != row) {
    splitter.AddRestBehindCut(end);
  } else {
    splitter.AddRest(end);
  }
}

void ShapeOf(std::string_view line, const std::vector<ShapeToken>& tokens, std::string* shape) {
  shape->clear();
  size_t at = 0;
  for (const ShapeToken& token : tokens) {
    if (!token.is_variable()) continue;
    shape->append(line.substr(at, token.begin - at));
    shape->push_back(kVariableMark);
    at = token.end;
  }
  shape->append(line.substr(at));
}

}  // namespace varve
