// What the routes that change the array share: how a change is asked for, and what is answered.
#pragma once

#include <nlohmann/json.hpp>

#include "target/admin/array_parts.hpp"

namespace admin {

// Of the body: "dry_run" and "shrink" (true or false), "revision" (a number), "grace_seconds" (0 to
// 3600; 10 if it is not there). The error is one line for a person.
base::Result<Provisioner::Manner, std::string> manner_of(const nlohmann::json& body);

// The members of the body that are neither these nor `known`: what is allowed; nullopt: none is.
std::optional<std::string> unknown_member(const nlohmann::json& body,
                                          std::initializer_list<std::string_view> known);

// {"revision": 7, "steps": [{"action": "create-lun", "text": ...}], "warnings": [...]} and `more`.
// A refusal: {"error": all of it, "faults": [{"line": 12, "text": ...}]}, line 0 where there is
// none.
ApiResponse answer_of(const base::Result<Plan, Refusal>& outcome, const Provisioner& provisioner,
                      nlohmann::json more = nlohmann::json::object());

// Makes the change that `edit` makes of the document, in the manner that the body asks for.
ApiResponse change(const ArrayParts& array, const ApiRequest& request,
                   const Provisioner::Edit& edit,
                   const nlohmann::json& more = nlohmann::json::object());

Refusal refusal(unsigned status, std::string text);
Refusal no_target(const std::string& name);

}  // namespace admin
