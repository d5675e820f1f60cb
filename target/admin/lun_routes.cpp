#include "target/admin/lun_routes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "target/admin/change_answer.hpp"
#include "target/admin/lun_clone.hpp"

namespace admin {
namespace {

using nlohmann::json;
using Change = std::optional<Refusal>;

Refusal not_there(const ApiRequest& request) {
  return refusal(404, fmt::format("there is no LUN {} in {}", request.arguments.at(1),
                                  request.arguments.at(0)));
}

ApiResponse answer_not_there(const ArrayParts& array, const ApiRequest& request) {
  return answer_of(base::fail(not_there(request)), array.provisioner);
}

LunDocument* find_lun(Document& document, const ApiRequest& request) {
  TargetDocument* const target = document.find(request.arguments.at(0));
  const auto number = parse_u16(request.arguments.at(1));
  if (target == nullptr || !number) return nullptr;
  const auto at = target->luns.find(*number);
  return at == target->luns.end() ? nullptr : &at->second;
}

json name_of(const ApiRequest& request) {
  const auto number = parse_u16(request.arguments.at(1));
  return {{"target", request.arguments.at(0)}, {"lun", number ? json(*number) : json()}};
}

json describe(const std::string& target, const LunDocument& lun, device::LogicalUnit& unit) {
  json options = json::object();
  for (const Word& word : lun.options)
    options[word.key] = word.value;
  return {{"target", target},
          {"lun", lun.number},
          {"backing", lun.backing},
          {"size_bytes", unit.block_length().to_bytes(unit.capacity()).value},
          {"block_bytes", unit.block_length().bytes},
          {"thin", unit.thin()},
          {"read_only", unit.shape().read_only},
          {"serial", unit.identity().serial},
          {"options", options}};
}

ApiResponse list_luns(const ArrayParts& array) {
  json out = json::array();
  for (const auto& target : array.targets) {
    const TargetDocument* const document = array.provisioner.document().find(target->name());
    for (const auto& [lun, unit] : target->units())
      out.push_back(describe(target->name(), document->luns.at(lun.value), *unit));
  }
  return {200, json_text(json{{"luns", out}})};
}

ApiResponse show_lun(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) return answer_not_there(array, request);
  const TargetDocument* const document = array.provisioner.document().find(named.target->name());
  json out = describe(named.target->name(), document->luns.at(named.lun.value), *named.unit);
  const device::CommandFigures hosts = named.unit->meters().total();
  const store::GuardCounters guard = named.unit->guard().counters();
  const store::Store::Usage usage = named.unit->guard().usage();
  out["used_bytes"] = usage.used.value;
  out["reads"] = hosts.reads;
  out["writes"] = hosts.writes;
  out["bytes_read"] = hosts.bytes_read;
  out["bytes_written"] = hosts.bytes_written;
  out["snapshots_live"] = guard.snapshots_live;
  return {200, json_text(out)};
}

// A text, a number, true or false, as the word that stands behind --lun; null: none.
base::Result<std::optional<std::string>, std::string> word_of(const std::string& name,
                                                              const json& value) {
  if (value.is_null()) return std::optional<std::string>();
  if (value.is_boolean()) return std::optional<std::string>(value.get<bool>() ? "on" : "off");
  if (value.is_number_unsigned()) return std::optional<std::string>(value.dump());
  const bool text = value.is_string() && value.get<std::string>().find(',') == std::string::npos;
  if (text && name.find_first_of(",=") == std::string::npos) {
    return std::optional<std::string>(value.get<std::string>());
  }
  return base::fail(
      fmt::format("option {}: a text without a comma, a number, true or false", name));
}

// Sets and takes away what the body's "options" say.
Change take_options(const json& body, std::vector<Word>& options) {
  const auto at = body.find("options");
  if (at == body.end()) return std::nullopt;
  if (!at->is_object()) return refusal(400, "options must be an object");
  for (const auto& [name, value] : at->items()) {
    auto word = word_of(name, value);
    if (!word) return refusal(400, word.error());
    std::erase_if(options, [&, key = name](const Word& each) { return each.key == key; });
    if (*word) options.push_back({name, **word});
  }
  return std::nullopt;
}

// The number that is asked for, or the first that is free; nullopt: there is none such.
std::optional<std::uint16_t> number_for(const json& body, const TargetDocument& target) {
  const auto wanted = body.find("number");
  if (wanted != body.end()) {
    const bool well = wanted->is_number_unsigned() && *wanted <= scsi::lun_max;
    return well ? std::optional(wanted->get<std::uint16_t>()) : std::nullopt;
  }
  std::uint16_t number = 0;
  while (number <= scsi::lun_max && target.luns.contains(number))
    ++number;
  return number <= scsi::lun_max ? std::optional(number) : std::nullopt;
}

Change add_lun(TargetDocument& target, LunDocument lun) {
  if (target.luns.contains(lun.number)) {
    return refusal(409, fmt::format("LUN {} of {} is there already", lun.number, target.name));
  }
  const std::uint16_t number = lun.number;
  target.luns.emplace(number, std::move(lun));
  return std::nullopt;
}

ApiResponse wrong_number() {
  return api_error(400, fmt::format("number must be one from 0 to {}", scsi::lun_max));
}

ApiResponse create_lun(const ArrayParts& array, const ApiRequest& request) {
  const std::string& name = request.arguments.at(0);
  const TargetDocument* const target = array.provisioner.document().find(name);
  if (target == nullptr) return answer_of(base::fail(no_target(name)), array.provisioner);
  if (const auto wrong = unknown_member(request.body, {"backing", "number", "options"})) {
    return api_error(400, *wrong);
  }
  const auto backing = request.body.find("backing");
  if (backing == request.body.end() || !backing->is_string() ||
      backing->get<std::string>().find(',') != std::string::npos) {
    return api_error(400, "backing must be file:PATH, block:PATH, memory:SIZE or null:SIZE");
  }
  const auto number = number_for(request.body, *target);
  if (!number) return wrong_number();
  LunDocument lun{*number, backing->get<std::string>(), {}};
  if (const auto refused = take_options(request.body, lun.options)) {
    return answer_of(base::fail(*refused), array.provisioner);
  }
  return change(array, request,
                [&](Document& document) { return add_lun(*document.find(name), lun); },
                {{"target", name}, {"lun", *number}});
}

ApiResponse set_lun(const ArrayParts& array, const ApiRequest& request) {
  if (const auto wrong = unknown_member(request.body, {"options"})) return api_error(400, *wrong);
  return change(
      array, request,
      [&](Document& document) -> Change {
        LunDocument* const lun = find_lun(document, request);
        return lun == nullptr ? not_there(request) : take_options(request.body, lun->options);
      },
      name_of(request));
}

ApiResponse delete_lun(const ArrayParts& array, const ApiRequest& request) {
  return change(
      array, request,
      [&](Document& document) -> Change {
        if (find_lun(document, request) == nullptr) return not_there(request);
        document.find(request.arguments.at(0))->luns.erase(*parse_u16(request.arguments.at(1)));
        return std::nullopt;
      },
      name_of(request));
}

void set_size(LunDocument& lun, base::ByteCount size) {
  const std::string text = fmt::format("{}", size.value);
  for (const char* const sized : {"memory:", "null:"}) {
    if (lun.backing.starts_with(sized)) {
      lun.backing = sized + text;
      return;
    }
  }
  std::erase_if(lun.options, [](const Word& word) { return word.key == "size"; });
  lun.options.push_back({"size", text});
}

ApiResponse resize_lun(const ArrayParts& array, const ApiRequest& request) {
  const auto wanted = request.body.find("size"), shrink = request.body.find("shrink");
  if (wanted == request.body.end() || !wanted->is_string() ||
      (shrink != request.body.end() && !shrink->is_boolean())) {
    return api_error(400, "size must be a text like \"20G\", shrink true or false");
  }
  const auto size = store::parse_size(wanted->get<std::string>());
  if (!size) return api_error(400, size.error());
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) return answer_not_there(array, request);
  json more = name_of(request);
  more["size_bytes"] = size->value;
  return change(
      array, request,
      [&](Document& document) -> Change {
        set_size(*find_lun(document, request), *size);
        return std::nullopt;
      },
      more);
}

