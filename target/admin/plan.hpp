// What it takes to make one array of another: a pure function of two documents.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "target/admin/document.hpp"

namespace admin {

struct Step {
  // In the order in which they are made: what is new comes before what goes, what cannot be undone
  // last.
  enum class Kind {
    change_array,
    change_group,
    add_portal,
    change_portal,
    create_target,
    create_lun,
    grow_lun,  // or make it as long as it is said to be
    change_lun,
    change_target,
    delete_lun,
    delete_target,
    remove_portal,
    shrink_lun,
  };
  Kind kind = Kind::change_array;
  std::string subject;  // a target's name; of a portal the new word's value, of the array its key
  std::uint16_t lun = 0;
  std::string text;         // for a person: "create LUN 3 of iqn...: file:/srv/a.img, size=10G"
  std::string before = {};  // of a portal that changes or goes: its word
  std::optional<net::Endpoint> bound = {};  // and where it listens; not of a mere plan
  base::ByteCount size = {};                // of grow_lun and shrink_lun
  unsigned line = 0;
};
std::string_view name_of(Step::Kind kind);

struct Plan {
  std::vector<Step> steps;  // none: nothing changes
  std::vector<std::string> warnings;
};

struct PlanRules {
  bool may_shrink = false;
};

// The steps from an array that is served to one whose document has a meaning (configuration_of()).
// Faults: what cannot be changed while it is served, and what would destroy data unasked.
base::Result<Plan, Faults> plan(const Document& from, const Document& to,
                                const PlanRules& rules = {});

}  // namespace admin
