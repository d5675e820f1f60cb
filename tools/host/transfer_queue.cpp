#include "tools/host/transfer_queue.hpp"

#include <utility>

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"

namespace host {
namespace {

Command media_command(const scsi::CdbLayout& layout, const base::BlockRange& range) {
  Command command = make_command(layout);
  scsi::media::lba_16.write(command.cdb, range.first.value);
  scsi::media::length_16.write(command.cdb, range.count.value);
  return command;
}

}  // namespace

struct TransferQueue::Transfer {
  Lun& lun;
  Command command;
  base::BlockRange range;
  Done done;
  Patience patience;
};

TransferQueue::TransferQueue(Lun& first, Lun& second) : first_(first), second_(second) {}
TransferQueue::~TransferQueue() = default;

void TransferQueue::read(Lun& lun, const base::BlockRange& range, base::ByteSpan into, Done done) {
  Command command = media_command(scsi::media::read_16, range);
  command.data_in = into;
  ++reads_;
  ++in_flight_;
  start(std::make_unique<Transfer>(Transfer{lun, command, range, std::move(done), {}}));
}

void TransferQueue::write(Lun& lun, const base::BlockRange& range, base::ByteView from, Done done) {
  Command command = media_command(scsi::media::write_16, range);
  command.data_out = from;
  ++writes_;
  ++in_flight_;
  start(std::make_unique<Transfer>(Transfer{lun, command, range, std::move(done), {}}));
}

void TransferQueue::start(std::unique_ptr<Transfer> transfer) {
  Lun& lun = transfer->lun;
  const Command command = transfer->command;
  lun.start(command, [this, held = std::move(transfer)](const Reply& reply) mutable {
    finish(std::move(held), reply);
  });
}

void TransferQueue::finish(std::unique_ptr<Transfer> transfer, const Reply& reply) {
  switch (transfer->patience.after(reply)) {
    case Patience::Advice::accept:
      break;
    case Patience::Advice::again_after_pause:
      pause_first_ = true;
      [[fallthrough]];
    case Patience::Advice::again:
      again_.push_back(std::move(transfer));
      return;
  }
  --in_flight_;
  const Command& command = transfer->command;
  std::optional<std::string> trouble;
  if (!reply.good()) {
    trouble =
        fmt::format("{} of {} blocks at LBA {}: {}", command.name, transfer->range.count.value,
                    transfer->range.first.value, describe(reply));
  } else if (reply.data_in_bytes < command.data_in.size()) {
    trouble = fmt::format("{} at LBA {}: {} bytes came, {} were asked for", command.name,
                          transfer->range.first.value, reply.data_in_bytes, command.data_in.size());
  }
  transfer->done(std::move(trouble));
}

void TransferQueue::wait() {
  if (again_.size() < in_flight_) progress({&first_, &second_});
  // Commands still under way are pause enough for a busy unit.
  if (pause_first_ && again_.size() == in_flight_) first_.pause(busy_pause);
  pause_first_ = false;
  for (auto& transfer : std::exchange(again_, {}))
    start(std::move(transfer));
}

}  // namespace host
