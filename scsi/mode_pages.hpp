// Mode parameters of a disk: Caching (08h), Control (0Ah), Informational Exceptions Control (1Ch)
// and all of them (3Fh), for MODE SENSE and MODE SELECT (SPC-4 7.5, SBC-4 6.5). Only WCE can be
// changed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "scsi/field.hpp"
#include "scsi/sense.hpp"

namespace scsi {

struct ModeParameters {
  bool write_cache_enabled = true;

  bool operator==(const ModeParameters&) const = default;
};

enum class PageControl : std::uint8_t {
  current = 0,
  changeable = 1,
  default_values = 2,
  saved = 3
};

// 6 or 10: which form of the header.
enum class ModeForm : std::uint8_t { six, ten };

struct ModeSenseRequest {
  ModeForm form = ModeForm::six;
  PageControl control = PageControl::current;
  std::uint8_t page = 0x3f;
  std::uint8_t subpage = 0;
  bool disable_block_descriptors = false;
  bool long_lba_accepted = false;
};

struct ModeSenseUnit {
  ModeParameters current;
  base::BlockCount capacity;
  base::BlockLength block_length;
};

// Nullopt when the page or subpage does not exist. `saved` is the caller's to refuse (39/00).
std::optional<std::vector<std::uint8_t>> mode_sense_data(const ModeSenseRequest& request,
                                                         const ModeSenseUnit& unit);

// The parameters after a MODE SELECT with this list. Changes nothing but what may change; a page
// must be whole, and every other bit must keep its value.
base::Result<ModeParameters, Sense> apply_mode_select(base::ByteView list, ModeForm form,
                                                      const ModeSenseUnit& unit);

}  // namespace scsi
