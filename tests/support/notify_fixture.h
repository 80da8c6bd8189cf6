// For tests of notifications: receivers that keep what they are told, a clock that is set, configurations built by
// hand.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerting/notify/notifier.h"
#include "engine/base/mutex.h"
#include "tests/support/memory_record_store.h"
#include "tests/support/status_matchers.h"

namespace varve {

class SettableClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ms * 1'000'000; }
  int64_t now_ms = 1'800'000'000'000;
};

// What one integration was told, in order; shared by all that a configuration made for it.
struct Mailbox {
  struct Told {
    int64_t now_ms = 0;
    std::string tenant, group_key;
    std::vector<std::string> firing, resolved;  // alertnames and instances: "A", "A/1"
  };
  Mutex mu;
  std::vector<Told> told;  // what was delivered
  uint64_t attempts = 0;
  std::vector<std::string> messages;
  bool refuses_messages = false;
  // Null: everything succeeds.
  std::function<Delivery(const Notification&, const CancelToken&)> behaviour;
};

inline std::string NameOf(const PostedAlert& alert) {
  const auto name = alert.labels.find("alertname"), instance = alert.labels.find("instance");
  std::string text = name == alert.labels.end() ? "" : name->second;
  if (instance != alert.labels.end()) text += "/" + instance->second;
  return text;
}

class FakeIntegration final : public Integration {
 public:
  FakeIntegration(std::string kind, bool send_resolved, std::shared_ptr<Mailbox> mailbox)
      : kind_(std::move(kind)), send_resolved_(send_resolved), mailbox_(std::move(mailbox)) {}
  std::string_view kind() const override { return kind_; }
  bool send_resolved() const override { return send_resolved_; }
  Delivery Notify(const Notification& notification, const CancelToken& cancel) override {
    std::function<Delivery(const Notification&, const CancelToken&)> behaviour;
    {
      const MutexLock lock(mailbox_->mu);
      ++mailbox_->attempts;
      behaviour = mailbox_->behaviour;
    }
    Delivery delivery;
    if (behaviour != nullptr) delivery = behaviour(notification, cancel);
    if (!delivery.status.ok()) return delivery;
    Mailbox::Told told;
    told.now_ms = notification.now_ms;
    told.tenant = notification.tenant;
    told.group_key = notification.group_key;
    for (const PostedAlert& alert : notification.alerts) {
      (alert.ends_at_ms == 0 ? told.firing : told.resolved).push_back(NameOf(alert));
    }
    const MutexLock lock(mailbox_->mu);
    mailbox_->told.push_back(std::move(told));
    return delivery;
  }
  Delivery Send(const Message& message, const CancelToken& /*cancel*/) override {
    const MutexLock lock(mailbox_->mu);
    if (mailbox_->refuses_messages) return {Unavailable("no"), true};
    mailbox_->messages.push_back(message.title);
    return {};
  }

 private:
  const std::string kind_;
  const bool send_resolved_;
  const std::shared_ptr<Mailbox> mailbox_;
};

inline PostedAlert FiringAlert(const std::string& name, LabelMap labels = {}) {
  PostedAlert alert;
  alert.labels = std::move(labels);
  alert.labels["alertname"] = name;
  return alert;
}

inline Matcher MatcherOf(const std::string& name, MatchOp op, const std::string& value) {
  return Matcher::Create(name, op, value, false).value();
}

inline RouteConfig RouteTo(const std::string& receiver, std::vector<Matcher> matchers = {}) {
  RouteConfig route;
  route.receiver = receiver;
  route.matchers = std::move(matchers);
  route.group_by = {"alertname"};
  return route;
}

// Survives restarts of the notifier: the records, the mailboxes and the clock.
class NotifierFixture : public ::testing::Test {
 protected:
  NotifierFixture() {
    config.route = RouteTo("ops");
    AddReceiver("ops");
  }

  // A receiver with webhooks, and one integration of each further kind.
  void AddReceiver(const std::string& name, size_t integrations = 1) {
    ReceiverConfig receiver;
    receiver.name = name;
    receiver.webhooks.resize(integrations);
    config.receivers.push_back(std::move(receiver));
  }

  std::shared_ptr<Mailbox> BoxOf(const std::string& receiver, size_t integration = 0) {
    auto& box = boxes[{receiver, integration}];
    if (box == nullptr) box = std::make_shared<Mailbox>();
    return box;
  }

  Result<std::shared_ptr<IntegrationSet>> Make(const NotifyConfig& of) {
    auto set = std::make_shared<IntegrationSet>();
    for (const ReceiverConfig& receiver : of.receivers) {
      auto& integrations = set->by_receiver[receiver.name];
      for (size_t i = 0; i < receiver.webhooks.size(); ++i) {
        integrations.push_back(std::make_unique<FakeIntegration>("webhook", receiver.webhooks[i].send_resolved,
                                                                 BoxOf(receiver.name, i)));
      }
    }
    return set;
  }

  // As a process starts: what was before is gone without a word.
  void Restart() {
    notifier = nullptr;
    NotifierOptions with = options;
    with.integrations = [this](const NotifyConfig& of) { return Make(of); };
    notifier = std::make_unique<Notifier>(&records, &clock, std::move(with));
    ASSERT_OK(notifier->Load());
    ASSERT_OK(notifier->Configure(config));
  }

  void Post(const std::vector<PostedAlert>& alerts) { ASSERT_OK(notifier->Post("fake", alerts)); }
  // What is renewed by nobody fires for `ms` more.
  PostedAlert Lasting(PostedAlert alert, int64_t ms = 3'600'000) const {
    alert.starts_at_ms = clock.now_ms;
    alert.ends_at_ms = clock.now_ms + ms;
    return alert;
  }
  PostedAlert Ended(PostedAlert alert) const {
    alert.ends_at_ms = clock.now_ms;
    return alert;
  }
  void RunFor(int64_t ms, int64_t step_ms = 1'000) {
    const int64_t until_ms = clock.now_ms + ms;
    while (clock.now_ms < until_ms) {
      clock.now_ms = std::min(until_ms, clock.now_ms + step_ms);
      notifier->RunDue(clock.now_ms);
    }
  }

  SettableClock clock;
  MemoryRecordStore records;
  NotifyConfig config;
  NotifierOptions options;
  std::map<std::pair<std::string, size_t>, std::shared_ptr<Mailbox>> boxes;
  std::unique_ptr<Notifier> notifier;
};

}  // namespace varve
