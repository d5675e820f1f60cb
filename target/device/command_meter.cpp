#include "target/device/command_meter.hpp"

#include <algorithm>
#include <numeric>

#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/long_cdbs.hpp"

namespace device {
namespace {

constexpr std::array reading{scsi::media::read_6.opcode, scsi::media::read_10.opcode,
                             scsi::media::read_12.opcode, scsi::media::read_16.opcode};
constexpr std::array writing{scsi::media::write_6.opcode,
                             scsi::media::write_10.opcode,
                             scsi::media::write_12.opcode,
                             scsi::media::write_16.opcode,
                             scsi::write_and_verify::layout_10.opcode,
                             scsi::write_and_verify::layout_12.opcode,
                             scsi::write_and_verify::layout_16.opcode,
                             scsi::write_same::layout_10.opcode,
                             scsi::write_same::layout_16.opcode,
                             scsi::compare_and_write::layout.opcode,
                             scsi::orwrite::layout.opcode,
                             scsi::write_atomic::layout.opcode};

constexpr std::array<CommandKind, 256> kinds_by_opcode = [] {
  std::array<CommandKind, 256> out{};
  out.fill(CommandKind::other);
  for (const std::uint8_t opcode : reading)
    out[opcode] = CommandKind::read;
  for (const std::uint8_t opcode : writing)
    out[opcode] = CommandKind::write;
  out[scsi::third_party_copy_out] = CommandKind::copy;
  return out;
}();

// Of the 32-byte CDBs.
CommandKind kind_of_long(std::uint64_t service_action) {
  if (service_action == *scsi::long_cdb::read.service_action) return CommandKind::read;
  for (const auto* const layout :
       {&scsi::long_cdb::write, &scsi::long_cdb::write_and_verify, &scsi::long_cdb::write_same}) {
    if (service_action == *layout->service_action) return CommandKind::write;
  }
  return CommandKind::other;
}

}  // namespace

CommandKind kind_of(base::ByteView cdb) {
  if (cdb[0] != scsi::variable_length::opcode) return kinds_by_opcode[cdb[0]];
  return kind_of_long(scsi::variable_length::service_action.read(cdb));
}

std::uint64_t KindFigures::commands() const {
  return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

CommandFigures& CommandFigures::operator+=(const CommandFigures& other) {
  reads += other.reads;
  writes += other.writes;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    for (std::size_t j = 0; j < latency_buckets; ++j)
      kinds[i].ended[j] += other.kinds[i].ended[j];
    kinds[i].nanoseconds += other.kinds[i].nanoseconds;
    kinds[i].not_good += other.kinds[i].not_good;
  }
  return *this;
}

void CommandMeter::count_read(base::ByteCount length) {
  add(reads_, 1);
  add(bytes_read_, length.value);
}

void CommandMeter::count_write(base::ByteCount length) {
  add(writes_, 1);
  add(bytes_written_, length.value);
}

// Most commands end in one of the first buckets: they are tried from there.
void CommandMeter::ended(CommandKind kind, base::Instant begun_at, bool good) {
  const base::Duration took = clock_.now() - begun_at;
  Kind& of_kind = kinds_[static_cast<std::size_t>(kind)];
  std::size_t bucket = 0;
  while (bucket < latency_bounds.size() && took > latency_bounds[bucket])
    ++bucket;
  add(of_kind.ended[bucket], 1);
  add(of_kind.nanoseconds, static_cast<std::uint64_t>(took.count()));
  if (!good) add(of_kind.not_good, 1);
}

CommandFigures CommandMeter::figures() const {
  CommandFigures out{reads_, writes_, bytes_read_, bytes_written_, {}};
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const Kind& from = kinds_[i];
    std::copy(from.ended.begin(), from.ended.end(), out.kinds[i].ended.begin());
    out.kinds[i].nanoseconds = from.nanoseconds;
    out.kinds[i].not_good = from.not_good;
  }
  return out;
}

std::shared_ptr<CommandMeter> CommandMeters::open(std::uint64_t nexus_number,
                                                  const base::Clock& clock) {
  const std::shared_ptr<CommandMeter> out(new CommandMeter(nexus_number, clock),
                                          [this](CommandMeter* meter) {
                                            close(meter);
                                            delete meter;
                                          });
  const std::scoped_lock lock(mutex_);
  open_.push_back(out.get());
  return out;
}

void CommandMeters::close(const CommandMeter* meter) {
  const std::scoped_lock lock(mutex_);
  closed_ += meter->figures();
  std::erase(open_, meter);
}

CommandFigures CommandMeters::total() const {
  const std::scoped_lock lock(mutex_);
  CommandFigures out = closed_;
  for (const CommandMeter* const meter : open_)
    out += meter->figures();
  return out;
}

std::vector<CommandMeters::OfNexus> CommandMeters::of_nexuses() const {
  const std::scoped_lock lock(mutex_);
  std::vector<OfNexus> out;
  for (const CommandMeter* const meter : open_)
    out.push_back({meter->nexus_number(), meter->figures()});
  return out;
}

}  // namespace device
