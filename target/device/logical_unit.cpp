#include "target/device/logical_unit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/log.hpp"
#include "target/device/unit_sizes.hpp"

namespace device {
namespace {

// Not registered with the IEEE: the locally administered bit is set, then "CM".
constexpr std::array<std::uint8_t, 3> company_identifier{0x02, 0x43, 0x4d};
// What file systems punch holes in.
constexpr std::uint32_t hole_bytes = 4096;
// The least threshold set; that of a large unit is so large that 32 bits count them all.
constexpr std::uint32_t threshold_set_bytes = 64 * 1024;

}  // namespace

LogicalUnit::LogicalUnit(std::uint64_t id, scsi::UnitIdentity identity,
                         std::unique_ptr<store::Guard> guard, const UnitShape& shape,
                         const LogicalUnitLimits& limits)
    : id_(id),
      identity_(std::move(identity)),
      guard_(std::move(guard)),
      protection_(guard_->protection()),
      shape_(shape),
      capacity_(shape.block_length.whole_blocks(guard_->size()).value),
      limits_(limits),
      kept_copy_limits_(std::make_unique<copymgr::CopyLimits>(limits.copies)),
      copy_limits_(kept_copy_limits_.get()),
      soft_thresholds_(guard_->quota(), threshold_set(), shape.provisioning) {}

base::Result<void, std::string> LogicalUnit::resize(base::ByteCount size) {
  const base::ByteCount before = guard_->size();
  const auto wanted = shape_.block_length.whole_blocks(size);
  // Which of the two it is after a crash, only the store knows.
  const bool remembers = kept_.can_save();
  const auto kept_before = kept_.value(Keepsake::sizes);
  if (remembers && !kept_.save(Keepsake::sizes, encode_sizes({before, size}))) {
    return base::fail(std::string("the state directory cannot keep the new size"));
  }
  if (size < before) capacity_ = wanted.value;
  auto resized = guard_->resize(size);
  capacity_ = shape_.block_length.whole_blocks(guard_->size()).value;
  if (resized) {
    if (auto flushed = guard_->flush(); !flushed) {
      return base::fail(fmt::format("{} is {} bytes long, but not safely: {}", guard_->describe(),
                                    size.value, store::to_text(flushed.error())));
    }
  }
  const bool kept =
      !remembers || kept_.save(Keepsake::sizes, resized ? encode_sizes({size}) : kept_before);
  if (!resized) {
    return base::fail(fmt::format("cannot make {} {} bytes long: {}", guard_->describe(),
                                  size.value, store::to_text(resized.error())));
  }
  if (!kept) return base::fail(std::string("resized, but the state directory cannot keep that"));
  return {};
}

scsi::CapacityData LogicalUnit::capacity_data() const {
  std::uint8_t exponent = 0;
  while ((shape_.block_length.bytes << exponent) < shape_.physical_block_bytes)
    ++exponent;
  return {capacity(), shape_.block_length, exponent, thin(), protection_support().type};
}

scsi::ProtectionSupport LogicalUnit::protection_support() const {
  if (protection_ == nullptr) return {};
  const store::ProtectionFormat& format = protection_->format();
  return {static_cast<std::uint8_t>(format.type), format.application_owns_tags()};
}

base::BlockCount LogicalUnit::maximum_transfer_length() const {
  return shape_.block_length.whole_blocks(limits_.maximum_transfer);
}

base::BlockCount LogicalUnit::maximum_verify_length() const {
  return shape_.block_length.whole_blocks(limits_.maximum_verify);
}

// The data-out is twice as long.
base::BlockCount LogicalUnit::maximum_compare_and_write_length() const {
  return std::min(base::BlockCount(255), base::BlockCount(maximum_transfer_length().value / 2));
}

base::BlockCount LogicalUnit::maximum_atomic_transfer_length() const {
  return std::min(base::BlockCount(256), maximum_transfer_length());
}

scsi::BlockLimits LogicalUnit::block_limits() const {
  scsi::BlockLimits out;
  out.maximum_transfer_length = out.optimal_transfer_length = maximum_transfer_length();
  out.optimal_granularity_blocks =
      static_cast<std::uint16_t>(shape_.physical_block_bytes / shape_.block_length.bytes);
  out.maximum_compare_and_write_length = maximum_compare_and_write_length();
  if (thin()) {
    out.maximum_unmap_lba_count = unmap_limits().maximum_lba_count;
    out.maximum_unmap_descriptors = unmap_limits().maximum_descriptors;
    out.optimal_unmap_granularity = unmap_granularity();
  }
  out.maximum_write_same_length = maximum_write_same_length();
  out.maximum_atomic_transfer_length = maximum_atomic_transfer_length();
  return out;
}

base::BlockCount LogicalUnit::unmap_granularity() const {
  return shape_.block_length.whole_blocks(base::ByteCount(hole_bytes));
}

std::uint8_t LogicalUnit::threshold_exponent() const {
  std::uint8_t exponent = 0;
  while ((shape_.block_length.bytes << exponent) < threshold_set_bytes)
    ++exponent;
  while (capacity().value >> exponent > 0xfffffffe)
    ++exponent;
  return exponent;
}

base::ByteCount LogicalUnit::threshold_set() const {
  return base::ByteCount(std::uint64_t{shape_.block_length.bytes} << threshold_exponent());
}

// Part of a set takes the whole of it.
scsi::ProvisioningFigures LogicalUnit::provisioning_figures() {
  const store::Store::Usage usage = guard_->usage();
  const std::uint64_t set_bytes = threshold_set().value;
  return {usage.available.value / set_bytes, (usage.used.value + set_bytes - 1) / set_bytes,
          usage.available_is_shared};
}

scsi::UnmapLimits LogicalUnit::unmap_limits() const {
  return {limits_.maximum_unmap, limits_.maximum_unmap_descriptors, capacity()};
}

scsi::BlockDeviceRodLimits LogicalUnit::rod_limits(const copymgr::CopyLimits& copies) const {
  return {copies.maximum_range_descriptors,
          copies.maximum_inactivity_timeout_seconds,
          copies.default_inactivity_timeout_seconds,
          shape_.block_length.whole_blocks(copies.maximum_token_transfer),
          shape_.block_length.whole_blocks(copies.optimal_transfer),
          copies.maximum_tokens};
}

scsi::TokenCommandLimits LogicalUnit::token_command_limits(
    const copymgr::CopyLimits& copies) const {
  const scsi::BlockDeviceRodLimits limits = rod_limits(copies);
  return {limits.maximum_range_descriptors, limits.maximum_inactivity_timeout_seconds,
          limits.maximum_token_transfer_size, capacity()};
}

std::unique_ptr<const copymgr::CopyLimits> LogicalUnit::set_copy_limits(
    const copymgr::CopyLimits& limits) {
  auto before = std::make_unique<const copymgr::CopyLimits>(limits);
  std::swap(before, kept_copy_limits_);
  copy_limits_.store(kept_copy_limits_.get(), std::memory_order_release);
  return before;
}

scsi::AccessFigures LogicalUnit::figures_since_start() const {
  const CommandFigures figures = meters_.total();
  return {figures.reads, figures.writes,
          shape_.block_length.whole_blocks(base::ByteCount(figures.bytes_written)),
          shape_.block_length.whole_blocks(base::ByteCount(figures.bytes_read))};
}

scsi::AccessFigures LogicalUnit::access_figures() const {
  scsi::AccessFigures out = figures_since_start();
  const scsi::AccessFigures before = notes_.figures_at_reset();
  out.read_commands -= before.read_commands;
  out.write_commands -= before.write_commands;
  out.received -= before.received;
  out.transmitted -= before.transmitted;
  return out;
}

std::optional<scsi::ModeParameters> LogicalUnit::saved_mode_parameters() const {
  if (!kept_.can_save()) return std::nullopt;
  const auto list = kept_.value(Keepsake::mode_parameters);
  if (list.empty()) return default_mode_parameters();
  // restore() has looked at it.
  return scsi::apply_saved_list(list, mode_defaults()).value_or(default_mode_parameters());
}

scsi::ModeParameters LogicalUnit::default_mode_parameters() const {
  return {{}, soft_thresholds_.defaults()};
}

scsi::ModeSenseUnit LogicalUnit::mode_defaults() const {
  return {default_mode_parameters(), {}, capacity(), shape_.block_length, default_mode_parameters(),
          soft_thresholds_.counts()};
}

scsi::ModeSenseUnit LogicalUnit::mode_sense_unit() const {
  scsi::ModeSenseUnit out = mode_defaults();
  out.current = mode_parameters();
  out.saved = saved_mode_parameters();
  out.write_protected = write_protection().has_value();
  out.application_tag_owner = protection_support().application_tag_checked;
  return out;
}

base::Result<void, std::string> LogicalUnit::restore(UnitMemory& memory) {
  if (auto restored = kept_.restore(memory, base::to_hex(identity_.naa)); !restored) {
    return restored;
  }
  if (!restore_operation()) {
    return base::fail(std::string("what is kept of a SANITIZE or FORMAT UNIT makes no sense"));
  }
  const auto list = kept_.value(Keepsake::mode_parameters);
  if (list.empty()) return {};
  const auto saved = scsi::apply_saved_list(list, mode_defaults());
  if (!saved) return base::fail(std::string("the saved mode parameters make no sense"));
  set_mode_parameters(*saved);
  return {};
}

// What was begun on one store must neither go on over another, whose data nobody gave up, nor be
// forgotten: it has failed then.
bool LogicalUnit::restore_operation() {
  const auto bytes = kept_.value(Keepsake::operation);
  if (bytes.empty()) return true;
  auto record = decode_operation(bytes);
  if (!record) return false;
  if (record->store != guard_->describe() || record->size != guard_->size()) {
    base::log::warning(
        "unit {}: a SANITIZE or FORMAT UNIT was under way on {}, {} bytes; not on {}",
        identity_.serial, record->store, record->size.value, guard_->describe());
    record->failed = true;
  }
  operation_.restore(*record);
  return true;
}

// Whole blocks.
base::ByteCount LogicalUnit::operation_step() const {
  const base::BlockCount blocks = shape_.block_length.whole_blocks(limits_.operation_step);
  return shape_.block_length.to_bytes(std::max(blocks, base::BlockCount(1)));
}

bool LogicalUnit::keep_operation(std::vector<std::uint8_t> record) {
  return !kept_.can_save() || kept_.save(Keepsake::operation, std::move(record));
}

copymgr::Volume LogicalUnit::volume(const std::string& target_name) {
  copymgr::Volume out;
  out.id = id_;
  out.guard = guard_.get();
  out.block_length = shape_.block_length;
  out.capacity = capacity();
  out.creator_descriptor = scsi::identification_cscd_descriptor(identity_.naa, shape_.block_length);
  const auto capacity = scsi::read_capacity_16_data(capacity_data());
  std::copy(capacity.begin() + 8, capacity.end(), out.device_specific.begin());
  out.target_descriptor = scsi::target_device_designator(target_name);
  out.limits = copy_limits();
  return out;
}

scsi::UnitIdentity make_identity(base::ByteView array_identifier, const std::string& target_name,
                                 scsi::Lun lun) {
  base::Sha256 hash;
  std::array<std::uint8_t, 2> number{};
  base::store_be16(number, 0, lun.value);
  hash.add(array_identifier);
  hash.add(base::as_bytes(target_name));
  hash.add(number);
  const base::Sha256Digest digest = hash.finish();

  scsi::UnitIdentity out;
  out.serial = base::to_hex(base::ByteView(digest).first(12));
  // NAA 6h: four bits of type, 24 of company, 100 of our own choice.
  std::copy_n(digest.begin(), out.naa.size(), out.naa.begin());
  out.naa[0] = static_cast<std::uint8_t>(0x60 | company_identifier[0] >> 4);
  out.naa[1] = static_cast<std::uint8_t>(company_identifier[0] << 4 | company_identifier[1] >> 4);
  out.naa[2] = static_cast<std::uint8_t>(company_identifier[1] << 4 | company_identifier[2] >> 4);
  out.naa[3] = static_cast<std::uint8_t>(company_identifier[2] << 4 | (digest[3] & 0x0f));
  std::copy_n(digest.begin() + 16, out.eui64.size(), out.eui64.begin());
  std::copy(company_identifier.begin(), company_identifier.end(), out.eui64.begin());
  return out;
}

}  // namespace device
