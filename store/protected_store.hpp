// A store of logical blocks with protection information: data in one store, eight bytes a block in
// another. What is written through it gets protection information; what is read through it is
// checked and refused (protection_failed) when it is not what was written. Zeroed blocks have
// protection information that says "check nothing" (all ones), as formatted ones have.
//
// It goes below the write guard, whose locks keep data and protection information of a block
// together; everything that writes an extent does so while nobody else touches it.
//
// Those who write beneath it, by way of file(), do so within change_beneath().
#pragma once

#include <memory>

#include "store/protection.hpp"
#include "store/store.hpp"
#include "store/write_intents.hpp"

namespace store {

// Where tuples are kept, inverted, so that a hole means all ones: that of block n at `first` + 8n.
struct TupleArea {
  std::unique_ptr<Store> store;
  base::ByteOffset first;
};

class ProtectedStore final : public Store {
 public:
  // For stores that end with the process.
  ProtectedStore(std::unique_ptr<Store> data, TupleArea tuples, const ProtectionFormat& format);
  // From here on data and protection information belong together whatever happens; the intents are
  // kept in the tuples' store. Before the first write: recover().
  void keep_intents(base::ByteOffset at, const IntentSettings& settings);
  // Of the blocks that a crash left in doubt, those whose protection information does not fit get
  // new; returns how many.
  StoreResult<std::uint64_t> recover(bool machine_stopped);
  ~ProtectedStore() override;

  const ProtectionFormat& format() const { return format_; }

  // Whole blocks with their protection information, `tuples` 8 bytes a block: as they are, and as
  // they are given. Nothing is checked.
  StoreResult<> read_with(base::ByteOffset at, base::ByteSpan data, base::ByteSpan tuples);
  StoreResult<> write_with(base::ByteOffset at, base::ByteView data, base::ByteView tuples,
                           Durability durability);

  // Whether the blocks that `extent` touches can be read and are what they were.
  StoreResult<> check(base::Extent extent);
  // `change(Store& below)` writes `extent` of the data's own store; its blocks get new protection
  // information then, also if it fails half way. It does not use this store.
  template <class Change>
  StoreResult<> change_beneath(base::Extent extent, Change change) {
    const auto intent = begin(extent);
    if (!intent) return base::fail(intent.error());
    StoreResult<> changed = change(*data_);
    StoreResult<> made = make_anew(extent);
    return changed ? made : changed;
  }

  base::ByteCount size() const override { return data_->size(); }
  std::uint32_t alignment_bytes() const override { return data_->alignment_bytes(); }
  std::string describe() const override;
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override;
  StoreResult<> write_zeros(base::Extent extent) override;
  StoreResult<> flush() override;
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override;
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override;
  void forget_cached(base::Extent extent) override { data_->forget_cached(extent); }
  void read_ahead(base::Extent extent) override { data_->read_ahead(extent); }
  Run first_run(base::Extent extent) override { return data_->first_run(extent); }
  Usage usage() override { return data_->usage(); }
  std::optional<FileHandle> file() const override { return data_->file(); }
  StoreResult<> reserve(base::Extent extent) override { return data_->reserve(extent); }
  Quota* quota() override { return data_->quota(); }
  ProtectedStore* protection() override { return this; }

 private:
  using Intent = WriteIntents::Intent;

  StoreResult<Intent> begin(base::Extent extent);
  bool whole_blocks(base::Extent extent) const;
  base::Extent widened(base::Extent extent) const;
  base::Lba lba_of(base::ByteOffset at) const;
  base::Extent tuples_of(base::Extent blocks) const;
  StoreResult<> get_tuples(base::Extent blocks, base::ByteSpan tuples);
  StoreResult<> put_tuples(base::Extent blocks, base::ByteView tuples, Durability durability);
  StoreResult<> check_blocks(base::ByteOffset at, base::ByteView data, bool may_sleep);
  StoreResult<> make_anew(base::Extent extent);
  StoreResult<> make_anew_of_data(base::Extent blocks, base::ByteSpan scratch);
  StoreResult<std::uint64_t> mend(base::Extent extent);
  StoreResult<std::uint64_t> mend_piece(base::ByteOffset at, base::ByteSpan scratch);

  const std::unique_ptr<Store> data_;
  const TupleArea tuples_;
  const ProtectionFormat format_;
  std::unique_ptr<WriteIntents> intents_;
};

}  // namespace store
