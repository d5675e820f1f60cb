// Looking at words: what two ways of writing have in common, and what differs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "target/admin/document.hpp"

namespace admin {

using Words = std::map<std::string, std::string>;
inline constexpr std::string_view size_key = "size";

// What the words of a LUN say, however they are written: defaults left out, sizes in bytes. The
// "backing" is one of them; the size of memory and null stores is its "size".
Words canonical(const LunDocument& lun);

// The words of each key, in their order; and the keys whose words differ.
using Grouped = std::map<std::string, std::vector<std::string>>;
Grouped grouped(const std::vector<Word>& words);
std::set<std::string> changed_keys(const Grouped& from, const Grouped& to);
// The settings of copies among those of the array, each by its own key.
Grouped copy_settings_in(const std::vector<Word>& settings);

// Of a file or a block device; else empty.
std::string_view path_of(const LunDocument& lun);
bool is_read_only(const LunDocument& lun);

// "127.0.0.1:3260" of a portal.
std::string address_of(const Word& portal);
// The portal groups that reach a target.
std::set<std::uint16_t> groups_of(const Document& document, const TargetDocument& target);

}  // namespace admin