ApiResponse clone_lun(const ArrayParts& array, const ApiRequest& request) {
  if (const auto wrong = unknown_member(request.body, {"path", "number", "readonly"})) {
    return api_error(400, *wrong);
  }
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) return answer_not_there(array, request);
  const auto path = request.body.find("path");
  if (path == request.body.end() || !path->is_string() ||
      !path->get<std::string>().starts_with('/') ||
      path->get<std::string>().find(',') != std::string::npos) {
    return api_error(400, "path must be the absolute path of a file that is not there yet");
  }
  const std::string file = path->get<std::string>();
  const TargetDocument& target = *array.provisioner.document().find(named.target->name());
  const auto number = number_for(request.body, target);
  if (!number) return wrong_number();
  if (target.luns.contains(*number)) {
    return api_error(409, fmt::format("LUN {} of {} is there already", *number, target.name));
  }
  LunDocument lun{*number, "file:" + file, {}};
  for (const char* const kept : {"blocksize", "physical"}) {
    if (const auto* value = value_of(target.luns.at(named.lun.value).options, kept))
      lun.options.push_back({kept, *value});
  }
  if (request.body.value("readonly", json(false)) == json(true)) {
    lun.options.push_back({"readonly", "on"});
  }
  const auto made = clone_to_file(*named.unit, file, array.pool);
  if (!made) return api_error(409, made.error());
  const ApiResponse answer = change(
      array, request, [&](Document& document) { return add_lun(*document.find(target.name), lun); },
      {{"target", target.name},
       {"lun", *number},
       {"shared_bytes", made->shared.value},
       {"copied_bytes", made->copied.value}});
  if (answer.status != 200) ::unlink(file.c_str());
  return answer;
}

