#include "tools/probe_metrics.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <protozero/pbf_reader.hpp>

namespace varve {
namespace {

constexpr int64_t kNowMs = 1'793'514'600'000;
constexpr int64_t kDayS = 86400;

CertificateCheck EndsIn(double days, const std::string& error = "") {
  CertificateCheck check;
  check.presented = true;
  check.issuer = "Let's Encrypt";
  check.not_after_s = kNowMs / 1000 + static_cast<int64_t>(days * kDayS);
  check.error = error;
  return check;
}

TEST(ShortName, CutsBetweenCharacters) {
  EXPECT_EQ("Let's Encrypt", ShortName("Let's Encrypt"));
  EXPECT_EQ(std::string(kNameBytesMax, 'x'), ShortName(std::string(kNameBytesMax, 'x')));
  EXPECT_EQ(std::string(kNameBytesMax, 'x'), ShortName(std::string(100'000, 'x')));
  EXPECT_EQ(std::string(kNameBytesMax - 1, 'x'), ShortName(std::string(kNameBytesMax - 1, 'x') + "é and more"));
}

TEST(CertificateStatus, FollowsTheThresholds) {
  ProbeTarget target;
  const auto status = [&](const CertificateCheck& check) { return CertificateStatus(target, check, kNowMs); };
  EXPECT_EQ("expired", status(EndsIn(-1)));
  EXPECT_EQ("expired", status(EndsIn(0)));
  EXPECT_EQ("critical", status(EndsIn(0.01)));
  EXPECT_EQ("critical", status(EndsIn(7)));
  EXPECT_EQ("warning", status(EndsIn(7.01)));
  EXPECT_EQ("warning", status(EndsIn(30)));
  EXPECT_EQ("ok", status(EndsIn(30.01)));
  EXPECT_EQ("error", status(EndsIn(90, "self-signed certificate")));
  EXPECT_EQ("expired", status(EndsIn(-1, "self-signed certificate")));
  EXPECT_EQ("error", status(CertificateCheck()));
  target.critical_days = 14;
  target.warning_days = 60;
  EXPECT_EQ("critical", status(EndsIn(14)));
  EXPECT_EQ("warning", status(EndsIn(60)));
}

// name{labels} to value, of all series.
std::map<std::string, double> Decode(const std::string& body) {
  std::string request;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &request));
  std::map<std::string, double> found;
  protozero::pbf_reader fields(request);
  while (fields.next(1)) {
    protozero::pbf_reader series = fields.get_message();
    std::string labels;
    double value = -1;
    while (series.next()) {
      protozero::pbf_reader part = series.get_message();
      if (series.tag() == 1) {
        EXPECT_TRUE(part.next(1));
        labels += part.get_string() + "=";
        EXPECT_TRUE(part.next(2));
        labels += part.get_string() + " ";
        continue;
      }
      EXPECT_TRUE(part.next(1));
      value = part.get_double();
      EXPECT_TRUE(part.next(2));
      EXPECT_EQ(kNowMs, part.get_int64());
    }
    EXPECT_TRUE(found.emplace(labels, value).second) << labels;
  }
  return found;
}

TEST(ProbeMetrics, HaveEveryDomainAndTheBucketsOfAllChecks) {
  const auto config = ParseProbeConfig(
      R"({"labels": {"job": "tls"}, "domains": [{"domain": "a"}, {"domain": "b", "issuer": "Own"}, {"domain": "c"}]})", "f");
  ASSERT_TRUE(config.ok());
  ProbeState state;
  state.AddCheck("a", EndsIn(5.5), 0);
  state.AddReport("a", false, 0);
  const std::map<std::string, CertificateCheck> checks = {{"a", EndsIn(5.5)}, {"b", CertificateCheck()}};
  const auto found = Decode(ProbeMetricsBody(*config, checks, state, kNowMs));
  const auto value = [&](const std::string& labels) {
    const auto at = found.find(labels);
    return at == found.end() ? -100 : at->second;
  };
  EXPECT_EQ(5.5, value("__name__=certificate_expiry_days domain=a issuer=Let's Encrypt job=tls "));
  EXPECT_EQ(1, value("__name__=certificate_expiry_status domain=a job=tls status=critical "));
  EXPECT_EQ(0, value("__name__=certificate_expiry_status domain=a job=tls status=ok "));
  EXPECT_EQ(1, value("__name__=certificate_expiry_status domain=b job=tls status=error "));
  EXPECT_EQ(1, value("__name__=certificate_renewal_attempts_total domain=a job=tls result=failure "));
  EXPECT_EQ(0, value("__name__=certificate_renewal_attempts_total domain=c job=tls result=success "));
  EXPECT_EQ(1, value("__name__=certificate_check_duration_seconds_bucket job=tls le=+Inf "));
  EXPECT_EQ(1, value("__name__=certificate_check_duration_seconds_bucket job=tls le=0.01 "));
  EXPECT_EQ(1, value("__name__=certificate_check_duration_seconds_count job=tls "));
  // 1 of days, 2 domains by 5 statuses, 3 by 2 results, 10 buckets, sum and count.
  EXPECT_EQ(1u + 10 + 6 + 10 + 2, found.size());
}

}  // namespace
}  // namespace varve
