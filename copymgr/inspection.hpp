// Tokens and copy operations as an administrator looks at them: values, copied out. What he sees of
// a token is no capability: its bytes are not here.
#pragma once

#include "copymgr/copy_manager.hpp"
#include "copymgr/plan.hpp"

namespace copymgr {

struct TokenFacts {
  std::string hash;  // scsi::hash_of()
  std::uint64_t identifier = 0;
  scsi::RodType rod_type = scsi::RodType::point_in_time_default;
  std::array<std::uint8_t, 16> source_naa{};  // of the unit that it stands for
  base::ByteCount bytes_represented;

  std::optional<tokens::TokenFault> death;  // nullopt: lives
  base::Duration timeout{0};                // of inactivity
  std::optional<base::Duration> left;       // of it; nullopt while in use, and once dead
  std::uint32_t uses_running = 0;
  std::uint64_t uses = 0;
  // Since it was made, and since it died; nullopt: before this process began, or not dead.
  std::optional<base::Duration> age, dead_for;

  // What only a living one has.
  struct Held {
    Nexus made_by;
    std::uint64_t volume_id = 0;
    base::BlockLength block_length;
    Ranges ranges;
    base::ByteCount side_bytes;  // saved because hosts overwrote the unit since
    bool lost = false;           // for want of room there; it is about to be cancelled
  };
  std::optional<Held> held;
};

struct OperationFacts {
  std::uint64_t number = 0;
  OperationKey key;
  bool identified = true;  // the list identifier of `key` means something
  std::uint8_t service_action = 0;
  bool running = false;
  bool in_background = false;
  scsi::CopyResult result;  // so far, if it runs; without its token
  std::vector<std::uint64_t> other_volume_ids;
  base::ByteCount bytes_done;
  base::ByteCount bytes_asked;              // zero: not known
  MovedBytes moved;                         // so far, also of what was not told to be done
  base::Duration took{0};                   // until now, if it runs
  std::optional<base::Duration> ended_for;  // since its end
};

}  // namespace copymgr
