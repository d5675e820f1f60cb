// A store over one open file or block device. Opening is file_open.hpp's business; here are the
// calls that move bytes, and which of them may be made without sleeping.
#pragma once

#include <atomic>

#include "store/descriptor.hpp"
#include "store/hot_pages.hpp"
#include "store/store.hpp"

namespace store {

class FileStore final : public Store {
 public:
  // `alignment_bytes` above 1 says that `file` was opened with O_DIRECT. `name` is what describe()
  // says.
  FileStore(Descriptor file, base::ByteCount size, std::uint32_t alignment_bytes, std::string name)
      : file_(std::move(file)),
        size_(size.value),
        alignment_bytes_(alignment_bytes),
        in_memory_(lives_in_memory(file_)),
        hot_pages_(direct() ? nullptr : HotPages::of(file_.number())),
        name_(std::move(name)) {}

  base::ByteCount size() const override { return base::ByteCount(size_.load()); }
  // Of a file, its own size; of a block device, how much of it is used, at most what it has now.
  StoreResult<> resize(base::ByteCount size) override;
  std::uint32_t alignment_bytes() const override { return alignment_bytes_; }
  std::string describe() const override { return name_; }
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  // Once it has failed it fails for ever: see fail_for_good().
  StoreResult<> flush() override;
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  bool start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) override;
  void forget_cached(base::Extent extent) override;
  void read_ahead(base::Extent extent) override;
  Run first_run(base::Extent extent) override;
  bool is_hole(base::Extent extent) override;
  Usage usage() override;
  std::optional<FileHandle> file() const override { return FileHandle{file_.number()}; }

 private:
  static bool lives_in_memory(const Descriptor& file);
  bool direct() const { return alignment_bytes_ > 1; }
  bool needs_bounce(const void* memory) const;
  StoreResult<> read_through_bounce(base::ByteOffset at, base::ByteSpan into);
  StoreResult<> write_through_bounce(base::ByteOffset at, base::ByteView from, int flags);
  StoreResult<> write_with(base::ByteOffset at, base::ByteView from, int flags);
  StoreResult<> write_durably(base::ByteOffset at, base::ByteView from);
  StoreResult<> write_zero_bytes(base::Extent extent);
  StoreResult<> fail_for_good(int system_error);

  const Descriptor file_;
  std::atomic<std::uint64_t> size_;
  const std::uint32_t alignment_bytes_;
  const bool in_memory_;                       // of a file system without a medium
  const std::unique_ptr<HotPages> hot_pages_;  // nullptr: its reads are all system calls
  const std::string name_;
  std::atomic<int> flush_error_{0};
  std::atomic<bool> nowait_reads_{true};  // until the file system says that it cannot
  std::atomic<bool> nowait_writes_{true};
  std::atomic<bool> dsync_writes_{true};
};

}  // namespace store
