#include "target/admin/copy_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "store/open.hpp"
#include "target/admin/configuration.hpp"
#include "target/admin/copy_profiles.hpp"
#include "target/device/command_table.hpp"

namespace admin {
namespace {

using copymgr::CopyLimits;
using Objection = std::optional<std::string>;  // what is allowed

constexpr std::string_view profile_key = "copy-profile";
constexpr std::uint32_t max32 = std::numeric_limits<std::uint32_t>::max();
// What a WRITE USING TOKEN whose length is told in 16 bits can hold: 536 bytes and 16 for each.
constexpr std::uint32_t range_descriptors_possible = (2 + 0xffff - 536) / 16;
// Field pointers have 16 bits, and the longer header is in front.
constexpr std::uint32_t descriptor_bytes_possible = 0xffff - 48;
constexpr std::uint32_t records_possible = copymgr::CopySettings().records_per_nexus_max;

template <class Number>
Objection set_number(Number& place, std::string_view value, std::uint64_t least,
                     std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || at != end || number < least || number > most) {
    return fmt::format("a number from {} to {}", least, most);
  }
  place = static_cast<Number>(number);
  return std::nullopt;
}

Objection set_size(std::uint64_t& place, std::string_view value, std::uint64_t most) {
  const auto size = store::parse_size(value);
  if (!size && value != "0") return "a size such as 64M, or 0";
  if (size && size->value > most) return fmt::format("a size of at most {} bytes, or 0", most);
  place = size ? size->value : 0;
  return std::nullopt;
}

template <class Choice>
struct Named {
  std::string_view name;
  Choice choice;
};
template <class Choice, std::size_t n>
Objection set_choice(Choice& place, std::string_view value, const Named<Choice> (&choices)[n]) {
  std::string allowed;
  for (const Named<Choice>& each : choices) {
    if (each.name == value) {
      place = each.choice;
      return std::nullopt;
    }
    allowed += fmt::format("{}{}", allowed.empty() ? "" : " or ", each.name);
  }
  return allowed;
}
constexpr Named<bool> switches[] = {{"on", true}, {"off", false}};

std::vector<const scsi::CdbLayout*> copy_commands() {
  std::vector<const scsi::CdbLayout*> out;
  for (const device::CommandRow& row : device::command_table()) {
    const std::uint8_t opcode = row.layout.opcode;
    if (opcode == scsi::third_party_copy_out || opcode == scsi::third_party_copy_in) {
      out.push_back(&row.layout);
    }
  }
  return out;
}

Objection set_without(CopyLimits& limits, std::string_view value) {
  copymgr::ServiceActions actions;
  while (value != "none") {
    const std::string_view word = value.substr(0, value.find('+'));
    bool found = false;
    std::string allowed;
    for (const scsi::CdbLayout* command : copy_commands()) {
      allowed += fmt::format(" {}", name_of_copy_command(*command));
      if (name_of_copy_command(*command) != word) continue;
      actions.withdraw(*command);
      found = true;
    }
    if (!found) return fmt::format("none, or some of{}, with + between", allowed);
    if (word.size() == value.size()) break;
    value.remove_prefix(word.size() + 1);
  }
  limits.service_actions = actions;
  return std::nullopt;
}

constexpr Named<scsi::RodType> rod_type_names[] = {
    {"access-upon-reference", scsi::RodType::access_upon_reference},
    {"default", scsi::RodType::point_in_time_default},
    {"change-vulnerable", scsi::RodType::point_in_time_change_vulnerable},
    {"persistent", scsi::RodType::point_in_time_persistent},
    {"any", scsi::RodType::point_in_time_any},
    {"zero", scsi::RodType::block_device_zero}};

std::optional<scsi::RodType> named_rod_type(std::string_view name) {
  for (const auto& each : rod_type_names) {
    if (each.name == name) return each.choice;
  }
  return std::nullopt;
}

std::string names_of_rod_types() {
  std::string out;
  for (const auto& each : rod_type_names)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", each.name);
  return out;
}

Objection set_rod_types(scsi::RodTypeSet& place, std::string_view value) {
  scsi::RodTypeSet types;
  for (bool more = true; more;) {
    const std::string_view word = value.substr(0, value.find('+'));
    const auto type = named_rod_type(word);
    if (!type) return fmt::format("some of {}, with + between", names_of_rod_types());
    types.insert(*type);
    more = word.size() != value.size();
    if (more) value.remove_prefix(word.size() + 1);
  }
  place = types;
  return std::nullopt;
}

struct Row {
  std::string_view name, values, meaning;
  Objection (*set)(CopyLimits& limits, std::string_view value);
};
using Text = std::string_view;
constexpr std::array keys{
    Row{"maximum-range-descriptors", "N", "ranges in one token command",
        [](CopyLimits& l, Text v) {
          return set_number(l.maximum_range_descriptors, v, 1, range_descriptors_possible);
        }},
    Row{"maximum-token-transfer-size", "SIZE", "the most that a token stands for; 0: no limit",
        [](CopyLimits& l, Text v) { return set_size(l.maximum_token_transfer.value, v, ~0ull); }},
    Row{"optimal-transfer-count", "SIZE", "0: not reported, Windows then writes 64 MiB at a time",
        [](CopyLimits& l, Text v) { return set_size(l.optimal_transfer.value, v, ~0ull); }},
    Row{"default-inactivity-timeout", "SECONDS", "of tokens made without one",
        [](CopyLimits& l, Text v) {
          return set_number(l.default_inactivity_timeout_seconds, v, 1, max32);
        }},
    Row{"maximum-inactivity-timeout", "SECONDS", "that a host may ask for; 0: no limit",
        [](CopyLimits& l, Text v) {
          return set_number(l.maximum_inactivity_timeout_seconds, v, 0, max32);
        }},
    Row{"minimum-token-lifetime", "SECONDS", "as reported",
        [](CopyLimits& l, Text v) {
          return set_number(l.minimum_token_lifetime_seconds, v, 1, max32);
        }},
    Row{"maximum-token-lifetime", "SECONDS", "of a token, however much it is used; 0: no limit",
        [](CopyLimits& l, Text v) {
          return set_number(l.maximum_token_lifetime_seconds, v, 0, max32 - 1);
        }},
    Row{"maximum-tokens", "N", "live tokens of the unit; at most --max-tokens",
        [](CopyLimits& l, Text v) { return set_number(l.maximum_tokens, v, 1, max32); }},
    Row{"list-identifiers", "N", "results kept for one session",
        [](CopyLimits& l, Text v) {
          return set_number(l.list_identifiers, v, 1, records_possible);
        }},
    Row{"total-concurrent-copies", "N", "copies that run at once; at most --max-copies",
        [](CopyLimits& l, Text v) { return set_number(l.total_concurrent_copies, v, 1, max32); }},
    Row{"maximum-identified-concurrent-copies", "N", "of them, those with a list identifier",
        [](CopyLimits& l, Text v) {
          return set_number(l.maximum_identified_concurrent_copies, v, 1, max32);
        }},
    Row{"maximum-cscd-descriptors", "N", "in one EXTENDED COPY",
        [](CopyLimits& l, Text v) {
          return set_number(l.extended_copy.maximum_cscd_descriptors, v, 1, 0xffff / 32);
        }},
    Row{"maximum-segment-descriptors", "N", "in one EXTENDED COPY",
        [](CopyLimits& l, Text v) {
          return set_number(l.extended_copy.maximum_segment_descriptors, v, 1, 0xffff);
        }},
    Row{"maximum-descriptor-list-length", "BYTES", "of both together",
        [](CopyLimits& l, Text v) {
          return set_number(l.extended_copy.maximum_descriptor_list_bytes, v, 60,
                            descriptor_bytes_possible);
        }},
    Row{"maximum-inline-data-length", "BYTES", "of tokens behind them",
        [](CopyLimits& l, Text v) {
          return set_number(l.extended_copy.maximum_inline_data_bytes, v, 0, 1u << 20);
        }},
    Row{"maximum-segment-length", "SIZE", "of one segment; 0: no limit",
        [](CopyLimits& l, Text v) {
          std::uint64_t bytes = 0;
          auto fault = set_size(bytes, v, max32);
          if (!fault) l.extended_copy.maximum_segment_bytes = static_cast<std::uint32_t>(bytes);
          return fault;
        }},
    Row{"rod-types", "TYPE[+TYPE]...",
        "that are made and taken: those of rod-type-by-default, and zero",
        [](CopyLimits& l, Text v) { return set_rod_types(l.rod_types, v); }},
    Row{"rod-type-by-default", "TYPE",
        "default, change-vulnerable, persistent, any or access-upon-reference: without RTV",
        [](CopyLimits& l, Text v) {
          const auto type = named_rod_type(v);
          if (!type || *type == scsi::RodType::block_device_zero) {
            return Objection(names_of_rod_types() + ", but not zero");
          }
          l.rod_type_by_default = *type;
          return Objection();
        }},
    Row{"zero-token-for-unmapped", "on|off",
        "POPULATE TOKEN of unmapped blocks gives the zero token",
        [](CopyLimits& l, Text v) { return set_choice(l.zero_token_for_unmapped, v, switches); }},
    Row{"immed", "accept|refuse|foreground", "IMMED of the token commands; the last: as if not set",
        [](CopyLimits& l, Text v) {
          using enum copymgr::ImmedPolicy;
          constexpr Named<copymgr::ImmedPolicy> choices[] = {
              {"accept", accept}, {"refuse", refuse}, {"foreground", foreground}};
          return set_choice(l.immed, v, choices);
        }},
    Row{"token-use", "WHO", "bearer, same-initiator or visible-source may use the unit's tokens",
        [](CopyLimits& l, Text v) {
          using enum copymgr::TokenUse;
          constexpr Named<copymgr::TokenUse> choices[] = {{"bearer", bearer},
                                                          {"same-initiator", same_initiator},
                                                          {"visible-source", visible_source}};
          return set_choice(l.token_use, v, choices);
        }},
    Row{"remote-tokens", "refuse|array|group",
        "tokens of other targets: none, those of this array, or of the copy manager group",
        [](CopyLimits& l, Text v) {
          using enum copymgr::RemoteTokens;
          constexpr Named<copymgr::RemoteTokens> choices[] = {
              {"refuse", refuse}, {"array", array}, {"group", group}};
          return set_choice(l.remote_tokens, v, choices);
        }},
    Row{"mixed-block-sizes", "refuse|convert", "tokens of units with other blocks",
        [](CopyLimits& l, Text v) {
          using enum copymgr::MixedBlockLengths;
          constexpr Named<copymgr::MixedBlockLengths> choices[] = {{"refuse", refuse},
                                                                   {"convert", convert}};
          return set_choice(l.mixed_block_lengths, v, choices);
        }},
    Row{"without", "OP/SA[+OP/SA]...", "commands that the unit does not have, such as 83/01; none",
        set_without},
};

const Row* find_key(std::string_view name) {
  const auto* const at =
      std::find_if(keys.begin(), keys.end(), [name](const Row& key) { return key.name == name; });
  return at == keys.end() ? nullptr : at;
}

std::string all_names() {
  std::string out(profile_key);
  for (const Row& key : keys)
    out += fmt::format(", {}", key.name);
  return out;
}

base::Result<void, std::string> apply_one(std::string_view name, std::string_view value,
                                          CopyLimits& limits) {
  const Row* const key = find_key(name);
  if (key == nullptr) {
    return base::fail(fmt::format("there is no setting {}=; use {}", name, all_names()));
  }
  if (auto allowed = key->set(limits, value)) {
    return base::fail(fmt::format("{}={} is not possible; use {}", name, value, *allowed));
  }
  return {};
}

base::Result<void, std::string> apply_profile(std::string_view name, CopyLimits& limits) {
  const CopyProfile* const profile = find_copy_profile(name);
  if (profile == nullptr) {
    std::string names;
    for (const CopyProfile& each : copy_profiles())
      names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    return base::fail(fmt::format("{}={} is not possible; use {}", profile_key, name, names));
  }
  for (const CopyProfile::Value& value : profile->values) {
    if (auto done = apply_one(value.key, value.value, limits); !done) return done;
  }
  return {};
}

}  // namespace

