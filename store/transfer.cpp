// The three means of moving a range, and telling "not this pair" from a failing medium.
#include "store/transfer.hpp"

#include <algorithm>
#include <cstring>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "store/faults.hpp"
#include "store/protected_store.hpp"

namespace store {
namespace {

using base::ByteCount;
using base::ByteOffset;

constexpr std::uint64_t lent_piece_bytes = 256 * 1024;

StoreResult<> check_bounds(Piece from, Piece to, ByteCount length) {
  if (lies_within({from.at, length}, from.store->size()) &&
      lies_within({to.at, length}, to.store->size())) {
    return {};
  }
  return fault(StoreError::Kind::out_of_range);
}

// The errors by which the kernel says "not this pair of files", apart from those of a failing
// medium.
StoreResult<> offload_fault(int system_error) {
  switch (system_error) {
    case EIO:
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
      return system_fault(StoreError::Kind::write_failed, system_error);
    default:
      return fault(StoreError::Kind::not_supported, system_error);
  }
}

Piece advanced(Piece piece, ByteCount by) {
  return {piece.store, piece.at + by};
}

bool is_zero(base::ByteView bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Moves the holes of a file as holes and everything between them by `move_data(from, to, length)`.
template <class MoveData>
StoreResult<> keeping_holes(Piece from, Piece to, ByteCount length, Holes holes,
                            MoveData move_data) {
  if (holes == Holes::none) return move_data(from, to, length);
  const ByteOffset end = from.at + length;
  while (from.at < end) {
    const Store::Run run = from.store->first_run({from.at, end - from.at});
    const StoreResult<> result =
        run.hole ? to.store->write_zeros({to.at, run.length}) : move_data(from, to, run.length);
    if (!result) return result;
    from = advanced(from, run.length);
    to = advanced(to, run.length);
  }
  return {};
}

StoreResult<> copy_data_in_kernel(Piece from, Piece to, ByteCount length) {
  const int source = from.store->file()->descriptor;
  const int target = to.store->file()->descriptor;
  auto source_at = static_cast<off64_t>(from.at.value);
  auto target_at = static_cast<off64_t>(to.at.value);
  for (std::uint64_t left = length.value; left > 0;) {
    const ssize_t moved = copy_file_range(source, &source_at, target, &target_at, left, 0);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return offload_fault(errno);
    if (moved == 0) return fault(StoreError::Kind::read_failed, EIO);
    left -= static_cast<std::uint64_t>(moved);
  }
  return {};
}

// What is cloned takes the room of its data; its holes give room back.
StoreResult<> reserve_for(Piece from, Piece to, ByteCount length) {
  if (to.store->quota() == nullptr) return to.store->reserve({to.at, length});
  const ByteOffset end = from.at + length;
  while (from.at < end) {
    const Store::Run run = from.store->first_run({from.at, end - from.at});
    const base::Extent into{to.at, run.length};
    if (auto room = run.hole ? StoreResult<>() : to.store->reserve(into); !room) return room;
    from = advanced(from, run.length);
    to = advanced(to, run.length);
  }
  return {};
}

StoreResult<> give_back_holes(Piece from, Piece to, ByteCount length) {
  if (to.store->quota() == nullptr) return {};
  return keeping_holes(from, to, length, Holes::ask,
                       [](Piece, Piece, ByteCount) { return StoreResult<>(); });
}

StoreResult<> put(Piece to, base::ByteView bytes) {
  if (is_zero(bytes)) return to.store->write_zeros(extent_of(to.at, bytes));
  return to.store->write(to.at, bytes, Durability::cached);
}

StoreResult<> copy_lent(base::ByteView lent, Piece to) {
  while (!lent.empty()) {
    const base::ByteView piece = lent.first(std::min<std::uint64_t>(lent.size(), lent_piece_bytes));
    if (auto result = put(to, piece); !result) return result;
    to = advanced(to, ByteCount(piece.size()));
    lent = lent.subspan(piece.size());
  }
  return {};
}

// `find_zeros`: the source cannot tell its holes, so look at the bytes.
StoreResult<> copy_through(Piece from, Piece to, ByteCount length, base::ByteSpan scratch,
                           bool find_zeros) {
  for (std::uint64_t left = length.value; left > 0;) {
    const base::ByteSpan piece = scratch.first(std::min<std::uint64_t>(left, scratch.size()));
    if (auto result = from.store->read(from.at, piece); !result) return result;
    const StoreResult<> written =
        find_zeros ? put(to, piece) : to.store->write(to.at, piece, Durability::cached);
    if (!written) return written;
    from = advanced(from, ByteCount(piece.size()));
    to = advanced(to, ByteCount(piece.size()));
    left -= piece.size();
  }
  return {};
}

// What is moved by way of file() passes protection information by: what it comes from is checked,
// where it goes gets new.
StoreResult<> check_source(Piece from, ByteCount length) {
  ProtectedStore* const source = from.store->protection();
  return source == nullptr ? StoreResult<>() : source->check({from.at, length});
}

template <class Move>
StoreResult<> move_beneath(Piece from, Piece to, ByteCount length, Move move) {
  if (auto good = check_source(from, length); !good) return good;
  ProtectedStore* const target = to.store->protection();
  if (target == nullptr) return move(to);
  return target->change_beneath({to.at, length}, [&](Store& below) {
    return move(Piece{&below, to.at});
  });
}

StoreResult<> clone_file_range(Piece from, Piece to, ByteCount length) {
  file_clone_range range = {};
  range.src_fd = from.store->file()->descriptor;
  range.src_offset = from.at.value;
  range.src_length = length.value;
  range.dest_offset = to.at.value;
  if (auto room = reserve_for(from, to, length); !room) return room;
  while (ioctl(to.store->file()->descriptor, FICLONERANGE, &range) != 0) {
    if (errno != EINTR) return offload_fault(errno);
  }
  return give_back_holes(from, to, length);
}

}  // namespace

StoreResult<> clone_range(Piece from, Piece to, ByteCount length) {
  if (auto result = check_bounds(from, to, length); !result) return result;
  if (!from.store->file() || !to.store->file()) return fault(StoreError::Kind::not_supported);
  if (length.value == 0) return {};  // to the kernel a length of 0 means "to the end"
  return move_beneath(from, to, length,
                      [&](Piece into) { return clone_file_range(from, into, length); });
}

StoreResult<> copy_range_in_kernel(Piece from, Piece to, ByteCount length, Holes holes) {
  if (auto result = check_bounds(from, to, length); !result) return result;
  if (!from.store->file() || !to.store->file()) return fault(StoreError::Kind::not_supported);
  return move_beneath(from, to, length, [&](Piece into) {
    return keeping_holes(from, into, length, holes, [](Piece f, Piece t, ByteCount n) {
      auto room = t.store->reserve({t.at, n});
      return room ? copy_data_in_kernel(f, t, n) : room;
    });
  });
}

StoreResult<> copy_range_by_hand(Piece from, Piece to, ByteCount length, base::ByteSpan scratch,
                                 Holes holes) {
  if (auto result = check_bounds(from, to, length); !result) return result;
  if (auto lent = from.store->lend({from.at, length})) return copy_lent(*lent, to);
  if (from.store->file()) {
    if (auto good = check_source(from, length); !good) return good;  // the holes too
    return keeping_holes(from, to, length, holes, [scratch](Piece f, Piece t, ByteCount n) {
      return copy_through(f, t, n, scratch, false);
    });
  }
  return copy_through(from, to, length, scratch, true);
}

}  // namespace store
