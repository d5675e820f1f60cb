// Named sets of settings of copies: arrays that hosts meet, or that testers want to.
#pragma once

#include <span>
#include <string_view>

namespace admin {

struct CopyProfile {
  struct Value {
    std::string_view key, value, reason;
  };
  std::string_view name, purpose;
  std::span<const Value> values;
};

std::span<const CopyProfile> copy_profiles();
// Null: there is none of that name.
const CopyProfile* find_copy_profile(std::string_view name);

}  // namespace admin
