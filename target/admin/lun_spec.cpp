// Reading a logical unit as a person types it: its number, its store, and what kind of disk it is.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "target/admin/configuration.hpp"

namespace admin {
namespace {

using Fault = std::optional<std::string>;  // one line for a person

Fault set_physical_block(device::UnitShape& shape, std::string_view value) {
  if (value != "512" && value != "4096") {
    return fmt::format("physical={} is not possible; use 512 or 4096", value);
  }
  shape.physical_block_bytes = value == "512" ? 512 : 4096;
  return std::nullopt;
}

Fault set_switch(std::string_view name, bool& setting, std::string_view value) {
  if (value != "on" && value != "off") {
    return fmt::format("{}={} is not possible; use on or off", name, value);
  }
  setting = value == "on";
  return std::nullopt;
}

Fault set_read_only(device::UnitShape& shape, std::string_view value) {
  return set_switch("readonly", shape.read_only, value);
}

Fault set_removable(device::UnitShape& shape, std::string_view value) {
  return set_switch("removable", shape.removable, value);
}

Fault set_thin(device::UnitShape& shape, std::string_view value) {
  return set_switch("thin", shape.provisioning.thin, value);
}

Fault set_provisioned(device::UnitShape& shape, std::string_view value) {
  const auto size = store::parse_size(value);
  if (!size) return size.error();
  shape.provisioning.provisioned = *size;
  return std::nullopt;
}

Fault set_percent(std::string_view option, std::uint8_t& percent, std::string_view value) {
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, percent);
  if (error == std::errc() && at == end && percent >= 1 && percent <= 99) return std::nullopt;
  return fmt::format("{}={} is not possible; use a percentage from 1 to 99", option, value);
}

Fault set_threshold(device::UnitShape& shape, std::string_view value) {
  return set_percent("threshold", shape.provisioning.used_threshold_percent, value);
}

Fault set_available_threshold(device::UnitShape& shape, std::string_view value) {
  return set_percent("available-threshold", shape.provisioning.available_threshold_percent, value);
}

Fault set_exhausted(device::UnitShape& shape, std::string_view value) {
  if (value != "fail" && value != "wait") {
    return fmt::format("exhausted={} is not possible; use fail or wait", value);
  }
  shape.provisioning.wait_when_full = value == "wait";
  return std::nullopt;
}

Fault set_protection(device::UnitShape& shape, std::string_view value) {
  if (value != "1" && value != "2" && value != "3") {
    return fmt::format("protection={} is not possible; use 1, 2 or 3, or leave it out", value);
  }
  shape.protection = static_cast<store::ProtectionType>(value[0] - '0');
  return std::nullopt;
}

// The options of a unit; all others are its store's.
struct Option {
  std::string_view name;
  std::string_view usage;
  Fault (*set)(device::UnitShape& shape, std::string_view value);
};
constexpr std::array options{
    Option{"physical", "physical=512|4096", set_physical_block},
    Option{"thin", "thin=on|off", set_thin},
    Option{"provisioned", "provisioned=SIZE", set_provisioned},
    Option{"threshold", "threshold=PERCENT", set_threshold},
    Option{"available-threshold", "available-threshold=PERCENT", set_available_threshold},
    Option{"exhausted", "exhausted=fail|wait", set_exhausted},
    Option{"readonly", "readonly=on|off", set_read_only},
    Option{"removable", "removable=on|off", set_removable},
    Option{"protection", "protection=1|2|3", set_protection},
};

std::string usage_of_options() {
  std::string text;
  for (const Option& option : options)
    text += fmt::format(", {}", option.usage);
  return text + ", copy-profile=NAME and the other settings of copies";
}

const Option* find_option(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('='));
  const auto* const at = std::find_if(options.begin(), options.end(),
                                      [&](const Option& each) { return each.name == name; });
  return at == options.end() || name.size() == text.size() ? nullptr : at;
}

// Sets the options of the unit; what is left is the store's.
base::Result<std::string, std::string> take_unit_options(std::string_view text,
                                                         UnitConfiguration& unit) {
  std::string left(text.substr(0, text.find(',')));
  std::set<std::string_view> seen;
  for (auto comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    text.remove_prefix(comma + 1);
    const std::string_view word = text.substr(0, text.find(','));
    const Option* const option = find_option(word);
    const std::string_view name = word.substr(0, word.find('='));
    const bool of_copies = name.size() != word.size() && is_copy_setting(name);
    if ((option != nullptr || of_copies) && !seen.insert(name).second) {
      return base::fail(fmt::format("option {}= is given twice", name));
    }
    if (of_copies) {
      unit.copy_settings.push_back({std::string(name), std::string(word.substr(name.size() + 1))});
      continue;
    }
    if (option == nullptr) {
      left += fmt::format(",{}", word);
      continue;
    }
    if (auto fault = option->set(unit.shape, word.substr(option->name.size() + 1))) {
      return base::fail(*fault);
    }
  }
  return left;
}

Fault fault_of(const device::UnitShape& shape) {
  if (shape.physical_block_bytes < shape.block_length.bytes) {
    return fmt::format("physical={} is less than blocksize={}", shape.physical_block_bytes,
                       shape.block_length.bytes);
  }
  if (!shape.provisioning.thin && shape.provisioning.counted()) {
    return "thin=off has all its room: provisioned=, thresholds and exhausted= are for thin units";
  }
  return std::nullopt;
}

store::Provisioning provisioning_of(const device::ProvisioningShape& shape) {
  return {shape.thin, shape.counted(), shape.provisioned, shape.wait_when_full.value_or(false)};
}

}  // namespace

base::Result<LunSpec, std::string> parse_lun_spec(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::uint16_t number = 0;
  const char* end = text.data() + std::min(equals, text.size());
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (equals == std::string::npos || error != std::errc() || at != end || number > scsi::lun_max) {
    return base::fail(
        fmt::format("'{}' is not a LUN: write NUMBER=STORE with a number from 0 to {}, for example "
                    "0=file:/srv/a.img,size=1G",
                    text, scsi::lun_max));
  }
  LunSpec out{scsi::Lun{number}, {}};
  const auto of_unit = [number](const std::string& fault) {
    return base::fail(fmt::format("LUN {}: {}", number, fault));
  };
  const auto left = take_unit_options(std::string_view(text).substr(equals + 1), out.unit);
  if (!left) return of_unit(left.error());
  auto store = store::parse_store_spec(*left, usage_of_options());
  if (!store) return base::fail(store.error());
  out.unit.store = std::move(*store);
  out.unit.shape.block_length = out.unit.store.block_length;
  out.unit.store.read_only = out.unit.shape.read_only;
  out.unit.store.protection = out.unit.shape.protection;
  if (auto fault = fault_of(out.unit.shape)) return of_unit(*fault);
  out.unit.store.provisioning = provisioning_of(out.unit.shape.provisioning);
  return out;
}

}  // namespace admin
