#include "alerting/notify/integration_factory.h"

#include "alerting/notify/default_templates.h"

namespace varve {

Result<std::shared_ptr<IntegrationSet>> MakeIntegrationSet(const NotifyConfig& config) {
  auto set = std::make_shared<IntegrationSet>();
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const templates::TemplateSet> templates, LoadTemplates(config));
  for (const ReceiverConfig& receiver : config.receivers) {
    set->by_receiver[receiver.name] = MakeIntegrations(receiver, templates.get());
  }
  set->templates = std::move(templates);
  return set;
}

}  // namespace varve
