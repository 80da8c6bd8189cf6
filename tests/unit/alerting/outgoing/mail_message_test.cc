#include "alerting/outgoing/mail_message.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>

namespace varve {
namespace {

std::string Decoded(std::string_view quoted) {
  std::string out;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '=') {
      out += quoted[i];
    } else if (quoted.substr(i + 1, 2) == "\r\n") {
      i += 2;
    } else {
      out += static_cast<char>(std::stoi(std::string(quoted.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    }
  }
  return out;
}

void ExpectShortAsciiLines(const std::string& text, size_t max) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), max + 1) << line;
    for (const char c : line) EXPECT_LT(static_cast<unsigned char>(c), 0x7f) << line;
  }
}

TEST(QuotedPrintableTest, EncodesWhatMailMayNotCarry) {
  EXPECT_EQ("a =3D b", QuotedPrintable("a = b"));
  EXPECT_EQ("gr=C3=B6=C3=9Fer\r\n.dot\r\nend", QuotedPrintable("größer\n.dot\r\nend"));
  EXPECT_EQ("blank=20\r\ntab=09", QuotedPrintable("blank \ntab\t"));
  EXPECT_EQ("in between\tit stays", QuotedPrintable("in between\tit stays"));
  EXPECT_EQ("=00=0D=7F", QuotedPrintable(std::string_view("\0\r\x7f", 3)));
  EXPECT_EQ("", QuotedPrintable(""));
}

TEST(QuotedPrintableTest, GivesBackAnyTextInLinesOf76) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (size_t i = random() % 400; i > 0; --i) text += static_cast<char>(random() % 3 == 0 ? random() % 256 : 'a' + random() % 26);
    std::string expected;  // a lone line feed becomes a line's end
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) expected += '\r';
      expected += text[i];
    }
    const std::string quoted = QuotedPrintable(text);
    EXPECT_EQ(expected, Decoded(quoted));
    ExpectShortAsciiLines(quoted, 76);
  }
}

TEST(EncodedHeaderTest, KeepsAsciiAndFoldsItAtBlanks) {
  EXPECT_EQ("[FIRING:1] Disk (page)", EncodedHeader("[FIRING:1] Disk (page)", 9));
  const std::string folded = EncodedHeader("word " + std::string(60, 'a') + " " + std::string(60, 'b'), 9);
  EXPECT_EQ("word " + std::string(60, 'a') + "\r\n " + std::string(60, 'b'), folded);
  EXPECT_EQ(std::string(200, 'x'), EncodedHeader(std::string(200, 'x'), 9));
  ExpectShortAsciiLines(EncodedHeader(std::string(2'000, 'x'), 9), 76);
}

TEST(EncodedHeaderTest, LetsNoLineBreakThrough) {
  EXPECT_EQ("a  Bcc: x@y", EncodedHeader("a\r\nBcc: x@y", 9));
  EXPECT_EQ(std::string::npos, EncodedHeader("ü\r\nBcc: x@y", 9).find("\nBcc"));
}

TEST(EncodedHeaderTest, WritesEncodedWordsThatTearNoCharacter) {
  EXPECT_EQ("=?utf-8?q?gr=C3=B6=C3=9Fer_als_2?=", EncodedHeader("größer als 2", 9));
  EXPECT_EQ("=?utf-8?q?=3D=3Futf=2D8=3F?=", EncodedHeader("=?utf-8?", 9));
  std::string value;
  for (int i = 0; i < 60; ++i) value += "뉴";
  const std::string encoded = EncodedHeader(value, 9);
  ExpectShortAsciiLines(encoded, 76);
  std::istringstream words(encoded);
  for (std::string word; words >> word;) {
    ASSERT_TRUE(word.starts_with("=?utf-8?q?") && word.ends_with("?=")) << word;
    EXPECT_EQ(0U, (word.size() - 12) % 9) << word;  // of whole characters, three bytes each
  }
}

TEST(MailAddressesTest, ReadsListsWithNames) {
  const auto read = ParseMailAddresses(R"( a@b.org, "Last, First" <c@d.org>,Team Ops<e@f.org>, <g@h> )");
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(4U, read->size());
  EXPECT_EQ("a@b.org", (*read)[0].address);
  EXPECT_EQ("Last, First", (*read)[1].name);
  EXPECT_EQ("c@d.org", (*read)[1].address);
  EXPECT_EQ("Team Ops", (*read)[2].name);
  EXPECT_EQ("g@h", (*read)[3].address);
}

TEST(MailAddressesTest, RefusesWhatIsNone) {
  for (const char* text : {"", "a", "@b", "a@", "a@b,", "a b@c", "a@b>", "<a@b", "a@b\r\nRCPT TO:<x@y>", "a@b<c>@d", ","}) {
    EXPECT_FALSE(ParseMailAddresses(text).ok()) << text;
  }
}

TEST(MailDateTest, IsRfc5322s) {
  EXPECT_EQ("Fri, 20 Nov 2026 19:08:57 +0000", MailDate(1'795'201'737'999));
  EXPECT_EQ("Thu, 01 Jan 1970 00:00:00 +0000", MailDate(0));
}

TEST(FormatMailTest, PutsThePreferredPartLast) {
  MailMessage mail;
  mail.headers = {{"From", "Völker <a@b>"}, {"To", "c@d, \"E, F\" <g@h>"}, {"Subject", "s"}, {"Bad name", "x"}};
  mail.text = "one";
  mail.html = "<b>two</b>";
  mail.boundary = "=_x";
  EXPECT_EQ(
      "From: =?utf-8?q?V=C3=B6lker?= <a@b>\r\n"
      "To: c@d,\r\n \"E, F\" <g@h>\r\n"
      "Subject: s\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/alternative;\r\n boundary=\"=_x\"\r\n\r\n"
      "--=_x\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\none\r\n"
      "--=_x\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n"
      "<b>two</b>\r\n"
      "--=_x--\r\n",
      FormatMail(mail));
}

}  // namespace
}  // namespace varve
