#include "store/protected_blocks.hpp"

#include <algorithm>
#include <vector>

#include "store/exclusive.hpp"
#include "store/faults.hpp"
#include "store/indivisible.hpp"

namespace store {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t blocks_at_once = 512;

// Data and protection information of consecutive blocks, apart, as stores want them.
struct Blocks {
  Bytes data, tuples;

  Blocks() = default;
  Blocks(const ProtectionFormat& format, std::uint64_t count)
      : data(count * format.block_length.bytes), tuples(count * tuple_bytes) {}
};

std::size_t sent_block_bytes(const ProtectionFormat& format) {
  return format.block_length.bytes + tuple_bytes;
}

Blocks taken_apart(const ProtectionFormat& format, base::ByteView sent) {
  const std::size_t data_bytes = format.block_length.bytes;
  Blocks out(format, sent.size() / sent_block_bytes(format));
  for (std::size_t i = 0; i < out.tuples.size() / tuple_bytes; ++i) {
    const base::ByteView block = sent.subspan(i * sent_block_bytes(format));
    std::copy_n(block.begin(), data_bytes, &out.data[i * data_bytes]);
    std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(data_bytes), tuple_bytes,
                &out.tuples[i * tuple_bytes]);
  }
  return out;
}

void put_together(const ProtectionFormat& format, const Blocks& blocks, base::ByteSpan into) {
  const std::size_t data_bytes = format.block_length.bytes;
  for (std::size_t i = 0; i < blocks.tuples.size() / tuple_bytes; ++i) {
    const base::ByteSpan place = into.subspan(i * sent_block_bytes(format));
    std::copy_n(&blocks.data[i * data_bytes], data_bytes, place.begin());
    std::copy_n(&blocks.tuples[i * tuple_bytes], tuple_bytes, place.subspan(data_bytes).begin());
  }
}

auto failed(base::Lba first, const ProtectionFault& fault) {
  StoreError error{StoreError::Kind::protection_failed};
  error.field = fault.field;
  error.block = first.value + fault.block;
  return base::fail(error);
}

base::Lba lba_of(const ProtectionFormat& format, base::ByteOffset at) {
  return base::Lba(at.value / format.block_length.bytes);
}

StoreResult<> checked(const ProtectionFormat& format, base::ByteOffset at, const Blocks& blocks,
                      const ProtectionChecks& checks) {
  const auto found = find_fault(format, blocks.data, blocks.tuples, checks);
  if (found) return failed(lba_of(format, at), *found);
  return {};
}

// The checks of the blocks from the `count`th on.
ProtectionChecks later(ProtectionChecks checks, std::uint64_t count) {
  if (checks.reference_tag) {
    checks.reference_tag = static_cast<std::uint32_t>(*checks.reference_tag + count);
  }
  return checks;
}

base::Extent first_blocks(const ProtectionFormat& format, base::Extent extent) {
  const std::uint64_t most = blocks_at_once * format.block_length.bytes;
  return {extent.offset, std::min(extent.length, base::ByteCount(most))};
}

base::Extent after(base::Extent extent, base::Extent part) {
  return {part.end(), extent.length - part.length};
}

// Calls `use(part, blocks, index of the first)` for part after part of `extent`, read as it is.
template <class Use>
StoreResult<> for_each_part(ProtectedStore& store, base::Extent extent, Use use) {
  const ProtectionFormat& format = store.format();
  for (std::uint64_t index = 0; !extent.empty();) {
    const base::Extent part = first_blocks(format, extent);
    const std::uint64_t count = format.block_length.whole_blocks(part.length).value;
    Blocks blocks(format, count);
    if (auto done = store.read_with(part.offset, blocks.data, blocks.tuples); !done) return done;
    if (auto done = use(part, blocks, index); !done) return done;
    index += count;
    extent = after(extent, part);
  }
  return {};
}

base::Extent extent_of_blocks(base::ByteOffset at, const Blocks& blocks) {
  return {at, base::ByteCount(blocks.data.size())};
}

std::optional<ProtectionField> different_field(const ProtectionTuple& a, const ProtectionTuple& b,
                                               const ComparedFields& fields) {
  if (fields.guard && a.guard != b.guard) return ProtectionField::guard;
  if (fields.application_tag && a.application_tag != b.application_tag) {
    return ProtectionField::application_tag;
  }
  if (fields.reference_tag && a.reference_tag != b.reference_tag) {
    return ProtectionField::reference_tag;
  }
  return std::nullopt;
}

