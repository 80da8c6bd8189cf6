#include "alerting/outgoing/smtp_client.h"

#include <algorithm>
#include <cstring>

#include "alerting/outgoing/curl_session.h"

namespace varve {
namespace {

struct Upload {
  std::string_view rest;
};

size_t GiveMore(char* buffer, size_t size, size_t count, void* upload) {
  auto* rest = &static_cast<Upload*>(upload)->rest;
  const size_t bytes = std::min(size * count, rest->size());
  std::memcpy(buffer, rest->data(), bytes);
  rest->remove_prefix(bytes);
  return bytes;
}

// A line break in an address or a name would be a command of its own.
Status CheckLine(std::string_view what, std::string_view text) {
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return control ? InvalidArgument(std::string(what) + " holds a control character") : Status::Ok();
}

void SetLogin(const SmtpServer& server, CurlSession* session) {
  if (server.username.empty()) return;
  session->Set(CURLOPT_USERNAME, server.username.c_str());
  const bool by_secret = server.password.empty() && !server.cram_md5_secret.empty();
  session->Set(CURLOPT_PASSWORD, (by_secret ? server.cram_md5_secret : server.password).c_str());
  session->Set(CURLOPT_LOGIN_OPTIONS, by_secret ? "AUTH=CRAM-MD5" : "AUTH=PLAIN;AUTH=LOGIN");
  session->Set(CURLOPT_SASL_IR, 1L);
  if (!server.identity.empty()) session->Set(CURLOPT_SASL_AUTHZID, server.identity.c_str());
}

}  // namespace

Status SendMail(const SmtpServer& server, const SmtpEnvelope& envelope, std::string_view message,
                const CancelToken& cancel) {
  VARVE_RETURN_IF_ERROR(CheckLine("the sender", envelope.sender));
  VARVE_RETURN_IF_ERROR(CheckLine("the name for EHLO", server.hello));
  CurlList recipients, connect_to;
  for (const std::string& recipient : envelope.recipients) {
    VARVE_RETURN_IF_ERROR(CheckLine("a recipient", recipient));
    recipients.Add("<" + recipient + ">");
  }
  CurlSession session(cancel, server.timeout_ms);
  const bool implicit = server.tls == SmtpServer::Tls::kImplicit;
  const std::string bare_host = server.host.find(':') != std::string::npos ? "[" + server.host + "]" : server.host;
  std::string host = bare_host;
  if (!server.tls_config.server_name.empty() && server.tls != SmtpServer::Tls::kNone) {
    host = server.tls_config.server_name;  // its certificate is expected, whatever the address is
    connect_to.Add(host + ":" + server.port + ":" + bare_host + ":" + server.port);
    session.Set(CURLOPT_CONNECT_TO, connect_to.get());
  }
  // The path of an smtp:// URL is what EHLO says.
  const std::string url = (implicit ? "smtps://" : "smtp://") + host + ":" + server.port + "/" + server.hello;
  session.Set(CURLOPT_URL, url.c_str());
  session.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  session.Set(CURLOPT_PROXY, "");
  session.Set(CURLOPT_FRESH_CONNECT, 1L);  // a kept connection would keep the login of another receiver
  session.Set(CURLOPT_FORBID_REUSE, 1L);
  const long tls = server.tls == SmtpServer::Tls::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL;
  session.Set(CURLOPT_USE_SSL, tls);
  const std::string sender = "<" + envelope.sender + ">";
  session.Set(CURLOPT_MAIL_FROM, sender.c_str());
  session.Set(CURLOPT_MAIL_RCPT, recipients.get());
  SetLogin(server, &session);
  Upload upload{message};
  session.Set(CURLOPT_UPLOAD, 1L);
  session.Set(CURLOPT_READFUNCTION, &GiveMore);
  session.Set(CURLOPT_READDATA, &upload);
  VARVE_RETURN_IF_ERROR(session.UseTls(server.tls_config));
  return session.Perform(server.host + ":" + server.port);
}

}  // namespace varve
