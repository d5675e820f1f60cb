// The settings of copies as a person types them: KEY=VALUE with the names of VPD page 8Fh, behind
// --copy for all logical units and behind --lun for one. A profile is a set of them
// (copy_profiles.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "copymgr/copy_limits.hpp"

namespace copymgr {
struct CopySettings;
}

namespace admin {

struct Configuration;
struct UnitConfiguration;

struct CopySetting {
  std::string key, value;
};

bool is_copy_setting(std::string_view key);
// Of a key of these: Windows takes it from page 8Fh when it starts a disk, and never looks again
// (windows-host A.3, D.2).
bool is_read_at_disk_start(std::string_view key);
// As settings name a command: "83/1c", operation code and service action.
std::string name_of_copy_command(const scsi::CdbLayout& command);

// "KEY=VALUE[,KEY=VALUE]..."; the error is one line for a person, here and below.
base::Result<std::vector<CopySetting>, std::string> parse_copy_settings(std::string_view text);

// The profile that is named first, wherever it stands, then the others.
base::Result<copymgr::CopyLimits, std::string> apply_copy_settings(
    const std::vector<CopySetting>& settings, copymgr::CopyLimits onto);

// What contradicts itself in the limits of a unit with such blocks (wire reference 1.3, 6.2);
// nullopt when all is well.
std::optional<std::string> fault_of(const copymgr::CopyLimits& limits,
                                    base::BlockLength block_length);

// What copies of every unit start from: the defaults within the bounds of the array, then
// `for_all`.
base::Result<copymgr::CopyLimits, std::string> common_copy_limits(
    const std::vector<CopySetting>& for_all, const Configuration& configuration);
// Gives a unit its limits: those that are common, then its own. What is wrong, or nullopt.
std::optional<std::string> take_copy_limits(const Configuration& configuration,
                                            UnitConfiguration& unit);
// What they are while the array runs with `running`: its bounds change at its next start only. The
// settings have been found well.
copymgr::CopyLimits limits_within(const copymgr::CopySettings& running,
                                  const Configuration& configuration,
                                  const UnitConfiguration& unit);
// Gives every unit its limits.
base::Result<void, std::string> take_copy_settings(const std::vector<CopySetting>& for_all,
                                                   Configuration& configuration);

// For --help: a line for each setting, then one for each profile.
std::string help_on_copy_settings();

}  // namespace admin
