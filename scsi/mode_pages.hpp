// Mode parameters of a disk for MODE SENSE and MODE SELECT (SPC-4 7.5, SBC-4 6.5): Read-Write Error
// Recovery (01h), Disconnect-Reconnect (02h), Caching (08h), Control (0Ah) and its extension
// (0Ah/01h), Power Condition (1Ah), Informational Exceptions Control (1Ch) and, of units that count
// their room, Logical Block Provisioning (1Ch/02h); all of them (3Fh). WCE and SWP, of the task set
// TST, QERR and TAS, and what provisioning_page.hpp tells can be changed and saved.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "scsi/field.hpp"
#include "scsi/provisioning_page.hpp"
#include "scsi/sense.hpp"

namespace scsi {

// Which other tasks of the task set end when one ends with CHECK CONDITION (SPC-4 7.5.8, QERR).
enum class QueueErrorManagement : std::uint8_t {
  none = 0,
  whole_set = 1,
  faulted_nexus = 3,  // those of the nexus that the one came from
};

// What commands ask for on their way. Eight bytes: a unit keeps it in an atomic that needs no lock.
struct alignas(8) CommandRules {
  bool write_cache_enabled = true;
  bool task_set_per_nexus = false;  // TST: 001b, else one task set for all nexuses
  QueueErrorManagement queue_error = QueueErrorManagement::none;
  // TAS: tasks that another nexus aborts end with TASK ABORTED, not without an answer.
  bool task_aborted_status = false;
  bool software_write_protected = false;

  bool operator==(const CommandRules&) const = default;
};

struct ModeParameters : CommandRules {
  ProvisioningParameters provisioning = {};

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
  std::optional<ModeParameters> saved = {};  // nullopt: the unit cannot save
  base::BlockCount capacity;
  base::BlockLength block_length;
  ModeParameters defaults = {};
  bool counts_room = false;            // and has soft thresholds
  bool write_protected = false;        // by whatever means: WP of the header
  bool application_tag_owner = false;  // ATO: application tags are the applications' own
};

// Why there is no such data.
enum class ModeSenseFault : std::uint8_t { no_such_page, no_such_subpage, not_saveable };
// Saved values exist of pages that can be saved; among all pages, the others show their defaults.
base::Result<std::vector<std::uint8_t>, ModeSenseFault> mode_sense_data(
    const ModeSenseRequest& request, const ModeSenseUnit& unit);

// A MODE SELECT(6) list that sets these parameters: what a unit saves.
std::vector<std::uint8_t> mode_select_list(const ModeParameters& parameters,
                                           const ModeSenseUnit& unit = {});
// The parameters after such a list, which may have been saved when the unit had other pages: one
// that does not fit any more is left out. The error: it is no such list.
base::Result<ModeParameters, Sense> apply_saved_list(base::ByteView list,
                                                     const ModeSenseUnit& unit);

// The parameters after a MODE SELECT with this list. Changes nothing but what may change; a page
// must be whole, and every other bit must keep its value; PS is ignored, as hosts send pages back
// as they got them.
base::Result<ModeParameters, Sense> apply_mode_select(base::ByteView list, ModeForm form,
                                                      const ModeSenseUnit& unit);

}  // namespace scsi
