#include "target/admin/configuration_routes.hpp"

#include <fmt/format.h>

#include "target/admin/change_answer.hpp"

namespace admin {
namespace {

using nlohmann::json;

ApiResponse export_document(const ArrayParts& array, const ApiRequest& request) {
  const Provisioner& provisioner = array.provisioner;
  const auto name = request.query.find("target");
  const TargetDocument* one = nullptr;
  if (name != request.query.end()) {
    one = provisioner.document().find(name->second);
    if (one == nullptr) return answer_of(base::fail(no_target(name->second)), provisioner);
  }
  const std::string text = one != nullptr ? to_toml(*one) : to_toml(provisioner.document());
  return {200, json_text(json{{"revision", provisioner.revision()}, {"toml", text}})};
}

ApiResponse apply_document(const ArrayParts& array, const ApiRequest& request) {
  const auto text = request.body.find("toml"), directory = request.body.find("directory");
  if (const auto wrong = unknown_member(request.body, {"toml", "directory"})) {
    return api_error(400, *wrong);
  }
  const bool has_directory = directory != request.body.end();
  if (text == request.body.end() || !text->is_string() ||
      (has_directory && !directory->is_string())) {
    return api_error(400, "toml must be the text of a configuration, directory a path");
  }
  const auto manner = manner_of(request.body);
  if (!manner) return api_error(400, manner.error());
  auto document = parse_toml(text->get<std::string>(),
                             has_directory ? directory->get<std::string>() : std::string());
  if (!document) return answer_of(base::fail(Refusal{400, document.error()}), array.provisioner);
  return answer_of(array.provisioner.apply(std::move(*document), *manner), array.provisioner);
}

}  // namespace

std::vector<Route> configuration_routes(const ArrayParts& array) {
  return {{"GET", "/v1/configuration",
           [array](const ApiRequest& request) { return export_document(array, request); }},
          {"POST", "/v1/configuration",
           [array](const ApiRequest& request) { return apply_document(array, request); }}};
}

}  // namespace admin
