// Reading store specifications as a person types them: parse_size and parse_store_spec of open.hpp.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "store/open.hpp"
#include "store/schemes.hpp"

namespace store {
namespace {

using Fault = std::optional<std::string>;  // one line for a person

constexpr std::string_view size_advice =
    "write bytes or binary multiples, like 512K, 256M, 10G or 1T";

// Bits to shift by for a multiplier letter.
std::optional<unsigned> multiplier_shift(std::string_view suffix) {
  if (suffix.empty()) return 0;
  constexpr std::string_view letters = "KMGTP";
  const char upper = suffix[0] >= 'a' ? static_cast<char>(suffix[0] - 'a' + 'A') : suffix[0];
  const auto found = letters.find(upper);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view rest = suffix.substr(1);
  if (!rest.empty() && rest != "iB" && rest != "B") return std::nullopt;
  return static_cast<unsigned>((found + 1) * 10);
}

Fault set_size(StoreSpec& spec, std::string_view value) {
  const auto size = parse_size(value);
  if (!size) return size.error();
  if (size->value == 0) return "a store cannot have size 0";
  // Offsets into files are signed.
  if (size->value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fmt::format("size {} is more than a store can have", value);
  }
  spec.size = *size;
  return std::nullopt;
}

Fault set_block_length(StoreSpec& spec, std::string_view value) {
  if (value != "512" && value != "4096") {
    return fmt::format("blocksize={} is not possible; use 512 or 4096", value);
  }
  spec.block_length.bytes = value == "512" ? 512 : 4096;
  return std::nullopt;
}

Fault set_direct(StoreSpec& spec, std::string_view value) {
  if (value != "on" && value != "off") {
    return fmt::format("direct={} is not possible; use on or off", value);
  }
  spec.direct = value == "on";
  return std::nullopt;
}

struct Option {
  std::string_view name;
  bool only_with_path;
  Fault (*set)(StoreSpec& spec, std::string_view value);
};
constexpr std::array options{
    Option{"size", true, set_size},
    Option{"blocksize", false, set_block_length},
    Option{"direct", true, set_direct},
};

std::string_view allowed_options(const Scheme& scheme) {
  return scheme.takes_path ? "size=SIZE, blocksize=512|4096, direct=on|off" : "blocksize=512|4096";
}

Fault apply(const Scheme& scheme, StoreSpec& spec, std::string_view text,
            std::string_view also_allowed, std::set<std::string_view>& seen) {
  const auto equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const auto option = std::find_if(options.begin(), options.end(), [&](const Option& candidate) {
    return candidate.name == name && (scheme.takes_path || !candidate.only_with_path);
  });
  if (option == options.end() || equals == std::string_view::npos) {
    return fmt::format("option \"{}\" is unknown for a {} store; allowed: {}{}", text, scheme.name,
                       allowed_options(scheme), also_allowed);
  }
  if (!seen.insert(name).second) return fmt::format("option {}= is given twice", name);
  return option->set(spec, text.substr(equals + 1));
}

Fault set_where(const Scheme& scheme, StoreSpec& spec, std::string_view where) {
  if (!scheme.takes_path) return set_size(spec, where);
  if (where.empty()) return fmt::format("{}: needs a path, like {}", scheme.name, scheme.example);
  spec.path = where;
  return std::nullopt;
}

std::string known_schemes() {
  std::string text;
  for (const Scheme& scheme : schemes()) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", scheme.example);
  }
  return text;
}

}  // namespace

base::Result<base::ByteCount, std::string> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(end - text.data());
  const auto shift = multiplier_shift(text.substr(digits));
  if (digits == 0 || error == std::errc::invalid_argument || !shift) {
    return base::fail(fmt::format("\"{}\" is not a size; {}", text, size_advice));
  }
  if (error == std::errc::result_out_of_range || number > (~std::uint64_t{0} >> *shift)) {
    return base::fail(fmt::format("size {} is too large", text));
  }
  return base::ByteCount(number << *shift);
}

base::Result<StoreSpec, std::string> parse_store_spec(std::string_view text,
                                                      std::string_view also_allowed) {
  const auto in_spec = [text](const std::string& line) {
    return base::fail(fmt::format("store \"{}\": {}", text, line));
  };
  const auto colon = text.find(':');
  const Scheme* const scheme =
      colon == std::string_view::npos ? nullptr : find_scheme(text.substr(0, colon));
  if (scheme == nullptr) {
    return in_spec(fmt::format("it must start with a known scheme, like {}", known_schemes()));
  }
  StoreSpec spec;
  spec.scheme = scheme->name;
  std::string_view rest = text.substr(colon + 1);
  auto comma = rest.find(',');
  if (const Fault line = set_where(*scheme, spec, rest.substr(0, comma))) return in_spec(*line);
  std::set<std::string_view> seen;
  while (comma != std::string_view::npos) {
    rest = rest.substr(comma + 1);
    comma = rest.find(',');
    if (const Fault line = apply(*scheme, spec, rest.substr(0, comma), also_allowed, seen)) {
      return in_spec(*line);
    }
  }
  return spec;
}

}  // namespace store
