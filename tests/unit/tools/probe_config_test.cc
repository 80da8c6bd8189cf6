#include "tools/probe_config.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(ProbeConfig, TakesAListOfDomainsOrAnObject) {
  const auto list = ParseProbeConfig(R"([{"domain": "a.example"}, {"domain": "b.example", "port": 8443}])", "f");
  ASSERT_TRUE(list.ok()) << list.status().ToString();
  ASSERT_EQ(2u, list->targets.size());
  EXPECT_EQ("a.example", list->targets[0].address);
  EXPECT_EQ(443, list->targets[0].port);
  EXPECT_EQ(7, list->targets[0].critical_days);
  EXPECT_EQ(30, list->targets[0].warning_days);
  EXPECT_EQ(3'600'000, list->targets[0].interval_ms);
  EXPECT_EQ("b.example", list->targets[1].label);
  EXPECT_EQ("{job=\"certificates\"}", list->labels.ToString());

  const auto object = ParseProbeConfig(
      R"({"interval": "5m", "timeout": 2.5, "thresholds": {"critical": 14}, "labels": {"job": "tls", "site": "x"},
          "push_interval": "1s", "concurrency": 4, "renewal_log": "/r", "ca_file": "/ca.pem",
          "domains": [{"domain": "a", "address": "10.0.0.1", "issuer": "I", "thresholds": {"warning": 60},
                       "interval": "1m", "verify": false, "ca_file": ""},
                      {"domain": "a", "port": 8443}]})",
      "f");
  ASSERT_TRUE(object.ok()) << object.status().ToString();
  const ProbeTarget& first = object->targets[0];
  EXPECT_EQ("10.0.0.1", first.address);
  EXPECT_EQ("I", first.issuer);
  EXPECT_EQ(14, first.critical_days);
  EXPECT_EQ(60, first.warning_days);
  EXPECT_EQ(60'000, first.interval_ms);
  EXPECT_EQ(2'500, first.timeout_ms);
  EXPECT_FALSE(first.verify);
  EXPECT_EQ("", first.ca_file);
  EXPECT_EQ("a:443", first.label);
  EXPECT_EQ("a:8443", object->targets[1].label);
  EXPECT_EQ(30, object->targets[1].warning_days);
  EXPECT_EQ("/ca.pem", object->targets[1].ca_file);
  EXPECT_EQ("{job=\"tls\", site=\"x\"}", object->labels.ToString());
  EXPECT_EQ(1'000, object->push_interval_ms);
  EXPECT_EQ(4u, object->concurrency);
  EXPECT_EQ("/r", object->renewal_log);
}

TEST(ProbeConfig, NamesWhatIsWrongAndWhere) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"[", "f: not JSON: "},
      {"5", "f: not an object"},
      {"{}", "f: domains are missing"},
      {"[]", "f: domains: there are none"},
      {R"({"domains": {}})", "f: domains: not a list"},
      {R"([{"domain": "a"}, 7])", "f: domains[1]: not an object"},
      {R"([{"port": 443}])", "f: domains[0]: domain is missing"},
      {R"([{"domain": "a", "prot": 1}])", "f: domains[0]: unknown key \"prot\""},
      {R"([{"domain": "a", "port": 70000}])", "f: domains[0]: port: not a whole number from 1 to 65535"},
      {R"([{"domain": "a", "interval": "soon"}])", "f: domains[0]: interval: "},
      {R"([{"domain": "a", "interval": 0}])", "f: domains[0]: interval: shorter than 100ms"},
      {R"([{"domain": "a", "thresholds": {"critical": 40}}])", "f: domains[0]: thresholds: critical is more than warning"},
      {R"([{"domain": "a", "thresholds": {"worse": 4}}])", "f: domains[0]: thresholds: unknown key \"worse\""},
      {R"([{"domain": "a"}, {"domain": "a"}])", "f: domains[1]: a:443 is given twice"},
      {R"({"labels": {"domain": "x"}, "domains": [{"domain": "a"}]})", "f: labels: domain: the metrics have a label"},
      {R"({"concurrency": 1000, "domains": [{"domain": "a"}]})", "f: concurrency: not a whole number from 1 to 256"},
  };
  for (const auto& c : cases) {
    const auto config = ParseProbeConfig(c.text, "f");
    ASSERT_FALSE(config.ok()) << c.text;
    EXPECT_EQ(0u, config.status().message().find(c.error)) << config.status().message();
  }
  EXPECT_EQ(Code::kIoError, ReadProbeConfig("/no/such/file").status().code());
}

}  // namespace
}  // namespace varve
