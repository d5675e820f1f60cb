// The rules of house.md that a program can check, as pure functions of one file's path and text.
// Each broken rule is one line that a person can act on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace house {

struct SourceFile {
  std::string path;  // from the project's root: "target/device/task.hpp"
  std::string text;
};

// All rules on one file: the arrows between rooms, third-party headers in their rooms, clocks,
// length, include guards, marks of unfinished work.
std::vector<std::string> broken_rules(const SourceFile& file);

// The room a path belongs to: "scsi", "target/device", "tools/host", "tools"; empty for none.
std::string_view room_of(std::string_view path);

}  // namespace house
