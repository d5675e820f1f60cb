// A Store is where blocks live, seen as a flat range of bytes. This is the one door that files,
// block devices, memory, null stores and filters over them share; the contract tests in
// tests/unit/store/contract_test.cpp run on every one of them.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/extent.hpp"
#include "base/result.hpp"
#include "base/unique_function.hpp"

namespace store {

class Quota;
class Ring;
// The parts of a block's protection information (protection.hpp).
enum class ProtectionField : std::uint8_t { guard, application_tag, reference_tag };

struct StoreError {
  enum class Kind {
    would_block,   // try_* only: nothing was done that counts, use the blocking form on the pool
    out_of_range,  // the extent does not lie within size()
    no_space,      // the medium below is full, or what the store may take of it
    no_space_yet,  // the same where room will come: worth trying again
    read_failed,
    write_failed,
    not_supported,      // this store (or this pair of stores) cannot do it by this means
    protection_failed,  // a block is not what its protection information says
  };
  Kind kind = Kind::read_failed;
  int system_error = 0;  // errno, 0 where there is none
  // Of protection_failed: which logical block, and what of its protection information.
  ProtectionField field = ProtectionField::guard;
  std::uint64_t block = 0;

  bool operator==(const StoreError&) const = default;
};
std::string to_text(const StoreError& error);

template <class T = void>
using StoreResult = base::Result<T, StoreError>;

// What a write promises when it returns: in the write cache (page cache), or on the medium (FUA).
enum class Durability { cached, durable };

// An open file or block device whose byte `n` is the store's byte `n`: what reflink and
// copy_file_range need. The descriptor stays owned by the store.
struct FileHandle {
  int descriptor = -1;
};

class ProtectedStore;

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // Changes by resize() only. What lies within it now may not any more when it is read or written:
  // then that is out_of_range, and touches nothing.
  virtual base::ByteCount size() const = 0;
  // Grown, what is new reads as zeros (of a block device, as what is there); shrunk, what is cut
  // off is gone. Durable with the next flush(). After an error the size is what it was. Only while
  // no other call runs: the guard sees to that, so resize a guard. May sleep.
  virtual StoreResult<> resize(base::ByteCount size);
  // Reads and writes must start and end on a multiple of this many bytes (O_DIRECT: 512 or 4096).
  virtual std::uint32_t alignment_bytes() const { return 1; }
  // "file /srv/a.img": for messages.
  virtual std::string describe() const = 0;

  // The blocking forms: all or error, callable from any thread, at once from many. A write that
  // fails may have written part. They may sleep, so a worker calls them only through the pool.
  virtual StoreResult<> read(base::ByteOffset at, base::ByteSpan into) = 0;
  virtual StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) = 0;
  // The extent reads as zeros afterwards; deallocates (punches holes) where the medium can.
  virtual StoreResult<> write_zeros(base::Extent extent) = 0;
  // Every write that returned before this call is on the medium when it returns (fdatasync).
  virtual StoreResult<> flush() = 0;

  // The run-to-completion forms: would_block when they would have to sleep. Only a file's hot parts
  // may make them wait, for a page that has just left (docs/adr/0012).
  virtual StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into);
  virtual StoreResult<> try_write(base::ByteOffset at, base::ByteView from);
  // What try_read() would have to sleep for, by a ring that has room: `done` gets success, or
  // would_block where only read() can tell what is wrong. `into` and the store stay until then.
  // False: nothing was begun and `done` is as it was.
  using Done = base::UniqueFunction<void(StoreResult<>)>;
  virtual bool start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done);
  // The store's own bytes, valid until it is resized and changing under later writes; nullopt for
  // stores that do not live in memory.
  virtual std::optional<base::ByteView> lend(base::Extent extent);

  // Hints, without effect on what is read: the extent is not wanted in memory (what is on the
  // medium leaves it, so that the next read comes from there), or soon will be.
  virtual void forget_cached(base::Extent) {}
  virtual void read_ahead(base::Extent) {}

  // How the start of `extent` (not empty, within size()) is backed: the longest run of one kind,
  // cut to the extent. Blocks of a hole take no room and read as zeros. All is data to stores that
  // cannot tell.
  struct Run {
    base::ByteCount length;
    bool hole = false;
  };
  virtual Run first_run(base::Extent extent);
  // That all of `extent` is one. Cheaper than first_run(): to find where data ends a file system
  // may have to look at every cached page behind it.
  virtual bool is_hole(base::Extent extent);

  // What of the store takes room on its medium, and what it can still get there. Stores that cannot
  // tell say that they have all their room.
  struct Usage {
    base::ByteCount used, available;
    bool available_is_shared = false;  // others can take it too
  };
  virtual Usage usage() { return {size(), {}, false}; }

  // Nullopt for stores that are not one file or device.
  virtual std::optional<FileHandle> file() const { return std::nullopt; }
  // For who is about to write through file(): takes the room for it, all or nothing (no_space), in
  // stores that count it. Should nothing be written, write_zeros gives it back.
  virtual StoreResult<> reserve(base::Extent) { return {}; }
  // What the store may take; nullptr for stores that do not count it.
  virtual Quota* quota() { return nullptr; }

  // The store with protection information that this is, or that a filter has below; nullptr: none.
  virtual ProtectedStore* protection() { return nullptr; }
};

}  // namespace store