ApiResponse describe_room(device::LogicalUnit& unit) {
  const store::Store::Usage usage = unit.guard().usage();
  json out{{"thin", unit.thin()},
           {"size_bytes", unit.guard().size().value},
           {"used_bytes", usage.used.value},
           {"available_bytes", usage.available.value}};
  if (const store::Quota* quota = unit.guard().quota(); quota != nullptr) {
    out["provisioned_bytes"] = quota->bound().value;
    out["exhausted"] = quota->waits() ? "wait" : "fail";
  }
  return {200, json_text(out)};
}

ApiResponse show_provisioning(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  return named.unit == nullptr ? answer_not_there(array, request) : describe_room(*named.unit);
}

ApiResponse change_provisioning(const ArrayParts& array, const ApiRequest& request) {
  const NamedUnit named = find_unit(array, request);
  if (named.unit == nullptr) return answer_not_there(array, request);
  if (const auto wrong = unknown_member(request.body, {"provisioned", "exhausted"})) {
    return api_error(400, *wrong);
  }
  json options = request.body;
  for (const char* const other : {"dry_run", "shrink", "revision", "grace_seconds"})
    options.erase(other);
  const ApiResponse answer = change(array, request, [&](Document& document) {
    return take_options({{"options", options}}, find_lun(document, request)->options);
  });
  return answer.status == 200 ? describe_room(*named.unit) : answer;
}

}  // namespace

std::vector<Route> lun_routes(const ArrayParts& array) {
  using Request = const ApiRequest&;
  return {
      {"GET", "/v1/luns", [array](Request) { return list_luns(array); }},
      {"POST", "/v1/targets/{}/luns", [array](Request r) { return create_lun(array, r); }},
      {"GET", "/v1/targets/{}/luns/{}", [array](Request r) { return show_lun(array, r); }},
      {"POST", "/v1/targets/{}/luns/{}", [array](Request r) { return set_lun(array, r); }},
      {"DELETE", "/v1/targets/{}/luns/{}", [array](Request r) { return delete_lun(array, r); }},
      {"POST", "/v1/targets/{}/luns/{}/size", [array](Request r) { return resize_lun(array, r); }},
      {"POST", "/v1/targets/{}/luns/{}/clone", [array](Request r) { return clone_lun(array, r); }},
      {"GET", "/v1/targets/{}/luns/{}/provisioning",
       [array](Request r) { return show_provisioning(array, r); }},
      {"POST", "/v1/targets/{}/luns/{}/provisioning",
       [array](Request r) { return change_provisioning(array, r); }},
  };
}

}  // namespace admin
