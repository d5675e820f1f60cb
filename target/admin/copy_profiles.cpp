#include "target/admin/copy_profiles.hpp"

#include <algorithm>
#include <array>

namespace admin {
namespace {

using Value = CopyProfile::Value;

constexpr std::array windows_default{
    Value{"maximum-range-descriptors", "64", "Windows sends no more in a command"},
    Value{"maximum-token-transfer-size", "256M", "the most that Windows writes at a time"},
    Value{"optimal-transfer-count", "0", "so Windows reads all it can and writes 64 MiB at a time"},
    Value{"default-inactivity-timeout", "60", "many copies of what a token is used for end sooner"},
    Value{"maximum-inactivity-timeout", "3600", "programs that give milliseconds as seconds pass"},
    Value{"mixed-block-sizes", "refuse", "Windows counts offsets in its own way there"},
    Value{"without", "none", "all the token commands are there"},
};
constexpr std::array many_writes{
    Value{"maximum-token-transfer-size", "256M", "one token for 256 MiB"},
    Value{"optimal-transfer-count", "0", "not reported: written by four commands of 64 MiB"},
};
constexpr std::array single_write{
    Value{"maximum-token-transfer-size", "256M", "one token for 256 MiB"},
    Value{"optimal-transfer-count", "256M", "written by one command"},
};
constexpr std::array small_token_8m{
    Value{"maximum-token-transfer-size", "8M", "as some arrays: many commands for little data"},
    Value{"optimal-transfer-count", "8M", "the same, so that nothing is cut"},
};
constexpr std::array no_zero_token{
    Value{"rod-types", "default+change-vulnerable+persistent+any",
          "hosts have to find that zeros are written by other means"},
};
constexpr std::array xcopy_only{
    Value{"without", "83/10+83/11+84/07+84/08",
          "EXTENDED COPY alone: Windows keeps ODX off, hypervisors copy"},
};
constexpr std::array freebsd_ctl_like{
    Value{"maximum-range-descriptors", "64", "ctl_tpc.c"},
    Value{"maximum-inactivity-timeout", "600", "ctl_tpc.c"},
    Value{"default-inactivity-timeout", "60", "ctl_tpc.c"},
    Value{"maximum-token-transfer-size", "0", "not reported there"},
    Value{"optimal-transfer-count", "0", "not reported there"},
    Value{"maximum-cscd-descriptors", "64", "ctl_tpc.c"},
    Value{"maximum-segment-descriptors", "64", "ctl_tpc.c"},
    Value{"maximum-descriptor-list-length", "8192", "ctl_tpc.c"},
    Value{"maximum-segment-length", "0", "no limit there"},
    Value{"without", "84/01", "it has no RECEIVE COPY DATA"},
    Value{"mixed-block-sizes", "convert", "it copies between block sizes that divide each other"},
};

constexpr std::array profiles{
    CopyProfile{"windows-default", "what Windows looks at is as by default, whatever --copy says",
                windows_default},
    CopyProfile{"many-writes", "tokens of 256 MiB, written 64 MiB at a time", many_writes},
    CopyProfile{"single-write", "tokens of 256 MiB, written at once", single_write},
    CopyProfile{"small-token-8m", "tokens of 8 MiB", small_token_8m},
    CopyProfile{"no-zero-token", "the block device zero token is not taken", no_zero_token},
    CopyProfile{"xcopy-only", "EXTENDED COPY, no tokens", xcopy_only},
    CopyProfile{"freebsd-ctl-like", "the limits of FreeBSD CTL", freebsd_ctl_like},
};

}  // namespace

std::span<const CopyProfile> copy_profiles() {
  return profiles;
}

const CopyProfile* find_copy_profile(std::string_view name) {
  const auto* const at = std::find_if(profiles.begin(), profiles.end(),
                                      [name](const CopyProfile& p) { return p.name == name; });
  return at == profiles.end() ? nullptr : at;
}

}  // namespace admin
