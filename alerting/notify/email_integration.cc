#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <random>

#include "alerting/notify/integrations.h"
#include "alerting/notify/notification_data.h"
#include "alerting/outgoing/mail_message.h"
#include "alerting/outgoing/sha256.h"
#include "alerting/outgoing/smtp_client.h"

namespace varve {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost.localdomain";
  return name.data();
}

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Unlike any other: of a message id, and of a boundary between parts.
std::string UniqueWord() {
  static std::atomic<uint64_t> counter{0};
  std::random_device random;
  return Sha256Hex(std::to_string(NowMs()) + "/" + std::to_string(counter++) + "/" + std::to_string(random())).substr(0, 32);
}

class EmailIntegration final : public Integration {
 public:
  EmailIntegration(EmailConfig config, const templates::TemplateSet* templates)
      : config_(std::move(config)), templates_(templates) {}

  std::string_view kind() const override { return "email"; }
  bool send_resolved() const override { return config_.send_resolved; }

  Delivery Notify(const Notification& notification, const CancelToken& cancel) override {
    MessageTemplates templates(templates_, notification);
    MailMessage mail;
    AppendHeaders(&templates, "{{ template \"email.default.subject\" . }}", "<" + UniqueWord() + "@" + HostName() + ">", &mail);
    AppendThread(notification, &mail);
    mail.text = templates.Text(config_.text);
    mail.html = templates.Html(config_.html);
    return Deliver(&templates, std::move(mail), cancel);
  }

  Delivery Send(const Message& message, const CancelToken& cancel) override {
    MessageTemplates templates(templates_, EmptyNotification());
    // A message that is sent again carries the same Message-Id, so that readers show it once.
    const std::string word = message.id.empty() ? UniqueWord() : Sha256Hex(message.id).substr(0, 32);
    MailMessage mail;
    AppendHeaders(&templates, "", "<" + word + "@" + HostName() + ">", &mail);
    for (auto& [name, value] : mail.headers) {
      if (name == "Subject") value = message.title;
    }
    mail.text = message.text;
    mail.html = message.html;
    return Deliver(&templates, std::move(mail), cancel);
  }

 private:
  void AppendHeaders(MessageTemplates* t, std::string_view subject, std::string message_id, MailMessage* mail) const {
    const auto configured = [&](const char* name, std::string_view usual) {
      const auto it = config_.headers.find(name);
      return t->Text(it == config_.headers.end() ? usual : std::string_view(it->second));
    };
    mail->headers = {{"From", configured("From", config_.from)},
                     {"To", configured("To", config_.to)},
                     {"Subject", subject.empty() ? "" : configured("Subject", subject)},
                     {"Date", MailDate(NowMs())},
                     {"Message-Id", config_.headers.contains("Message-Id") ? configured("Message-Id", "") : std::move(message_id)}};
    for (const auto& [name, value] : config_.headers) {
      const bool set = name == "From" || name == "To" || name == "Subject" || name == "Message-Id" || name == "Date";
      if (!set) mail->headers.emplace_back(name, t->Text(value));
    }
  }

  void AppendThread(const Notification& notification, MailMessage* mail) const {
    if (config_.threading == EmailConfig::Threading::kOff) return;
    std::string root = "<alert-" + Sha256Hex(GroupIdentity(notification)).substr(0, 16) + "-";
    if (config_.threading == EmailConfig::Threading::kDaily) root += JsonTime(notification.now_ms).substr(0, 10);
    root += "@alertmanager>";
    mail->headers.emplace_back("References", root);
    mail->headers.emplace_back("In-Reply-To", root);
  }

  Result<SmtpServer> Server() const {
    SmtpServer server;
    const size_t colon = config_.smarthost.rfind(':');
    server.host = config_.smarthost.substr(0, colon);
    if (server.host.starts_with('[') && server.host.ends_with(']')) server.host = server.host.substr(1, server.host.size() - 2);
    if (server.host.empty()) server.host = "localhost";
    server.port = config_.smarthost.substr(colon + 1);
    server.hello = config_.hello;
    const bool implicit = config_.implicit_tls.value_or(server.port == "465");
    server.tls = implicit ? SmtpServer::Tls::kImplicit
                          : config_.require_tls ? SmtpServer::Tls::kStartTls : SmtpServer::Tls::kNone;
    server.tls_config = config_.tls;
    server.username = config_.auth_username;
    server.identity = config_.auth_identity;
    if (!server.username.empty()) {
      VARVE_ASSIGN_OR_RETURN(server.password, config_.auth_password.Read());
      VARVE_ASSIGN_OR_RETURN(server.cram_md5_secret, config_.auth_secret.Read());
    }
    return server;
  }

  Delivery Deliver(MessageTemplates* t, MailMessage mail, const CancelToken& cancel) const {
    const std::string from = t->Text(config_.from), to = t->Text(config_.to);
    if (!t->status().ok()) return Failed(t->status().Clone(), false);
    auto senders = ParseMailAddresses(from);
    if (!senders.ok()) return Failed(std::move(senders).status().WithContext("from"), false);
    if (senders->size() != 1) return Failed(InvalidArgument("from: must be exactly one address"), false);
    auto recipients = ParseMailAddresses(to);
    if (!recipients.ok()) return Failed(std::move(recipients).status().WithContext("to"), false);
    auto server = Server();
    if (!server.ok()) return Failed(std::move(server).status(), false);
    SmtpEnvelope envelope;
    envelope.sender = senders->front().address;
    for (const MailAddress& recipient : *recipients) envelope.recipients.push_back(recipient.address);
    mail.boundary = "=_" + UniqueWord();
    Status sent = SendMail(*server, envelope, FormatMail(mail), cancel);
    const bool retry = sent.code() != Code::kIoError && sent.code() != Code::kInvalidArgument;
    return sent.ok() ? Delivered() : Failed(std::move(sent), retry);
  }

  const EmailConfig config_;
  const templates::TemplateSet* templates_;
};

}  // namespace

std::unique_ptr<Integration> MakeEmailIntegration(EmailConfig config, const templates::TemplateSet* templates) {
  return std::make_unique<EmailIntegration>(std::move(config), templates);
}

}  // namespace varve
