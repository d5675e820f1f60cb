#include "target/device/operation_plan.hpp"

#include <algorithm>

#include "scsi/field.hpp"

namespace device {
namespace {

using scsi::Field;

// The record: a fixed part, the pattern, the store's name.
constexpr std::uint8_t this_version = 1;
constexpr Field version = Field::bytes("version", 0, 1);
constexpr Field failed = Field::flag("failed", 1, 7);
constexpr Field sanitizes = Field::flag("sanitizes", 1, 6);
constexpr Field unrestricted_exit = Field::flag("unrestricted exit", 1, 5);
constexpr Field inverts = Field::flag("inverts", 1, 4);
constexpr Field passes = Field::bytes("passes", 2, 1);
constexpr Field pass = Field::bytes("pass", 3, 1);
constexpr Field done = Field::bytes("done", 4, 8);
constexpr Field store_size = Field::bytes("size of the store", 12, 8);
constexpr Field pattern_length = Field::bytes("pattern length", 20, 4);
constexpr std::size_t fixed_bytes = 24;

}  // namespace

std::uint16_t progress_of(const OperationPlan& plan, const OperationPosition& position,
                          base::ByteCount size) {
  const double all = static_cast<double>(size.value) * plan.passes;
  const double now =
      static_cast<double>(size.value) * position.pass + static_cast<double>(position.done.value);
  return static_cast<std::uint16_t>(std::clamp(now / all * 65536.0, 0.0, 65535.0));
}

std::vector<std::uint8_t> block_of(const OperationPlan& plan, std::uint8_t pass_number,
                                   base::BlockLength block_length) {
  const bool inverted = plan.inverts && (plan.passes - 1 - pass_number) % 2 != 0;
  std::vector<std::uint8_t> block(block_length.bytes);
  for (std::size_t i = 0; i < block.size(); ++i) {
    const std::uint8_t byte = plan.pattern[i % plan.pattern.size()];
    block[i] = static_cast<std::uint8_t>(inverted ? ~byte : byte);
  }
  return block;
}

std::vector<std::uint8_t> encode(const OperationRecord& record) {
  std::vector<std::uint8_t> out(fixed_bytes);
  version.write(out, this_version);
  failed.write(out, record.failed);
  sanitizes.write(out, record.plan.kind == OperationPlan::Kind::sanitize);
  unrestricted_exit.write(out, record.plan.unrestricted_exit);
  inverts.write(out, record.plan.inverts);
  passes.write(out, record.plan.passes);
  pass.write(out, record.position.pass);
  done.write(out, record.position.done.value);
  store_size.write(out, record.size.value);
  pattern_length.write(out, record.plan.pattern.size());
  out.insert(out.end(), record.plan.pattern.begin(), record.plan.pattern.end());
  out.insert(out.end(), record.store.begin(), record.store.end());
  return out;
}

std::optional<OperationRecord> decode_operation(base::ByteView bytes) {
  if (bytes.size() < fixed_bytes || version.read(bytes) != this_version) return std::nullopt;
  const std::uint64_t pattern_bytes = pattern_length.read(bytes);
  if (pattern_bytes > bytes.size() - fixed_bytes) return std::nullopt;
  OperationRecord out;
  out.failed = failed.is_set(bytes);
  out.plan.kind =
      sanitizes.is_set(bytes) ? OperationPlan::Kind::sanitize : OperationPlan::Kind::format;
  out.plan.unrestricted_exit = unrestricted_exit.is_set(bytes);
  out.plan.inverts = inverts.is_set(bytes);
  out.plan.passes = static_cast<std::uint8_t>(passes.read(bytes));
  out.position = {static_cast<std::uint8_t>(pass.read(bytes)), base::ByteCount(done.read(bytes))};
  out.size = base::ByteCount(store_size.read(bytes));
  if (out.position.pass >= out.plan.passes || out.position.done > out.size) return std::nullopt;
  const base::ByteView pattern = bytes.subspan(fixed_bytes, pattern_bytes);
  out.plan.pattern.assign(pattern.begin(), pattern.end());
  const base::ByteView name = bytes.subspan(fixed_bytes + pattern_bytes);
  out.store.assign(name.begin(), name.end());
  return out;
}

}  // namespace device