std::optional<Mismatch> first_mismatch(const ProtectionFormat& format, const Blocks& found,
                                       const Blocks& wanted, const ComparedFields& fields) {
  const std::size_t data_bytes = format.block_length.bytes;
  for (std::size_t i = 0; i < found.tuples.size() / tuple_bytes; ++i) {
    const std::uint64_t at = i * sent_block_bytes(format);
    const auto data = [&](const Blocks& of) {
      return base::ByteView(of.data).subspan(i * data_bytes, data_bytes);
    };
    if (const auto different = first_difference(data(found), data(wanted))) {
      return Mismatch{base::ByteCount(at + different->value)};
    }
    const auto field = different_field(load_tuple(found.tuples, i * tuple_bytes),
                                       load_tuple(wanted.tuples, i * tuple_bytes), fields);
    if (field) return Mismatch{base::ByteCount(at + data_bytes), ProtectionFault{i, *field}};
  }
  return std::nullopt;
}

// `count` copies of one block, the `index`th first.
Blocks copies_of(const ProtectionFormat& format, const Blocks& one, std::uint64_t index,
                 std::uint64_t count) {
  Blocks out(format, count);
  ProtectionTuple tuple = load_tuple(one.tuples, 0);
  const bool counts_on = format.type != ProtectionType::type_3;
  if (counts_on) tuple.reference_tag += static_cast<std::uint32_t>(index);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::copy(one.data.begin(), one.data.end(), &out.data[i * one.data.size()]);
    store_tuple(out.tuples, i * tuple_bytes, tuple);
    if (counts_on) ++tuple.reference_tag;
  }
  return out;
}

Blocks part_of(const ProtectionFormat& format, const Blocks& blocks, std::uint64_t index,
               std::uint64_t count) {
  const auto cut = [&](const Bytes& bytes, std::uint64_t each) {
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(index * each);
    return Bytes(from, from + static_cast<std::ptrdiff_t>(count * each));
  };
  Blocks out;
  out.data = cut(blocks.data, format.block_length.bytes);
  out.tuples = cut(blocks.tuples, tuple_bytes);
  return out;
}

// The difference of blocks that stand `index` blocks after the first.
Mismatch moved_on(const ProtectionFormat& format, Mismatch mismatch, std::uint64_t index) {
  mismatch.at += base::ByteCount(index * sent_block_bytes(format));
  if (mismatch.field) mismatch.field->block += index;
  return mismatch;
}

}  // namespace

StoreResult<> read_protected(Guard& guard, base::Extent extent, const ProtectionChecks& checks,
                             base::ByteSpan into) {
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  ProtectedStore& store = *guard.protection();
  const ProtectionFormat& format = store.format();
  const bool alone = into.size() == extent.length.value;
  const auto held = guard.hold_for_reading(extent);
  return for_each_part(
      store, extent,
      [&](base::Extent part, const Blocks& blocks, std::uint64_t index) -> StoreResult<> {
        auto good = checked(format, part.offset, blocks, later(checks, index));
        if (!good) return good;
        if (alone) {
          std::copy(blocks.data.begin(), blocks.data.end(),
                    into.subspan((part.offset - extent.offset).value).begin());
        } else {
          put_together(format, blocks, into.subspan(index * sent_block_bytes(format)));
        }
        return {};
      });
}

StoreResult<> verify_protected(Guard& guard, base::Extent extent, const ProtectionChecks& checks) {
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  ProtectedStore& store = *guard.protection();
  Bytes data;
  for (std::uint64_t index = 0; !extent.empty();) {
    const base::Extent part = first_blocks(store.format(), extent);
    data.resize(part.length.value);
    auto done = read_protected(guard, part, later(checks, index), data);
    if (!done) return done;
    index += store.format().block_length.whole_blocks(part.length).value;
    extent = after(extent, part);
  }
  return {};
}

StoreResult<> write_protected(Guard& guard, base::ByteOffset at, const SentBlocks& sent,
                              Durability durability) {
  ProtectedStore& store = *guard.protection();
  const Blocks blocks = taken_apart(store.format(), sent.blocks);
  const base::Extent extent = extent_of_blocks(at, blocks);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  if (auto good = checked(store.format(), at, blocks, sent.checks); !good) return good;
  const Exclusive held(guard, extent);
  return store.write_with(at, blocks.data, blocks.tuples, durability);
}

ComparedBlocks write_and_read_back_protected(Guard& guard, base::ByteOffset at,
                                             const SentBlocks& sent) {
  ProtectedStore& store = *guard.protection();
  const Blocks blocks = taken_apart(store.format(), sent.blocks);
  const base::Extent extent = extent_of_blocks(at, blocks);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  if (auto good = checked(store.format(), at, blocks, sent.checks); !good) {
    return base::fail(good.error());
  }
  const Exclusive held(guard, extent);
  auto done = store.write_with(at, blocks.data, blocks.tuples, Durability::durable);
  Blocks found(store.format(), blocks.tuples.size() / tuple_bytes);
  if (done) store.forget_cached(extent);
  if (done) done = store.read_with(at, found.data, found.tuples);
  if (!done) return base::fail(done.error());
  return first_mismatch(store.format(), found, blocks, {true, true, true});
}

