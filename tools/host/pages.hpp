// Asking a logical unit for what it tells of itself: the data as it came, or why none did.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tools/host/lun.hpp"

namespace host {

template <class T>
using Told = base::Result<T, std::string>;  // the error is one line for a person
using PageBytes = std::vector<std::uint8_t>;

inline constexpr std::size_t windows_allocation_bytes = 255;  // of every INQUIRY it sends
inline constexpr std::size_t page_header_bytes = 4;           // of a VPD page

// "INQUIRY: 05/24/00 invalid field in CDB".
std::string refused(const Command& command, const Reply& reply);

// Sends a command that reads at most `allocation` bytes; the answer is cut to what came.
Told<PageBytes> read_in(Lun& lun, Command command, std::size_t allocation);
// Nullopt: the standard data.
Told<PageBytes> read_inquiry(Lun& lun, std::optional<std::uint8_t> page, std::size_t allocation);
// A VPD page as Windows reads it first; then all of it, where it is longer than Windows' buffer.
std::optional<PageBytes> read_page(Lun& lun, std::uint8_t page);

// Of page 00h, as it came.
bool lists(const std::optional<PageBytes>& supported, std::uint8_t page);
std::optional<base::ByteView> view(const std::optional<PageBytes>& bytes);

}  // namespace host
