#include "tools/host/lun.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <poll.h>

#include "scsi/status_text.hpp"

namespace host {
namespace {

using scsi::AdditionalSense;
namespace asc = scsi::asc;

struct Meaning {
  AdditionalSense additional;
  std::string_view text;
};

// What a host meets while copying, in words; everything else is shown as numbers alone.
constexpr std::array meanings{
    Meaning{asc::operation_in_progress, "list identifier in use by a running operation"},
    Meaning{asc::unreachable_copy_target, "copy target unreachable"},
    Meaning{asc::write_error, "write error"},
    Meaning{asc::third_party_device_failure, "third party device failure"},
    Meaning{asc::copy_target_data_underrun, "copy target device data underrun"},
    Meaning{asc::unrecovered_read_error, "unrecovered read error"},
    Meaning{asc::parameter_list_length_error, "parameter list length error"},
    Meaning{asc::invalid_operation_code, "command not supported"},
    Meaning{asc::lba_out_of_range, "logical block address out of range"},
    Meaning{asc::token_cause_not_reportable, "invalid token, cause not reportable"},
    Meaning{asc::unsupported_token_type, "token type not supported"},
    Meaning{asc::remote_token_usage_not_supported, "tokens of other arrays not supported"},
    Meaning{asc::token_unknown, "token unknown"},
    Meaning{asc::token_corrupt, "token corrupt"},
    Meaning{asc::token_revoked, "token revoked"},
    Meaning{asc::token_expired, "token expired"},
    Meaning{asc::token_cancelled, "token cancelled"},
    Meaning{asc::token_deleted, "token deleted"},
    Meaning{asc::invalid_token_length, "invalid token length"},
    Meaning{asc::invalid_field_in_cdb, "invalid field in CDB"},
    Meaning{asc::logical_unit_not_supported, "no such logical unit"},
    Meaning{asc::invalid_field_in_parameter_list, "invalid field in parameter list"},
    Meaning{asc::too_many_segment_descriptors, "too many range descriptors"},
    Meaning{asc::write_protected, "write protected"},
    Meaning{asc::space_allocation_failed, "no space left on the array"},
    Meaning{asc::power_on_occurred, "power on or reset occurred"},
    Meaning{asc::internal_target_failure, "internal target failure"},
    Meaning{asc::insufficient_resources, "insufficient resources"},
};

}  // namespace

Command make_command(const scsi::CdbLayout& layout) {
  Command command;
  command.name = layout.name;
  command.cdb = scsi::make_cdb(layout);
  command.cdb_length = layout.length;
  return command;
}

std::string describe(const scsi::Sense& sense) {
  const auto found = std::find_if(meanings.begin(), meanings.end(), [&](const Meaning& meaning) {
    return meaning.additional == sense.additional;
  });
  const std::string numbers = to_text(sense);
  return found == meanings.end() ? numbers : fmt::format("{} ({})", found->text, numbers);
}

std::string describe(const Reply& reply) {
  if (!reply.delivered) return reply.trouble;
  if (reply.status == scsi::Status::check_condition && reply.sense) return describe(*reply.sense);
  return std::string(scsi::to_text(reply.status));
}

void progress(std::initializer_list<Lun*> luns) {
  constexpr int longest_wait_ms = 1000;
  std::vector<pollfd> waits;
  bool ready = false;
  for (Lun* lun : luns) {
    const auto readiness = lun->readiness();
    ready = ready || !readiness;
    waits.push_back(readiness ? pollfd{readiness->descriptor, readiness->events, 0}
                              : pollfd{-1, 0, 0});
  }
  // An interrupted poll leaves no events behind: the units are served all the same, and called
  // again.
  if (poll(waits.data(), waits.size(), ready ? 0 : longest_wait_ms) < 0) {
    for (pollfd& wait : waits)
      wait.revents = 0;
  }
  auto wait = waits.begin();
  for (Lun* lun : luns)
    lun->service((wait++)->revents);
}

Reply execute(Lun& lun, const Command& command) {
  std::optional<Reply> reply;
  lun.start(command, [&reply](Reply answer) { reply = std::move(answer); });
  while (!reply)
    progress({&lun});
  return std::move(*reply);
}

Patience::Advice Patience::after(const Reply& reply) {
  if (!reply.delivered) return Advice::accept;
  const bool busy =
      reply.status == scsi::Status::busy || reply.status == scsi::Status::task_set_full;
  if (busy) {
    return ++busy_replies_ <= busy_replies_max ? Advice::again_after_pause : Advice::accept;
  }
  const bool attention = reply.status == scsi::Status::check_condition && reply.sense &&
                         reply.sense->key == scsi::SenseKey::unit_attention;
  if (!attention) return Advice::accept;
  const AdditionalSense kind = reply.sense->additional;
  const bool seen =
      std::find(unit_attentions_.begin(), unit_attentions_.end(), kind) != unit_attentions_.end();
  if (seen || unit_attentions_.size() == unit_attentions_max) return Advice::accept;
  unit_attentions_.push_back(kind);
  return Advice::again;
}

Reply execute_patiently(Lun& lun, const Command& command) {
  Patience patience;
  while (true) {
    Reply reply = execute(lun, command);
    switch (patience.after(reply)) {
      case Patience::Advice::accept:
        return reply;
      case Patience::Advice::again:
        break;
      case Patience::Advice::again_after_pause:
        lun.pause(busy_pause);
        break;
    }
  }
}

}  // namespace host