ComparedBlocks compare_protected(Guard& guard, base::Extent extent, const SentBlocks& sent,
                                 const ComparedFields& fields) {
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  ProtectedStore& store = *guard.protection();
  const ProtectionFormat& format = store.format();
  const Blocks blocks = taken_apart(format, sent.blocks);
  if (auto good = checked(format, extent.offset, blocks, sent.checks); !good) {
    return base::fail(good.error());
  }
  const bool one = blocks.data.size() != extent.length.value;
  for (std::uint64_t index = 0; !extent.empty();) {
    const base::Extent part = first_blocks(format, extent);
    const std::uint64_t count = format.block_length.whole_blocks(part.length).value;
    Blocks found(format, count);
    {
      const auto held = guard.hold_for_reading(part);
      auto done = store.read_with(part.offset, found.data, found.tuples);
      if (!done) return base::fail(done.error());
    }
    const Blocks wanted =
        one ? copies_of(format, blocks, index, count) : part_of(format, blocks, index, count);
    const auto mismatch = first_mismatch(format, found, wanted, fields);
    if (mismatch) return moved_on(format, *mismatch, index);
    index += count;
    extent = after(extent, part);
  }
  return std::nullopt;
}

ComparedBlocks compare_and_write_protected(Guard& guard, base::ByteOffset at,
                                           const SentBlocks& expected, const ComparedFields& fields,
                                           const SentBlocks& replacement, Durability durability) {
  ProtectedStore& store = *guard.protection();
  const ProtectionFormat& format = store.format();
  const Blocks wanted = taken_apart(format, expected.blocks);
  const Blocks fresh = taken_apart(format, replacement.blocks);
  const base::Extent extent = extent_of_blocks(at, wanted);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  auto done = checked(format, at, wanted, expected.checks);
  if (done) done = checked(format, at, fresh, replacement.checks);
  if (!done) return base::fail(done.error());
  Blocks found(format, wanted.tuples.size() / tuple_bytes);
  const Exclusive held(guard, extent);
  done = store.read_with(at, found.data, found.tuples);
  if (!done) return base::fail(done.error());
  if (const auto mismatch = first_mismatch(format, found, wanted, fields)) return mismatch;
  done = store.write_with(at, fresh.data, fresh.tuples, durability);
  if (!done) return base::fail(done.error());
  return std::nullopt;
}

StoreResult<> or_write_protected(Guard& guard, base::ByteOffset at, const SentBlocks& sent,
                                 const ProtectionChecks& medium, Durability durability) {
  ProtectedStore& store = *guard.protection();
  const ProtectionFormat& format = store.format();
  Blocks fresh = taken_apart(format, sent.blocks);
  const base::Extent extent = extent_of_blocks(at, fresh);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  if (auto good = checked(format, at, fresh, sent.checks); !good) return good;
  Blocks found(format, fresh.tuples.size() / tuple_bytes);
  const Exclusive held(guard, extent);
  auto done = store.read_with(at, found.data, found.tuples);
  if (done) done = checked(format, at, found, medium);
  if (!done) return done;
  std::transform(found.data.begin(), found.data.end(), fresh.data.begin(), fresh.data.begin(),
                 std::bit_or<>());
  const std::size_t block_bytes = format.block_length.bytes;
  for (std::size_t i = 0; i < fresh.tuples.size() / tuple_bytes; ++i) {
    ProtectionTuple tuple = load_tuple(fresh.tuples, i * tuple_bytes);
    const auto block = base::ByteView(fresh.data).subspan(i * block_bytes, block_bytes);
    tuple.guard = make_tuple(format, base::Lba(0), block).guard;
    store_tuple(fresh.tuples, i * tuple_bytes, tuple);
  }
  return store.write_with(at, fresh.data, fresh.tuples, durability);
}

StoreResult<> write_same_protected(Guard& guard, base::Extent extent, const SentBlocks& one) {
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  ProtectedStore& store = *guard.protection();
  const ProtectionFormat& format = store.format();
  const Blocks block = taken_apart(format, one.blocks);
  if (auto good = checked(format, extent.offset, block, one.checks); !good) return good;
  for (std::uint64_t index = 0; !extent.empty();) {
    const base::Extent part = first_blocks(format, extent);
    const std::uint64_t count = format.block_length.whole_blocks(part.length).value;
    const Blocks copies = copies_of(format, block, index, count);
    const Exclusive held(guard, part);
    auto done = store.write_with(part.offset, copies.data, copies.tuples, Durability::cached);
    if (!done) return done;
    index += count;
    extent = after(extent, part);
  }
  return {};
}

}  // namespace store
