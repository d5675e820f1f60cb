#include "tools/host/capability.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace host {
namespace {

using base::ByteView;

constexpr std::size_t windows_buffer_bytes = 255;
constexpr std::size_t page_header_bytes = 4;
constexpr std::uint8_t third_party_copy_page = 0x8f;
constexpr std::size_t rod_limits_bytes = 36;

class Examination {
 public:
  explicit Examination(Capability& out) : out_(out) {}

  // Notes the rule; false tells the caller to stop.
  bool rule(std::string text, bool passed, std::string found, std::string fix) {
    if (passed) {
      out_.rules.push_back({std::move(text), true, {}, {}});
    } else {
      out_.rules.push_back({std::move(text), false, std::move(found), std::move(fix)});
    }
    return passed;
  }

 private:
  Capability& out_;
};

// The codes that Windows sees: PAGE LENGTH is its byte 3 only, and no more than the buffer holds.
ByteView listed_codes(ByteView page) {
  const ByteView seen = page.first(std::min(page.size(), windows_buffer_bytes));
  if (seen.size() <= page_header_bytes) return {};
  return seen.subspan(page_header_bytes,
                      std::min<std::size_t>(seen[3], seen.size() - page_header_bytes));
}

bool examine_supported_pages(Examination& look, std::optional<ByteView> page) {
  if (!look.rule("page 00h (Supported VPD Pages) can be read", page.has_value(),
                 "INQUIRY for page 00h failed",
                 "answer INQUIRY with EVPD=1, PAGE CODE 00h, ALLOCATION LENGTH 255")) {
    return false;
  }
  const ByteView codes = listed_codes(*page);
  const bool first_is_zero = !codes.empty() && codes[0] == 0x00;
  if (!look.rule("page 00h lists code 00h first", first_is_zero,
                 codes.empty() ? std::string("page 00h is empty")
                               : fmt::format("page 00h lists {:02X}h first", codes[0]),
                 "list 00h before all other pages")) {
    return false;
  }
  const auto bad = std::adjacent_find(codes.begin(), codes.end(), std::greater_equal<>());
  const bool ascending = bad == codes.end();
  if (!look.rule("page 00h is strictly ascending", ascending,
                 ascending ? std::string()
                           : fmt::format("page 00h is not ascending at {:02X}h, after {:02X}h",
                                         *(bad + 1), *bad),
                 "sort the codes and name none twice: at the first fault Windows drops 8Fh, B0h, "
                 "B1h and B2h")) {
    return false;
  }
  const bool listed = std::find(codes.begin(), codes.end(), third_party_copy_page) != codes.end();
  return look.rule("page 00h lists 8Fh (Third-party Copy)", listed,
                   "page 00h does not list 8Fh (Third-party Copy)",
                   "list 8Fh, if the array has a copy manager");
}

bool examine_third_party_copy(Examination& look, std::optional<ByteView> page) {
  if (!look.rule("page 8Fh (Third-party Copy) can be read",
                 page && page->size() >= page_header_bytes,
                 page ? fmt::format("page 8Fh has only {} bytes", page->size())
                      : "INQUIRY for page 8Fh failed",
                 "answer INQUIRY for page 8Fh, as page 00h promises")) {
    return false;
  }
  const std::size_t length = base::load_be16(*page, 2);
  if (!look.rule("page 8Fh is at least 36 bytes long",
                 length >= rod_limits_bytes && page->size() >= page_header_bytes + rod_limits_bytes,
                 fmt::format("page 8Fh has PAGE LENGTH {}, {} bytes came", length, page->size()),
                 "descriptor 0000h takes 36 bytes")) {
    return false;
  }
  const std::uint16_t type = base::load_be16(*page, page_header_bytes);
  if (!look.rule("first descriptor of page 8Fh is 0000h (Block Device ROD Limits)", type == 0,
                 fmt::format("first descriptor of page 8Fh is {:04X}h, not 0000h", type),
                 "put descriptor 0000h at byte 4: Windows does not look for it")) {
    return false;
  }
  const std::uint16_t bytes = base::load_be16(*page, page_header_bytes + 2);
  return look.rule("descriptor 0000h has length 0020h", bytes == 0x20,
                   fmt::format("descriptor 0000h has length {:04X}h, not 0020h", bytes),
                   "make it 0020h exactly");
}

}  // namespace

std::string Capability::reason() const {
  const auto failed =
      std::find_if(rules.begin(), rules.end(), [](const Rule& rule) { return !rule.passed; });
  return failed == rules.end() ? std::string() : failed->found;
}

Capability odx_capability(std::optional<ByteView> supported_pages,
                          std::optional<ByteView> third_party_copy) {
  Capability out;
  Examination look(out);
  if (!examine_supported_pages(look, supported_pages)) return out;
  if (!examine_third_party_copy(look, third_party_copy)) return out;
  const ByteView seen =
      third_party_copy->first(std::min(third_party_copy->size(), windows_buffer_bytes));
  const auto limits = scsi::windows_reads(seen);
  // The rules above are those of windows_reads(); should they ever differ, ODX stays off.
  if (!look.rule("descriptor 0000h can be read", limits.has_value(),
                 "descriptor 0000h of page 8Fh cannot be read", "make it 36 bytes")) {
    return out;
  }
  out.odx = true;
  out.limits = *limits;
  out.remote_tokens = scsi::remote_tokens_of(*third_party_copy);
  return out;
}

}  // namespace host