std::string name_of_copy_command(const scsi::CdbLayout& command) {
  return fmt::format("{:02x}/{:02x}", command.opcode, command.service_action.value_or(0));
}

bool is_copy_setting(std::string_view key) {
  return key == profile_key || find_key(key) != nullptr;
}

bool is_read_at_disk_start(std::string_view key) {
  // Descriptor 0000h; then what is more than one setting, and what decides about the page itself.
  constexpr std::array<std::string_view, 7> read{"maximum-range-descriptors",
                                                 "maximum-token-transfer-size",
                                                 "optimal-transfer-count",
                                                 "default-inactivity-timeout",
                                                 "maximum-inactivity-timeout",
                                                 profile_key,
                                                 "without"};
  return std::find(read.begin(), read.end(), key) != read.end();
}

base::Result<std::vector<CopySetting>, std::string> parse_copy_settings(std::string_view text) {
  std::vector<CopySetting> out;
  for (bool more = true; more;) {
    const std::string_view word = text.substr(0, text.find(','));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return base::fail(
          fmt::format("'{}' is not a setting: write KEY=VALUE with {}", word, all_names()));
    }
    out.push_back({std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))});
    more = word.size() != text.size();
    if (more) text.remove_prefix(word.size() + 1);
  }
  return out;
}

base::Result<CopyLimits, std::string> apply_copy_settings(const std::vector<CopySetting>& settings,
                                                          CopyLimits onto) {
  for (const CopySetting& setting : settings) {
    if (setting.key != profile_key) continue;
    if (auto done = apply_profile(setting.value, onto); !done) return base::fail(done.error());
  }
  for (const CopySetting& setting : settings) {
    if (setting.key == profile_key) continue;
    if (auto done = apply_one(setting.key, setting.value, onto); !done) {
      return base::fail(done.error());
    }
  }
  return onto;
}

std::string help_on_copy_settings() {
  std::string out;
  for (const Row& key : keys) {
    const std::string use = fmt::format("{}={}", key.name, key.values);
    out += fmt::format("  {:<40}  {}\n", use, key.meaning);
  }
  out += "Profiles, for copy-profile=NAME; settings beside it count more:\n";
  for (const CopyProfile& profile : copy_profiles())
    out += fmt::format("  {:<16}  {}\n", profile.name, profile.purpose);
  return out;
}

}  // namespace admin
