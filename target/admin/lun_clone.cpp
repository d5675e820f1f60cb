#include "target/admin/lun_clone.hpp"

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "store/file_open.hpp"
#include "store/transfer.hpp"

namespace admin {
namespace {

constexpr std::size_t scratch_bytes = 1 << 20;
constexpr std::uint64_t stretch_bytes = 64ull << 20;  // looked at at once

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

class Copier {
 public:
  explicit Copier(store::Store& to)
      : to_(to), scratch_(static_cast<std::uint8_t*>(std::aligned_alloc(4096, scratch_bytes))) {}

  store::StoreResult<> move(store::Piece from, base::ByteCount length) {
    const store::Piece to{&to_, at_};
    at_ = base::ByteOffset(at_.value + length.value);
    if (store::clone_range(from, to, length)) {
      means.shared = base::ByteCount(means.shared.value + length.value);
      return {};
    }
    auto copied =
        store::copy_range_by_hand(from, to, length, base::ByteSpan(scratch_.get(), scratch_bytes));
    if (copied) means.copied = base::ByteCount(means.copied.value + length.value);
    return copied;
  }

  CloneMeans means;

 private:
  store::Store& to_;
  base::ByteOffset at_{0};
  const std::unique_ptr<std::uint8_t, Free> scratch_;
};

std::shared_ptr<store::Snapshot> point_in_time(store::Guard& guard, base::ByteCount size,
                                               base::Executor& pool) {
  std::promise<std::shared_ptr<store::Snapshot>> taken;
  guard.protect(
      {{base::ByteOffset(0), size}}, pool, [] {},
      [&taken](std::shared_ptr<store::Snapshot> snapshot) {
        taken.set_value(std::move(snapshot));
      });
  return taken.get_future().get();
}

base::Result<CloneMeans, std::string> fill(store::Guard& guard, base::ByteCount size,
                                           store::Store& to, base::Executor& pool) {
  const auto snapshot = point_in_time(guard, size, pool);
  if (snapshot == nullptr) return base::fail(std::string("the unit has another size meanwhile"));
  Copier copier(to);
  for (std::uint64_t at = 0; at < size.value; at += stretch_bytes) {
    const base::Extent stretch{base::ByteOffset(at),
                               base::ByteCount(std::min(stretch_bytes, size.value - at))};
    const auto moved = snapshot->visit(stretch, [&](store::Piece piece, base::ByteCount length) {
      return copier.move(piece, length);
    });
    if (moved) continue;
    return base::fail(snapshot->lost()
                          ? "there was no room for what hosts wrote over meanwhile (--side-space)"
                          : store::to_text(moved.error()));
  }
  if (const auto kept = to.flush(); !kept) return base::fail(store::to_text(kept.error()));
  return copier.means;
}

}  // namespace

base::Result<CloneMeans, std::string> clone_to_file(device::LogicalUnit& unit,
                                                    const std::string& path, base::Executor& pool) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return base::fail(fmt::format("{} is there already", path));
  }
  const base::ByteCount size = unit.block_length().to_bytes(unit.capacity());
  store::FileOptions options;
  options.path = path;
  options.size = size;
  options.block_length = unit.block_length();
  auto file = store::open_regular_file(options);
  if (!file) return base::fail(file.error());
  auto done = fill(unit.guard(), size, **file, pool);
  file->reset();
  if (done) return done;
  ::unlink(path.c_str());
  return base::fail(fmt::format("cannot fill {}: {}", path, done.error()));
}

}  // namespace admin
