// All of these block, and run on the pool.
#include "target/device/commands/protected_media.hpp"

#include "scsi/long_cdbs.hpp"
#include "target/device/protection.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;
using scsi::verify::ByteCheck;

// A difference is told as what differs: a field of protection information, or the data.
void finish_compared_blocks(Task& task, const store::ComparedBlocks& done, base::Lba first) {
  if (!done && done.error().kind == store::StoreError::Kind::read_failed) {
    return task.finish_check_condition(sense_of_read(done.error()));
  }
  if (!done) return task.finish_check_condition(sense_of_write(done.error()));
  if (!*done) return task.finish_good();
  const store::Mismatch& mismatch = **done;
  task.finish_check_condition(
      mismatch.field ? scsi::sense::protection_miscompare(failed_check(mismatch.field->field),
                                                          first.value + mismatch.field->block)
                     : scsi::sense::miscompare(mismatch.at.value));
}

store::SentBlocks sent_blocks(base::ByteView blocks, const Invocation& call,
                              const media::Request& request) {
  return {blocks, sent_checks(request, call.cdb(), call.unit())};
}

// Whole blocks of what arrived.
base::ByteView protected_blocks_arrived(const Invocation& call, const media::Request& request) {
  call.task.transfer_length = transfer_bytes(request.range.count, request.protect, call.unit());
  const std::uint64_t each =
      transfer_bytes(base::BlockCount(1), request.protect, call.unit()).value;
  const base::ByteView data = call.task.data_out.view();
  return data.first(data.size() / each * each);
}

base::ByteCount data_of(base::ByteView sent, const Invocation& call,
                        const media::Request& request) {
  const std::uint64_t each =
      transfer_bytes(base::BlockCount(1), request.protect, call.unit()).value;
  return base::ByteCount(sent.size() / each * call.unit().block_length().bytes);
}

base::ByteOffset place_of(const Invocation& call, const media::Request& request) {
  return call.unit().block_length().to_offset(request.range.first);
}

}  // namespace

void protected_read(const Invocation& call, const media::Request& request) {
  Task& task = call.task;
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  if (extent.empty()) return task.finish_good();
  call.path->meter->count_read(extent.length);
  const base::ByteCount length = transfer_bytes(request.range.count, request.protect, call.unit());
  task.data_in_buffer = call.nexus.worker().buffers.take(length.value);
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent, into = task.data_in_buffer.span(),
       flush_first = request.force_unit_access,
       checks = medium_checks(request, call.cdb(), call.unit())]() -> store::StoreResult<> {
        if (flush_first) {
          if (auto flushed = guard.flush(); !flushed) return flushed;
        }
        return store::read_protected(guard, extent, checks, into);
      },
      [&task](const store::StoreResult<>& done) {
        if (!done) return task.finish_check_condition(sense_of_read(done.error()));
        task.finish_buffer(std::move(task.data_in_buffer));
      });
}

void protected_write(const Invocation& call, const media::Request& request) {
  const base::ByteView blocks = protected_blocks_arrived(call, request);
  if (blocks.empty()) return call.task.finish_good();
  count_write(call, data_of(blocks, call, request));
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), at = place_of(call, request),
       sent = sent_blocks(blocks, call, request),
       durability = durability_of(request.force_unit_access, call.unit())] {
        return store::write_protected(guard, at, sent, durability);
      },
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

void protected_write_and_verify(const Invocation& call, const media::Request& request,
                                ByteCheck check) {
  const base::ByteView blocks = protected_blocks_arrived(call, request);
  if (blocks.empty()) return call.task.finish_good();
  count_write(call, data_of(blocks, call, request));
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), at = place_of(call, request),
       sent = sent_blocks(blocks, call, request)] {
        return store::write_and_read_back_protected(guard, at, sent);
      },
      [&task = call.task, check, first = request.range.first](const store::ComparedBlocks& done) {
        // Without BYTCHK the medium has to be readable, no more.
        if (done && check == ByteCheck::nothing) return task.finish_good();
        finish_compared_blocks(task, done, first);
      });
}

void protected_verify(const Invocation& call, const media::Request& request, ByteCheck check) {
  base::Extent extent = to_extent(request.range, call.unit().block_length());
  base::ByteView sent;
  if (check != ByteCheck::nothing) {
    media::Request arrives = request;
    if (check == ByteCheck::one_block) arrives.range.count = base::BlockCount(1);
    sent = protected_blocks_arrived(call, arrives);
    if (check == ByteCheck::data_out) extent.length = data_of(sent, call, request);
    if (sent.empty() && !extent.empty()) {
      return call.task.finish_check_condition(
          scsi::sense::invalid_field_in_cdb(scsi::byte_check_field(call.cdb())));
    }
  }
  if (extent.empty()) return call.task.finish_good();
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent, check,
       medium = medium_checks(request, call.cdb(), call.unit()),
       from_host = sent_blocks(sent, call, request),
       fields = compared_fields(request.protect, call.unit())]() -> store::ComparedBlocks {
        if (check != ByteCheck::nothing) {
          return store::compare_protected(guard, extent, from_host, fields);
        }
        const auto verified = store::verify_protected(guard, extent, medium);
        if (!verified) return base::fail(verified.error());
        return std::nullopt;
      },
      [&task = call.task, first = request.range.first](const store::ComparedBlocks& done) {
        finish_compared_blocks(task, done, first);
      });
}

void protected_compare_and_write(const Invocation& call, const media::Request& request) {
  const base::ByteView data = call.task.data_out.view();
  const std::size_t half = data.size() / 2;
  count_write(call, data_of(data.first(half), call, request));
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), at = place_of(call, request),
       expected = sent_blocks(data.first(half), call, request),
       replacement = sent_blocks(data.subspan(half), call, request),
       fields = compared_fields(request.protect, call.unit()),
       durability = durability_of(request.force_unit_access, call.unit())] {
        return store::compare_and_write_protected(guard, at, expected, fields, replacement,
                                                  durability);
      },
      [&task = call.task, first = request.range.first](const store::ComparedBlocks& done) {
        finish_compared_blocks(task, done, first);
      });
}

void protected_orwrite(const Invocation& call, const media::Request& request) {
  const base::ByteView data = call.task.data_out.view();
  count_write(call, data_of(data, call, request));
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), at = place_of(call, request),
       sent = sent_blocks(data, call, request),
       medium = medium_checks(request, call.cdb(), call.unit()),
       durability = durability_of(request.force_unit_access, call.unit())] {
        return store::or_write_protected(guard, at, sent, medium, durability);
      },
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

void protected_write_same(const Invocation& call, const media::Request& request) {
  const base::ByteView block = call.task.data_out.view();
  count_write(call, data_of(block, call, request));
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent = to_extent(request.range, call.unit().block_length()),
       sent = sent_blocks(block, call, request),
       durability = durability_of(false, call.unit())]() -> store::StoreResult<> {
        auto done = store::write_same_protected(guard, extent, sent);
        if (done && durability == store::Durability::durable) done = guard.flush();
        return done;
      },
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

}  // namespace device::commands
